-- Pages of the log of events, filtered: oldest first after a sequence, and newest first before one.
-- All take the same: $1 space, $2 sequence, $3 how many, then filters, NULL where not asked for: $4 units (the asker's, or
-- the one asked for), $5 journeys, $6 seal, $7 type, $8 severity; and $9 to $10, when it happened, [from, to), infinities
-- where not asked for. They differ in what leads them to an index: what finds fewest goes first.

-- part: events_seen
-- Units that the asker may see, or the one asked for.
($4::text[] IS NULL OR unit = ANY ($4) OR responsible = ANY ($4))

-- part: events_told
-- What an event is, and when it happened.
($7::text IS NULL OR type = $7) AND ($8::text IS NULL OR severity = $8)
  AND time >= $9::timestamptz AND time < $10::timestamptz

-- part: event_day
-- The day of an event, as the index of a period has it.
date_bin('1 day', time, '1970-01-01 00:00:00+00')

-- part: event_week
-- The week of an event, as the indexes of types and severities have it.
date_bin('7 days', time, '1970-01-05 00:00:00+00')

-- part: weeks_asked
-- The weeks of the time asked for, from the first that is known to the last.
weeks AS (
    SELECT generate_series(
        date_bin('7 days', greatest(first, $9::timestamptz), '1970-01-05 00:00:00+00'), least(last, $10::timestamptz), '7 days'
    ) AS week
    FROM known
    WHERE first IS NOT NULL
)

-- part: events_by_day
-- The days of the time asked for on which there were events.
WITH known AS MATERIALIZED (
    SELECT (SELECT {event_day} FROM events WHERE space = $1
            ORDER BY {event_day} LIMIT 1) AS first,
           (SELECT {event_day} FROM events WHERE space = $1
            ORDER BY {event_day} DESC LIMIT 1) AS last
), days AS (
    SELECT generate_series(
        date_bin('1 day', greatest(first, $9::timestamptz), '1970-01-01 00:00:00+00'), least(last, $10::timestamptz), '1 day'
    ) AS day
    FROM known
    WHERE first IS NOT NULL
)

-- part: events_by_week_of_type
-- The weeks of the time asked for in which there were events of the type.
WITH known AS MATERIALIZED (
    SELECT (SELECT {event_week} FROM events WHERE space = $1 AND type = $7
            ORDER BY {event_week} LIMIT 1) AS first,
           (SELECT {event_week} FROM events WHERE space = $1 AND type = $7
            ORDER BY {event_week} DESC LIMIT 1) AS last
), {weeks_asked}

-- part: events_by_week_of_severity
-- The weeks of the time asked for in which there were events of the severity.
WITH known AS MATERIALIZED (
    SELECT (SELECT {event_week} FROM events WHERE space = $1 AND severity = $8
            ORDER BY {event_week} LIMIT 1) AS first,
           (SELECT {event_week} FROM events WHERE space = $1 AND severity = $8
            ORDER BY {event_week} DESC LIMIT 1) AS last
), {weeks_asked}

-- name: events_after_of_units
-- Of some units: as many of each as are wanted, joined; and of what they answer for. Indexes: events_of_unit and
-- events_of_responsible, one range a unit.
SELECT e.sequence, e.body
FROM (
    SELECT own.sequence, own.body
    FROM unnest($4::text[]) AS wanted (unit)
    CROSS JOIN LATERAL (
        SELECT sequence, body FROM events
        WHERE space = $1 AND unit = wanted.unit AND sequence > $2
          AND ($5::text[] IS NULL OR journey = ANY ($5)) AND ($6::text IS NULL OR seal = $6)
          AND {events_told}
        ORDER BY sequence
        LIMIT $3
    ) AS own
    UNION ALL
    SELECT answered.sequence, answered.body
    FROM unnest($4::text[]) AS wanted (unit)
    CROSS JOIN LATERAL (
        SELECT sequence, body FROM events
        WHERE space = $1 AND responsible = wanted.unit AND sequence > $2 AND (unit = ANY ($4)) IS NOT TRUE
          AND ($5::text[] IS NULL OR journey = ANY ($5)) AND ($6::text IS NULL OR seal = $6)
          AND {events_told}
        ORDER BY sequence
        LIMIT $3
    ) AS answered
) AS e
ORDER BY e.sequence
LIMIT $3;

