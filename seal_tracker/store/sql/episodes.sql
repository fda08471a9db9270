-- Episodes: pages of them, newest first, and the whole list in its published order.
-- The pages take the same: $1 space, the place ($2, $3) before which they go on, $4 how many, then filters, NULL where not asked
-- for: $5 only open ones, $6 units (the asker's, or the one asked for), $7 journeys, $8 seal, $9 type, $10 severity; and $11 to
-- $12, when they were raised, [from, to), infinities where not asked for. They differ in what leads them to an index.

-- part: episode_columns
-- What an episode's row has, in the order of `EpisodeRow`.
episode, type, severity, subject_kind, subject, journey, seal, object, started_at, raised_at, ended_at,
cleared_at, inferred, latched, evidence, plan_version, regime, unit, changed_at, settled_at, revision

-- part: episodes_asked
-- All filters.
(NOT $5::bool OR ended_at IS NULL) AND ($6::text[] IS NULL OR unit = ANY ($6))
  AND ($7::text[] IS NULL OR journey = ANY ($7)) AND ($8::text IS NULL OR seal = $8)
  AND ($9::text IS NULL OR type = $9) AND ($10::text IS NULL OR severity = $10)
  AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz

-- name: episodes_newest
-- Of a space. Index: episodes_newest.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND (raised_at, episode) < ($2, $3::uuid)
  AND {episodes_asked}
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_open
-- Open ones of a space. Index: episodes_open.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND ended_at IS NULL AND (raised_at, episode) < ($2, $3::uuid)
  AND {episodes_asked}
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_newest_of_units
-- Of some units: as many of each as are wanted, joined. Index: episodes_of_unit, one range a unit.
SELECT e.*
FROM unnest($6::text[]) AS wanted (unit)
CROSS JOIN LATERAL (
    SELECT {episode_columns}
    FROM episodes
    WHERE space = $1 AND NOT retracted AND unit = wanted.unit AND (raised_at, episode) < ($2, $3::uuid)
      AND (NOT $5::bool OR ended_at IS NULL) AND ($7::text[] IS NULL OR journey = ANY ($7))
      AND ($8::text IS NULL OR seal = $8) AND ($9::text IS NULL OR type = $9)
      AND ($10::text IS NULL OR severity = $10) AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz
    ORDER BY raised_at DESC, episode DESC
    LIMIT $4
) AS e
ORDER BY e.raised_at DESC, e.episode DESC
LIMIT $4;

-- name: episodes_open_of_units
-- Open ones of some units. Index: episodes_open_of_unit, one range a unit.
SELECT e.*
FROM unnest($6::text[]) AS wanted (unit)
CROSS JOIN LATERAL (
    SELECT {episode_columns}
    FROM episodes
    WHERE space = $1 AND NOT retracted AND unit = wanted.unit AND ended_at IS NULL AND (raised_at, episode) < ($2, $3::uuid)
      AND (NOT $5::bool OR ended_at IS NULL) AND ($7::text[] IS NULL OR journey = ANY ($7))
      AND ($8::text IS NULL OR seal = $8) AND ($9::text IS NULL OR type = $9)
      AND ($10::text IS NULL OR severity = $10) AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz
    ORDER BY raised_at DESC, episode DESC
    LIMIT $4
) AS e
ORDER BY e.raised_at DESC, e.episode DESC
LIMIT $4;

-- name: episodes_of_journeys
-- Of some journeys. Index: episodes_of_journey, one range a journey.
SELECT e.*
FROM unnest($7::text[]) AS wanted (journey)
CROSS JOIN LATERAL (
    SELECT {episode_columns}
    FROM episodes
    WHERE space = $1 AND NOT retracted AND journey = wanted.journey AND (raised_at, episode) < ($2, $3::uuid)
      AND (NOT $5::bool OR ended_at IS NULL) AND ($6::text[] IS NULL OR unit = ANY ($6))
      AND ($8::text IS NULL OR seal = $8) AND ($9::text IS NULL OR type = $9)
      AND ($10::text IS NULL OR severity = $10) AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz
    ORDER BY raised_at DESC, episode DESC
    LIMIT $4
) AS e
ORDER BY e.raised_at DESC, e.episode DESC
LIMIT $4;

-- name: episodes_of_seal
-- Of a seal. Index: episodes_of_seal.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND seal = $8 AND (raised_at, episode) < ($2, $3::uuid)
  AND (NOT $5::bool OR ended_at IS NULL) AND ($6::text[] IS NULL OR unit = ANY ($6))
  AND ($7::text[] IS NULL OR journey = ANY ($7)) AND ($9::text IS NULL OR type = $9)
  AND ($10::text IS NULL OR severity = $10) AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_of_type
-- Of a type. Index: episodes_of_type (space, type, raised_at DESC, episode DESC) WHERE NOT retracted.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND type = $9 AND (raised_at, episode) < ($2, $3::uuid)
  AND (NOT $5::bool OR ended_at IS NULL) AND ($6::text[] IS NULL OR unit = ANY ($6))
  AND ($7::text[] IS NULL OR journey = ANY ($7)) AND ($8::text IS NULL OR seal = $8)
  AND ($10::text IS NULL OR severity = $10) AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_of_severity
-- Of a severity. Index: episodes_of_severity (space, severity, raised_at DESC, episode DESC) WHERE NOT retracted.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND severity = $10 AND (raised_at, episode) < ($2, $3::uuid)
  AND (NOT $5::bool OR ended_at IS NULL) AND ($6::text[] IS NULL OR unit = ANY ($6))
  AND ($7::text[] IS NULL OR journey = ANY ($7)) AND ($8::text IS NULL OR seal = $8)
  AND ($9::text IS NULL OR type = $9) AND raised_at >= $11::timestamptz AND raised_at < $12::timestamptz
ORDER BY raised_at DESC, episode DESC
LIMIT $4;

-- name: episodes_in_order
-- A space's episodes in their published order (journey or else seal, type, object, start), after a place in it ($2 to $6), $7 of
-- them; filters as above.
-- Index: episodes_in_order, read forward: no sort, and each page costs the same. The time is asked for so that no index of times is taken,
-- which a plan for whatever time would do, and sort all episodes for each page.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted
  AND (coalesce(journey, seal), type, coalesce(object, ''), started_at, episode)
      > ($2::text, $3::text, $4::text, $5::timestamptz, $6::uuid)
  AND ($8::text[] IS NULL OR unit = ANY ($8)) AND ($9::text[] IS NULL OR journey = ANY ($9))
  AND ($10::text IS NULL OR seal = $10) AND ($11::text IS NULL OR type = $11)
  AND ($12::text IS NULL OR severity = $12)
  AND coalesce(raised_at >= $13::timestamptz AND raised_at < $14::timestamptz, false)
  AND (NOT $15::bool OR ended_at IS NULL)
ORDER BY coalesce(journey, seal), type, coalesce(object, ''), started_at, episode
LIMIT $7;

-- name: episodes_in_order_of_journeys
-- The same of some journeys, which have few. Index: episodes_of_journey.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND journey = ANY ($9::text[])
  AND (coalesce(journey, seal), type, coalesce(object, ''), started_at, episode)
      > ($2::text, $3::text, $4::text, $5::timestamptz, $6::uuid)
  AND ($8::text[] IS NULL OR unit = ANY ($8)) AND ($10::text IS NULL OR seal = $10)
  AND ($11::text IS NULL OR type = $11) AND ($12::text IS NULL OR severity = $12)
  AND raised_at >= $13::timestamptz AND raised_at < $14::timestamptz AND (NOT $15::bool OR ended_at IS NULL)
ORDER BY coalesce(journey, seal), type, coalesce(object, ''), started_at, episode
LIMIT $7;

-- name: episodes_in_order_of_seal
-- The same of a seal, which has few. Index: episodes_of_seal.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND seal = $10
  AND (coalesce(journey, seal), type, coalesce(object, ''), started_at, episode)
      > ($2::text, $3::text, $4::text, $5::timestamptz, $6::uuid)
  AND ($8::text[] IS NULL OR unit = ANY ($8)) AND ($9::text[] IS NULL OR journey = ANY ($9))
  AND ($11::text IS NULL OR type = $11) AND ($12::text IS NULL OR severity = $12)
  AND raised_at >= $13::timestamptz AND raised_at < $14::timestamptz AND (NOT $15::bool OR ended_at IS NULL)
ORDER BY coalesce(journey, seal), type, coalesce(object, ''), started_at, episode
LIMIT $7;

-- name: unsettled_episodes
-- What facts after a seal's time can still change. The seal's number gives its space. Index: episodes_unsettled,
-- one range a seal; OFFSET 0 keeps it from becoming one scan of the table.
SELECT e.*
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (seal, after)
JOIN seals ON seals.id = wanted.seal
CROSS JOIN LATERAL (
    SELECT {episode_columns}
    FROM episodes
    WHERE episodes.space = seals.space AND episodes.seal = seals.name AND NOT retracted
      AND coalesce(settled_at, 'infinity') > wanted.after
    OFFSET 0
) AS e
ORDER BY e.seal, e.started_at, e.episode;

-- name: revisions
-- How often each of these episodes has changed, retracted ones too: revisions never restart. Index: primary key.
SELECT episode, revision FROM episodes WHERE episode = ANY ($1::uuid[]);

-- name: episodes_of_types
-- Those of some types that some journeys have. Index: episodes_of_journey.
SELECT {episode_columns}
FROM episodes
WHERE space = $1 AND NOT retracted AND journey = ANY ($2::text[]) AND type = ANY ($3::text[])
ORDER BY journey, started_at, episode;
