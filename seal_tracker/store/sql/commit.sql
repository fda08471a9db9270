-- name: add_dead_letters
-- Keeps payloads that could not become pings.
INSERT INTO dead_letters (space, received_at, topic, payload, reason)
SELECT $1, letter.*
FROM unnest($2::timestamptz[], $3::text[], $4::bytea[], $5::text[]) AS letter;

-- name: upsert_episodes
-- Writes episodes as they now stand. All columns but the id and the space may change: re-judgement can move a
-- start or an end, and a retracted episode can come back.
INSERT INTO episodes (
    space, episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
    cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision, retracted
)
SELECT $1, e.*
FROM unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::bool[], $15::bool[],
    $16::json[], $17::int[], $18::text[], $19::text[], $20::timestamptz[], $21::timestamptz[], $22::int[], $23::bool[]
) AS e
ON CONFLICT (episode) DO UPDATE SET
    type = excluded.type, severity = excluded.severity, subject_kind = excluded.subject_kind,
    subject = excluded.subject, journey = excluded.journey, seal = excluded.seal, object = excluded.object,
    started_at = excluded.started_at, raised_at = excluded.raised_at, ended_at = excluded.ended_at,
    cleared_at = excluded.cleared_at, inferred = excluded.inferred, latched = excluded.latched,
    evidence = excluded.evidence, plan_version = excluded.plan_version, regime = excluded.regime,
    unit = excluded.unit, changed_at = excluded.changed_at, settled_at = excluded.settled_at,
    revision = excluded.revision, retracted = excluded.retracted;

-- name: add_events
-- Appends transitions. Nothing ever updates or deletes one.
INSERT INTO events (
    space, sequence, id, episode, subject_kind, subject, journey, seal, type, transition, severity, revision, time,
    recorded_at, late, body, unit, responsible
)
SELECT $1, e.*
FROM unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::int[], $13::timestamptz[], $14::timestamptz[], $15::bool[], $16::bytea[],
    $17::text[], $18::text[]
) AS e;

-- name: add_outbox
-- What is to be published once this commit stands.
INSERT INTO outbox (space, id, subject, topic, payload, retain, event_sequence)
SELECT $1, o.*
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bool[], $7::bigint[]) AS o;

-- name: drop_checkpoints
-- Forgets states of the stretch for which a seal was judged again, but not what its old pings led to. Index: the primary key.
DELETE FROM checkpoints AS c
USING unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS d (seal, from_at, to_at)
WHERE c.seal = d.seal AND c.at >= d.from_at AND c.at < d.to_at AND NOT c.is_first;

-- name: upsert_checkpoints
-- Keeps states; a second one of the same moment replaces the first.
INSERT INTO checkpoints (seal, at, state)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::bytea[])
ON CONFLICT (seal, at) DO UPDATE SET state = excluded.state;

-- name: upsert_alarms
-- Writes alarms as they now stand; when it was first raised, and opened, stays. Arrays of arrays do not come apart again, so the
-- episodes of each come as text.
INSERT INTO alarms (
    space, id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body, version, subject,
    object, responsible, episodes, group_id, opened_at, due_at, timer_at, closed_at, code, silent, begins
)
SELECT $1, id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body, version, subject,
       object, responsible, episodes::uuid[], group_id, opened_at, due_at, timer_at, closed_at, code, silent, begins
FROM unnest(
    $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::int[], $13::json[], $14::int[], $15::text[],
    $16::text[], $17::text[], $18::text[], $19::uuid[], $20::timestamptz[], $21::timestamptz[],
    $22::timestamptz[], $23::timestamptz[], $24::text[], $25::bool[], $26::bool[]
) AS a (
    id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body, version, subject,
    object, responsible, episodes, group_id, opened_at, due_at, timer_at, closed_at, code, silent, begins
)
ON CONFLICT (id) DO UPDATE SET
    episode = excluded.episode, state = excluded.state, severity = excluded.severity, type = excluded.type,
    journey = excluded.journey, seal = excluded.seal, unit = excluded.unit, updated_at = excluded.updated_at,
    repeats = excluded.repeats, body = excluded.body, version = excluded.version, subject = excluded.subject,
    object = excluded.object, responsible = excluded.responsible,
    episodes = excluded.episodes, group_id = excluded.group_id, due_at = excluded.due_at, timer_at = excluded.timer_at,
    closed_at = excluded.closed_at, code = excluded.code, silent = excluded.silent, begins = excluded.begins;

-- name: upsert_ways
-- Writes by which way seals are heard.
INSERT INTO seal_ways (space, seal, carrier, gateway)
SELECT $1, w.* FROM unnest($2::text[], $3::text[], $4::text[]) AS w
ON CONFLICT (space, seal) DO UPDATE SET carrier = excluded.carrier, gateway = excluded.gateway;

-- name: add_actions
-- Appends what persons did, in the order given. Nothing ever updates or deletes one.
INSERT INTO actions (space, at, actor, role, kind, subject, journey, unit, body)
SELECT $1, a.*
FROM unnest(
    $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::json[]
) AS a;

-- name: add_counts
-- Adds to counters, making those that are new.
INSERT INTO counters (space, name, value)
SELECT $1, c.* FROM unnest($2::text[], $3::bigint[]) AS c
ON CONFLICT (space, name) DO UPDATE SET value = counters.value + excluded.value;
