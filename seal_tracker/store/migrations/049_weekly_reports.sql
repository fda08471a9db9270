-- The weekly report: who answered late, when it is made, and what was made.

-- Deadlines that passed within a time, answered or not.
CREATE INDEX alarms_by_acknowledge_by ON alarms (space, acknowledge_by, id) WHERE acknowledge_by IS NOT NULL;
CREATE INDEX alarms_by_close_by ON alarms (space, close_by, id) WHERE close_by IS NOT NULL;

-- When the live space's reports are made and who gets them: one row, from when somebody first said so. body is all of it.
CREATE TABLE report_schedule (
    only_one  bool PRIMARY KEY DEFAULT true CHECK (only_one),
    version   int  NOT NULL,
    body      json NOT NULL
);

-- Reports as they were made, with every figure; of one week and unit (NULL: of all) one that the schedule made. body is the report.
CREATE TABLE kept_reports (
    id         uuid PRIMARY KEY,
    unit       text COLLATE "C",
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL,
    made_at    timestamptz NOT NULL,
    body       json        NOT NULL
);

CREATE UNIQUE INDEX kept_reports_once ON kept_reports (to_at, from_at, coalesce(unit, ''));
CREATE INDEX kept_reports_newest ON kept_reports (to_at DESC, id DESC);

-- Mail may bring a report along; who sends it makes the file.
ALTER TABLE mails ADD COLUMN report uuid REFERENCES kept_reports (id), ADD COLUMN language text;
