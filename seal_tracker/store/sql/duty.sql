-- name: upsert_shifts
-- Writes shifts as they now stand; their unit does not change.
INSERT INTO shifts (id, unit, officer, begins_at, ends_at, notes, version, made_by, changed_at, cancelled_at)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::int[], $8::text[],
    $9::timestamptz[], $10::timestamptz[]
)
ON CONFLICT (id) DO UPDATE SET
    officer = excluded.officer, begins_at = excluded.begins_at, ends_at = excluded.ends_at, notes = excluded.notes,
    version = excluded.version, changed_at = excluded.changed_at, cancelled_at = excluded.cancelled_at;

-- name: upsert_hand_overs
-- Writes hand-overs as they now stand; only who took one is added.
INSERT INTO hand_overs (
    id, shift, to_shift, unit, note, alarms, alarms_open, handed_at, handed_by, taken_at, taken_by, version
)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::json[], $7::int[], $8::timestamptz[], $9::text[],
    $10::timestamptz[], $11::text[], $12::int[]
)
ON CONFLICT (id) DO UPDATE SET
    taken_at = excluded.taken_at, taken_by = excluded.taken_by, version = excluded.version;

-- name: shift_of_id
-- One shift. Index: the primary key.
SELECT id, unit, officer, begins_at, ends_at, notes, version, made_by, changed_at, cancelled_at
FROM shifts
WHERE id = $1;

-- name: shifts_listed
-- Shifts that touch [from, to) and are not cancelled, by when they begin; none is longer than $3 says. Index: shifts_by_begin.
SELECT id, unit, officer, begins_at, ends_at, notes, version, made_by, changed_at, cancelled_at
FROM shifts
WHERE begins_at > $1::timestamptz - $3::interval AND begins_at < $2 AND ends_at > $1
  AND (begins_at, id) > ($4, $5::uuid)
  AND ($6::text IS NULL OR unit = $6)
  AND ($7::text[] IS NULL OR unit = ANY ($7))
  AND cancelled_at IS NULL
ORDER BY begins_at, id
LIMIT $8;

-- name: shifts_of_officer
-- An officer's shifts that touch [from, to). Index: shifts_of_officer.
SELECT id, unit, officer, begins_at, ends_at, notes, version, made_by, changed_at, cancelled_at
FROM shifts
WHERE officer = $1 AND begins_at > $2::timestamptz - $4::interval AND begins_at < $3 AND ends_at > $2
  AND cancelled_at IS NULL
ORDER BY begins_at;

-- name: hand_over_of_id
-- One hand-over. Index: the primary key.
SELECT id, shift, to_shift, unit, note, alarms, alarms_open, handed_at, handed_by, taken_at, taken_by, version
FROM hand_overs
WHERE id = $1;

-- name: hand_overs_of_shifts
-- The hand-overs of shifts, by shift. Index: hand_overs_shift_key.
SELECT shift, id FROM hand_overs WHERE shift = ANY ($1::uuid[]);

-- name: hand_overs_listed
-- Hand-overs of [from, to), newest first, their alarms left out; of $7 true those that nobody has taken. Index: hand_overs_newest.
SELECT id, shift, to_shift, unit, note, '[]', alarms_open, handed_at, handed_by, taken_at, taken_by, version
FROM hand_overs
WHERE handed_at >= $1 AND handed_at < $2 AND (handed_at, id) < ($3, $4::uuid)
  AND ($5::text IS NULL OR unit = $5)
  AND ($6::text[] IS NULL OR unit = ANY ($6))
  AND (NOT $7::bool OR taken_at IS NULL)
ORDER BY handed_at DESC, id DESC
LIMIT $8;

-- name: hand_over_waiting_for
-- The hand-over that waits to be taken by the officer of a shift. Index: hand_overs_waiting.
SELECT id FROM hand_overs WHERE to_shift = $1 AND taken_at IS NULL;

-- name: upsert_absences
-- Writes absences as they now stand; whose they are does not change.
INSERT INTO absences (id, unit, officer, begins_at, ends_at, reason, version, made_by, changed_at, cancelled_at)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::int[], $8::text[],
    $9::timestamptz[], $10::timestamptz[]
)
ON CONFLICT (id) DO UPDATE SET
    begins_at = excluded.begins_at, ends_at = excluded.ends_at, reason = excluded.reason, version = excluded.version,
    changed_at = excluded.changed_at, cancelled_at = excluded.cancelled_at;

-- name: absence_of_id
-- One absence. Index: the primary key.
SELECT id, unit, officer, begins_at, ends_at, reason, version, made_by, changed_at, cancelled_at
FROM absences
WHERE id = $1;

