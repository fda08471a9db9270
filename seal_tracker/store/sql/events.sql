-- name: last_sequence
-- The last event's sequence in any space, 0 where there is none. Index: the primary key read backwards.
SELECT coalesce(max(sequence), 0) FROM events;

-- name: events_after
-- A space's events after a sequence, oldest first. Index: events_of_space.
SELECT sequence, body FROM events WHERE space = $1 AND sequence > $2 ORDER BY sequence LIMIT $3;

-- name: events_before
-- A space's events before a sequence, newest first. Index: events_of_space read backwards.
SELECT sequence, body FROM events WHERE space = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3;

-- name: events_of_units_count
-- How many events some units have. Indexes: events_of_unit, read without the table, and events_of_responsible.
SELECT (SELECT count(*) FROM events WHERE space = $1 AND unit = ANY ($2::text[]))
     + (SELECT count(*) FROM events WHERE space = $1 AND responsible = ANY ($2::text[]) AND (unit = ANY ($2::text[])) IS NOT TRUE);

-- name: outbox_pending
-- What is to be published after an id, of all spaces, in commit order. Index: the primary key; starting after the
-- last id seen also jumps over the rows that are deleted and not yet vacuumed.
SELECT id, space, subject, topic, payload, retain, event_sequence
FROM outbox
WHERE id > $1
ORDER BY id
LIMIT $2;

-- name: outbox_done
-- Forgets what the broker acknowledged.
DELETE FROM outbox WHERE id = ANY ($1::bigint[]);
