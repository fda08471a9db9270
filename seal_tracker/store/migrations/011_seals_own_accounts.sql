-- Seals' own MQTT accounts: the name is the seal's id. The password is kept nowhere, only what recognises it: a SHA-256 of random
-- 192 bits for NATS, which asks us, and the line of Mosquitto's password file, which it reads. Read whole at a start.
CREATE TABLE seal_credentials (
    seal        text COLLATE "C" PRIMARY KEY,
    digest      bytea       NOT NULL CHECK (octet_length(digest) = 32),
    mosquitto   text        NOT NULL,
    version     int         NOT NULL,
    made_at     timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
