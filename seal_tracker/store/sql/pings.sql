-- name: known_pings
-- Which stored pings have one of these (seal, time), the times from $3 to $4. Index: the primary key's first two columns of the week
-- and of the pings without a clock, once a pair. $3 and $4 tell the planner which weeks; OFFSET 0 keeps it from turning the pairs
-- into one scan of a table.
SELECT known.seal, known.time, known.digest
FROM unnest($1::int[], $2::timestamptz[]) AS asked (seal, time)
CROSS JOIN LATERAL (
    SELECT p.seal, p.time, p.digest
    FROM pings AS p
    WHERE p.seal = asked.seal AND p.time = asked.time AND p.time BETWEEN $3 AND $4
    OFFSET 0
) AS known;

-- name: pings_after
-- The pings of each seal that count after its time, in no order: by their own time, or by their arrival where the
-- device's clock cannot be believed. $3 is the least of those times: earlier weeks are not looked at. Indexes: a range of each later
-- week's primary key and one of pings_by_arrival for each seal.
-- Sent by COPY in binary and read as one array of fixed-width rows: so nothing may be NULL, and "unknown" comes
-- as the value that a PingBatch has for it.
SELECT p.time, p.digest, coalesce(p.received_at, '-infinity'), coalesce(p.seq, -1), p.seal,
       coalesce(p.lon_e7, 0), coalesce(p.lat_e7, 0),
       coalesce(p.speed_kmh, 'NaN'), coalesce(p.course_deg, 'NaN'),
       coalesce(p.accuracy_m, 'NaN'), coalesce(p.battery_pct, 'NaN'),
       p.facts, coalesce(p.interval_s, 0), coalesce(p.satellites, -1::smallint), coalesce(p.rssi_dbm, 0::smallint),
       p.lock, p.mode, p.valid, p.buffered, p.clock_ok, p.lon_e7 IS NOT NULL
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (seal, after)
CROSS JOIN LATERAL (
    (SELECT * FROM pings
     WHERE pings.seal = wanted.seal AND pings.time > wanted.after AND pings.time > $3
       AND (clock_ok OR received_at IS NULL)
     OFFSET 0)
    UNION ALL
    (SELECT * FROM pings
     WHERE pings.seal = wanted.seal AND NOT clock_ok AND received_at > wanted.after
     OFFSET 0)
) AS p;

-- name: pings_portion
-- As pings_after up to a second time, and of each seal at most so many of either kind, the earliest; $5 and $6 are the least and
-- the greatest of all these times. Same indexes: ranges read in their order, so that no more is read than is sent.
SELECT p.time, p.digest, coalesce(p.received_at, '-infinity'), coalesce(p.seq, -1), p.seal,
       coalesce(p.lon_e7, 0), coalesce(p.lat_e7, 0),
       coalesce(p.speed_kmh, 'NaN'), coalesce(p.course_deg, 'NaN'),
       coalesce(p.accuracy_m, 'NaN'), coalesce(p.battery_pct, 'NaN'),
       p.facts, coalesce(p.interval_s, 0), coalesce(p.satellites, -1::smallint), coalesce(p.rssi_dbm, 0::smallint),
       p.lock, p.mode, p.valid, p.buffered, p.clock_ok, p.lon_e7 IS NOT NULL
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS wanted (seal, after, until)
CROSS JOIN LATERAL (
    (SELECT * FROM pings
     WHERE pings.seal = wanted.seal AND pings.time > wanted.after AND pings.time <= wanted.until
       AND pings.time > $5 AND pings.time <= $6
       AND (clock_ok OR received_at IS NULL)
     ORDER BY pings.time
     LIMIT $4)
    UNION ALL
    (SELECT * FROM pings
     WHERE pings.seal = wanted.seal AND NOT clock_ok AND received_at > wanted.after AND received_at <= wanted.until
     ORDER BY received_at
     LIMIT $4)
) AS p;

-- name: newest_checkpoints
-- Each seal's newest state before its time. Index: the primary key read backwards, one row a seal.
SELECT wanted.seal, c.at, c.state
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (seal, before)
CROSS JOIN LATERAL (
    SELECT at, state FROM checkpoints
    WHERE checkpoints.seal = wanted.seal AND checkpoints.at < wanted.before
    ORDER BY at DESC
    LIMIT 1
) AS c;

-- name: checkpoints_ahead
-- For each seal the last of its next so many states after a time. Index: the primary key, a few rows a seal.
SELECT wanted.seal, c.at, c.state
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (seal, after)
CROSS JOIN LATERAL (
    SELECT at FROM checkpoints
    WHERE checkpoints.seal = wanted.seal AND checkpoints.at > wanted.after
    ORDER BY at
    LIMIT $3
) AS next
JOIN checkpoints AS c ON c.seal = wanted.seal AND c.at = next.at
ORDER BY c.at;

-- name: ping_weeks
-- The tables that weeks of pings lie in, oldest first. Index: ping_weeks_begins_at_key.
SELECT name, begins_at, ends_at, made_at FROM ping_weeks ORDER BY begins_at;

-- name: wait_little
-- How long this transaction may wait for a lock: readers queue up behind whoever waits for a table.
SELECT set_config('lock_timeout', $1::text, true);

-- name: add_ping_weeks
-- Makes the tables of weeks, which begin at these times.
SELECT add_ping_week(begins) FROM unnest($1::timestamptz[]) AS begins;
