-- name: episodes_newest
-- Episodes of a space, newest first, before a place; of one type where given. Index: episodes_newest.
SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
FROM episodes
WHERE space = $1 AND NOT retracted AND (raised_at, episode) < ($2, $3::uuid)
  AND ($5::text IS NULL OR type = $5)
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_open
-- Open episodes of a space, newest first. Index: episodes_open.
SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
FROM episodes
WHERE space = $1 AND NOT retracted AND (raised_at, episode) < ($2, $3::uuid)
  AND ($5::text IS NULL OR type = $5)
  AND ended_at IS NULL
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_newest_of_units
-- As episodes_newest, of some units: as many of each as are wanted, joined. Index: episodes_of_unit, one range a unit.
SELECT e.*
FROM unnest($6::text[]) AS wanted (unit)
CROSS JOIN LATERAL (
    SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
    FROM episodes
    WHERE space = $1 AND NOT retracted AND unit = wanted.unit AND (raised_at, episode) < ($2, $3::uuid)
      AND ($5::text IS NULL OR type = $5)
    ORDER BY raised_at DESC, episode DESC
    LIMIT $4
) AS e
ORDER BY e.raised_at DESC, e.episode DESC
LIMIT $4;

-- name: episodes_open_of_units
-- As episodes_open, of some units. Index: episodes_open_of_unit, one range a unit.
SELECT e.*
FROM unnest($6::text[]) AS wanted (unit)
CROSS JOIN LATERAL (
    SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
    FROM episodes
    WHERE space = $1 AND NOT retracted AND unit = wanted.unit AND (raised_at, episode) < ($2, $3::uuid)
      AND ($5::text IS NULL OR type = $5)
      AND ended_at IS NULL
    ORDER BY raised_at DESC, episode DESC
    LIMIT $4
) AS e
ORDER BY e.raised_at DESC, e.episode DESC
LIMIT $4;

-- name: episodes_of_journey
-- Episodes of a journey, newest first; only open ones, only one seal's, only of some units, where asked. Index: episodes_of_journey.
SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
FROM episodes
WHERE space = $1 AND NOT retracted AND (raised_at, episode) < ($2, $3::uuid)
  AND ($5::text IS NULL OR type = $5)
  AND journey = $6 AND (NOT $7::bool OR ended_at IS NULL) AND ($8::text IS NULL OR seal = $8)
  AND ($9::text[] IS NULL OR unit = ANY ($9))
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_of_seal
-- Episodes of a seal, newest first; only open ones, only of some units, where asked. Index: episodes_of_seal.
SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
FROM episodes
WHERE space = $1 AND NOT retracted AND (raised_at, episode) < ($2, $3::uuid)
  AND ($5::text IS NULL OR type = $5)
  AND seal = $6 AND (NOT $7::bool OR ended_at IS NULL)
  AND ($8::text[] IS NULL OR unit = ANY ($8))
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_in_order
-- A space's episodes in their published order (journey or else seal, type, object, start), after a place in it; of some units
-- where asked.
-- Index: episodes_in_order, read forward: no sort, and each page costs the same.
SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
FROM episodes
WHERE space = $1 AND NOT retracted
  AND (coalesce(journey, seal), type, coalesce(object, ''), started_at, episode)
      > ($2::text, $3::text, $4::text, $5::timestamptz, $6::uuid)
  AND ($8::text[] IS NULL OR unit = ANY ($8))
ORDER BY coalesce(journey, seal), type, coalesce(object, ''), started_at, episode
LIMIT $7;

-- name: unsettled_episodes
-- What facts after a seal's time can still change. The seal's number gives its space. Index: episodes_unsettled,
-- one range a seal; OFFSET 0 keeps it from becoming one scan of the table.
SELECT e.*
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (seal, after)
JOIN seals ON seals.id = wanted.seal
CROSS JOIN LATERAL (
    SELECT episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
       cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision
    FROM episodes
    WHERE episodes.space = seals.space AND episodes.seal = seals.name AND NOT retracted
      AND coalesce(settled_at, 'infinity') > wanted.after
    OFFSET 0
) AS e
ORDER BY e.seal, e.started_at, e.episode;

-- name: revisions
-- How often each of these episodes has changed, retracted ones too: revisions never restart. Index: primary key.
SELECT episode, revision FROM episodes WHERE episode = ANY ($1::uuid[]);
