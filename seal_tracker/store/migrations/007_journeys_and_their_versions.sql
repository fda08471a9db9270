-- Journeys as they stand, every version of each, and which device was on which of them when.
--
-- What a journey is stands in body, as JSON; columns are what lists are filtered by. Nothing updates or deletes a version.
CREATE TABLE journeys (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            text COLLATE "C" NOT NULL,
    version       int         NOT NULL,
    state         text COLLATE "C" NOT NULL,
    regime        text COLLATE "C" NOT NULL,
    unit          text COLLATE "C",
    route         text COLLATE "C",
    -- In upper case: they are found however they were typed.
    declaration   text COLLATE "C",
    box           text COLLATE "C",
    armed_at      timestamptz,
    -- The end of what was armed, by disarming or cancelling.
    ended_at      timestamptz,
    changed_at    timestamptz NOT NULL,
    -- Of a journey that a plan brought: of what it said, to see at the next import whether the plan or a person changed it.
    plan_digest   bytea,
    edited        boolean     NOT NULL,
    -- Vehicles that need a permit are compared with each other; few do. Looked for in the text: a plan's may say what ->> cannot.
    has_permit    boolean     GENERATED ALWAYS AS (strpos(body::text, '"permit":') > 0) STORED,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- Lists are in order of id; each filter that can be selective has its own.
CREATE INDEX journeys_of_state ON journeys (space, state, id);
CREATE INDEX journeys_of_unit ON journeys (space, unit, id);
CREATE INDEX journeys_of_route ON journeys (space, route, id);
CREATE INDEX journeys_of_declaration ON journeys (space, declaration, id) WHERE declaration IS NOT NULL;
CREATE INDEX journeys_of_box ON journeys (space, box, id) WHERE box IS NOT NULL;

-- Armed within a period: what ended before it is most of all. Also what is judged still, at a start.
CREATE INDEX journeys_by_end ON journeys (space, (coalesce(ended_at, 'infinity'))) WHERE armed_at IS NOT NULL;
CREATE INDEX journeys_with_permit ON journeys (space, id) WHERE has_permit AND armed_at IS NOT NULL;

-- What a plan brought: looked through at the next import.
CREATE INDEX journeys_of_plan ON journeys (space, id) WHERE plan_digest IS NOT NULL;

CREATE TABLE journey_versions (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    journey       text COLLATE "C" NOT NULL,
    version       int         NOT NULL,
    verb          text COLLATE "C" NOT NULL,
    state         text COLLATE "C" NOT NULL,
    effective_at  timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    actor         text COLLATE "C" NOT NULL,
    role          text COLLATE "C" NOT NULL,
    reason        text,
    body          json        NOT NULL,
    PRIMARY KEY (space, journey, version)
);

-- A device is on a journey within [from_at, to_at), NULL while it is not armed; to_at NULL: until further notice.
CREATE TABLE journey_devices (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    journey       text COLLATE "C" NOT NULL,
    device        text COLLATE "C" NOT NULL,
    role          text COLLATE "C" NOT NULL,
    -- A lead or another seal: armed for one journey at a time.
    is_armed      boolean     NOT NULL,
    from_at       timestamptz,
    to_at         timestamptz,
    PRIMARY KEY (space, journey, device)
);

-- The journeys of a device: lists, overlaps, and what its late pings are judged by.
CREATE INDEX journey_devices_of_device ON journey_devices (space, device, journey);

-- What is open of a journey, counted beside it.
CREATE INDEX alarms_open_of_journey ON alarms (space, journey) WHERE state <> 'closed';
