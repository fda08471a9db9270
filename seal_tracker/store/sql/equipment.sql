-- name: offline_times
-- When equipment was offline, as far as that touches [$2, $3); $4 are the ids asked for. Index: episodes_offline, alone.
SELECT subject, started_at, ended_at
FROM episodes
WHERE space = $1 AND type = 'EQUIPMENT_OFFLINE' AND object IS NULL AND NOT retracted
  AND coalesce(ended_at, 'infinity') > $2 AND started_at < $3 AND subject = ANY ($4::text[])
ORDER BY subject, started_at;

-- name: maintenance_times
-- When equipment was in planned maintenance, as far as that touches [$2, $3); $4 are the ids asked for. An order that names equipment is one,
-- unless it is of other types alone; from when it was given on, until it ended or was cancelled. Index: suppressions_of_equipment.
SELECT equipment, begins_at, ends_at
FROM (
    SELECT body ->> 'equipment' AS equipment, greatest(from_at, said_time(body ->> 'made_at')) AS begins_at,
           least(until_at, cancelled_at) AS ends_at
    FROM suppressions
    WHERE space = $1 AND until_at > $2 AND from_at < $3 AND body ->> 'equipment' IS NOT NULL
      AND ((body -> 'types')::jsonb = '[]' OR (body -> 'types')::jsonb ? 'EQUIPMENT_OFFLINE')
) AS planned
WHERE equipment = ANY ($4::text[]) AND begins_at < ends_at AND ends_at > $2 AND begins_at < $3
ORDER BY equipment, begins_at;
