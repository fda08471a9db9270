-- part: command_columns
-- The columns of a command, in the order of its row.
id, version, kind, state, seal, journey, unit, requested_at, due_at, body

-- name: upsert_commands
-- Writes commands as they now stand.
INSERT INTO seal_commands (space, id, version, kind, state, seal, journey, unit, requested_at, due_at, body)
SELECT $1, c.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
    $10::timestamptz[], $11::json[]
) AS c
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, state = excluded.state, due_at = excluded.due_at, body = excluded.body;

-- name: commands_named
-- Some commands. Index: the primary key.
SELECT {command_columns}
FROM seal_commands
WHERE space = $1 AND id = ANY ($2::uuid[]);

-- name: command_under_way
-- The command of a kind that a seal has not come to an end with. Index: seal_commands_under_way.
SELECT id FROM seal_commands WHERE space = $1 AND seal = $2 AND kind = $3 AND due_at IS NOT NULL;

-- name: commands_due
-- What the clock has to look at, longest due first. Index: seal_commands_due.
SELECT {command_columns}
FROM seal_commands
WHERE space = $1 AND due_at <= $2
ORDER BY due_at
LIMIT $3;

-- part: commands_asked
-- What all statements of the list ask for: commands before a place, of a seal, a journey, units, or those alone that are under way.
space = $1 AND (requested_at, id) < ($2, $3::uuid)
  AND ($4::text IS NULL OR seal = $4)
  AND ($5::text IS NULL OR journey = $5)
  AND ($6::text[] IS NULL OR unit = ANY ($6))
  AND (NOT $7::bool OR due_at IS NOT NULL)

-- part: commands_in_order
-- Newest first, a page of them.
ORDER BY requested_at DESC, id DESC
LIMIT $8

-- name: commands_listed
-- Commands, newest first. Index: seal_commands_newest.
SELECT {command_columns}
FROM seal_commands
WHERE {commands_asked}
{commands_in_order};

-- name: commands_of_seal
-- The same of one seal. Index: seal_commands_of_seal.
SELECT {command_columns}
FROM seal_commands
WHERE {commands_asked} AND seal = $4
{commands_in_order};

-- name: commands_of_journey
-- The same of one journey. Index: seal_commands_of_journey.
SELECT {command_columns}
FROM seal_commands
WHERE {commands_asked} AND journey = $5
{commands_in_order};

-- name: commands_under_way
-- The same of those that are under way, which are few. Index: seal_commands_due or seal_commands_under_way.
SELECT {command_columns}
FROM seal_commands
WHERE {commands_asked} AND $7 AND due_at IS NOT NULL
{commands_in_order};

-- name: commands_of_units
-- The same of few units: of each as many as the page has, then the newest of them. Index: seal_commands_of_unit.
SELECT c.*
FROM unnest($6::text[]) AS of_unit (name)
CROSS JOIN LATERAL (
    SELECT {command_columns}
    FROM seal_commands
    WHERE {commands_asked} AND unit = of_unit.name
    {commands_in_order}
) AS c
ORDER BY c.requested_at DESC, c.id DESC
LIMIT $8;
