-- What each journey under a licence was declared, weighed out and weighed in: follows from the journey and its weighings, and is written
-- with what is judged of them. Balances and quotas are sums of these.
CREATE TABLE licence_lines (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    journey       text COLLATE "C" NOT NULL,
    licence       text COLLATE "C" NOT NULL,
    unit          text COLLATE "C",
    at            timestamptz NOT NULL,
    declared_kg   int,
    out_kg        int,
    in_kg         int,
    out_id        text,
    in_id         text,
    PRIMARY KEY (space, journey)
);

-- A licence's journeys in the order in which they take from its quota.
CREATE INDEX licence_lines_of_licence ON licence_lines (space, licence, at, journey);

-- Which of them stopped where and when, for other lorries that stood beside them.
CREATE INDEX episodes_stops_of_minerals ON episodes (space, raised_at)
    WHERE regime = 'minerals' AND type = 'STOP_UNPLANNED' AND NOT retracted;
