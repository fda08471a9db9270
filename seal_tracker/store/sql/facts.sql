-- Facts of equipment: as they stand, those of a journey, and pages of them, newest first.

-- part: fact_columns
-- What a fact's row has, in the order of `EquipmentFact`.
id, kind, equipment, at, journey, plate, unit, revision, void, recorded_at, seal, box, other_box, body

-- name: upsert_facts
-- Writes facts as they now stand; when it was recorded first stays.
INSERT INTO equipment_facts (space, {fact_columns})
SELECT $1, f.*
FROM unnest(
    $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bool[],
    $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::json[]
) AS f
ON CONFLICT (space, id) DO UPDATE SET
    at = excluded.at, journey = excluded.journey, plate = excluded.plate, unit = excluded.unit, revision = excluded.revision,
    void = excluded.void, seal = excluded.seal, box = excluded.box, other_box = excluded.other_box, body = excluded.body;

-- name: facts_named
-- Some facts as they stand. Index: the primary key.
SELECT {fact_columns} FROM equipment_facts WHERE space = $1 AND id = ANY($2::uuid[]);

-- name: facts_of_journeys
-- Facts that name one of these journeys, void ones left out. Index: equipment_facts_of_journey.
SELECT {fact_columns} FROM equipment_facts WHERE space = $1 AND journey = ANY($2::text[]) AND NOT void;

-- name: facts_of_plates
-- Facts that name no journey, by plate and stretch of time [from, to], void ones left out. Index: equipment_facts_of_plate, one range each.
SELECT f.*
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (plate, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT {fact_columns}
    FROM equipment_facts
    WHERE space = $1 AND plate = asked.plate AND at >= asked.from_at AND at <= asked.to_at AND journey IS NULL AND NOT void
    OFFSET 0
) AS f;

-- name: facts_of_seals
-- The same by the seal that was read. Index: equipment_facts_of_seal.
SELECT f.*
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (seal, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT {fact_columns}
    FROM equipment_facts
    WHERE space = $1 AND seal = asked.seal AND at >= asked.from_at AND at <= asked.to_at AND journey IS NULL AND NOT void
    OFFSET 0
) AS f;

-- name: facts_of_boxes
-- The same by a container that was read, the first or the other. Index: equipment_facts_of_box and equipment_facts_of_other_box.
SELECT f.*
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (box, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT {fact_columns}
    FROM equipment_facts
    WHERE space = $1 AND box = asked.box AND at >= asked.from_at AND at <= asked.to_at AND journey IS NULL AND NOT void
    UNION ALL
    SELECT {fact_columns}
    FROM equipment_facts
    WHERE space = $1 AND other_box = asked.box AND at >= asked.from_at AND at <= asked.to_at AND journey IS NULL AND NOT void
) AS f;

-- name: facts_at
-- Readings of some pieces of equipment, each over a stretch of time [from, to], void ones left out. Index: equipment_facts_of_equipment.
SELECT f.*
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (equipment, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT {fact_columns}
    FROM equipment_facts
    WHERE space = $1 AND equipment = asked.equipment AND at >= asked.from_at AND at <= asked.to_at AND NOT void
    OFFSET 0
) AS f
WHERE f.kind = 'reading';

-- name: journeys_at_gates
-- Journeys that passed some gates, each over a stretch of time [from, to]; a stay that began a week before is not looked for.
-- Index: episodes_at_gates.
SELECT DISTINCT e.journey
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (zone, from_at, to_at)
CROSS JOIN LATERAL (
    SELECT journey
    FROM episodes
    WHERE space = $1 AND object = asked.zone AND type IN ('CHECKPOINT_REACHED', 'ZONE_ENTERED') AND NOT retracted
      AND started_at > asked.from_at - INTERVAL '7 days' AND started_at <= asked.to_at
      AND coalesce(ended_at, 'infinity') >= asked.from_at
    OFFSET 0
) AS e
WHERE e.journey IS NOT NULL;

-- name: facts_since
-- Journeys, else what was read, of the facts since a time, of some kinds: what may still be judged, looked through at a start.
-- Index: equipment_facts_newest, one range a kind.
SELECT DISTINCT f.journey, f.plate, f.seal, f.box, f.other_box
FROM unnest($2::text[]) AS wanted (kind)
CROSS JOIN LATERAL (
    SELECT
        journey,
        CASE WHEN journey IS NULL THEN plate END AS plate,
        CASE WHEN journey IS NULL THEN seal END AS seal,
        CASE WHEN journey IS NULL THEN box END AS box,
        CASE WHEN journey IS NULL THEN other_box END AS other_box
    FROM equipment_facts
    WHERE space = $1 AND kind = wanted.kind AND at > $3 AND NOT void
    ORDER BY at DESC
    OFFSET 0
) AS f;

-- name: facts_listed
-- A page of facts of a kind before ($3, $4), newest first. Index: equipment_facts_newest.
SELECT {fact_columns}
FROM equipment_facts
WHERE space = $1 AND kind = $2 AND (at, id) < ($3, $4::uuid) AND ($5::text[] IS NULL OR unit = ANY ($5))
  AND ($6::text IS NULL OR equipment = $6) AND ($7::text IS NULL OR journey = $7)