-- name: events_after_of_journeys
-- Of some journeys. Index: events_of_journey (space, journey, sequence), one range a journey.
SELECT e.sequence, e.body
FROM unnest($5::text[]) AS wanted (journey)
CROSS JOIN LATERAL (
    SELECT sequence, body FROM events
    WHERE space = $1 AND journey = wanted.journey AND sequence > $2
      AND {events_seen} AND ($6::text IS NULL OR seal = $6)
      AND {events_told}
    ORDER BY sequence
    LIMIT $3
) AS e
ORDER BY e.sequence
LIMIT $3;

-- name: events_after_of_seal
-- Of a seal. Index: events_of_seal (space, seal, sequence).
SELECT sequence, body FROM events
WHERE space = $1 AND seal = $6 AND sequence > $2
  AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
  AND {events_told}
ORDER BY sequence
LIMIT $3;

-- name: events_after_of_type
-- Of a type: of each week as many as are wanted, joined, so that neither a type that is rare nor a time long past has the others read
-- through. Index: events_of_type
-- (space, type, date_bin('7 days', time, '1970-01-05 00:00:00+00'), sequence) INCLUDE what is filtered by, one range a week.
{events_by_week_of_type}, found AS (
    SELECT e.sequence
    FROM weeks
    CROSS JOIN LATERAL (
        SELECT sequence FROM events
        WHERE space = $1 AND type = $7 AND {event_week} = weeks.week AND sequence > $2
          AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
          AND ($6::text IS NULL OR seal = $6) AND ($8::text IS NULL OR severity = $8)
          AND time >= $9::timestamptz AND time < $10::timestamptz
        ORDER BY sequence
        LIMIT $3
    ) AS e
    ORDER BY e.sequence
    LIMIT $3
)
SELECT sequence, events.body FROM found JOIN events USING (sequence) ORDER BY sequence;

-- name: events_after_in_time
-- Within a time. The log is in the order in which events became known, so that no range of it is all of a time:
-- of each day as many as are wanted, joined. Index: events_of_day
-- (space, date_bin('1 day', time, '1970-01-01 00:00:00+00'), sequence) INCLUDE what is filtered by, one range a day.
{events_by_day}, found AS (
    SELECT e.sequence
    FROM days
    CROSS JOIN LATERAL (
        SELECT sequence FROM events
        WHERE space = $1 AND {event_day} = days.day AND sequence > $2
          AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
          AND ($6::text IS NULL OR seal = $6) AND {events_told}
        ORDER BY sequence
        LIMIT $3
    ) AS e
    ORDER BY e.sequence
    LIMIT $3
)
SELECT sequence, events.body FROM found JOIN events USING (sequence) ORDER BY sequence;

-- name: events_after_of_severity
-- Of a severity: of each week as many as are wanted, joined, so that neither one that is rare nor a time long past has the others read
-- through. Index: events_of_severity
-- (space, severity, date_bin('7 days', time, '1970-01-05 00:00:00+00'), sequence) INCLUDE what is filtered by, one range a week.
{events_by_week_of_severity}, found AS (
    SELECT e.sequence
    FROM weeks
    CROSS JOIN LATERAL (
        SELECT sequence FROM events
        WHERE space = $1 AND severity = $8 AND {event_week} = weeks.week AND sequence > $2
          AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
          AND ($6::text IS NULL OR seal = $6) AND ($7::text IS NULL OR type = $7)
          AND time >= $9::timestamptz AND time < $10::timestamptz
        ORDER BY sequence
        LIMIT $3
    ) AS e
    ORDER BY e.sequence
    LIMIT $3
)
SELECT sequence, events.body FROM found JOIN events USING (sequence) ORDER BY sequence;

-- name: events_before_of_units
-- Of some units, newest first: as many of each as are wanted, joined; and of what they answer for. Indexes: events_of_unit and
-- events_of_responsible, one range a unit.
SELECT e.sequence, e.body
FROM (
    SELECT own.sequence, own.body
    FROM unnest($4::text[]) AS wanted (unit)
    CROSS JOIN LATERAL (
        SELECT sequence, body FROM events
        WHERE space = $1 AND unit = wanted.unit AND sequence < $2
          AND ($5::text[] IS NULL OR journey = ANY ($5)) AND ($6::text IS NULL OR seal = $6)
          AND {events_told}
        ORDER BY sequence DESC
        LIMIT $3
    ) AS own
    UNION ALL
    SELECT answered.sequence, answered.body
    FROM unnest($4::text[]) AS wanted (unit)
    CROSS JOIN LATERAL (
        SELECT sequence, body FROM events
        WHERE space = $1 AND responsible = wanted.unit AND sequence < $2 AND (unit = ANY ($4)) IS NOT TRUE
          AND ($5::text[] IS NULL OR journey = ANY ($5)) AND ($6::text IS NULL OR seal = $6)
          AND {events_told}
        ORDER BY sequence DESC
        LIMIT $3
    ) AS answered
) AS e
ORDER BY e.sequence DESC
LIMIT $3;

