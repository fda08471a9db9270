-- name: add_space
-- Makes a space; nothing happens where it exists.
INSERT INTO spaces (name) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: spaces
-- All spaces, oldest first.
SELECT name, created_at FROM spaces ORDER BY created_at, name;

-- name: seals_named
-- Numbers of the seals of these names, where they have one. Index: UNIQUE (space, name).
SELECT name, id FROM seals WHERE space = $1 AND name = ANY ($2::text[]);

-- name: add_seals
-- Numbers new seals in the order given; the single writer has looked before, so nothing can be there yet.
INSERT INTO seals (space, name)
SELECT $1, wanted.name
FROM unnest($2::text[]) WITH ORDINALITY AS wanted (name, position)
ORDER BY wanted.position
RETURNING name, id;

-- name: seal_names
-- Every seal of a space with its number.
SELECT id, name FROM seals WHERE space = $1;

-- name: seals_unclocked
-- Seals of a space that have sent pings without a believable clock, and the newest time that one of these claims: one look into that
-- table's primary key for each seal.
SELECT seals.id, newest.time
FROM seals
CROSS JOIN LATERAL (
    SELECT p.time FROM pings_unclocked AS p WHERE p.seal = seals.id ORDER BY p.time DESC LIMIT 1
) AS newest
WHERE seals.space = $1;

-- name: seals_of_space
-- Which of these numbers are seals of this space.
SELECT id FROM seals WHERE space = $1 AND id = ANY ($2::int[]);

-- name: counters
-- All counters of a space.
SELECT name, value FROM counters WHERE space = $1;

-- name: outbox_count
-- How much of a space is still to be told. The table is all but empty in normal running.
SELECT count(*) FROM outbox WHERE space = $1;

-- name: dead_letters
-- Dead letters of a space, newest first, before an id. Index: dead_letters_newest.
SELECT id, received_at, topic, payload, reason
FROM dead_letters
WHERE space = $1 AND id < $2
ORDER BY id DESC
LIMIT $3;

-- name: has_space
-- Whether there is such a space.
SELECT EXISTS (SELECT 1 FROM spaces WHERE name = $1);
