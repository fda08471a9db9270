-- name: add_link
-- Appends a link.
INSERT INTO ledger.links (number, recorded_at, previous, entries_hash, hash, body) VALUES ($1, $2, $3, $4, $5, $6);

-- name: add_journeys_of_link
-- Says which journeys a link tells of.
INSERT INTO ledger.journeys (journey, number) SELECT journey, $1 FROM unnest($2::text[]) AS journey;

-- name: ledger_head
-- Number and hash of the last link. Index: the primary key read backwards.
SELECT number, hash FROM ledger.links ORDER BY number DESC LIMIT 1;

-- name: ends_of_journeys
-- The last link of each of these journeys, of those that have one. Index: the primary key, once a journey.
SELECT wanted.journey, last.number
FROM unnest($1::text[]) AS wanted (journey)
CROSS JOIN LATERAL (
    SELECT number FROM ledger.journeys WHERE journeys.journey = wanted.journey ORDER BY number DESC LIMIT 1
) AS last;

-- name: links_of_every_journey
-- For each journey one hash of the numbers of its links, in order: what the entries must lead to. Index: the primary key.
SELECT journey, sha256(string_agg(int8send(number), ''::bytea ORDER BY number))
FROM ledger.journeys
GROUP BY journey;

-- name: episodes_to_verify
-- Every episode of a space, in no order.
SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at, cleared_at,
       inferred, latched, evidence, plan_version, regime, unit, revision, changed_at, retracted
FROM episodes
WHERE space = $1;

-- name: alarms_to_verify
-- Every alarm of a space, in no order.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1;

-- name: journeys_to_verify
-- Every journey of a space, in no order.
SELECT {journey_columns}
FROM journeys
WHERE space = $1;

-- name: journey_versions_to_verify
-- Every version of every journey of a space, in no order.
SELECT journey, version, verb, state, effective_at, recorded_at, actor, role, reason, body
FROM journey_versions
WHERE space = $1;

-- name: hand_overs_to_verify
-- Every hand-over of a space, in no order; they are live alone.
SELECT id, shift, to_shift, unit, note, alarms, alarms_open, handed_at, handed_by, taken_at, taken_by, version
FROM hand_overs
WHERE $1 = 'live';

-- name: suppressions_to_verify
-- Every order of a space that suppresses, in no order.
SELECT id, version, unit, from_at, until_at, cancelled_at, body
FROM suppressions
WHERE space = $1;

-- name: tasks_to_verify
-- Every task of a space, in no order.
SELECT {task_columns}
FROM tasks
WHERE space = $1;

-- name: attachments_to_verify
-- Every file of a task of a space by the hash of what is there, in no order.
SELECT id, task, encode(sha256(c.content), 'hex') AS sha256, attached_at
FROM task_attachments AS a
JOIN attachment_contents AS c ON c.sha256 = a.sha256
WHERE space = $1;

-- name: draws_to_verify
-- Every draw of a space, in no order.
SELECT {draw_columns} FROM draws WHERE space = $1;

-- name: inspections_to_verify
-- Every inspection of a space, in no order.
SELECT {inspection_columns} FROM inspections WHERE space = $1;

-- name: assets_to_verify
-- Every seal of a space as an asset, in no order.
SELECT {asset_columns}
FROM seal_assets
WHERE space = $1;

-- name: movements_to_verify
-- Every movement of every seal of a space, in no order.
SELECT {movement_columns}
FROM seal_movements
WHERE space = $1;

-- name: kept_reports_to_verify
-- Every report that was kept, in no order; they are live alone.
SELECT id, unit, from_at, to_at, made_at, body FROM kept_reports WHERE $1 = 'live';

-- name: plans_to_verify
-- Every version of a space's plan, its files and those imported as hashes: they may be megabytes. In order of the primary key.
SELECT version, valid_from, recorded_at, digest, author, note, changes, import_digest,
       encode(sha256(convert_to(files::text, 'UTF8')), 'hex') AS files_hash,
       encode(sha256(convert_to(imported::text, 'UTF8')), 'hex') AS imported_hash
FROM plan_versions
WHERE space = $1
ORDER BY version;

-- name: links_before
-- Links before a number, newest first, without their bodies. Index: the primary key read backwards.
SELECT number, recorded_at, previous, entries_hash, hash, ''::bytea
FROM ledger.links
WHERE number < $1
ORDER BY number DESC
LIMIT $2;