-- name: events_before_of_journeys
-- Of some journeys, newest first. Index: events_of_journey (space, journey, sequence), one range a journey.
SELECT e.sequence, e.body
FROM unnest($5::text[]) AS wanted (journey)
CROSS JOIN LATERAL (
    SELECT sequence, body FROM events
    WHERE space = $1 AND journey = wanted.journey AND sequence < $2
      AND {events_seen} AND ($6::text IS NULL OR seal = $6)
      AND {events_told}
    ORDER BY sequence DESC
    LIMIT $3
) AS e
ORDER BY e.sequence DESC
LIMIT $3;

-- name: events_before_of_seal
-- Of a seal, newest first. Index: events_of_seal (space, seal, sequence).
SELECT sequence, body FROM events
WHERE space = $1 AND seal = $6 AND sequence < $2
  AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
  AND {events_told}
ORDER BY sequence DESC
LIMIT $3;

-- name: events_before_of_type
-- Of a type, newest first: of each week as many as are wanted, joined, so that neither a type that is rare nor a time long past has
-- the others read through. Index: events_of_type
-- (space, type, date_bin('7 days', time, '1970-01-05 00:00:00+00'), sequence) INCLUDE what is filtered by, one range a week.
{events_by_week_of_type}, found AS (
    SELECT e.sequence
    FROM weeks
    CROSS JOIN LATERAL (
        SELECT sequence FROM events
        WHERE space = $1 AND type = $7 AND {event_week} = weeks.week AND sequence < $2
          AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
          AND ($6::text IS NULL OR seal = $6) AND ($8::text IS NULL OR severity = $8)
          AND time >= $9::timestamptz AND time < $10::timestamptz
        ORDER BY sequence DESC
        LIMIT $3
    ) AS e
    ORDER BY e.sequence DESC
    LIMIT $3
)
SELECT sequence, events.body FROM found JOIN events USING (sequence) ORDER BY sequence DESC;

-- name: events_before_in_time
-- Within a time, newest first. The log is in the order in which events became known, so that no range of it is all of a time:
-- of each day as many as are wanted, joined. Index: events_of_day
-- (space, date_bin('1 day', time, '1970-01-01 00:00:00+00'), sequence) INCLUDE what is filtered by, one range a day.
{events_by_day}, found AS (
    SELECT e.sequence
    FROM days
    CROSS JOIN LATERAL (
        SELECT sequence FROM events
        WHERE space = $1 AND {event_day} = days.day AND sequence < $2
          AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
          AND ($6::text IS NULL OR seal = $6) AND {events_told}
        ORDER BY sequence DESC
        LIMIT $3
    ) AS e
    ORDER BY e.sequence DESC
    LIMIT $3
)
SELECT sequence, events.body FROM found JOIN events USING (sequence) ORDER BY sequence DESC;

-- name: events_before_of_severity
-- Of a severity, newest first: of each week as many as are wanted, joined, so that neither one that is rare nor a time long past has
-- the others read through. Index: events_of_severity
-- (space, severity, date_bin('7 days', time, '1970-01-05 00:00:00+00'), sequence) INCLUDE what is filtered by, one range a week.
{events_by_week_of_severity}, found AS (
    SELECT e.sequence
    FROM weeks
    CROSS JOIN LATERAL (
        SELECT sequence FROM events
        WHERE space = $1 AND severity = $8 AND {event_week} = weeks.week AND sequence < $2
          AND {events_seen} AND ($5::text[] IS NULL OR journey = ANY ($5))
          AND ($6::text IS NULL OR seal = $6) AND ($7::text IS NULL OR type = $7)
          AND time >= $9::timestamptz AND time < $10::timestamptz
        ORDER BY sequence DESC
        LIMIT $3
    ) AS e
    ORDER BY e.sequence DESC
    LIMIT $3
)
SELECT sequence, events.body FROM found JOIN events USING (sequence) ORDER BY sequence DESC;
