-- Figures of a period [$2, $3) for the weekly meeting: for each unit and, where in_all, for all that were asked for.
-- $4 is the one unit that is asked for, $5 the units that the asker may see. An alarm counts for the unit whose head answers.

-- name: report_journeys
-- Journeys armed and ended in the period, how many of those ended are closed by now, and under way at its end. Index:
-- journeys_by_end.
SELECT grouping(unit) = 1 AS in_all, unit,
       count(*) FILTER (WHERE armed_at >= $2),
       count(*) FILTER (WHERE ended_at >= $2 AND ended_at < $3),
       count(*) FILTER (WHERE ended_at >= $2 AND ended_at < $3 AND state = 'CLOSED'),
       count(*) FILTER (WHERE coalesce(ended_at, 'infinity') >= $3)
FROM journeys
WHERE space = $1 AND armed_at IS NOT NULL AND coalesce(ended_at, 'infinity') >= $2 AND armed_at < $3
  AND ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit), ());

-- name: report_alarms
-- By type and severity: raised in the period and how many of these were escalated, closed in it, open at its end. Indexes:
-- alarms_by_opening, alarms_by_closing (twice), one of open alarms; and of what was raised actions_of_subject, where EXISTS would
-- be answered by a table of all that was ever escalated.
WITH counted AS (
    SELECT coalesce(a.responsible, a.unit) AS unit, a.type, a.severity, 1 AS raised, 0 AS closed, 0 AS open,
           (
               SELECT count(*) > 0 FROM actions AS s
               WHERE s.space = $1 AND s.subject = 'alarm/' || a.id::text AND s.kind = 'alarm.escalated'
           )::int AS escalated
    FROM alarms AS a
    WHERE a.space = $1 AND a.opened_at >= $2 AND a.opened_at < $3 AND NOT a.silent
    UNION ALL
    SELECT coalesce(responsible, unit), type, severity, 0, 1, 0, 0 FROM alarms
    WHERE space = $1 AND closed_at >= $2 AND closed_at < $3
    UNION ALL
    SELECT coalesce(responsible, unit), type, severity, 0, 0, 1, 0 FROM alarms
    WHERE space = $1 AND state <> 'closed' AND opened_at < $3
    UNION ALL
    SELECT coalesce(responsible, unit), type, severity, 0, 0, 1, 0 FROM alarms
    WHERE space = $1 AND closed_at >= $3 AND opened_at < $3
)
SELECT grouping(unit) = 1 AS in_all, unit, type, severity, sum(raised), sum(closed), sum(open), sum(escalated)
FROM counted
WHERE ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit, type, severity), (type, severity))
ORDER BY type, severity;

-- name: report_answers
-- Seconds until a person first acknowledged what was raised in the period (who closes an alarm has seen it), and until persons
-- closed what was closed in it: how many alarms, their median and 90th percentile. $6: codes that the service itself closes with. Indexes: alarms_by_opening,
-- actions_of_subject, alarms_by_closing.
WITH answered AS (
    SELECT coalesce(a.responsible, a.unit) AS unit,
           extract(epoch FROM first.at - a.opened_at)::float8 AS acknowledge_s, NULL::float8 AS close_s
    FROM alarms AS a
    CROSS JOIN LATERAL (
        SELECT min(s.at) AS at FROM actions AS s
        WHERE s.space = $1 AND s.subject = 'alarm/' || a.id::text
          AND s.kind IN ('alarm.acknowledged', 'alarm.closed')
    ) AS first
    WHERE a.space = $1 AND a.opened_at >= $2 AND a.opened_at < $3 AND NOT a.silent
    UNION ALL
    SELECT coalesce(responsible, unit), NULL, extract(epoch FROM closed_at - opened_at)::float8
    FROM alarms
    WHERE space = $1 AND closed_at >= $2 AND closed_at < $3 AND code IS NOT NULL AND code <> ALL ($6::text[])
)
SELECT grouping(unit) = 1 AS in_all, unit,
       count(acknowledge_s), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY acknowledge_s),
       count(close_s), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY close_s)
FROM answered
WHERE ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit), ());

-- name: report_outcomes
-- How many alarms persons closed in the period under each code. $6 as in report_answers. Index: alarms_by_closing.
SELECT grouping(unit) = 1 AS in_all, unit, code, count(*)
FROM (
    SELECT coalesce(responsible, unit) AS unit, code FROM alarms
    WHERE space = $1 AND closed_at >= $2 AND closed_at < $3 AND code IS NOT NULL AND code <> ALL ($6::text[])
) AS closed
WHERE ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit, code), (code))
ORDER BY code;

-- name: report_episodes
-- Episodes raised in the period, by type. Index: episodes_newest, or episodes_of_unit.
SELECT grouping(unit) = 1 AS in_all, unit, type, count(*)
FROM episodes
WHERE space = $1 AND NOT retracted AND raised_at >= $2 AND raised_at < $3
  AND ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit, type), (type))
ORDER BY type;

-- name: report_silences
-- The longest silence of each seal, of those told in the period or told before and not over yet; up to $6. The $7 longest.
-- Indexes: episodes_newest, episodes_open, or those of units.
WITH silences AS (
    SELECT seal, journey, unit, started_at, ended_at FROM episodes
    WHERE space = $1 AND NOT retracted AND type = 'SIGNAL_LOST' AND raised_at >= $2 AND raised_at < $3
    UNION ALL
    SELECT seal, journey, unit, started_at, ended_at FROM episodes
    WHERE space = $1 AND NOT retracted AND type = 'SIGNAL_LOST' AND raised_at < $2 AND ended_at IS NULL
),
longest AS (
    SELECT DISTINCT ON (seal) seal, journey, unit, started_at, ended_at <= $6 IS TRUE AS is_over,
           extract(epoch FROM least(coalesce(ended_at, $6), $6) - started_at)::float8 AS silent_s
    FROM silences
    WHERE ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
    ORDER BY seal, silent_s DESC, started_at
)
SELECT seal, journey, unit, started_at, silent_s, is_over
FROM longest
ORDER BY silent_s DESC, seal
LIMIT $7;
