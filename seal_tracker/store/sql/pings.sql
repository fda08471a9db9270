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

-- name: add_pings
-- Keeps a few pings; many come by COPY.
INSERT INTO pings (
    time, digest, received_at, seq, seal, lon_e7, lat_e7, speed_kmh, course_deg, accuracy_m, battery_pct, facts,
    interval_s, satellites, rssi_dbm, lock, mode, valid, buffered, clock_ok
)
SELECT * FROM unnest(
    $1::timestamptz[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::int[], $6::int[], $7::int[], $8::real[],
    $9::real[], $10::real[], $11::real[], $12::int[], $13::int[], $14::smallint[], $15::smallint[], $16::smallint[],
    $17::smallint[], $18::boolean[], $19::boolean[], $20::boolean[]
);

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
-- As pings_after up to a second time, and of each seal at most so many of either kind, the earliest. $5 and $6 are where the weeks that
-- have tables begin and end, or a stretch of these: so the planner knows that it can read them one after the other, and no more of them than
-- is sent. Indexes: the primary key of each table, and pings_by_arrival.
SELECT p.time, p.digest, coalesce(p.received_at, '-infinity'), coalesce(p.seq, -1), p.seal,
       coalesce(p.lon_e7, 0), coalesce(p.lat_e7, 0),
       coalesce(p.speed_kmh, 'NaN'), coalesce(p.course_deg, 'NaN'),
       coalesce(p.accuracy_m, 'NaN'), coalesce(p.battery_pct, 'NaN'),
       p.facts, coalesce(p.interval_s, 0), coalesce(p.satellites, -1::smallint), coalesce(p.rssi_dbm, 0::smallint),
       p.lock, p.mode, p.valid, p.buffered, p.clock_ok, p.lon_e7 IS NOT NULL
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS wanted (seal, after, until)
CROSS JOIN LATERAL (
    (SELECT * FROM (
         (SELECT * FROM pings_timed
          WHERE pings_timed.seal = wanted.seal AND pings_timed.time > wanted.after AND pings_timed.time <= wanted.until
            AND pings_timed.time >= $5 AND pings_timed.time < $6
          ORDER BY pings_timed.time
          LIMIT $4)
         UNION ALL
         (SELECT * FROM pings_other_weeks AS other
          WHERE other.seal = wanted.seal AND other.time > wanted.after AND other.time <= wanted.until
            AND (other.time < $5 OR other.time >= $6)
          ORDER BY other.time
          LIMIT $4)
         UNION ALL
         (SELECT * FROM pings_unclocked AS undated
          WHERE undated.seal = wanted.seal AND undated.received_at IS NULL
            AND undated.time > wanted.after AND undated.time <= wanted.until
          ORDER BY undated.time
          LIMIT $4)
     ) AS by_clock
     ORDER BY by_clock.time
     LIMIT $4)
    UNION ALL
    (SELECT * FROM pings_unclocked AS odd
     WHERE odd.seal = wanted.seal AND odd.received_at > wanted.after AND odd.received_at <= wanted.until
     ORDER BY odd.received_at
     LIMIT $4)
) AS p;

-- name: newest_checkpoints
-- Each seal's newest state before its time; where its pings from then are gone, the first one that is left. Index: the primary key,
-- from either end, one row a seal.
SELECT wanted.seal, c.at, c.state
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (seal, before)
CROSS JOIN LATERAL (
    (SELECT at, state FROM checkpoints
     WHERE checkpoints.seal = wanted.seal AND checkpoints.at < wanted.before
     ORDER BY at DESC
     LIMIT 1)
    UNION ALL
    (SELECT oldest.at, oldest.state
     FROM (SELECT at, state, is_first FROM checkpoints WHERE checkpoints.seal = wanted.seal ORDER BY at LIMIT 1) AS oldest
     WHERE oldest.is_first AND oldest.at >= wanted.before)
) AS c;

-- name: pings_gone
-- Up to when the pings of these seals are gone; seals that have all are left out. Index: the primary key, one row a seal.
SELECT wanted.seal, oldest.at
FROM unnest($1::int[]) AS wanted (seal)
CROSS JOIN LATERAL (
    SELECT at, is_first FROM checkpoints WHERE checkpoints.seal = wanted.seal ORDER BY at LIMIT 1
) AS oldest
WHERE oldest.is_first;

-- name: seals_with_pings
-- Seals, by space, whose pings of [$1, $2) are to go, or that had a wrong clock before $2. Indexes: the week's primary key and
-- pings_by_arrival, a look a seal.
SELECT s.space, array_agg(s.id ORDER BY s.id) AS seals
FROM seals AS s
WHERE EXISTS (SELECT FROM pings AS p WHERE p.seal = s.id AND p.clock_ok AND p.time >= $1 AND p.time < $2)
   OR EXISTS (SELECT FROM pings AS p WHERE p.seal = s.id AND NOT p.clock_ok AND p.received_at < $2)
GROUP BY s.space;

-- name: pings_counted
-- How many pings of [$1, $2) each space has, with those of a wrong clock that came before $2. Reads the week.
SELECT s.space, count(*)
FROM (
    SELECT seal FROM pings WHERE clock_ok AND time >= $1 AND time < $2
    UNION ALL
    SELECT seal FROM pings WHERE NOT clock_ok AND received_at < $2
) AS old
JOIN seals AS s ON s.id = old.seal
GROUP BY s.space;

-- name: pings_needed_from
-- From when on live pings are looked at still: the oldest journey that nobody has closed, the oldest open alarm; NULL: nothing is
-- open. Indexes: journeys_of_state, alarms_open.
SELECT least(
    (SELECT min(armed_at) FROM journeys WHERE space = $1 AND state = ANY ($2::text[])),
    (SELECT min(e.started_at) FROM alarms AS a JOIN episodes AS e ON e.episode = a.episode
     WHERE a.space = $1 AND a.state <> 'closed')
);

-- name: upsert_first_checkpoints
-- Keeps what old pings led to, and forgets the states before it.
WITH first AS (
    SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::bytea[]) AS f (seal, at, state)
), gone AS (
    DELETE FROM checkpoints AS c USING first WHERE c.seal = first.seal AND c.at < first.at
)
INSERT INTO checkpoints (seal, at, state, is_first)
SELECT seal, at, state, true FROM first
ON CONFLICT (seal, at) DO UPDATE SET state = excluded.state, is_first = true;

-- name: drop_ping_week
-- Drops a week's table.
SELECT drop_ping_week($1);

-- name: drop_unclocked
-- Forgets pings of a wrong clock that came before a time. Reads their table, which is small.
DELETE FROM pings WHERE NOT clock_ok AND received_at < $1;

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
