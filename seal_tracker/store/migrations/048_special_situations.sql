-- What officers report that no seal sensed. body is the situation, whole; the columns are what it is found by. salt is of restricted ones
-- alone: the ledger tells their hash, which nobody shall find by trying.
CREATE TABLE situations (
    space          text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id             uuid        NOT NULL,
    version        int         NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    severity       text        NOT NULL,
    unit           text COLLATE "C",
    state          text        NOT NULL CHECK (state IN ('open', 'closed')),
    restricted     bool        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    registered_at  timestamptz NOT NULL,
    closed_at      timestamptz,
    journeys       text[] COLLATE "C" NOT NULL,
    salt           text,
    body           json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- Every version, as it was when it stood: nothing is edited unseen.
CREATE TABLE situation_versions (
    space       text COLLATE "C" NOT NULL,
    situation   uuid        NOT NULL,
    version     int         NOT NULL,
    verb        text        NOT NULL,
    at          timestamptz NOT NULL,
    actor       text        NOT NULL,
    role        text        NOT NULL,
    salt        text,
    body        json        NOT NULL,
    PRIMARY KEY (space, situation, version),
    FOREIGN KEY (space, situation) REFERENCES situations (space, id)
);

-- The lists, newest first.
CREATE INDEX situations_newest ON situations (space, occurred_at DESC, id DESC);
CREATE INDEX situations_of_unit ON situations (space, unit, occurred_at DESC, id DESC) WHERE unit IS NOT NULL;
CREATE INDEX situations_of_kind ON situations (space, kind, occurred_at DESC, id DESC);
CREATE INDEX situations_open ON situations (space, occurred_at DESC, id DESC) WHERE closed_at IS NULL;
CREATE INDEX situations_of_journey ON situations USING gin (journeys);
