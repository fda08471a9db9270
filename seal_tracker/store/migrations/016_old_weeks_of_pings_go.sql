-- What is left of a seal whose old pings are gone: the state that they led to. It is the seal's first checkpoint; judging again goes
-- back to it and no further, and nothing but a later one of its kind replaces it.
ALTER TABLE checkpoints ADD COLUMN is_first boolean NOT NULL DEFAULT false;

-- Drops the table of a week.
CREATE FUNCTION drop_ping_week(week text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM ping_weeks WHERE name = week;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table of pings %', week;
    END IF;
    EXECUTE format('DROP TABLE %I', week);
END $$;
