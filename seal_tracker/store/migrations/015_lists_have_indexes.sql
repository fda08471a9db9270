-- What events and episodes are filtered by. Filters that leave many of what leads to them (a severity, a regime) have none of their own.

-- Events of a journey, a seal, a type, a severity, oldest or newest first by sequence. (Of a unit: events_of_unit.)
CREATE INDEX events_of_journey ON events (space, journey, sequence) WHERE journey IS NOT NULL;
CREATE INDEX events_of_seal ON events (space, seal, sequence);
CREATE INDEX events_of_type ON events (space, type, sequence);
CREATE INDEX events_of_severity ON events (space, severity, sequence);

-- Events of a period, a day at a time; other filters are looked at in the index, so that only what is told is read from the table.
CREATE INDEX events_of_day ON events (space, (date_bin('1 day', time, '1970-01-01 00:00:00+00')), sequence)
    INCLUDE (time, type, severity, unit, journey, seal);

-- Episodes of a type and of a severity, newest first.
CREATE INDEX episodes_of_type ON episodes (space, type, raised_at DESC, episode DESC) WHERE NOT retracted;
CREATE INDEX episodes_of_severity ON episodes (space, severity, raised_at DESC, episode DESC) WHERE NOT retracted;
