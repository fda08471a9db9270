-- part: asset_columns
-- The columns of a seal, in the order of its row.
seal, version, number, state, unit, other_unit, model, officer, journey, due_at, timer_at, calibrate_by, registered_at, body

-- part: movement_columns
-- The columns of a movement, in the order of its row.
seal, number, move, at, recorded_at, from_state, from_unit, state, unit, journey, body

-- name: upsert_assets
-- Writes seals as they now stand.
INSERT INTO seal_assets (space, {asset_columns})
SELECT $1, a.*
FROM unnest(
    $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[], $15::json[]
) AS a
ON CONFLICT (space, seal) DO UPDATE SET
    version = excluded.version, number = excluded.number, state = excluded.state, unit = excluded.unit,
    other_unit = excluded.other_unit, model = excluded.model, officer = excluded.officer, journey = excluded.journey,
    due_at = excluded.due_at, timer_at = excluded.timer_at, calibrate_by = excluded.calibrate_by, body = excluded.body;

-- name: add_movements
-- Adds to custody chains.
INSERT INTO seal_movements (space, {movement_columns})
SELECT $1, m.*
FROM unnest(
    $2::text[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::json[]
) AS m;

-- name: assets_named
-- Some seals. Index: the primary key.
SELECT {asset_columns} FROM seal_assets WHERE space = $1 AND seal = ANY ($2::text[]);

-- name: assets_due
-- What the clock has to look at, longest due first. Index: seal_assets_due.
SELECT {asset_columns}
FROM seal_assets
WHERE space = $1 AND timer_at <= $2
ORDER BY timer_at
LIMIT $3;

-- part: assets_asked
-- What all statements of the list ask for: seals after a name, that some units have to do with, of a unit, in a state, of a model, an
-- officer or a journey, that should be back by a time, or calibrated by a day.
space = $1 AND seal > $2
  AND ($3::text[] IS NULL OR unit = ANY ($3) OR other_unit = ANY ($3))
  AND ($4::text IS NULL OR unit = $4)
  AND ($5::text IS NULL OR state = $5)
  AND ($6::text IS NULL OR model = $6)
  AND ($7::text IS NULL OR officer = $7)
  AND ($8::text IS NULL OR journey = $8)
  AND ($9::timestamptz IS NULL OR due_at <= $9)
  AND ($10::text IS NULL OR calibrate_by <= $10)

-- part: assets_in_order
-- By name, a page of them.
ORDER BY seal
LIMIT $11

-- name: assets_listed
-- Seals by name. Index: the primary key.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked}
{assets_in_order};

-- name: assets_of_unit
-- The same of one unit. Index: seal_assets_of_unit.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND unit = $4
{assets_in_order};

-- name: assets_in_state
-- The same in a state. Index: seal_assets_in_state.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND state = $5
{assets_in_order};

-- name: assets_of_model
-- The same of a model. Index: seal_assets_of_model.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND model = $6
{assets_in_order};

-- name: assets_of_officer
-- The same that an officer has. Index: seal_assets_of_officer.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND officer = $7
{assets_in_order};

-- name: assets_on_journey
-- The same on a journey. Index: seal_assets_on_journey.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND journey = $8
{assets_in_order};

-- name: assets_awaited
-- The same that should be back by a time, which are few. Index: seal_assets_awaited.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND due_at <= $9
{assets_in_order};

-- name: assets_to_calibrate
-- The same that are to be calibrated by a day, which are few. Index: seal_assets_calibrated.
SELECT {asset_columns}
FROM seal_assets
WHERE {assets_asked} AND calibrate_by <= $10
{assets_in_order};

-- name: assets_of_units
-- The same that few units have to do with: of each as many as the page has, then the first of them, each once. Indexes:
-- seal_assets_of_unit, seal_assets_of_other_unit.
SELECT DISTINCT ON (a.seal) a.*
FROM unnest($3::text[]) AS of_unit (name)
CROSS JOIN LATERAL (
    (
        SELECT {asset_columns} FROM seal_assets WHERE {assets_asked} AND unit = of_unit.name {assets_in_order}
    )
    UNION ALL
    (
        SELECT {asset_columns} FROM seal_assets WHERE {assets_asked} AND other_unit = of_unit.name {assets_in_order}
    )
) AS a
ORDER BY a.seal
LIMIT $11;

