-- name: plan_versions
-- Every version of a space's plan, oldest first, with its files. Index: the primary key.
SELECT version, valid_from, recorded_at, digest, files FROM plan_versions WHERE space = $1 ORDER BY version;

-- name: add_plan_version
-- Records a version of a space's plan. Versions are never changed.
INSERT INTO plan_versions (
    space, version, valid_from, recorded_at, digest, files, author, note, changes, import_digest, imported
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: plan_history
-- A space's versions before one, newest first, without their files. Index: the primary key read backwards.
SELECT version, valid_from, recorded_at, digest, author, note, changes, import_digest
FROM plan_versions
WHERE space = $1 AND version < $2
ORDER BY version DESC
LIMIT $3;

-- name: plan_files
-- The files of one version. Index: the primary key.
SELECT files FROM plan_versions WHERE space = $1 AND version = $2;

-- name: last_import
-- What the folder looked like that was imported last. Index: the primary key read backwards; the first of some few.
SELECT import_digest, coalesce(imported, files) FROM plan_versions
WHERE space = $1 AND import_digest IS NOT NULL
ORDER BY version DESC
LIMIT 1;

-- name: session_put
-- Opens a session, or prolongs it.
INSERT INTO sessions (id_hash, username, account_version, csrf, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id_hash) DO UPDATE SET
    username = excluded.username, account_version = excluded.account_version, csrf = excluded.csrf,
    expires_at = excluded.expires_at;

-- name: session_get
-- A session that has not expired.
SELECT id_hash, username, account_version, csrf, created_at, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > $2;

-- name: session_delete
-- Ends a session.
DELETE FROM sessions WHERE id_hash = $1;

-- name: sessions_purge
-- Forgets expired sessions. Index: sessions_by_expiry.
DELETE FROM sessions WHERE expires_at <= $1;
