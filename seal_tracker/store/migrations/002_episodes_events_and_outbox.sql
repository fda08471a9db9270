-- What judging gives: episodes as they stand, the log of their transitions, and what is still to be told.

-- evidence is json, not jsonb: its keys keep their order, and the episodes file must be equal to the byte.
CREATE TABLE episodes (
    episode       uuid PRIMARY KEY,
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    type          text COLLATE "C" NOT NULL,
    severity      text COLLATE "C" NOT NULL,
    subject_kind  text COLLATE "C" NOT NULL,
    subject       text COLLATE "C" NOT NULL,
    journey       text COLLATE "C",
    seal          text COLLATE "C" NOT NULL,
    object        text COLLATE "C",
    started_at    timestamptz NOT NULL,
    raised_at     timestamptz NOT NULL,
    ended_at      timestamptz,
    cleared_at    timestamptz,
    inferred      boolean NOT NULL,
    latched       boolean NOT NULL,
    evidence      json    NOT NULL,
    plan_version  int     NOT NULL,
    regime        text,
    unit          text,
    changed_at    timestamptz NOT NULL,
    settled_at    timestamptz,
    revision      int     NOT NULL,
    retracted     boolean NOT NULL
);

-- The whole list in its published order, page by page, without a sort.
CREATE INDEX episodes_in_order ON episodes
    (space, (coalesce(journey, seal)), type, (coalesce(object, '')), started_at, episode)
    WHERE NOT retracted;

-- Newest first: of a space; of a space where still open (few of many); of a journey.
CREATE INDEX episodes_newest ON episodes (space, raised_at DESC, episode DESC) WHERE NOT retracted;
CREATE INDEX episodes_open ON episodes (space, raised_at DESC, episode DESC)
    WHERE NOT retracted AND ended_at IS NULL;
CREATE INDEX episodes_of_journey ON episodes (space, journey, raised_at DESC, episode DESC) WHERE NOT retracted;

-- Newest first of a seal.
CREATE INDEX episodes_of_seal ON episodes (space, seal, raised_at DESC, episode DESC) WHERE NOT retracted;

-- What facts after a time can still change, of a seal: re-judgement loads these and no others. Unsettled is
-- written as infinity, so that one range of the index holds both the open and the recently settled.
CREATE INDEX episodes_unsettled ON episodes (space, seal, (coalesce(settled_at, 'infinity'))) WHERE NOT retracted;

CREATE TABLE events (
    -- Given by the single writer in commit order; the cursor of every reader.
    sequence      bigint PRIMARY KEY,
    -- Deterministic: a transition told twice would be refused here.
    id            uuid NOT NULL UNIQUE,
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    episode       uuid NOT NULL,
    subject_kind  text COLLATE "C" NOT NULL,
    subject       text COLLATE "C" NOT NULL,
    journey       text COLLATE "C",
    seal          text COLLATE "C" NOT NULL,
    type          text COLLATE "C" NOT NULL,
    transition    text COLLATE "C" NOT NULL,
    severity      text COLLATE "C" NOT NULL,
    revision      int  NOT NULL,
    time          timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    late          boolean NOT NULL,
    -- The CloudEvent as published, byte for byte.
    body          bytea NOT NULL
);

-- A space's log in both directions.
CREATE INDEX events_of_space ON events (space, sequence);

-- Committed with the event, published after, deleted after the broker acknowledged. Normally all but empty, so
-- it is vacuumed by a fixed number of dead rows, not by a share of a size it never has.
CREATE TABLE outbox (
    id              bigint PRIMARY KEY,
    space           text COLLATE "C" NOT NULL REFERENCES spaces (name),
    subject         text COLLATE "C" NOT NULL,
    topic           text    NOT NULL,
    payload         bytea   NOT NULL,
    retain          boolean NOT NULL,
    event_sequence  bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
