-- What seals are told to do: a supervisor asks, another approves, the seal answers. body is the command, whole; the columns are what
-- it is found by. Each of its steps stands in actions, with who took it.
CREATE TABLE seal_commands (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            uuid        NOT NULL,
    version       int         NOT NULL,
    kind          text        NOT NULL,
    state         text        NOT NULL,
    seal          text COLLATE "C" NOT NULL,
    journey       text COLLATE "C",
    unit          text COLLATE "C",
    requested_at  timestamptz NOT NULL,
    due_at        timestamptz,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- The lists, newest first.
CREATE INDEX seal_commands_newest ON seal_commands (space, requested_at DESC, id DESC);
CREATE INDEX seal_commands_of_seal ON seal_commands (space, seal, requested_at DESC, id DESC);
CREATE INDEX seal_commands_of_journey ON seal_commands (space, journey, requested_at DESC, id DESC) WHERE journey IS NOT NULL;
CREATE INDEX seal_commands_of_unit ON seal_commands (space, unit, requested_at DESC, id DESC) WHERE unit IS NOT NULL;

-- What the clock looks at; and of one kind one at a time, whoever asks at the same moment.
CREATE INDEX seal_commands_due ON seal_commands (space, due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX seal_commands_under_way ON seal_commands (space, seal, kind) WHERE due_at IS NOT NULL;
