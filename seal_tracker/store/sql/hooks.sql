-- name: upsert_hooks
-- Writes webhooks as their owners want them.
INSERT INTO hooks (id, space, url, owner, secret, types, severities, units, state, version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    url = excluded.url, types = excluded.types, severities = excluded.severities, units = excluded.units,
    state = excluded.state, version = excluded.version, changed_at = excluded.changed_at;

-- name: set_progress
-- How far a webhook has come, from its first moment on.
INSERT INTO hook_progress (
    hook, sequence, delivered, failures, due_at, gave_up_at, last_success_at, last_failure_at, last_error
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (hook) DO UPDATE SET
    sequence = excluded.sequence, delivered = excluded.delivered, failures = excluded.failures, due_at = excluded.due_at,
    gave_up_at = excluded.gave_up_at, last_success_at = excluded.last_success_at,
    last_failure_at = excluded.last_failure_at, last_error = excluded.last_error;

-- name: hooks
-- Every webhook that was not removed, with its progress, by id.
SELECT h.id, h.space, h.url, h.owner, h.secret, h.types, h.severities, h.units, h.state, h.version, h.created_at, h.changed_at,
       p.hook, p.sequence, p.delivered, p.failures, p.due_at, p.gave_up_at, p.last_success_at, p.last_failure_at, p.last_error
FROM hooks AS h
JOIN hook_progress AS p ON p.hook = h.id
WHERE h.state <> 'removed'
ORDER BY h.id;

-- name: hooks_due
-- Webhooks that may be tried now, with their progress: active ones, not given up, of accounts that may still sign in.
SELECT h.id, h.space, h.url, h.owner, h.secret, h.types, h.severities, h.units, h.state, h.version, h.created_at, h.changed_at,
       p.hook, p.sequence, p.delivered, p.failures, p.due_at, p.gave_up_at, p.last_success_at, p.last_failure_at, p.last_error
FROM hooks AS h
JOIN hook_progress AS p ON p.hook = h.id
LEFT JOIN accounts AS a ON a.username = h.owner
WHERE h.state = 'active' AND p.gave_up_at IS NULL AND p.due_at <= $1 AND a.disabled IS NOT TRUE
ORDER BY p.due_at;

-- name: add_mails
-- Mail to be sent; one an event, so that what is committed again is not sent again.
INSERT INTO mails (space, event, recipient, subject, body, created_at, due_at, report, language)
SELECT $1, m.event, m.recipient, m.subject, m.body, m.created_at, m.created_at, m.report, m.language
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::uuid[], $8::text[])
    AS m (event, recipient, subject, body, created_at, report, language)
ON CONFLICT (event) DO NOTHING;

-- name: mails_due
-- Mail that may be tried now, oldest first. Index: mails_due.
SELECT id, space, recipient, subject, body, failures, report, language
FROM mails
WHERE sent_at IS NULL AND given_up_at IS NULL AND due_at <= $1
ORDER BY due_at
LIMIT $2;

-- name: mail_sent
-- The server took it, and what it said.
UPDATE mails SET sent_at = $2, receipt = $3 WHERE id = $1;

-- name: mail_failed
-- It did not; when to try again, or that it is given up.
UPDATE mails SET failures = $2, due_at = $3, given_up_at = $4, receipt = $5 WHERE id = $1;

-- name: mails
-- A space's mail before an id, newest first, with receipts.
SELECT id, space, event, recipient, subject, created_at, failures, due_at, sent_at, given_up_at, receipt
FROM mails
WHERE space = $1 AND id < $2
ORDER BY id DESC
LIMIT $3;

-- name: mails_of_events
-- Mail about these events, with receipts, by recipient. Index: mails_event_key.
SELECT id, space, event, recipient, subject, created_at, failures, due_at, sent_at, given_up_at, receipt
FROM mails
WHERE event = ANY ($1::uuid[])
ORDER BY recipient;
