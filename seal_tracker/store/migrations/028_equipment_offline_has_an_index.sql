-- Availability over a period, and what was down while a truck passed, ask which equipment was offline then: by when that ended, with all
-- that is counted, so that the table itself is not read. Episodes of other types cost nothing here.
CREATE INDEX episodes_offline ON episodes (space, (coalesce(ended_at, 'infinity')))
    INCLUDE (subject, started_at, ended_at)
    WHERE type = 'EQUIPMENT_OFFLINE' AND object IS NULL AND NOT retracted;
