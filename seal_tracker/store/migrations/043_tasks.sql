-- What one unit instructs another to do, by which document, until when. body is the task, whole; the columns are what it is found by.
-- Each of its steps stands in actions, with who took it. They are live alone.
CREATE TABLE tasks (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            uuid        NOT NULL,
    version       int         NOT NULL,
    state         text        NOT NULL,
    giving        uuid        NOT NULL,
    unit          text COLLATE "C" NOT NULL,
    document      text COLLATE "C",
    given_at      timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    settled_at    timestamptz,
    timer_at      timestamptz,
    words         text        NOT NULL,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- The units that see a task: who does it, who helps, who gave it. Written once, with the task.
CREATE TABLE task_units (
    space         text COLLATE "C" NOT NULL,
    task          uuid        NOT NULL,
    unit          text COLLATE "C" NOT NULL,
    given_at      timestamptz NOT NULL,
    PRIMARY KEY (space, unit, given_at, task),
    FOREIGN KEY (space, task) REFERENCES tasks (space, id)
);

-- The lists, newest first; whose a task is to see is looked up by the task.
CREATE INDEX tasks_newest ON tasks (space, given_at DESC, id DESC);
CREATE INDEX tasks_of_unit ON tasks (space, unit, given_at DESC, id DESC);
CREATE INDEX tasks_of_document ON tasks (space, document, given_at DESC, id DESC) WHERE document IS NOT NULL;
CREATE INDEX tasks_of_giving ON tasks (giving);
CREATE INDEX tasks_open ON tasks (space, due_at) WHERE settled_at IS NULL;
CREATE INDEX tasks_with_words ON tasks USING gin (array_to_tsvector(string_to_array(words, ' ')));
CREATE INDEX task_units_of_task ON task_units (task);

-- What is counted of a period, and what the clock looks at.
CREATE INDEX tasks_settled ON tasks (space, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX tasks_due ON tasks (space, timer_at) WHERE timer_at IS NOT NULL;

-- Files of tasks, written once. Scans are packed already.
CREATE TABLE task_attachments (
    space         text COLLATE "C" NOT NULL,
    id            uuid        NOT NULL,
    task          uuid        NOT NULL,
    sha256        bytea       NOT NULL,
    attached_at   timestamptz NOT NULL,
    content       bytea       NOT NULL,
    PRIMARY KEY (space, id),
    FOREIGN KEY (space, task) REFERENCES tasks (space, id)
);
ALTER TABLE task_attachments ALTER COLUMN content SET STORAGE EXTERNAL;
