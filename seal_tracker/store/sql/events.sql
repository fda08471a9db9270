-- name: last_sequence
-- The last event's sequence in any space, 0 where there is none. Index: the primary key read backwards.
SELECT coalesce(max(sequence), 0) FROM events;

-- name: events_after
-- A space's events after a sequence, oldest first. Index: events_of_space.
SELECT sequence, body FROM events WHERE space = $1 AND sequence > $2 ORDER BY sequence LIMIT $3;

-- name: events_before
-- A space's events before a sequence, newest first. Index: events_of_space read backwards.
SELECT sequence, body FROM events WHERE space = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3;

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

-- name: alarms_open
-- A space's alarms that are not closed, newest first, before a place. Index: alarms_open.
SELECT id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body
FROM alarms
WHERE space = $1 AND state <> 'closed' AND (raised_at, id) < ($2, $3::uuid)
ORDER BY raised_at DESC, id DESC
LIMIT $4;

-- name: alarms_newest
-- All of a space's alarms, newest first, before a place. Index: alarms_newest.
SELECT id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body
FROM alarms
WHERE space = $1 AND (raised_at, id) < ($2, $3::uuid)
ORDER BY raised_at DESC, id DESC
LIMIT $4;

-- name: alarms_of_episodes
-- The alarms of these episodes, in any state. Index: alarms_of_episode.
SELECT id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body
FROM alarms
WHERE episode = ANY ($1::uuid[]);
