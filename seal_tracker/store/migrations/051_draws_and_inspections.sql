-- Draws of who is inspected, and inspections, drawn or ordered. body is the draw or the inspection, whole; the columns are what it is
-- found by. What it was before stands in actions, with who changed it.
-- A draw's secret is promised by its commitment when the draw is committed, and told by its body once it was made; frame is all that
-- could be drawn then.
CREATE TABLE draws (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            uuid        NOT NULL,
    version       int         NOT NULL,
    state         text        NOT NULL,
    unit          text COLLATE "C",
    committed_at  timestamptz NOT NULL,
    secret        text        NOT NULL,
    frame         text,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

CREATE INDEX draws_newest ON draws (space, committed_at DESC, id DESC);

CREATE TABLE inspections (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            uuid        NOT NULL,
    version       int         NOT NULL,
    state         text        NOT NULL,
    kind          text        NOT NULL,
    subject       text COLLATE "C" NOT NULL,
    unit          text COLLATE "C",
    carrier       text,
    draw          uuid,
    ordered_at    timestamptz NOT NULL,
    done_at       timestamptz,
    found         boolean,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- The lists, newest first: all, those still to be made, those of a draw, of a journey or unit, of units.
CREATE INDEX inspections_newest ON inspections (space, ordered_at DESC, id DESC);
CREATE INDEX inspections_due ON inspections (space, ordered_at DESC, id DESC) WHERE state = 'due';
CREATE INDEX inspections_of_draw ON inspections (space, draw, ordered_at DESC, id DESC) WHERE draw IS NOT NULL;
CREATE INDEX inspections_of_subject ON inspections (space, kind, subject, ordered_at DESC, id DESC);
CREATE INDEX inspections_of_unit ON inspections (space, unit, ordered_at DESC, id DESC) WHERE unit IS NOT NULL;

-- What inspections of a period found; and those of a carrier that found something, which its next journeys' risk counts.
CREATE INDEX inspections_by_end ON inspections (space, done_at) WHERE done_at IS NOT NULL;
CREATE INDEX inspections_of_carrier ON inspections (space, carrier, done_at) WHERE found AND carrier IS NOT NULL;

-- What a carrier's earlier journeys came to.
CREATE INDEX journeys_of_carrier ON journeys (space, (body ->> 'carrier'), ended_at)
    WHERE ended_at IS NOT NULL AND armed_at IS NOT NULL AND body ->> 'carrier' IS NOT NULL;
