-- Lists that were read through to find little: those of a period, and of a unit, a severity or a regime that has few.

-- Events of a period: the unit that answers is looked at in the index as well.
DROP INDEX events_of_day;
CREATE INDEX events_of_day ON events (space, (date_bin('1 day', time, '1970-01-01 00:00:00+00')), sequence)
    INCLUDE (time, type, severity, unit, responsible, journey, seal);

-- Alarms in any state, newest first: of a severity, of a unit, and of what a unit answers for.
CREATE INDEX alarms_of_severity ON alarms (space, severity, raised_at DESC, id DESC);
CREATE INDEX alarms_of_unit ON alarms (space, unit, raised_at DESC, id DESC) WHERE unit IS NOT NULL;
CREATE INDEX alarms_of_responsible ON alarms (space, responsible, raised_at DESC, id DESC) WHERE responsible IS NOT NULL;

-- Journeys of a regime, by id; and those armed at some time within a period. One may have been called off before it was armed.
CREATE INDEX journeys_of_regime ON journeys (space, regime, id);
CREATE INDEX journeys_in_time ON journeys USING gist (
    tstzrange(armed_at, greatest(armed_at, coalesce(ended_at, 'infinity')), '[]')
) WHERE armed_at IS NOT NULL;
