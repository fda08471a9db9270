-- name: owner
-- Run once, as superuser, on an empty cluster: the service's role, which owns its database and nothing else; and the ledger
-- in it, which is another role's.
\getenv password SEAL_TRACKER_DATABASE_PASSWORD
CREATE ROLE seal_tracker LOGIN PASSWORD :'password';
CREATE DATABASE seal_tracker OWNER seal_tracker ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
REVOKE CONNECT ON DATABASE seal_tracker FROM PUBLIC;
\connect seal_tracker

-- The ledger's tables, owned by a role that nobody signs in as: the database's owner, which is the service, may add to
-- them and read them, and can neither change nor remove a row. Run in the service's database, as superuser; again does no harm.
DO $$ BEGIN
    CREATE ROLE seal_tracker_ledger NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- a role is its whole cluster's
END $$;

-- A schema of its own: whoever owns a schema may drop what is in it, and `public` is the service's.
CREATE SCHEMA IF NOT EXISTS ledger AUTHORIZATION seal_tracker_ledger;

-- One row a commit that holds events or actions. hash = SHA-256 over number, previous, recorded_at and entries_hash;
-- entries_hash = SHA-256 over the SHA-256 of each entry; body = the entries, a line each, deflated where they are many.
CREATE TABLE IF NOT EXISTS ledger.links (
    number        bigint      PRIMARY KEY,
    recorded_at   timestamptz NOT NULL,
    previous      bytea       NOT NULL,
    entries_hash  bytea       NOT NULL,
    hash          bytea       NOT NULL,
    body          bytea       NOT NULL
);

-- Which links tell of a journey: what is looked up for its evidence, in order of number.
CREATE TABLE IF NOT EXISTS ledger.journeys (
    journey  text COLLATE "C" NOT NULL,
    number   bigint           NOT NULL,
    PRIMARY KEY (journey, number)
);

-- What the service signed: the last link at that moment, as a JWS.
CREATE TABLE IF NOT EXISTS ledger.checkpoints (
    number     bigint      PRIMARY KEY,
    signed_at  timestamptz NOT NULL,
    jws        text        NOT NULL
);

-- Deflated already, or short: trying to pack it is time lost.
ALTER TABLE ledger.links ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- For those whom no grant holds back; a superuser who switches it off leaves a chain that does not fit.
DO $$ DECLARE
    name text;
    service text := (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database());
BEGIN
    FOREACH name IN ARRAY ARRAY['links', 'journeys', 'checkpoints'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', name);
        EXECUTE format('ALTER TABLE ledger.%I OWNER TO seal_tracker_ledger', name);
        EXECUTE format('GRANT SELECT, INSERT ON ledger.%I TO %I', name, service);
    END LOOP;
    ALTER FUNCTION ledger.refuse_change() OWNER TO seal_tracker_ledger;
    EXECUTE format('GRANT USAGE ON SCHEMA ledger TO %I', service);
END $$;
