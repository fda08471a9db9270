-- What persons bring: versions of the plan, the state of alarms, sessions of the web page.

-- files is json, not jsonb: the names keep their order and the text is kept as it was read.
CREATE TABLE plan_versions (
    space        text COLLATE "C" NOT NULL REFERENCES spaces (name),
    version      int         NOT NULL,
    valid_from   timestamptz,
    recorded_at  timestamptz NOT NULL,
    digest       text        NOT NULL,
    files        json        NOT NULL,
    PRIMARY KEY (space, version)
);

CREATE TABLE alarms (
    id          uuid PRIMARY KEY,
    space       text COLLATE "C" NOT NULL REFERENCES spaces (name),
    episode     uuid,
    state       text COLLATE "C" NOT NULL,
    severity    text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    journey     text COLLATE "C",
    seal        text COLLATE "C",
    unit        text COLLATE "C",
    raised_at   timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    repeats     int  NOT NULL,
    body        json NOT NULL
);

-- The operator's list: what is not closed, newest first; and all of it for a look back.
CREATE INDEX alarms_open ON alarms (space, raised_at DESC, id DESC) WHERE state <> 'closed';
CREATE INDEX alarms_newest ON alarms (space, raised_at DESC, id DESC);

-- The alarm of an episode, when the episode changes.
CREATE INDEX alarms_of_episode ON alarms (episode);

-- Only a hash of the session's id is kept: who reads this table cannot sign in with it.
CREATE TABLE sessions (
    id_hash     bytea PRIMARY KEY,
    username    text        NOT NULL,
    role        text        NOT NULL,
    csrf        text        NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);

-- The sweep of expired sessions.
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
