-- Online duty: who watches which unit when, and what one shift leaves to the next. Of the live space alone: exercises have no duty.
--
-- unit NULL is headquarters. That no officer has two shifts at once is decided by the one writer, between two batches.
CREATE TABLE shifts (
    id          uuid PRIMARY KEY,
    unit        text COLLATE "C",
    officer     text COLLATE "C" NOT NULL REFERENCES accounts,
    begins_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    notes       text        NOT NULL,
    version     int         NOT NULL,
    made_by     text COLLATE "C" NOT NULL,
    changed_at  timestamptz NOT NULL,
    CHECK (ends_at > begins_at)
);

-- Lists in order of time, and who is on duty at a moment; and whether an officer is on another shift then. No shift is longer
-- than 48 h, so a range of begins_at bounds each look.
CREATE INDEX shifts_by_begin ON shifts (begins_at, id);
CREATE INDEX shifts_of_officer ON shifts (officer, begins_at);

-- alarms: those open when the shift was handed over, by priority, as they stood; alarms_open counts all of them. A shift is handed
-- over once: the UNIQUE index finds it by its shift.
CREATE TABLE hand_overs (
    id           uuid PRIMARY KEY,
    shift        uuid        NOT NULL UNIQUE REFERENCES shifts,
    to_shift     uuid        REFERENCES shifts,
    unit         text COLLATE "C",
    note         text        NOT NULL,
    alarms       json        NOT NULL,
    alarms_open  int         NOT NULL,
    handed_at    timestamptz NOT NULL,
    handed_by    text COLLATE "C" NOT NULL,
    taken_at     timestamptz,
    taken_by     text COLLATE "C",
    version      int         NOT NULL
);
