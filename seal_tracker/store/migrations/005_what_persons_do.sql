-- What persons did, in the order in which it was committed: the audit trail of journeys, alarms, duty and accounts.
--
-- An action names who (account and role at that moment), what (kind, such as alarm.acknowledge), and on what. Nothing
-- updates or deletes a row.
CREATE TABLE actions (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    space     text COLLATE "C" NOT NULL REFERENCES spaces (name),
    at        timestamptz NOT NULL,
    actor     text COLLATE "C" NOT NULL,
    role      text COLLATE "C" NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    subject   text COLLATE "C" NOT NULL,
    journey   text COLLATE "C",
    unit      text COLLATE "C",
    body      json NOT NULL
);

-- Newest first: of a space, of what was acted on, and of a journey.
CREATE INDEX actions_newest ON actions (space, id DESC);
CREATE INDEX actions_of_subject ON actions (space, subject, id DESC);
CREATE INDEX actions_of_journey ON actions (space, journey, id DESC) WHERE journey IS NOT NULL;
