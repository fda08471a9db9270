-- Alarms: the operator's lists, what an event or the clock concerns, and how often there are any.
-- The lists take the same filters, $3 to $13 (NULL, or a time's infinity: not asked for), and differ in what leads them to an
-- index. A unit sees what is its own, and what it answers for.

-- part: alarm_columns
-- What an alarm's row has, in the order of `AlarmRow`.
id, episode, state, severity, type, journey, seal, unit, raised_at, updated_at, repeats, body, version, subject,
object, responsible, episodes, group_id, opened_at, due_at, timer_at, closed_at, code, silent, begins

-- part: alarms_asked
-- The filters of the lists that are in the order of time: an index is read from one of its ends to the other.
{alarms_but_raised}
  AND raised_at >= $12::timestamptz AND raised_at < $13::timestamptz

-- part: alarms_asked_in_order
-- The same for lists in another order, by another index: planned once for any time, a range that an index of times could be read by is
-- taken for the best way to so few rows; that reads all open alarms, and for each of them all once more where groups are looked at.
{alarms_but_raised}
  AND coalesce(raised_at >= $12::timestamptz AND raised_at < $13::timestamptz, false)

-- part: alarms_but_raised
-- The filters but for the time.
{alarms_standing}
  AND ($6::text[] IS NULL OR journey = ANY ($6)) AND ($7::text IS NULL OR seal = $7)
  AND ($8::uuid IS NULL OR group_id = $8)
  AND {alarms_named}
  AND {alarms_seen}

-- part: alarms_standing
-- Filters by what an alarm is and who answers for it.
state = ANY ($2::text[])
  AND ($3::text IS NULL OR severity = $3) AND ($4::text IS NULL OR type = $4)
  AND ($5::text IS NULL OR unit = $5 OR responsible = $5)

-- part: alarms_named
-- The filter by how a journey's id, declaration or box begins, or a seal's id.
($9::text IS NULL OR seal ^@ $9 OR journey IN (
      SELECT j.id FROM journeys AS j
      WHERE j.space = $1 AND (j.id ^@ $9 OR j.declaration ^@ upper($9) OR j.box ^@ upper($9))
  ))

-- part: alarms_seen
-- Filters by when they became known, and the units that the asker may see.
($10::timestamptz IS NULL OR opened_at >= $10)
  AND ($11::text[] IS NULL OR unit = ANY ($11) OR responsible = ANY ($11))

-- name: alarms_by_priority
-- Open alarms, the most severe first, of those the one that is due first. Index: alarms_by_priority.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND state <> 'closed' AND (rank, coalesce(due_at, 'infinity'), id) > ($15, $16, $17::uuid)
  AND {alarms_asked_in_order}
ORDER BY rank, coalesce(due_at, 'infinity'), id
LIMIT $14;

-- name: alarms_by_group
-- As alarms_by_priority, but of each group only the alarm that comes first: an outage is one line. Indexes: alarms_by_priority, and
-- alarms_of_group, one range an alarm.
SELECT {alarm_columns}
FROM alarms AS a
WHERE a.space = $1 AND a.state <> 'closed' AND (a.rank, coalesce(a.due_at, 'infinity'), a.id) > ($15, $16, $17::uuid)
  AND {alarms_asked_in_order}
  AND NOT EXISTS (
      SELECT FROM alarms AS b
      WHERE b.space = $1 AND b.group_id = a.group_id AND b.state <> 'closed'
        AND (b.rank, coalesce(b.due_at, 'infinity'), b.id) < (a.rank, coalesce(a.due_at, 'infinity'), a.id)
        AND {alarms_asked_in_order}
  )
ORDER BY a.rank, coalesce(a.due_at, 'infinity'), a.id
LIMIT $14;

-- name: alarms_in_groups
-- How many alarms of each of these groups are open, of those that the asker may see. Index: alarms_of_group.
SELECT group_id, count(*)
FROM alarms
WHERE space = $1 AND group_id = ANY ($2::uuid[]) AND state <> 'closed'
  AND ($3::text[] IS NULL OR unit = ANY ($3) OR responsible = ANY ($3))
GROUP BY group_id;

-- name: alarms_open
-- Open alarms, newest first. Index: alarms_open.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND state <> 'closed' AND (raised_at, id) < ($15, $16::uuid)
  AND {alarms_asked}
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_newest
-- Alarms in any state, newest first. Index: alarms_newest.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND (raised_at, id) < ($15, $16::uuid)
  AND {alarms_asked}
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_of_journeys
-- Alarms of some journeys, newest first. Index: alarms_of_journey, one range a journey.
SELECT a.*
FROM unnest($6::text[]) AS wanted (journey)
CROSS JOIN LATERAL (
    SELECT {alarm_columns}
    FROM alarms
    WHERE space = $1 AND journey = wanted.journey AND (raised_at, id) < ($15, $16::uuid)
      AND {alarms_standing}
      AND ($7::text IS NULL OR seal = $7)
      AND ($8::uuid IS NULL OR group_id = $8)
      AND {alarms_named}
      AND raised_at >= $12::timestamptz AND raised_at < $13::timestamptz AND {alarms_seen}
    ORDER BY raised_at DESC, id DESC
    LIMIT $14
) AS a
ORDER BY a.raised_at DESC, a.id DESC
LIMIT $14;

-- name: alarms_of_seal
-- Alarms of a seal, newest first. Index: alarms_of_seal.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND seal = $7 AND (raised_at, id) < ($15, $16::uuid)
  AND {alarms_asked}
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_of_group
-- Alarms of a group, newest first. Index: alarms_of_group.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND group_id = $8 AND (raised_at, id) < ($15, $16::uuid)
  AND {alarms_asked}
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_of_type
-- Alarms of a type, newest first. Index: alarms_of_type.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND type = $4 AND (raised_at, id) < ($15, $16::uuid)
  AND {alarms_asked}
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_of_severity
-- Alarms of a severity, newest first. Index: alarms_of_severity.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND severity = $3 AND (raised_at, id) < ($15, $16::uuid)
  AND {alarms_asked}
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_of_units
-- Alarms of some units, $17, and those that they answer for, newest first: as many of each as are wanted, joined. Indexes: alarms_of_unit
-- and alarms_of_responsible, one range a unit.
SELECT {alarm_columns}
FROM (
    SELECT own.*
    FROM unnest($17::text[]) AS wanted (unit)
    CROSS JOIN LATERAL (
        SELECT * FROM alarms
        WHERE space = $1 AND unit = wanted.unit AND (raised_at, id) < ($15, $16::uuid)
          AND {alarms_asked}
        ORDER BY raised_at DESC, id DESC
        LIMIT $14
    ) AS own
    UNION ALL
    SELECT answered.*
    FROM unnest($17::text[]) AS wanted (unit)
    CROSS JOIN LATERAL (
        SELECT * FROM alarms
        WHERE space = $1 AND responsible = wanted.unit AND (unit = ANY ($17)) IS NOT TRUE AND (raised_at, id) < ($15, $16::uuid)
          AND {alarms_asked}
        ORDER BY raised_at DESC, id DESC
        LIMIT $14
    ) AS answered
) AS a
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarms_of_text
-- Alarms of journeys whose declaration, box or id begins so, and of seals; newest first. Indexes: those of journeys by these, then
-- alarms_of_journey, one range a journey; and alarms_of_seal.
WITH named AS MATERIALIZED (
    SELECT id FROM journeys WHERE space = $1 AND declaration ^@ upper($9)
    UNION
    SELECT id FROM journeys WHERE space = $1 AND box ^@ upper($9)
    UNION
    SELECT id FROM journeys WHERE space = $1 AND id ^@ $9
)
SELECT {alarm_columns}
FROM (
    SELECT a.*
    FROM named
    CROSS JOIN LATERAL (
        SELECT * FROM alarms
        WHERE space = $1 AND journey = named.id AND (raised_at, id) < ($15, $16::uuid) AND {alarms_standing}
          AND ($6::text[] IS NULL OR journey = ANY ($6)) AND ($7::text IS NULL OR seal = $7)
          AND ($8::uuid IS NULL OR group_id = $8)
          AND raised_at >= $12::timestamptz AND raised_at < $13::timestamptz AND {alarms_seen}
        ORDER BY raised_at DESC, id DESC
        LIMIT $14
    ) AS a
    UNION ALL
    SELECT * FROM alarms
    WHERE space = $1 AND seal ^@ $9 AND (journey IS NULL OR journey NOT IN (SELECT id FROM named))
      AND (raised_at, id) < ($15, $16::uuid) AND {alarms_standing}
      AND ($6::text[] IS NULL OR journey = ANY ($6)) AND ($7::text IS NULL OR seal = $7)
      AND ($8::uuid IS NULL OR group_id = $8)
      AND raised_at >= $12::timestamptz AND raised_at < $13::timestamptz AND {alarms_seen}
) AS found
ORDER BY raised_at DESC, id DESC
LIMIT $14;

-- name: alarm_of_id
-- One alarm. Index: the primary key.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND id = $2;

-- name: alarms_concerned
-- What events may change: alarms that stand for their episodes, or have the id that one would get. Indexes: alarms_of_episodes
-- and the primary key.
SELECT {alarm_columns}
FROM alarms
WHERE episodes && $1::uuid[] OR id = ANY ($2::uuid[]);

-- name: alarms_alike
-- Open alarms of the same subject, type and object as what is raised: it may be a repeat. Index: alarms_alike, one range a
-- raised episode; OFFSET 0 keeps it from becoming one scan of the table.
SELECT a.*
FROM unnest($2::text[], $3::text[], $4::text[]) AS raised (subject, type, object)
CROSS JOIN LATERAL (
    SELECT {alarm_columns}
    FROM alarms
    WHERE alarms.space = $1 AND state <> 'closed' AND alarms.subject = raised.subject AND alarms.type = raised.type
      AND coalesce(alarms.object, '') = coalesce(raised.object, '')
    OFFSET 0
) AS a;

-- name: alarms_beginning
-- Alarms that began a group and that a new one of the type may belong to. Index: alarms_beginning, one range a type.
SELECT a.*
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS wanted (type, after, before)
CROSS JOIN LATERAL (
    SELECT {alarm_columns}
    FROM alarms
    WHERE alarms.space = $1 AND begins AND alarms.type = wanted.type
      AND raised_at BETWEEN wanted.after AND wanted.before
    OFFSET 0
) AS a;

-- name: ways_of_seals
-- By which way the seals of a space are heard, of those that said: read once. Index: the primary key.
SELECT seal, carrier, gateway FROM seal_ways WHERE space = $1;

-- name: alarms_timed
-- What the clock changes by a moment: shelves that expire, deadlines that pass. Index: alarms_by_timer.
SELECT {alarm_columns}
FROM alarms
WHERE space = $1 AND timer_at <= $2
ORDER BY timer_at, id
LIMIT $3;

-- name: episodes_of_ids
-- Episodes as they stand: what a step of an alarm is told with. Index: the primary key.
SELECT {episode_columns}
FROM episodes
WHERE episode = ANY ($1::uuid[]);

-- name: actions_of
-- What was done to something, newest first. Index: actions_of_subject.
SELECT id, at, actor, role, kind, subject, journey, unit, body
FROM actions
WHERE space = $1 AND subject = $2 AND id < $3
ORDER BY id DESC
LIMIT $4;

-- name: alarm_count
-- How many alarms called for somebody in [from, to). Index: alarms_by_opening.
SELECT count(*)
FROM alarms
WHERE space = $1 AND opened_at >= $2 AND opened_at < $3 AND NOT silent
  AND ($4::text IS NULL OR unit = $4 OR responsible = $4)
  AND ($5::text[] IS NULL OR unit = ANY ($5) OR responsible = ANY ($5));

-- name: alarm_floods
-- Stretches in which more than $6 alarms came within $7: a window that begins with each alarm, those that are too full joined
-- where they touch. Index: alarms_by_opening.
WITH called AS (
    SELECT opened_at, id FROM alarms
    WHERE space = $1 AND opened_at >= $2 AND opened_at < $3 AND NOT silent
      AND ($4::text IS NULL OR unit = $4 OR responsible = $4)
      AND ($5::text[] IS NULL OR unit = ANY ($5) OR responsible = ANY ($5))
),
windows AS (
    SELECT opened_at AS begins, max(opened_at) OVER ahead AS ends, count(*) OVER ahead AS n
    FROM called
    WINDOW ahead AS (ORDER BY opened_at RANGE BETWEEN CURRENT ROW AND $7::interval FOLLOWING)
),
full_ones AS (
    SELECT begins, ends, max(ends) OVER (ORDER BY begins, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far
    FROM windows
    WHERE n > $6
),
stretches AS (
    SELECT begins, ends, count(*) FILTER (WHERE so_far IS NULL OR begins > so_far) OVER (ORDER BY begins, ends) AS stretch
    FROM full_ones
),
joined AS (SELECT min(begins) AS begins, max(ends) AS ends FROM stretches GROUP BY stretch)
SELECT begins, ends, (SELECT count(*) FROM called WHERE opened_at BETWEEN begins AND ends)
FROM joined
ORDER BY begins;

-- name: alarm_chatter
-- Subjects that raised one type $6 times or more within $7, with the most within it and the whole number. Repeats of one
-- alarm count, so this is asked of episodes. Index: episodes_newest.
WITH counted AS (
    SELECT subject_kind, subject, type,
           count(*) OVER (
               PARTITION BY subject_kind, subject, type ORDER BY raised_at
               RANGE BETWEEN CURRENT ROW AND $7::interval FOLLOWING
           ) AS n
    FROM episodes
    WHERE space = $1 AND NOT retracted AND raised_at >= $2 AND raised_at < $3 AND severity <> 'info'
      AND ($4::text IS NULL OR unit = $4)
      AND ($5::text[] IS NULL OR unit = ANY ($5))
)
SELECT subject_kind || '/' || subject, type, max(n), count(*)
FROM counted
GROUP BY subject_kind, subject, type
HAVING max(n) >= $6
ORDER BY max(n) DESC, 1, 2
LIMIT $8;

-- name: alarm_stale
-- Alarms opened before a moment and still open, by severity. Index: alarms_by_priority.
SELECT severity, count(*)
FROM alarms
WHERE space = $1 AND state <> 'closed' AND opened_at <= $2
  AND ($3::text IS NULL OR unit = $3 OR responsible = $3)
  AND ($4::text[] IS NULL OR unit = ANY ($4) OR responsible = ANY ($4))
GROUP BY severity
ORDER BY severity;

-- name: alarm_outcomes
-- Of what persons closed in [from, to): how many of each type under each code. Index: alarms_by_closing.
SELECT type, code, count(*)
FROM alarms
WHERE space = $1 AND closed_at >= $2 AND closed_at < $3 AND code IS NOT NULL AND code <> ALL ($6::text[])
  AND ($4::text IS NULL OR unit = $4 OR responsible = $4)
  AND ($5::text[] IS NULL OR unit = ANY ($5) OR responsible = ANY ($5))
GROUP BY type, code
ORDER BY type, code;
