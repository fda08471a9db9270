-- name: offline_times
-- When equipment was offline, as far as that touches [$2, $3); $4 are the ids asked for. Index: episodes_offline, alone.
SELECT subject, started_at, ended_at
FROM episodes
WHERE space = $1 AND type = 'EQUIPMENT_OFFLINE' AND object IS NULL AND NOT retracted
  AND coalesce(ended_at, 'infinity') > $2 AND started_at < $3 AND subject = ANY ($4::text[])
ORDER BY subject, started_at;