-- name: links_after
-- Links after a number, oldest first. Index: the primary key.
SELECT number, recorded_at, previous, entries_hash, hash, body
FROM ledger.links
WHERE number > $1
ORDER BY number
LIMIT $2;

-- name: links_of_journey
-- A journey's links before a number, newest first, without their bodies. Indexes: both primary keys.
SELECT l.number, l.recorded_at, l.previous, l.entries_hash, l.hash, ''::bytea
FROM ledger.journeys AS j JOIN ledger.links AS l USING (number)
WHERE j.journey = $1 AND j.number < $2
ORDER BY j.number DESC
LIMIT $3;

-- name: numbers_of_journey
-- Numbers of a journey's links, in order. Index: the primary key.
SELECT number FROM ledger.journeys WHERE journey = $1 ORDER BY number;

-- name: links_of_run
-- Links from a number to a number, in order; only some of them with their body. Index: the primary key.
SELECT number, recorded_at, previous, entries_hash, hash,
       CASE WHEN number = ANY ($3::bigint[]) THEN body ELSE ''::bytea END AS body
FROM ledger.links
WHERE number BETWEEN $1 AND $2
ORDER BY number;

-- name: add_ledger_checkpoint
-- Keeps what was signed; the same link is signed once.
INSERT INTO ledger.checkpoints (number, signed_at, jws) VALUES ($1, $2, $3) ON CONFLICT (number) DO NOTHING;

-- name: ledger_checkpoints_before
-- Checkpoints of links before a number, newest first. Index: the primary key read backwards.
SELECT number, signed_at, jws FROM ledger.checkpoints WHERE number < $1 ORDER BY number DESC LIMIT $2;

-- name: ledger_checkpoints_covering
-- For each link the checkpoint that covers it soonest: (link, checkpoint, jws). Index: the primary key, once a link.
SELECT link, c.number, c.signed_at, c.jws
FROM unnest($1::bigint[]) AS link
CROSS JOIN LATERAL (
    SELECT number, signed_at, jws FROM ledger.checkpoints WHERE number >= link ORDER BY number LIMIT 1
) AS c;

-- name: events_of_before_the_ledger
-- A space's events before a sequence, and of them the sequences of the first that were recorded since a time. Index: events_of_space.
SELECT count(*), (array_agg(sequence ORDER BY sequence) FILTER (WHERE recorded_at >= $3))[1:20]
FROM events
WHERE space = $1 AND sequence < $2;

-- part: event_columns
-- What an event's row says beside its body, as one JSON array of texts; times to the microsecond that a column has, which ours never
-- use: where there are any, it is not as it was written.
array_to_json(ARRAY[
    id::text, episode::text, subject_kind, subject, journey, seal, type, transition, severity, revision::text,
    to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), late::text, unit, responsible
])::text

-- name: events_digest
-- One hash for a space's events from a sequence to a sequence, in order: nothing but it need travel where all is well.
-- Index: events_of_space.
SELECT sha256(coalesce(
    string_agg(
        int8send(sequence) || sha256(body) || convert_to({event_columns}, 'UTF8'), ''::bytea ORDER BY sequence
    ),
    ''::bytea
))
FROM events
WHERE space = $1 AND sequence BETWEEN $2 AND $3;

-- name: events_hashed
-- What stands for a space's events from a sequence to a sequence. Index: events_of_space.
SELECT sequence, sha256(body), {event_columns}
FROM events
WHERE space = $1 AND sequence BETWEEN $2 AND $3;

-- name: unrecorded_after
-- A space's events after a sequence, and no more than are told. Index: events_of_space.
SELECT sequence FROM events WHERE space = $1 AND sequence > $2 ORDER BY sequence LIMIT 20;

-- name: actions_after
-- What was done in a space, in order, after an id. Index: actions_newest read backwards.
SELECT id, at, actor, role, kind, subject, journey, unit, body::text
FROM actions
WHERE space = $1 AND id > $2
ORDER BY id
LIMIT $3;

-- name: all_ledger_checkpoints
-- Everything that was signed, in order: at most one a minute.
SELECT number, signed_at, jws FROM ledger.checkpoints ORDER BY number;
