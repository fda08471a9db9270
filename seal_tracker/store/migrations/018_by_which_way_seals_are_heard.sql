-- By which mobile network and which gateway a seal was heard last: alarms of one type that share one of them are one group.
CREATE TABLE seal_ways (
    space    text COLLATE "C" NOT NULL REFERENCES spaces (name),
    seal     text COLLATE "C" NOT NULL,
    carrier  text,
    gateway  text,
    PRIMARY KEY (space, seal)
);
