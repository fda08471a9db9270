-- What a journey's risk is counted from; draws and inspections.

-- part: risk_columns
-- Of a journey: what policies go by, who carries it, and its seals.
j.id, j.regime, j.route, j.unit, j.armed_at, j.ended_at, j.body ->> 'carrier' AS carrier,
ARRAY(
    SELECT d.device FROM journey_devices AS d
    WHERE d.space = j.space AND d.journey = j.id AND d.is_armed ORDER BY d.device
) AS seals

-- name: risk_journeys
-- Journeys armed in [$2, $3) and not over at $4, of some units, a regime and a route. Index: journeys_by_end.
SELECT {risk_columns}
FROM journeys AS j
WHERE j.space = $1 AND j.armed_at IS NOT NULL AND j.armed_at >= $2 AND j.armed_at < $3
  AND coalesce(j.ended_at, 'infinity') > $4
  AND ($5::text[] IS NULL OR j.unit = ANY ($5))
  AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
ORDER BY j.id
LIMIT $8;

-- name: risk_journeys_named
-- Some journeys, armed. Index: the primary key.
SELECT {risk_columns}
FROM journeys AS j
WHERE j.space = $1 AND j.id = ANY ($2::text[]) AND j.armed_at IS NOT NULL
ORDER BY j.id;

-- name: risk_carriers
-- For carriers, each from a time of its own: journeys that ended before $4, and those of them with an alarm that was confirmed; and
-- inspections that found something. Indexes: journeys_of_carrier, alarms_of_journey, inspections_of_carrier.
SELECT asked.carrier, asked.from_at, ended.journeys, ended.confirmed, (
    SELECT count(*) FROM inspections AS i
    WHERE i.space = $1 AND i.carrier = asked.carrier AND i.found AND i.done_at >= asked.from_at AND i.done_at < $4
) AS findings
FROM unnest($2::text[], $3::timestamptz[]) AS asked (carrier, from_at)
CROSS JOIN LATERAL (
    SELECT count(*) AS journeys, count(*) FILTER (
        WHERE EXISTS (
            SELECT FROM alarms AS a WHERE a.space = $1 AND a.journey = j.id AND a.code = 'confirmed'
        )
    ) AS confirmed
    FROM journeys AS j
    WHERE j.space = $1 AND j.body ->> 'carrier' = asked.carrier AND j.armed_at IS NOT NULL
      AND j.ended_at >= asked.from_at AND j.ended_at < $4
) AS ended;

-- name: risk_seals
-- For seals, each from a time of its own: episodes of the types $5 raised before $4, by type. Index: episodes_of_seal.
SELECT asked.seal, asked.from_at, e.type, count(*)
FROM unnest($2::text[], $3::timestamptz[]) AS asked (seal, from_at)
JOIN episodes AS e
    ON e.space = $1 AND e.seal = asked.seal AND NOT e.retracted AND e.raised_at >= asked.from_at AND e.raised_at < $4
WHERE e.type = ANY ($5::text[])
GROUP BY asked.seal, asked.from_at, e.type
ORDER BY asked.seal, e.type;

-- name: risk_gaps
-- Of journeys: episodes of the types $3, by type. Index: episodes_of_journey.
SELECT journey, type, count(*)
FROM episodes
WHERE space = $1 AND NOT retracted AND journey = ANY ($2::text[]) AND type = ANY ($3::text[])
GROUP BY journey, type
ORDER BY journey, type;

-- name: risk_alarms
-- Of journeys: alarms, critical or high, of other types than $3, not closed by one of the codes $4, by type. Index: alarms_of_journey.
SELECT journey, type, count(*)
FROM alarms
WHERE space = $1 AND journey = ANY ($2::text[]) AND severity IN ('critical', 'high') AND type <> ALL ($3::text[])
  AND (code IS NULL OR code <> ALL ($4::text[]))
GROUP BY journey, type
ORDER BY journey, type;

-- part: draw_columns
-- The columns of a draw, in the order of its row.
id, version, state, unit, committed_at, secret, frame, body

