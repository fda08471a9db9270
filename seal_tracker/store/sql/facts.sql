-- Facts of equipment: as they stand, those of a journey, and pages of them, newest first.

-- part: fact_columns
-- What a fact's row has, in the order of `EquipmentFact`.
id, kind, equipment, at, journey, plate, unit, revision, void, recorded_at, body

-- name: upsert_facts
-- Writes facts as they now stand; when it was recorded first stays.
INSERT INTO equipment_facts (space, {fact_columns})
SELECT $1, f.*
FROM unnest(
    $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bool[],
    $11::timestamptz[], $12::json[]
) AS f
ON CONFLICT (space, id) DO UPDATE SET
    at = excluded.at, journey = excluded.journey, plate = excluded.plate, unit = excluded.unit, revision = excluded.revision,
    void = excluded.void, body = excluded.body;

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

-- name: facts_since
-- Journeys and plates of the facts since a time, of some kinds: what may still be judged, looked through at a start.
-- Index: equipment_facts_newest, one range a kind.
SELECT DISTINCT journey, CASE WHEN journey IS NULL THEN plate END AS plate
FROM equipment_facts
WHERE space = $1 AND kind = ANY($2::text[]) AND at > $3 AND NOT void;

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
