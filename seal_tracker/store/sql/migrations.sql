-- name: create_migrations
-- The record of what was applied; made before anything else.
CREATE TABLE IF NOT EXISTS schema_migrations (
    version     int PRIMARY KEY,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);

-- name: migrations_known
-- Whether this database has a record of migrations at all.
SELECT to_regclass('schema_migrations') IS NOT NULL;

-- name: applied_migrations
-- What was applied, in order.
SELECT version, name, checksum FROM schema_migrations ORDER BY version;

-- name: record_migration
-- Records one, in the transaction that applies it.
INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3);