-- name: movements_of_seal
-- A custody chain before a movement, newest first. Index: the primary key read backwards.
SELECT {movement_columns}
FROM seal_movements
WHERE space = $1 AND seal = $2 AND number < $3
ORDER BY number DESC
LIMIT $4;

-- part: movements_asked
-- What all statements of the book ask for: movements recorded before an entry, into or out of the hands of units, of one kind, that
-- happened in a period.
space = $1 AND entry < $2
  AND ($3::text[] IS NULL OR unit = ANY ($3) OR from_unit = ANY ($3))
  AND ($4::text IS NULL OR move = $4)
  AND ($5::timestamptz IS NULL OR at >= $5)
  AND ($6::timestamptz IS NULL OR at < $6)

-- part: movements_in_order
-- Newest first, a page of them.
ORDER BY entry DESC
LIMIT $7

-- name: movements_listed
-- Movements in the order in which they were recorded. Index: seal_movements_newest.
SELECT entry, {movement_columns}
FROM seal_movements
WHERE {movements_asked}
{movements_in_order};

-- name: movements_in_time
-- The same of a period that is short. Index: seal_movements_since.
SELECT entry, {movement_columns}
FROM seal_movements
WHERE {movements_asked} AND at >= $5 AND at < $6
{movements_in_order};

-- name: movements_of_units
-- The same of few units: of each as many as the page has, then the newest of them, each once. Indexes: seal_movements_of_unit,
-- seal_movements_from_unit.
SELECT DISTINCT ON (m.entry) m.*
FROM unnest($3::text[]) AS of_unit (name)
CROSS JOIN LATERAL (
    (
        SELECT entry, {movement_columns}
        FROM seal_movements
        WHERE {movements_asked} AND unit = of_unit.name
        {movements_in_order}
    )
    UNION ALL
    (
        SELECT entry, {movement_columns}
        FROM seal_movements
        WHERE {movements_asked} AND from_unit = of_unit.name AND from_unit <> unit
        {movements_in_order}
    )
) AS m
ORDER BY m.entry DESC
LIMIT $7;

-- name: seal_stock
-- How many seals of a model there were at a moment, by unit and state: those of now, and what has moved since taken back. Indexes:
-- seal_assets_of_unit (all of them are counted), seal_movements_since.
WITH counted AS (
    SELECT unit, state, count(*) AS n
    FROM seal_assets
    WHERE space = $1 AND ($3::text IS NULL OR model = $3)
    GROUP BY unit, state
    UNION ALL
    SELECT back.unit, back.state, sum(back.n)
    FROM seal_movements AS m
    CROSS JOIN LATERAL (VALUES (m.unit, m.state, -1), (m.from_unit, m.from_state, 1)) AS back (unit, state, n)
    WHERE m.space = $1 AND m.at > $2 AND back.state IS NOT NULL
      AND ($3::text IS NULL OR EXISTS (
          SELECT FROM seal_assets AS a WHERE a.space = m.space AND a.seal = m.seal AND a.model = $3
      ))
    GROUP BY back.unit, back.state
)
SELECT unit, state, sum(n)::int
FROM counted
WHERE $4::text[] IS NULL OR unit = ANY ($4)
GROUP BY unit, state
HAVING sum(n) <> 0;

-- name: battery_of_seal
-- What a seal said of its battery in [$3, $4), by day. Index: the primary key of the tables of pings.
SELECT day, min(battery_pct), max(battery_pct), (array_agg(battery_pct ORDER BY time DESC))[1], count(*)::int
FROM (
    SELECT date_bin('1 day', p.time, '2000-01-01T00:00:00Z') AS day, p.time, p.battery_pct
    FROM pings AS p
    WHERE p.seal = (SELECT id FROM seals WHERE space = $1 AND name = $2)
      AND p.time >= $3 AND p.time < $4 AND p.battery_pct IS NOT NULL AND p.clock_ok
) AS said
GROUP BY day
ORDER BY day;

-- name: faults_of_seal
-- What was raised of a seal in [$3, $4), by type, as far as it is of these units. Index: episodes_of_seal.
SELECT type, count(*)::int, max(raised_at)
FROM episodes
WHERE space = $1 AND seal = $2 AND NOT retracted AND raised_at >= $3 AND raised_at < $4
  AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY type
ORDER BY type;
