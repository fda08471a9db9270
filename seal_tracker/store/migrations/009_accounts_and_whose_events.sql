-- Who may come in: accounts, their tokens, failed sign-ins. And whose events are whose.

-- unit NULL is headquarters, which sees everything. origin says who keeps an account: the API, an accounts file, or the
-- credentials of an embedded folder; imported is the SHA-256 of its entry there when it was last read, so that an entry which
-- has not changed never undoes what was done here since.
CREATE TABLE accounts (
    username       text COLLATE "C" PRIMARY KEY,
    role           text COLLATE "C" NOT NULL,
    unit           text COLLATE "C",
    password_hash  text CHECK (password_hash LIKE '$argon2id$%'),
    must_change    boolean     NOT NULL,
    disabled       boolean     NOT NULL,
    origin         text        NOT NULL,
    imported       text,
    version        int         NOT NULL,
    created_at     timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL
);

-- Only a hash of a token is kept: who reads this table cannot use one. scopes are rights joined by spaces; NULL: all that the
-- account has. Both tables are read whole at a start and kept in memory: neither needs another index.
CREATE TABLE tokens (
    id            uuid PRIMARY KEY,
    username      text COLLATE "C" NOT NULL REFERENCES accounts,
    name          text        NOT NULL,
    scopes        text,
    hash          bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);

-- Failed sign-ins of accounts that exist, so that a restart forgives nobody who guesses. address '' counts all addresses.
CREATE TABLE sign_in_failures (
    username      text COLLATE "C" NOT NULL REFERENCES accounts,
    address       text        NOT NULL,
    failures      int         NOT NULL,
    last_at       timestamptz NOT NULL,
    locked_until  timestamptz NOT NULL,
    PRIMARY KEY (username, address)
);

-- A session holds for the version of the account that signed in: whatever changes of the account, its sessions end.
ALTER TABLE sessions DROP COLUMN role, ADD COLUMN account_version int NOT NULL DEFAULT 0;

-- A unit reads its own events, oldest or newest first, however few they are among all.
ALTER TABLE events ADD COLUMN unit text COLLATE "C";
UPDATE events SET unit = episodes.unit
FROM episodes
WHERE episodes.episode = events.episode AND episodes.unit IS NOT NULL;
CREATE INDEX events_of_unit ON events (space, unit, sequence) WHERE unit IS NOT NULL;

-- The same of its episodes: all, and those that are open.
CREATE INDEX episodes_of_unit ON episodes (space, unit, raised_at DESC, episode DESC) WHERE NOT retracted;
CREATE INDEX episodes_open_of_unit ON episodes (space, unit, raised_at DESC, episode DESC)
    WHERE NOT retracted AND ended_at IS NULL;
