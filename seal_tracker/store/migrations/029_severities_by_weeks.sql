-- Events of a severity, a week at a time, as those of a type: what was rare, or long past, is found without reading what was told since.
DROP INDEX events_of_severity;
CREATE INDEX events_of_severity ON events (space, severity, (date_bin('7 days', time, '1970-01-05 00:00:00+00')), sequence)
    INCLUDE (time, type, unit, responsible, journey, seal);
