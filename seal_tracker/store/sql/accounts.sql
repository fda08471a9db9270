-- name: upsert_accounts
-- Writes accounts as they now stand; when one was created stays.
INSERT INTO accounts (
    username, role, unit, password_hash, must_change, disabled, origin, imported, version, created_at, changed_at
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::text[], $8::text[], $9::int[],
    $10::timestamptz[], $11::timestamptz[]
)
ON CONFLICT (username) DO UPDATE SET
    role = excluded.role, unit = excluded.unit, password_hash = excluded.password_hash,
    must_change = excluded.must_change, disabled = excluded.disabled, origin = excluded.origin,
    imported = excluded.imported, version = excluded.version, changed_at = excluded.changed_at;

-- name: upsert_tokens
-- Writes tokens as they now stand; of one that is there only its end may change. Its last use is kept by token_used.
INSERT INTO tokens (id, username, name, scopes, hash, created_at, expires_at, revoked_at, last_used_at)
SELECT *
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::timestamptz[]
)
ON CONFLICT (id) DO UPDATE SET revoked_at = excluded.revoked_at;

-- name: accounts
-- All accounts, to be kept in memory.
SELECT username, role, unit, password_hash, must_change, disabled, origin, imported, version, created_at, changed_at
FROM accounts;

-- name: tokens
-- All tokens, to be kept in memory.
SELECT id, username, name, scopes, hash, created_at, expires_at, revoked_at, last_used_at FROM tokens;

-- name: token_used
-- Notes when a token was used; written now and then, not at each use.
UPDATE tokens SET last_used_at = $2 WHERE id = $1;

-- name: sign_in_failures
-- Failed sign-ins that count still, the oldest first. Index: sign_in_failures_by_time.
SELECT username, address, failures, last_at, locked_until FROM sign_in_failures WHERE last_at > $1 ORDER BY last_at;

-- name: sign_in_failed
-- Keeps what is to be remembered of a failed sign-in. Index: the primary key.
INSERT INTO sign_in_failures (username, address, failures, last_at, locked_until)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (username, address) DO UPDATE SET
    failures = excluded.failures, last_at = excluded.last_at, locked_until = excluded.locked_until;

-- name: sign_in_failures_swept
-- Forgets what is too old to count, and of the rest all but the newest $2. Index: sign_in_failures_by_time.
DELETE FROM sign_in_failures
WHERE last_at <= greatest($1, (SELECT last_at FROM sign_in_failures ORDER BY last_at DESC OFFSET $2 LIMIT 1));

-- name: sign_ins_forgiven
-- Forgets an account's failed sign-ins from an address, or from all.
DELETE FROM sign_in_failures WHERE username = $1 AND ($2::text IS NULL OR address = $2);
