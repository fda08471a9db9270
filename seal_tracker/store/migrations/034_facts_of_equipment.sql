-- What equipment has recorded: weighings, readings. A fact is corrected in its place: what it was before stands in actions. body is
-- what it says, whole; the columns are what it is found and judged by.
CREATE TABLE equipment_facts (
    space         text COLLATE "C" NOT NULL REFERENCES spaces (name),
    id            uuid        NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    equipment     text COLLATE "C" NOT NULL,
    at            timestamptz NOT NULL,
    -- The journey that it names itself; else it is found by the plate, letters and digits alone.
    journey       text COLLATE "C",
    plate         text COLLATE "C",
    unit          text COLLATE "C",
    revision      int         NOT NULL,
    void          boolean     NOT NULL,
    recorded_at   timestamptz NOT NULL,
    body          json        NOT NULL,
    PRIMARY KEY (space, id)
);

-- The lists, newest first: of a kind, and with each filter that can be selective.
CREATE INDEX equipment_facts_newest ON equipment_facts (space, kind, at DESC, id DESC);
CREATE INDEX equipment_facts_of_equipment ON equipment_facts (space, equipment, at DESC, id DESC);
CREATE INDEX equipment_facts_of_unit ON equipment_facts (space, unit, at DESC, id DESC) WHERE unit IS NOT NULL;

-- Those of a journey, and those that name none and may be of a vehicle's.
CREATE INDEX equipment_facts_of_journey ON equipment_facts (space, journey, at DESC, id DESC) WHERE journey IS NOT NULL;
CREATE INDEX equipment_facts_of_plate ON equipment_facts (space, plate, at DESC, id DESC) WHERE plate IS NOT NULL;
