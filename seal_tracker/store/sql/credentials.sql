-- name: upsert_credentials
-- Writes seals' accounts as they now stand.
INSERT INTO seal_credentials (seal, digest, mosquitto, version, made_at, changed_at, revoked_at)
SELECT * FROM unnest(
    $1::text[], $2::bytea[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[]
)
ON CONFLICT (seal) DO UPDATE SET
    digest = excluded.digest, mosquitto = excluded.mosquitto, version = excluded.version, changed_at = excluded.changed_at,
    revoked_at = excluded.revoked_at;

-- name: credentials
-- All of them, at a start.
SELECT seal, digest, mosquitto, version, made_at, changed_at, revoked_at FROM seal_credentials;
