-- Parts of devices' messages that were put together and read, by a hash of each: one that comes again after a restart is known by it,
-- and does not wait for others that came long ago. For a day.
CREATE TABLE parts_read (
    digest        bytea       PRIMARY KEY,
    read_at       timestamptz NOT NULL DEFAULT now()
);

-- The newest at a start, and those that go.
CREATE INDEX parts_read_newest ON parts_read (read_at DESC);