ORDER BY at DESC, id DESC
LIMIT $8;

-- name: facts_listed_of_units
-- The same of few units. Index: equipment_facts_of_unit, one range a unit.
SELECT f.*
FROM unnest($5::text[]) AS wanted (unit)
CROSS JOIN LATERAL (
    SELECT {fact_columns}
    FROM equipment_facts
    WHERE space = $1 AND unit = wanted.unit AND kind = $2 AND (at, id) < ($3, $4::uuid)
      AND ($6::text IS NULL OR equipment = $6) AND ($7::text IS NULL OR journey = $7)
    ORDER BY at DESC, id DESC
    LIMIT $8
) AS f
ORDER BY f.at DESC, f.id DESC
LIMIT $8;

-- name: facts_listed_of_equipment
-- The same of one piece of equipment. Index: equipment_facts_of_equipment.
SELECT {fact_columns}
FROM equipment_facts
WHERE space = $1 AND equipment = $6 AND kind = $2 AND (at, id) < ($3, $4::uuid) AND ($5::text[] IS NULL OR unit = ANY ($5))
  AND ($7::text IS NULL OR journey = $7)
ORDER BY at DESC, id DESC
LIMIT $8;

-- name: facts_listed_of_journey
-- The same of those that name a journey. Index: equipment_facts_of_journey.
SELECT {fact_columns}
FROM equipment_facts
WHERE space = $1 AND journey = $7 AND kind = $2 AND (at, id) < ($3, $4::uuid) AND ($5::text[] IS NULL OR unit = ANY ($5))
  AND ($6::text IS NULL OR equipment = $6)
ORDER BY at DESC, id DESC
LIMIT $8;

-- part: line_columns
-- What a line of a balance has, in the order of `Line`.
journey, licence, unit, at, declared_kg, out_kg, in_kg, out_id, in_id

-- name: upsert_lines
-- Writes lines of balances as they now stand.
INSERT INTO licence_lines (space, {line_columns})
SELECT $1, l.*
FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::int[], $7::int[], $8::int[], $9::text[], $10::text[]
) AS l
ON CONFLICT (space, journey) DO UPDATE SET
    licence = excluded.licence, unit = excluded.unit, at = excluded.at, declared_kg = excluded.declared_kg, out_kg = excluded.out_kg,
    in_kg = excluded.in_kg, out_id = excluded.out_id, in_id = excluded.in_id;

-- name: drop_lines
-- Forgets the lines of journeys that are under no licence any more. Index: the primary key.
DELETE FROM licence_lines WHERE space = $1 AND journey = ANY($2::text[]);

-- name: lines_of_journeys
-- Lines of some journeys. Index: the primary key.
SELECT {line_columns} FROM licence_lines WHERE space = $1 AND journey = ANY($2::text[]);

-- name: lines_of_licences
-- All lines of some licences. Index: licence_lines_of_licence.
SELECT {line_columns} FROM licence_lines WHERE space = $1 AND licence = ANY($2::text[]);

-- name: lines_before
-- What the journeys before each of some have taken from its licence's quota. Indexes: the primary key, licence_lines_of_licence.
SELECT line.journey, (
    SELECT coalesce(sum(coalesce(b.out_kg, b.in_kg, b.declared_kg, 0)), 0)
    FROM licence_lines AS b
    WHERE b.space = $1 AND b.licence = line.licence AND (b.at, b.journey) < (line.at, line.journey)
) AS used_kg
FROM licence_lines AS line
WHERE line.space = $1 AND line.journey = ANY($2::text[]);

-- name: lines_listed
-- A page of a licence's lines after ($3, $4), in order. Index: licence_lines_of_licence.
SELECT {line_columns}
FROM licence_lines
WHERE space = $1 AND licence = $2 AND (at, journey) > ($3, $4) AND at >= $5 AND at < $6
ORDER BY at, journey
LIMIT $7;

-- name: lines_summed
-- What the lines of a licence in [$3, $4) come to. Index: licence_lines_of_licence.
SELECT count(*) AS journeys, coalesce(sum(declared_kg), 0) AS declared_kg, coalesce(sum(out_kg), 0) AS out_kg,
       coalesce(sum(in_kg), 0) AS in_kg, count(out_kg) AS weighed_out, count(in_kg) AS weighed_in,
       coalesce(sum(coalesce(out_kg, in_kg, declared_kg, 0)), 0) AS used_kg
FROM licence_lines
WHERE space = $1 AND licence = $2 AND at >= $3 AND at < $4;

-- name: stops_of_minerals
-- Where lorries with minerals stopped, as far as that touches any of some stretches of time. Index: episodes_stops_of_minerals.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND regime = 'minerals' AND type = 'STOP_UNPLANNED' AND NOT retracted
  AND raised_at >= $2::timestamptz - interval '2 days' AND raised_at <= $3::timestamptz + interval '2 days'
  AND started_at <= $3 AND coalesce(ended_at, 'infinity') >= $2;
