-- part: journey_columns
-- What a journey's row has, in the order of `JourneyRow`.
id, version, state, regime, unit, route, declaration, box, armed_at, ended_at, changed_at, plan_digest, edited, body

-- name: upsert_journeys
-- Writes journeys as they now stand.
INSERT INTO journeys (
    space, {journey_columns}
)
SELECT $1, j.*
FROM unnest(
    $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[],
    $11::timestamptz[], $12::timestamptz[], $13::bytea[], $14::bool[], $15::json[]
) AS j
ON CONFLICT (space, id) DO UPDATE SET
    version = excluded.version, state = excluded.state, regime = excluded.regime, unit = excluded.unit,
    route = excluded.route, declaration = excluded.declaration, box = excluded.box, armed_at = excluded.armed_at,
    ended_at = excluded.ended_at, changed_at = excluded.changed_at, plan_digest = excluded.plan_digest,
    edited = excluded.edited, body = excluded.body;

-- name: add_journey_versions
-- Appends versions. Nothing ever updates or deletes one; a number given twice is refused by the primary key.
INSERT INTO journey_versions (
    space, journey, version, verb, state, effective_at, recorded_at, actor, role, reason, body
)
SELECT $1, v.*
FROM unnest(
    $2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[],
    $10::text[], $11::json[]
) AS v;

-- name: drop_journey_devices
-- Forgets the devices of journeys that are written anew. Index: the primary key.
DELETE FROM journey_devices WHERE space = $1 AND journey = ANY($2::text[]);

-- name: add_journey_devices
-- Writes the devices of journeys.
INSERT INTO journey_devices (space, journey, device, role, is_armed, from_at, to_at)
SELECT $1, d.*
FROM unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[], $7::timestamptz[]) AS d;

-- name: journey
-- A journey as it stands. Index: the primary key.
SELECT {journey_columns}
FROM journeys WHERE space = $1 AND id = $2;

-- name: journeys_known
-- Which of these ids are taken. Index: the primary key.
SELECT id FROM journeys WHERE space = $1 AND id = ANY($2::text[]);

-- name: journeys_named
-- Some journeys as they stand. Index: the primary key.
SELECT {journey_columns}
FROM journeys WHERE space = $1 AND id = ANY($2::text[]);

-- name: journeys_planned
-- What plans have brought, and whether a person has changed it since. Index: journeys_of_plan.
SELECT id, plan_digest, edited FROM journeys WHERE space = $1 AND plan_digest IS NOT NULL;

-- name: journeys_waiting
-- Journeys that a person has disarmed and nobody has closed. Index: journeys_of_state.
SELECT id FROM journeys WHERE space = $1 AND state = 'DISARMED' AND edited;

-- name: journeys_ending_after
-- Armed journeys that end after a time: what is judged still. Indexes: journeys_by_end, journeys_with_permit.
-- Those with a permit compare vehicles with each other and are all kept; few journeys have one.
SELECT body FROM journeys
WHERE space = $1 AND armed_at IS NOT NULL AND coalesce(ended_at, 'infinity') > $2
UNION ALL
SELECT body FROM journeys
WHERE space = $1 AND armed_at IS NOT NULL AND coalesce(ended_at, 'infinity') <= $2 AND has_permit;

-- name: journeys_of_devices
-- Armed journeys on which a device was after a time of its own. Index: journey_devices_of_device, the primary key.
SELECT DISTINCT j.id, j.body::text
FROM unnest($2::text[], $3::timestamptz[]) AS asked (device, after_at)
JOIN journey_devices AS d ON d.space = $1 AND d.device = asked.device AND d.from_at IS NOT NULL
JOIN journeys AS j ON j.space = d.space AND j.id = d.journey
WHERE coalesce(j.ended_at, 'infinity') > asked.after_at;

-- name: journeys_overlapping
-- For seals and the times they are to be armed, which other journeys have them then. Index: journey_devices_of_device.
SELECT asked.journey, asked.device, d.journey AS other, d.from_at, d.to_at
FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS asked (journey, device, from_at, to_at)
JOIN journey_devices AS d
    ON d.space = $1 AND d.device = asked.device AND d.journey <> asked.journey AND d.is_armed
    AND d.from_at < coalesce(asked.to_at, 'infinity') AND coalesce(d.to_at, 'infinity') > asked.from_at
ORDER BY asked.journey, d.journey;

-- name: journey_versions
-- Every version of a journey, oldest first. Index: the primary key.
SELECT version, verb, state, effective_at, recorded_at, actor, role, reason, body
FROM journey_versions WHERE space = $1 AND journey = $2 ORDER BY version;

-- name: journey_alarms_open
-- How many alarms of these journeys are not closed. Index: alarms_open_of_journey.
SELECT journey, count(*) AS n FROM alarms
WHERE space = $1 AND journey = ANY($2::text[]) AND state <> 'closed' GROUP BY journey;

