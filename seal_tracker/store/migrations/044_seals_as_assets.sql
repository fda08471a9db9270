-- Seals as things: which unit has which, who has it in hand, until when. body is the seal, whole; the columns are what it is found by.
-- It is the fold of its movements, written with each. They are live alone.
CREATE TABLE seal_assets (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    seal          text COLLATE "C" NOT NULL,
    version       int         NOT NULL,
    number        int         NOT NULL,
    state         text COLLATE "C" NOT NULL,
    unit          text COLLATE "C" NOT NULL,
    other_unit    text COLLATE "C",
    model         text COLLATE "C",
    officer       text COLLATE "C",
    journey       text COLLATE "C",
    due_at        timestamptz,
    timer_at      timestamptz,
    calibrate_by  text COLLATE "C",
    registered_at timestamptz NOT NULL,
    body          json        NOT NULL,
    PRIMARY KEY (space, seal)
);

-- The lists, by name.
CREATE INDEX seal_assets_of_unit ON seal_assets (space, unit, seal);
CREATE INDEX seal_assets_of_other_unit ON seal_assets (space, other_unit, seal) WHERE other_unit IS NOT NULL;
CREATE INDEX seal_assets_in_state ON seal_assets (space, state, seal);
CREATE INDEX seal_assets_of_model ON seal_assets (space, model, seal) WHERE model IS NOT NULL;
CREATE INDEX seal_assets_of_officer ON seal_assets (space, officer, seal) WHERE officer IS NOT NULL;
CREATE INDEX seal_assets_on_journey ON seal_assets (space, journey, seal) WHERE journey IS NOT NULL;
CREATE INDEX seal_assets_awaited ON seal_assets (space, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX seal_assets_calibrated ON seal_assets (space, calibrate_by) WHERE calibrate_by IS NOT NULL;

-- What the clock looks at.
CREATE INDEX seal_assets_due ON seal_assets (space, timer_at) WHERE timer_at IS NOT NULL;

-- The custody chain: rows are added, and never changed. Whoever would write a movement twice, or one that another has overtaken, fails
-- by the key.
CREATE TABLE seal_movements (
    space         text COLLATE "C" NOT NULL,
    seal          text COLLATE "C" NOT NULL,
    number        int         NOT NULL,
    move          text COLLATE "C" NOT NULL,
    at            timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    from_state    text COLLATE "C",
    from_unit     text COLLATE "C",
    state         text COLLATE "C" NOT NULL,
    unit          text COLLATE "C" NOT NULL,
    journey       text COLLATE "C",
    body          json        NOT NULL,
    PRIMARY KEY (space, seal, number),
    FOREIGN KEY (space, seal) REFERENCES seal_assets (space, seal)
);

-- Stock at an earlier moment is that of now less what has moved since.
CREATE INDEX seal_movements_since ON seal_movements (space, at) INCLUDE (seal, from_state, from_unit, state, unit);
