-- part: ticket_columns
-- The columns of a ticket, in the order of its row.
id, version, state, under_way, equipment, kind, unit, episode, opened_at, failed_at, acknowledged_at, repaired_at, heard_at, body

-- name: upsert_tickets
-- Writes tickets as they now stand.
INSERT INTO equipment_tickets (space, id, version, state, under_way, equipment, kind, unit, episode, opened_at, failed_at,
                               acknowledged_at, repaired_at, heard_at, body)
SELECT $1, t.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::timestamptz[],
    $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::json[]
) AS t
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, state = excluded.state, under_way = excluded.under_way, episode = excluded.episode,
    acknowledged_at = excluded.acknowledged_at, repaired_at = excluded.repaired_at, heard_at = excluded.heard_at,
    body = excluded.body;

-- name: ticket_of_id
-- One ticket. Index: the primary key.
SELECT {ticket_columns}
FROM equipment_tickets
WHERE space = $1 AND id = $2;

-- name: equipment_silent
-- What is down since before $2 (as a fault, not as flapping), while neither a ticket about the piece is under way nor one was ever about the same
-- episode, and no maintenance is planned at $3. Index: episodes_offline, from its end, where what goes on stands.
SELECT e.episode, e.subject, e.started_at
FROM episodes AS e
WHERE e.space = $1 AND e.type = 'EQUIPMENT_OFFLINE' AND e.object IS NULL AND NOT e.retracted
  AND coalesce(e.ended_at, 'infinity') = 'infinity' AND e.started_at <= $2 AND e.severity <> 'info'
  AND NOT EXISTS (
      SELECT FROM equipment_tickets AS t WHERE t.space = $1 AND t.equipment = e.subject AND t.under_way
  )
  AND NOT EXISTS (SELECT FROM equipment_tickets AS t WHERE t.space = $1 AND t.episode = e.episode)
  AND NOT EXISTS (
      SELECT
      FROM suppressions AS s
      WHERE s.space = $1 AND s.until_at > $3 AND s.from_at <= $3 AND s.cancelled_at IS NULL
        AND s.body ->> 'equipment' = e.subject
        AND ((s.body -> 'types')::jsonb = '[]' OR (s.body -> 'types')::jsonb ? 'EQUIPMENT_OFFLINE')
  )
ORDER BY e.started_at, e.episode
LIMIT $4;

-- name: tickets_behind
-- Tickets under way whose episode ended at another time than they say, or was taken back; with when, and whether. Index:
-- equipment_tickets_under_way, and the episodes' primary key.
SELECT t.id, t.version, t.state, t.under_way, t.equipment, t.kind, t.unit, t.episode, t.opened_at, t.failed_at, t.acknowledged_at,
       t.repaired_at, t.heard_at, t.body, e.ended_at, e.retracted
FROM equipment_tickets AS t
JOIN episodes AS e ON e.episode = t.episode
WHERE t.space = $1 AND t.under_way AND (e.retracted OR e.ended_at IS DISTINCT FROM t.heard_at)
ORDER BY t.opened_at DESC, t.id DESC
LIMIT $2;

-- part: tickets_asked
-- What all statements of the list ask for: tickets before a place, of a piece, of units, in a state, or those alone that are under way.
space = $1 AND (opened_at, id) < ($2, $3::uuid)
  AND ($4::text IS NULL OR equipment = $4)
  AND ($5::text[] IS NULL OR unit = ANY ($5))
  AND ($6::text IS NULL OR state = $6)
  AND (NOT $7::bool OR under_way)

-- part: tickets_in_order
-- Newest first, a page of them.
ORDER BY opened_at DESC, id DESC
LIMIT $8

-- name: tickets_listed
-- Tickets, newest first. Index: equipment_tickets_newest.
SELECT {ticket_columns}
FROM equipment_tickets
WHERE {tickets_asked}
{tickets_in_order};

-- name: tickets_of_piece
-- The same of one piece of equipment. Index: equipment_tickets_of_piece.
SELECT {ticket_columns}
FROM equipment_tickets
WHERE {tickets_asked} AND equipment = $4
{tickets_in_order};

-- name: tickets_under_way
-- The same of those that are under way, which are few. Index: equipment_tickets_under_way.
SELECT {ticket_columns}
FROM equipment_tickets
WHERE {tickets_asked} AND $7 AND under_way
{tickets_in_order};

-- name: tickets_of_units
-- The same of few units: of each as many as the page has, then the newest of them. Index: equipment_tickets_of_unit.
SELECT t.*
FROM unnest($5::text[]) AS of_unit (name)
CROSS JOIN LATERAL (
    SELECT {ticket_columns}
    FROM equipment_tickets
    WHERE {tickets_asked} AND unit = of_unit.name
    {tickets_in_order}
) AS t
ORDER BY t.opened_at DESC, t.id DESC
LIMIT $8;

-- name: ticket_times
-- What is summed over [$2, $3): of tickets that were opened, acknowledged or repaired then, in $4 where units are named, and of kind $5 where one is;
-- those cancelled are in none. Indexes: one for each of the three times.
SELECT unit, kind, opened_at, failed_at, acknowledged_at, repaired_at, body ->> 'cause'
FROM equipment_tickets
WHERE space = $1 AND state <> 'cancelled'
  AND ($4::text[] IS NULL OR unit = ANY ($4))
  AND ($5::text IS NULL OR kind = $5)
  AND (
      (opened_at >= $2 AND opened_at < $3)
      OR (acknowledged_at >= $2 AND acknowledged_at < $3)
      OR (repaired_at >= $2 AND repaired_at < $3)
  );
