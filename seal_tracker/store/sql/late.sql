-- Deadlines of alarms that passed and were not kept. An alarm counts for the unit whose head answers. What is set aside has no deadline meanwhile, and gets
-- another when it comes back. $2, $3 are the period, which ends now at the latest; $4 and $5 as in reports; $6 is the role in which
-- the service itself acts.

-- part: first_answer
-- The first time that a person acknowledged or closed the alarm ``a``. Index: actions_of_subject.
LEFT JOIN LATERAL (
    SELECT s.at, s.actor FROM actions AS s
    WHERE s.space = $1 AND s.subject = 'alarm/' || a.id::text AND s.kind IN ('alarm.acknowledged', 'alarm.closed')
      AND s.role <> $6
    ORDER BY s.at, s.id
    LIMIT 1
) AS first ON true

-- part: late_columns
-- What is told of a late alarm.
a.id, a.type, a.severity, a.state, coalesce(a.responsible, a.unit) AS answering, a.opened_at

-- part: acknowledged_late
-- Alarms that were to be acknowledged within the period and were not by then: who did it when; nobody, where nobody has. Index:
-- alarms_by_acknowledge_by.
SELECT {late_columns}, a.acknowledge_by AS due_at, first.at AS answered_at, first.actor AS answered_by
FROM alarms AS a
{first_answer}
WHERE a.space = $1 AND a.acknowledge_by >= $2 AND a.acknowledge_by < $3 AND NOT a.silent AND a.state NOT IN ('shelved', 'suppressed')
  AND coalesce(first.at, a.closed_at, 'infinity') > a.acknowledge_by

-- part: closed_late
-- Alarms that were to be closed within the period and were not by then: who closed them when. Index: alarms_by_close_by.
SELECT {late_columns}, a.close_by AS due_at, a.closed_at AS answered_at, a.body ->> 'closed_by' AS answered_by
FROM alarms AS a
WHERE a.space = $1 AND a.close_by >= $2 AND a.close_by < $3 AND a.state NOT IN ('shelved', 'suppressed')
  AND coalesce(a.closed_at, 'infinity') > a.close_by

-- part: left_open
-- Alarms that were open when the period ended with a deadline that had passed, whenever: the first that had; who acknowledged them
-- first, then or later. Indexes: alarms_late, alarms_by_closing.
SELECT {late_columns},
       CASE WHEN coalesce(first.at, 'infinity') >= $3 THEN least(a.acknowledge_by, a.close_by) ELSE a.close_by END AS due_at,
       first.at AS answered_at, first.actor AS answered_by
FROM (
    SELECT * FROM alarms WHERE space = $1 AND state <> 'closed' AND opened_at < $3
    UNION ALL
    SELECT * FROM alarms WHERE space = $1 AND closed_at >= $3 AND opened_at < $3
) AS a
{first_answer}
WHERE a.state NOT IN ('shelved', 'suppressed')
  AND (a.close_by < $3 OR (a.acknowledge_by < $3 AND coalesce(first.at, 'infinity') >= $3))

-- part: late_page
-- Those asked for, the longest overdue first: after a place ($7, $8), answered by a person ($9), or by anybody or nobody ($10), of no unit ($12). The
-- period stands once more, so that each statement has all parameters.
WHERE $2::timestamptz <= $3::timestamptz
  AND ($4::text IS NULL OR answering = $4) AND ($5::text[] IS NULL OR answering = ANY ($5))
  AND (due_at, id) > ($7, $8::uuid)
  AND ($9::text IS NULL OR answered_by = $9) AND ($10::bool IS NULL OR (answered_by IS NOT NULL) = $10)
  AND (NOT $12::bool OR answering IS NULL) AND $6::text IS NOT NULL
ORDER BY due_at, id
LIMIT $11

-- name: late_acknowledged
-- A page of what was acknowledged late, or not at all.
SELECT * FROM ({acknowledged_late}) AS late {late_page};

-- name: late_closed
-- A page of what was closed late, or not at all.
SELECT * FROM ({closed_late}) AS late {late_page};

-- name: late_open
-- A page of what was open past its deadline when the period ended.
SELECT * FROM ({left_open}) AS late {late_page};

-- name: report_late
-- How many there are of each, in all and of each unit.
SELECT grouping(answering) = 1 AS in_all, answering, count(*) FILTER (WHERE what = 'acknowledge'),
       count(*) FILTER (WHERE what = 'close'), count(*) FILTER (WHERE what = 'open')
FROM (
    SELECT 'acknowledge' AS what, answering FROM ({acknowledged_late}) AS late
    UNION ALL
    SELECT 'close', answering FROM ({closed_late}) AS late
    UNION ALL
    SELECT 'open', answering FROM ({left_open}) AS late
) AS counted
WHERE ($4::text IS NULL OR answering = $4) AND ($5::text[] IS NULL OR answering = ANY ($5))
GROUP BY GROUPING SETS ((answering), ());

-- name: report_late_persons
-- Who acknowledged and closed late, of each unit, and how many; nobody where nobody has.
SELECT answering, answered_by, count(*) FILTER (WHERE what = 'acknowledge'), count(*) FILTER (WHERE what = 'close')
FROM (
    SELECT 'acknowledge' AS what, answering, answered_by FROM ({acknowledged_late}) AS late
    UNION ALL
    SELECT 'close', answering, answered_by FROM ({closed_late}) AS late
) AS counted
WHERE ($4::text IS NULL OR answering = $4) AND ($5::text[] IS NULL OR answering = ANY ($5))
GROUP BY answering, answered_by
ORDER BY answering NULLS LAST, answered_by NULLS LAST;

-- name: report_operator_hours
-- Hours on duty within the period by shifts, in all and of each unit. Index: shifts_by_begin; none is longer than $6 says.
SELECT grouping(unit) = 1 AS in_all, unit,
       sum(extract(epoch FROM least(ends_at, $3::timestamptz) - greatest(begins_at, $2::timestamptz)))::float8 / 3600
FROM shifts
WHERE $1 = 'live' AND begins_at > $2::timestamptz - $6::interval AND begins_at < $3 AND ends_at > $2 AND cancelled_at IS NULL
  AND ($4::text IS NULL OR unit = $4) AND ($5::text[] IS NULL OR unit = ANY ($5))
GROUP BY GROUPING SETS ((unit), ());
