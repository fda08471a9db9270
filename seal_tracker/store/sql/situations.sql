-- part: situation_columns
-- The columns of a situation, in the order of its row.
id, version, kind, severity, unit, state, restricted, occurred_at, registered_at, closed_at, journeys, salt, body

-- name: upsert_situations
-- Writes situations as they now stand; journeys come as the text of an array.
INSERT INTO situations (
    space, id, version, kind, severity, unit, state, restricted, occurred_at, registered_at, closed_at, journeys, salt, body
)
SELECT $1, s.id, s.version, s.kind, s.severity, s.unit, s.state, s.restricted, s.occurred_at, s.registered_at, s.closed_at,
       s.journeys::text[], s.salt, s.body
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::timestamptz[], $10::timestamptz[],
    $11::timestamptz[], $12::text[], $13::text[], $14::json[]
) AS s (
    id, version, kind, severity, unit, state, restricted, occurred_at, registered_at, closed_at, journeys, salt, body
)
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, kind = excluded.kind, severity = excluded.severity, unit = excluded.unit, state = excluded.state,
    occurred_at = excluded.occurred_at, closed_at = excluded.closed_at, journeys = excluded.journeys, body = excluded.body;

-- name: add_situation_versions
-- Adds versions; one that is there already is a fault of the caller.
INSERT INTO situation_versions (space, situation, version, verb, at, actor, role, salt, body)
SELECT $1, v.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::json[]
) AS v;

-- name: situation_of_id
-- One situation. Index: the primary key.
SELECT {situation_columns} FROM situations WHERE space = $1 AND id = $2;

-- name: situation_versions
-- Versions of a situation before one, newest first. Index: the primary key read backwards.
SELECT version, verb, at, actor, role, body
FROM situation_versions
WHERE space = $1 AND situation = $2 AND version < $3
ORDER BY version DESC
LIMIT $4;

-- part: situations_asked
-- What all statements of the list ask for: before a place ($2, $3); of a kind, severity, state, units ($7), a journey; that occurred in
-- [$9, $10); that were open at a moment ($11); restricted ones or others ($12; NULL: both).
space = $1 AND (occurred_at, id) < ($2, $3::uuid)
  AND ($4::text IS NULL OR kind = $4)
  AND ($5::text IS NULL OR severity = $5)
  AND ($6::text IS NULL OR state = $6)
  AND ($7::text[] IS NULL OR unit = ANY ($7))
  AND ($8::text IS NULL OR journeys @> ARRAY[$8])
  AND ($9::timestamptz IS NULL OR occurred_at >= $9)
  AND ($10::timestamptz IS NULL OR occurred_at < $10)
  AND ($11::timestamptz IS NULL OR (registered_at < $11 AND coalesce(closed_at, 'infinity') >= $11))
  AND ($12::bool IS NULL OR restricted = $12)

-- part: situations_in_order
-- Newest first, a page of them.
ORDER BY occurred_at DESC, id DESC
LIMIT $13

-- name: situations_listed
-- Situations, newest first. Index: situations_newest.
SELECT {situation_columns}
FROM situations
WHERE {situations_asked}
{situations_in_order};

-- name: situations_of_journey
-- The same of one journey, which has few. Index: situations_of_journey.
SELECT {situation_columns}
FROM situations
WHERE {situations_asked} AND journeys @> ARRAY[$8]
{situations_in_order};

-- name: situations_open
-- The same of those that are open, which are few. Index: situations_open.
SELECT {situation_columns}
FROM situations
WHERE {situations_asked} AND closed_at IS NULL
{situations_in_order};

-- name: situations_of_kind
-- The same of one kind. Index: situations_of_kind.
SELECT {situation_columns}
FROM situations
WHERE {situations_asked} AND kind = $4
{situations_in_order};

-- name: situations_of_units
-- The same of few units: of each as many as the page has, then the newest of them. Index: situations_of_unit.
SELECT s.*
FROM unnest($7::text[]) AS of_unit (name)
CROSS JOIN LATERAL (
    SELECT {situation_columns}
    FROM situations
    WHERE {situations_asked} AND unit = of_unit.name
    {situations_in_order}
) AS s
ORDER BY s.occurred_at DESC, s.id DESC
LIMIT $13;

-- name: report_situations
-- How many of each kind occurred in [$2, $3), and how many there were open at its end, in all and of each unit; restricted ones are in no
-- figure. $4 and $5 as in reports. Indexes: situations_newest, situations_by_end.
SELECT grouping(unit) = 1 AS in_all, unit, kind, sum(occurred), sum(open)
FROM (
    SELECT unit, kind, 1 AS occurred, 0 AS open FROM situations
    WHERE space = $1 AND occurred_at >= $2 AND occurred_at < $3 AND NOT restricted
    UNION ALL
    SELECT unit, kind, 0, 1 FROM situations
    WHERE space = $1 AND registered_at < $3 AND coalesce(closed_at, 'infinity') >= $3 AND NOT restricted
) AS counted
WHERE ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit, kind), (kind))
ORDER BY kind;

-- name: situations_to_verify
-- Every situation of a space, in no order.
SELECT {situation_columns} FROM situations WHERE space = $1;

-- name: situation_versions_to_verify
-- Every version of every situation of a space, in no order.
SELECT v.situation, v.version, v.verb, v.at, v.actor, v.role, v.salt, v.body, s.restricted
FROM situation_versions AS v
JOIN situations AS s ON s.space = v.space AND s.id = v.situation
WHERE v.space = $1;
