-- A commit is one statement wherever it can be, which the database ends by itself: whoever has been overtaken must then fail
-- within it. Before, it was looked at between BEGIN and COMMIT, four answers to wait for instead of one.

-- Takes the next commit number and so many outbox ids.
CREATE FUNCTION advance_writer(next_number bigint, new_ids bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE writer
    SET commit_number = next_number, outbox_id = outbox_id + new_ids
    WHERE commit_number = next_number - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'commit % is taken: another writer committed past the lock', next_number USING ERRCODE = 'ST001';
    END IF;
END
$$;
