-- Orders by which alarms are suppressed before there are any: planned works, exercises, a bridge that is closed. body is the order,
-- whole; the columns are what it is found by. What it was before stands in actions, with who changed it and why.
CREATE TABLE suppressions (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            uuid        NOT NULL,
    version       int         NOT NULL,
    unit          text COLLATE "C",
    from_at       timestamptz NOT NULL,
    until_at      timestamptz NOT NULL,
    cancelled_at  timestamptz,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- The list, newest first; and those that stand when something is raised, which are few.
CREATE INDEX suppressions_newest ON suppressions (space, from_at DESC, id DESC);
CREATE INDEX suppressions_standing ON suppressions (space, until_at) WHERE cancelled_at IS NULL;

-- What an order has suppressed comes back when it is cancelled.
CREATE INDEX alarms_suppressed ON alarms (space, id) WHERE state = 'suppressed';
