-- name: upsert_suppressions
-- Writes orders as they now stand.
INSERT INTO suppressions (space, id, version, unit, from_at, until_at, cancelled_at, body)
SELECT $1, s.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::json[]
) AS s
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, until_at = excluded.until_at, cancelled_at = excluded.cancelled_at, body = excluded.body;

-- name: suppression_of_id
-- One order. Index: the primary key.
SELECT id, version, unit, from_at, until_at, cancelled_at, body FROM suppressions WHERE space = $1 AND id = $2;

-- name: suppressions_listed
-- Orders by when they begin, newest first. Index: suppressions_newest.
SELECT id, version, unit, from_at, until_at, cancelled_at, body
FROM suppressions
WHERE space = $1 AND (from_at, id) < ($2, $3::uuid)
  AND ($4::timestamptz IS NULL OR (cancelled_at IS NULL AND from_at <= $4 AND until_at > $4))
  AND ($5::text[] IS NULL OR unit = ANY ($5))
ORDER BY from_at DESC, id DESC
LIMIT $6;

-- name: suppressions_standing
-- Orders that stood at any moment of [$2, $3], or stand still. Index: suppressions_standing.
SELECT id, version, unit, from_at, until_at, cancelled_at, body
FROM suppressions
WHERE space = $1 AND cancelled_at IS NULL AND until_at > $2 AND from_at <= $3;

-- name: suppressions_end
-- When the last order of a space ends; before all times where there is none. Index: suppressions_standing.
SELECT coalesce(max(until_at), '-infinity') FROM suppressions WHERE space = $1 AND cancelled_at IS NULL;

-- name: alarms_suppressed_by
-- Alarms that an order has suppressed. Index: alarms_suppressed.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND state = 'suppressed' AND body -> 'suppression' ->> 'order' = $2
ORDER BY id;
