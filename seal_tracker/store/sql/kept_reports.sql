-- name: add_kept_reports
-- Keeps reports; of one period and unit a second is refused.
INSERT INTO kept_reports (id, unit, from_at, to_at, made_at, body)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::json[]);

-- name: kept_report
-- One kept report. Index: the primary key.
SELECT id, unit, from_at, to_at, made_at, body FROM kept_reports WHERE id = $1;

-- name: kept_reports_known
-- Which of these there are. Index: the primary key.
SELECT id FROM kept_reports WHERE id = ANY ($1::uuid[]);

-- name: kept_reports_listed
-- Kept reports without their bodies before a place (end of the period, id), newest first; of a unit, and of units. Index: kept_reports_newest.
SELECT id, unit, from_at, to_at, made_at, ''
FROM kept_reports
WHERE (to_at, id) < ($1, $2::uuid)
  AND ($3::text IS NULL OR unit = $3)
  AND ($4::text[] IS NULL OR unit = ANY ($4))
ORDER BY to_at DESC, id DESC
LIMIT $5;

-- name: report_schedule
-- When reports are made; no row before anybody said so.
SELECT version, body FROM report_schedule;

-- name: set_report_schedule
-- How it stands from now on.
INSERT INTO report_schedule (version, body) VALUES ($1, $2)
ON CONFLICT (only_one) DO UPDATE SET version = excluded.version, body = excluded.body;