-- name: journeys_listed
-- A page of journeys by id; filters that find many. Index: the primary key.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.id > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4)) AND ($5::text IS NULL OR j.state = $5)
    AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY j.id LIMIT $3;

-- name: journeys_of_state
-- A page of journeys in one state, by id. Index: journeys_of_state.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.state = $5 AND j.id > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4))
    AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY j.id LIMIT $3;

-- name: journeys_of_units
-- A page of the journeys of some units, by id: of each unit as many as the page has. Index: journeys_of_unit.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM unnest($4::text[]) AS asked (unit)
CROSS JOIN LATERAL (
    SELECT * FROM journeys AS one
    WHERE one.space = $1 AND one.unit = asked.unit AND one.id > $2 AND ($5::text IS NULL OR one.state = $5)
        AND ($6::text IS NULL OR one.regime = $6) AND ($7::text IS NULL OR one.route = $7)
        AND ($8::timestamptz IS NULL OR one.armed_at IS NOT NULL AND coalesce(one.ended_at, 'infinity') > $8)
        AND ($9::timestamptz IS NULL OR one.armed_at < $9)
    ORDER BY one.id LIMIT $3
) AS j
ORDER BY j.id LIMIT $3;

-- name: journeys_of_route
-- A page of the journeys of one route, by id. Index: journeys_of_route.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.route = $7 AND j.id > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4))
    AND ($5::text IS NULL OR j.state = $5) AND ($6::text IS NULL OR j.regime = $6)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY j.id LIMIT $3;

-- name: journeys_of_box
-- A page of the journeys of one box, $10 in upper case, by id. Index: journeys_of_box.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.box = $10 AND j.id > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4))
    AND ($5::text IS NULL OR j.state = $5) AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY j.id LIMIT $3;

-- name: journeys_in_time
-- A page of the journeys armed at some time of a period, which is not long, by id. Index: journeys_in_time, all of that period.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.id > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4)) AND ($5::text IS NULL OR j.state = $5)
    AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
    AND tstzrange(j.armed_at, greatest(j.armed_at, coalesce(j.ended_at, 'infinity')), '[]') && tstzrange($8, $9)
    AND j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8 AND j.armed_at < $9
ORDER BY j.id LIMIT $3;

-- name: journeys_of_regime
-- A page of the journeys of a regime, by id. Index: journeys_of_regime.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.regime = $6 AND j.id > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4))
    AND ($5::text IS NULL OR j.state = $5) AND ($7::text IS NULL OR j.route = $7)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY j.id LIMIT $3;

-- name: journeys_with_box
-- Ids of the journeys of a box, $2 in upper case, the last $3 by id: what happened to them is what happened to the box. Index:
-- journeys_of_box.
SELECT id FROM journeys WHERE space = $1 AND box = $2 ORDER BY id DESC LIMIT $3;

-- name: journeys_of_seal
-- A page of the journeys that a device is or was on, by id. Index: journey_devices_of_device.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journey_devices AS d
JOIN journeys AS j ON j.space = d.space AND j.id = d.journey
WHERE d.space = $1 AND d.device = $10 AND d.journey > $2 AND ($4::text[] IS NULL OR j.unit = ANY($4))
    AND ($5::text IS NULL OR j.state = $5) AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY d.journey LIMIT $3;

-- name: journeys_with_text
-- A page of the journeys whose declaration or box begins with a text, in upper case, by id; $11 is the least text that does
-- not begin with it. Indexes: journeys_of_declaration, journeys_of_box.
SELECT j.id, j.version, j.state, j.regime, j.unit, j.route, j.declaration, j.box, j.armed_at, j.ended_at, j.changed_at,
    j.plan_digest, j.edited, j.body
FROM journeys AS j
WHERE j.space = $1 AND j.id > $2
    AND (j.declaration >= $10 AND j.declaration < $11 OR j.box >= $10 AND j.box < $11)
    AND ($4::text[] IS NULL OR j.unit = ANY($4)) AND ($5::text IS NULL OR j.state = $5)
    AND ($6::text IS NULL OR j.regime = $6) AND ($7::text IS NULL OR j.route = $7)
    AND ($8::timestamptz IS NULL OR j.armed_at IS NOT NULL AND coalesce(j.ended_at, 'infinity') > $8)
    AND ($9::timestamptz IS NULL OR j.armed_at < $9)
ORDER BY j.id LIMIT $3;

-- name: comments_of
-- What drivers declared of some journeys, in the order in which they did. Index: actions_of_subject.
SELECT body
FROM actions
WHERE space = $1 AND subject = ANY ($2::text[])
ORDER BY id;