-- name: upsert_draws
-- Writes draws as they now stand.
INSERT INTO draws (space, {draw_columns})
SELECT $1, d.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::json[]
) AS d
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, state = excluded.state, frame = excluded.frame, body = excluded.body;

-- name: draw_of_id
-- One draw. Index: the primary key.
SELECT {draw_columns} FROM draws WHERE space = $1 AND id = $2;

-- name: draws_listed
-- Draws, newest first, without their frames. Index: draws_newest.
SELECT id, version, state, unit, committed_at, secret, NULL::text AS frame, body
FROM draws
WHERE space = $1 AND (committed_at, id) < ($2, $3::uuid) AND ($4::text[] IS NULL OR unit = ANY ($4))
ORDER BY committed_at DESC, id DESC
LIMIT $5;

-- part: inspection_columns
-- The columns of an inspection, in the order of its row.
id, version, state, kind, subject, unit, carrier, draw, ordered_at, done_at, found, body

-- name: upsert_inspections
-- Writes inspections as they now stand.
INSERT INTO inspections (space, {inspection_columns})
SELECT $1, i.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
    $10::timestamptz[], $11::timestamptz[], $12::bool[], $13::json[]
) AS i
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, state = excluded.state, carrier = excluded.carrier, done_at = excluded.done_at,
    found = excluded.found, body = excluded.body;

-- name: inspection_of_id
-- One inspection. Index: the primary key.
SELECT {inspection_columns} FROM inspections WHERE space = $1 AND id = $2;

-- part: inspections_asked
-- What all statements of the list ask for: inspections before a place, of a draw, a kind and a subject, units, or those alone to be made.
space = $1 AND (ordered_at, id) < ($2, $3::uuid)
  AND ($4::uuid IS NULL OR draw = $4)
  AND ($5::text IS NULL OR kind = $5) AND ($6::text IS NULL OR subject = $6)
  AND ($7::text[] IS NULL OR unit = ANY ($7))
  AND (NOT $8::bool OR state = 'due')

-- part: inspections_in_order
-- Newest first, a page of them.
ORDER BY ordered_at DESC, id DESC
LIMIT $9

-- name: inspections_listed
-- Inspections, newest first. Index: inspections_newest.
SELECT {inspection_columns}
FROM inspections
WHERE {inspections_asked}
{inspections_in_order};

-- name: inspections_to_make
-- Those that are to be made. Index: inspections_due.
SELECT {inspection_columns}
FROM inspections
WHERE {inspections_asked} AND state = 'due'
{inspections_in_order};

-- name: inspections_of_draw
-- Those of a draw. Index: inspections_of_draw.
SELECT {inspection_columns}
FROM inspections
WHERE {inspections_asked} AND draw = $4
{inspections_in_order};

-- name: inspections_of_subject
-- Those of a journey or a unit. Index: inspections_of_subject.
SELECT {inspection_columns}
FROM inspections
WHERE {inspections_asked} AND kind = $5 AND subject = $6
{inspections_in_order};

-- name: inspections_of_units
-- Those of some units: of each as many as the page has. Index: inspections_of_unit, one range a unit.
SELECT i.*
FROM unnest($7::text[]) AS wanted (unit)
CROSS JOIN LATERAL (
    SELECT {inspection_columns}
    FROM inspections
    WHERE space = $1 AND unit = wanted.unit AND (ordered_at, id) < ($2, $3::uuid)
      AND ($4::uuid IS NULL OR draw = $4) AND ($5::text IS NULL OR kind = $5) AND ($6::text IS NULL OR subject = $6)
      AND (NOT $8::bool OR state = 'due')
    ORDER BY ordered_at DESC, id DESC
    LIMIT $9
) AS i
ORDER BY i.ordered_at DESC, i.id DESC
LIMIT $9;

-- name: inspections_made
-- Bodies of inspections of journeys made in [$2, $3), of some units. Index: inspections_by_end.
SELECT body
FROM inspections
WHERE space = $1 AND done_at >= $2 AND done_at < $3 AND kind = 'journey' AND found IS NOT NULL
  AND ($4::text[] IS NULL OR unit = ANY ($4));
