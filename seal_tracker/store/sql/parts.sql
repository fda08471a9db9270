-- name: parts_remembered
-- Remembers parts of messages, and forgets those of more than a day ago, so that the table stays small; a part that comes again comes within minutes.
WITH gone AS (
DELETE FROM parts_read WHERE read_at < now() - interval '1 day'
)
INSERT INTO parts_read (digest) SELECT unnest($1::bytea[]) ON CONFLICT (digest) DO NOTHING;

-- name: parts_known
-- Parts that were read lately, the newest $1, oldest first.
SELECT digest FROM (SELECT digest, read_at FROM parts_read ORDER BY read_at DESC LIMIT $1) newest ORDER BY read_at;
