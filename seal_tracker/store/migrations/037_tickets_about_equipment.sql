-- What is wrong with a camera, a scanner or a reader: who saw to it, who repaired it, and how long that took. body is the ticket, whole; the
-- columns are what it is found by and what is summed. Each of its steps stands in actions, with who took it.
CREATE TABLE equipment_tickets (
    space           text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id              uuid        NOT NULL,
    version         int         NOT NULL,
    state           text        NOT NULL,
    under_way       boolean     NOT NULL,
    equipment       text COLLATE "C" NOT NULL,
    kind            text        NOT NULL,
    unit            text COLLATE "C",
    episode         uuid,
    opened_at       timestamptz NOT NULL,
    failed_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    repaired_at     timestamptz,
    heard_at        timestamptz,
    body            json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- The lists, newest first.
CREATE INDEX equipment_tickets_newest ON equipment_tickets (space, opened_at DESC, id DESC);
CREATE INDEX equipment_tickets_of_piece ON equipment_tickets (space, equipment, opened_at DESC, id DESC);
CREATE INDEX equipment_tickets_of_unit ON equipment_tickets (space, unit, opened_at DESC, id DESC) WHERE unit IS NOT NULL;
CREATE INDEX equipment_tickets_under_way ON equipment_tickets (space, opened_at DESC, id DESC) WHERE under_way;

-- What the clock looks at: one ticket an episode, whoever looks at the same moment; and which of a piece are under way.
CREATE UNIQUE INDEX equipment_tickets_of_episode ON equipment_tickets (space, episode) WHERE episode IS NOT NULL;
CREATE INDEX equipment_tickets_of_piece_under_way ON equipment_tickets (space, equipment) WHERE under_way;

-- What is summed over a period.
CREATE INDEX equipment_tickets_acknowledged ON equipment_tickets (space, acknowledged_at) WHERE acknowledged_at IS NOT NULL;
CREATE INDEX equipment_tickets_repaired ON equipment_tickets (space, repaired_at) WHERE repaired_at IS NOT NULL;
