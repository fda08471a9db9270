-- Pings lie in weeks of event time: what is old is dropped as a table, not row by row, and what is asked for lies close together.
--
--     pings ─┬─ pings_timed (clock believed) ─┬─ pings_20260921, … one a week, from Monday 00:00 UTC
--            │                                └─ pings_other_weeks: of weeks that have no table
--            └─ pings_unclocked (clock not believed): any time at all, found by arrival
--
-- A device whose clock is wrong may send any time. Apart from the others it makes no tables and keeps none alive, and what
-- counts at its arrival is looked for in one place, not in every week. (seal, time, digest) is the identity of a ping: each table
-- has it as its primary key, and the weeks have no time in common, so none is needed above them.
ALTER TABLE pings RENAME TO pings_before;
ALTER INDEX pings_pkey RENAME TO pings_before_pkey;
ALTER INDEX pings_by_arrival RENAME TO pings_before_by_arrival;

CREATE TABLE pings (LIKE pings_before INCLUDING CONSTRAINTS) PARTITION BY LIST (clock_ok);

CREATE TABLE pings_unclocked (LIKE pings INCLUDING CONSTRAINTS, PRIMARY KEY (seal, time, digest));
ALTER TABLE pings ATTACH PARTITION pings_unclocked FOR VALUES IN (false);
-- Judging a seal again asks for those that came after a time.
CREATE INDEX pings_by_arrival ON pings_unclocked (seal, received_at);

CREATE TABLE pings_timed PARTITION OF pings FOR VALUES IN (true) PARTITION BY RANGE (time);

-- Weeks that nobody made a table for: before 2020 or far ahead, as exercises may have them; and any, while a backup holds the
-- lock that a new table needs. Normally empty.
CREATE TABLE pings_other_weeks (LIKE pings INCLUDING CONSTRAINTS, PRIMARY KEY (seal, time, digest));
ALTER TABLE pings_timed ATTACH PARTITION pings_other_weeks DEFAULT;

-- Which tables there are. The one that an upgrade made covers many weeks. made_at: an exercise may bring a week that is long past,
-- which is kept as if it were of the day it came.
CREATE TABLE ping_weeks (
    name       text COLLATE "C" PRIMARY KEY,
    begins_at  timestamptz NOT NULL UNIQUE,
    ends_at    timestamptz NOT NULL CHECK (ends_at > begins_at),
    made_at    timestamptz NOT NULL DEFAULT now()
);

-- Makes the table of one week, and brings into it what lay among the others. Attached afterwards, not made as a part: so readers of
-- other weeks need not wait.
CREATE FUNCTION add_ping_week(begins timestamptz) RETURNS void LANGUAGE plpgsql AS $$ DECLARE
    week text := 'pings_' || to_char(begins AT TIME ZONE 'UTC', 'YYYYMMDD');
    ends timestamptz := begins + interval '168 hours';
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE pings INCLUDING CONSTRAINTS, PRIMARY KEY (seal, time, digest))', week);
    EXECUTE format('WITH moved AS (DELETE FROM pings_other_weeks WHERE time >= $1 AND time < $2 RETURNING *) '
                   'INSERT INTO %I SELECT * FROM moved', week) USING begins, ends;
    EXECUTE format('ALTER TABLE pings_timed ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', week, begins, ends);
    INSERT INTO ping_weeks (name, begins_at, ends_at) VALUES (week, begins, ends);
END $$;

-- What an installation has becomes one table of all weeks so far, where it lies: only what that table must not hold is moved. This
-- reads the table three times and writes nearly nothing: 65 s for 50 million pings, on two busy cores.
-- formerly 961ceea81a6635f8730d7ebf7756b14c87c218e59b5353b39e384e1d486f5b90
DO $$ DECLARE
    begins timestamptz := '2019-12-30T00:00:00Z';
    ends timestamptz := date_trunc('week', now(), 'UTC') + interval '168 hours';
BEGIN
    IF NOT EXISTS (SELECT FROM pings_before) THEN
        DROP TABLE pings_before;
        RETURN;
    END IF;
    WITH moved AS (
        DELETE FROM pings_before WHERE NOT clock_ok OR time < begins OR time >= ends RETURNING *
    )
    INSERT INTO pings SELECT * FROM moved;
    DROP INDEX pings_before_by_arrival;
    EXECUTE format('ALTER TABLE pings_timed ATTACH PARTITION pings_before FOR VALUES FROM (%L) TO (%L)', begins, ends);
    INSERT INTO ping_weeks (name, begins_at, ends_at) VALUES ('pings_before', begins, ends);
END $$;
