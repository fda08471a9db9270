-- Shifts are edited and cancelled: a cancelled one stays, with who planned it, and counts nowhere.
ALTER TABLE shifts ADD COLUMN cancelled_at timestamptz;

-- Hand-overs in a list, newest first; and whether one waits for the officer of a shift that is to be cancelled.
CREATE INDEX hand_overs_newest ON hand_overs (handed_at, id);
CREATE INDEX hand_overs_waiting ON hand_overs (to_shift) WHERE taken_at IS NULL;

-- When a head or deputy of a unit is away, so that escalations go to who acts for them. officer is the name that the plan's units have,
-- which need not be an account.
CREATE TABLE absences (
    id            uuid PRIMARY KEY,
    unit          text COLLATE "C" NOT NULL,
    officer       text COLLATE "C" NOT NULL,
    begins_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    reason        text        NOT NULL,
    version       int         NOT NULL,
    made_by       text COLLATE "C" NOT NULL,
    changed_at    timestamptz NOT NULL,
    cancelled_at  timestamptz,
    CHECK (ends_at > begins_at)
);

-- Lists, and who is away at a moment. No absence is longer than a year, so a range of begins_at bounds each look.
CREATE INDEX absences_by_begin ON absences (begins_at, id);
