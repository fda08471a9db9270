-- part: task_columns
-- The columns of a task, in the order of its row.
id, version, state, giving, unit,
ARRAY(SELECT u.unit FROM task_units AS u WHERE u.task = tasks.id ORDER BY u.unit), document, given_at, due_at,
settled_at, timer_at, words, body

-- name: upsert_tasks
-- Writes tasks as they now stand.
INSERT INTO tasks (
    space, id, version, state, giving, unit, document, given_at, due_at, settled_at, timer_at, words, body
)
SELECT $1, t.*
FROM unnest(
    $2::uuid[], $3::int[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[],
    $10::timestamptz[], $11::timestamptz[], $12::text[], $13::json[]
) AS t
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, state = excluded.state, document = excluded.document, due_at = excluded.due_at,
    settled_at = excluded.settled_at, timer_at = excluded.timer_at, words = excluded.words, body = excluded.body;

-- name: add_task_units
-- Says whose a new task is to see.
INSERT INTO task_units (space, task, unit, given_at)
SELECT $1, u.* FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS u;

-- name: add_attachments
-- Attaches files, whose contents are there.
INSERT INTO task_attachments (space, id, task, sha256, attached_at)
SELECT $1, a.* FROM unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::timestamptz[]) AS a;

-- name: keep_content
-- Keeps what a file has in it, before it is attached.
INSERT INTO attachment_contents (sha256, content) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING;

-- name: task
-- One task. Index: the primary key.
SELECT {task_columns} FROM tasks WHERE space = $1 AND id = $2;

-- name: task_of_attachment
-- The task of a file, and the file. Indexes: the primary keys.
SELECT {task_columns}, a.content
FROM (
    SELECT attached.task, c.content
    FROM task_attachments AS attached
    JOIN attachment_contents AS c ON c.sha256 = attached.sha256
    WHERE attached.space = $1 AND attached.id = $2
) AS a
JOIN tasks ON tasks.space = $1 AND tasks.id = a.task;

-- name: tasks_due
-- What the clock has to look at, longest due first. Index: tasks_due.
SELECT {task_columns}
FROM tasks
WHERE space = $1 AND timer_at <= $2
ORDER BY timer_at
LIMIT $3;

-- part: tasks_asked
-- What all statements of the list ask for: tasks before a place, that some units see, that a unit has to do, in a state, of a document,
-- of one giving, with words, open or past their time, given in a period.
tasks.space = $1 AND (tasks.given_at, tasks.id) < ($2, $3::uuid)
  AND ($4::text[] IS NULL OR EXISTS (SELECT FROM task_units AS u WHERE u.task = tasks.id AND u.unit = ANY ($4)))
  AND ($5::text IS NULL OR tasks.unit = $5)
  AND ($6::text IS NULL OR tasks.state = $6)
  AND ($7::text IS NULL OR tasks.document = $7)
  AND ($8::uuid IS NULL OR tasks.giving = $8)
  AND ($9::text IS NULL OR array_to_tsvector(string_to_array(tasks.words, ' ')) @@ $9::text::tsquery)
  AND (NOT $10::bool OR tasks.settled_at IS NULL)
  AND ($11::timestamptz IS NULL OR (tasks.settled_at IS NULL AND tasks.due_at <= $11))
  AND ($12::timestamptz IS NULL OR tasks.given_at >= $12)
  AND ($13::timestamptz IS NULL OR tasks.given_at < $13)

-- part: tasks_in_order
-- Newest first, a page of them.
ORDER BY given_at DESC, id DESC
LIMIT $14

-- name: tasks_newest
-- All tasks, newest first. Without filters: for any arguments the planner holds all of these together to leave one row, and would rather
-- sort than read in order. Index: tasks_newest.
SELECT {task_columns}
FROM tasks
WHERE space = $1 AND (given_at, id) < ($2, $3::uuid)
ORDER BY given_at DESC, id DESC
LIMIT $4;

-- name: tasks_listed
-- Tasks, newest first. Index: tasks_newest.
SELECT {task_columns}
FROM tasks
WHERE {tasks_asked}
{tasks_in_order};

-- name: tasks_of_unit
-- The same of one unit that has to do them. Index: tasks_of_unit.
SELECT {task_columns}
FROM tasks
WHERE {tasks_asked} AND unit = $5
{tasks_in_order};

-- name: tasks_of_document
-- The same of one source document. Index: tasks_of_document.
SELECT {task_columns}
FROM tasks
WHERE {tasks_asked} AND document = $7
{tasks_in_order};

-- name: tasks_of_giving
-- The same of what was given together. Index: tasks_of_giving.
SELECT {task_columns}
FROM tasks
WHERE {tasks_asked} AND giving = $8
{tasks_in_order};

-- name: tasks_with_words
-- The same of those with words. Index: tasks_with_words.
SELECT {task_columns}
FROM tasks
WHERE {tasks_asked} AND array_to_tsvector(string_to_array(words, ' ')) @@ $9::text::tsquery
{tasks_in_order};

-- name: tasks_open
-- The same of those that are open, which are few. Index: tasks_open.
SELECT {task_columns}
FROM tasks
WHERE {tasks_asked} AND settled_at IS NULL AND due_at <= coalesce($11, 'infinity')
{tasks_in_order};

-- name: tasks_of_units
-- The same of few units that see them: of each as many as the page has, then the newest of them, each once. Index: the primary key of
-- task_units read backwards.
SELECT {task_columns}
FROM tasks
JOIN (
    SELECT DISTINCT of_task.task
    FROM unnest($4::text[]) AS of_unit (name)
    CROSS JOIN LATERAL (
        SELECT u.task
        FROM task_units AS u
        JOIN tasks ON tasks.space = u.space AND tasks.id = u.task
        WHERE u.space = $1 AND u.unit = of_unit.name AND (u.given_at, u.task) < ($2, $3::uuid) AND {tasks_asked}
        ORDER BY u.given_at DESC, u.task DESC
        LIMIT $14
    ) AS of_task
) AS found ON found.task = tasks.id
WHERE tasks.space = $1
{tasks_in_order};

-- name: task_figures
-- Tasks given, done and cancelled in [$2, $3), and those open at its end, in all and by the unit that has to do them; overdue by $6.
-- Indexes: tasks_newest, tasks_settled, tasks_open.
WITH counted AS (
    SELECT unit, 1 AS given, 0 AS in_time, 0 AS late, 0 AS cancelled, 0 AS open, 0 AS overdue
    FROM tasks
    WHERE space = $1 AND given_at >= $2 AND given_at < $3
    UNION ALL
    SELECT unit, 0, (state <> 'cancelled' AND settled_at <= due_at)::int,
           (state <> 'cancelled' AND settled_at > due_at)::int, (state = 'cancelled')::int, 0, 0
    FROM tasks
    WHERE space = $1 AND settled_at >= $2 AND settled_at < $3
    UNION ALL
    SELECT unit, 0, 0, 0, 0, 1, (due_at <= $6)::int
    FROM tasks
    WHERE space = $1 AND given_at < $3 AND settled_at IS NULL
    UNION ALL
    SELECT unit, 0, 0, 0, 0, 1, (due_at <= $6)::int
    FROM tasks
    WHERE space = $1 AND given_at < $3 AND settled_at >= $3
)
SELECT unit, sum(given)::int, sum(in_time)::int, sum(late)::int, sum(cancelled)::int, sum(open)::int, sum(overdue)::int
FROM counted
WHERE ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY unit
ORDER BY unit;