-- name: absences_listed
-- Absences that touch [from, to) and are not cancelled, by when they begin; none is longer than $3 says. Index: absences_by_begin.
SELECT id, unit, officer, begins_at, ends_at, reason, version, made_by, changed_at, cancelled_at
FROM absences
WHERE begins_at > $1::timestamptz - $3::interval AND begins_at < $2 AND ends_at > $1
  AND (begins_at, id) > ($4, $5::uuid)
  AND ($6::text IS NULL OR unit = $6)
  AND ($7::text[] IS NULL OR unit = ANY ($7))
  AND cancelled_at IS NULL
ORDER BY begins_at, id
LIMIT $8;

-- name: absent_officers
-- Who is absent at a moment; no absence is longer than $2 says. Index: absences_by_begin.
SELECT DISTINCT officer
FROM absences
WHERE begins_at > $1::timestamptz - $2::interval AND begins_at <= $1 AND ends_at > $1 AND cancelled_at IS NULL;

-- name: alarms_open_count
-- How many alarms of some units (NULL: of all) are open. Index: alarms_by_priority.
SELECT count(*)
FROM alarms
WHERE space = $1 AND state <> 'closed' AND ($2::text[] IS NULL OR unit = ANY ($2) OR responsible = ANY ($2));

-- name: overdue_by_unit
-- Open alarms past what was to be done by now, by the unit that answers: all, those not acknowledged in time, those not closed
-- in time, the longest overdue, and how often they were put before a head. Index: alarms_late, which has all of it.
SELECT coalesce(responsible, unit) AS answering, count(*),
       count(*) FILTER (WHERE state IN ('unacknowledged', 'returned_unacknowledged') AND acknowledge_by <= $2),
       count(*) FILTER (WHERE close_by <= $2),
       min(due_at), sum(escalations)
FROM alarms
WHERE space = $1 AND state <> 'closed' AND due_at <= $2
  AND opened_at >= $3 AND opened_at < $4
  AND ($5::text IS NULL OR coalesce(responsible, unit) = $5)
  AND ($6::text[] IS NULL OR unit = ANY ($6) OR responsible = ANY ($6))
GROUP BY 1
ORDER BY 1 NULLS FIRST;

-- name: overdue_alarms
-- The same alarms one by one, the longest overdue first, those after a place (when due, id), each with the persons who have seen it and
-- when they first did. Indexes: alarms_late, actions_of_subject. Bodies are read of those alone that are told.
SELECT late.id, late.type, late.severity, late.state, late.answering, late.opened_at, late.due_at, late.escalations,
       late.body ->> 'escalated_to', seen.by, seen.at
FROM (
    SELECT id, type, severity, state, coalesce(responsible, unit) AS answering, opened_at, due_at, escalations, body
    FROM alarms
    WHERE space = $1 AND state <> 'closed' AND due_at <= $2
      AND opened_at >= $3 AND opened_at < $4
      AND ($5::text IS NULL OR coalesce(responsible, unit) = $5)
      AND ($6::text[] IS NULL OR unit = ANY ($6) OR responsible = ANY ($6))
      AND (due_at, id) > ($7, $8::uuid)
    ORDER BY due_at, id
    LIMIT $9
) AS late
LEFT JOIN LATERAL (
    SELECT array_agg(actor ORDER BY id) AS by, array_agg(at ORDER BY id) AS at
    FROM (
        SELECT DISTINCT ON (actor) actor, at, id FROM actions
        WHERE space = $1 AND subject = 'alarm/' || late.id AND role <> $10
        ORDER BY actor, id
    ) AS first
) AS seen ON true
ORDER BY late.due_at, late.id;

-- name: alarm_seen
-- Who has done anything with an alarm, seeing it among that, and when first; by when. Index: actions_of_subject.
SELECT actor, at
FROM (
    SELECT DISTINCT ON (actor) actor, at, id FROM actions
    WHERE space = $1 AND subject = $2 AND role <> $3
    ORDER BY actor, id
) AS first
ORDER BY id;

-- name: operator_hours
-- Hours of all who were on duty within [from, to), together: of each shift what lies within; none is longer than $3 says. Index:
-- shifts_by_begin.
SELECT coalesce(sum(extract(epoch FROM least(ends_at, $2::timestamptz) - greatest(begins_at, $1::timestamptz))), 0)::float8 / 3600
FROM shifts
WHERE begins_at > $1::timestamptz - $3::interval AND begins_at < $2 AND ends_at > $1
  AND cancelled_at IS NULL
  AND ($4::text IS NULL OR unit = $4)
  AND ($5::text[] IS NULL OR unit = ANY ($5));
