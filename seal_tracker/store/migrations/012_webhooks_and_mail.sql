-- Who is told by HTTP, how far each has come, and mail that is to go out.

-- secret is kept as it is: signing needs it. Filters that are empty let everything pass; units NULL: of all units.
CREATE TABLE hooks (
    id          uuid PRIMARY KEY,
    space       text COLLATE "C" NOT NULL REFERENCES spaces (name),
    url         text        NOT NULL,
    owner       text COLLATE "C" NOT NULL,
    secret      text        NOT NULL,
    types       text[]      NOT NULL,
    severities  text[]      NOT NULL,
    units       text[],
    state       text COLLATE "C" NOT NULL CHECK (state IN ('active', 'paused', 'removed')),
    version     int         NOT NULL,
    created_at  timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL
);

-- Apart from what persons decide, because it moves with every delivery. A sparse page lets that happen in place.
CREATE TABLE hook_progress (
    hook             uuid PRIMARY KEY REFERENCES hooks,
    sequence         bigint      NOT NULL,
    delivered        bigint      NOT NULL DEFAULT 0,
    failures         int         NOT NULL DEFAULT 0,
    due_at           timestamptz NOT NULL,
    gave_up_at       timestamptz,
    last_success_at  timestamptz,
    last_failure_at  timestamptz,
    last_error       text
) WITH (fillfactor = 50);

-- Mail: written in the commit of what it tells (an escalation), sent after, kept with its receipt. body is plain text.
CREATE TABLE mails (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    space       text COLLATE "C" NOT NULL REFERENCES spaces (name),
    event       uuid        NOT NULL UNIQUE,
    recipient   text        NOT NULL,
    subject     text        NOT NULL,
    body        text        NOT NULL,
    created_at  timestamptz NOT NULL,
    failures    int         NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    sent_at     timestamptz,
    given_up_at timestamptz,
    receipt     text
);

-- What is still to be sent: few of many.
CREATE INDEX mails_due ON mails (due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
