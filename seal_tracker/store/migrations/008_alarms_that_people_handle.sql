-- Alarms become what people work with: deadlines, what is set aside, repeats, groups, who answers, why they were closed.
--
-- body is the alarm's public state, whole; the columns are what lists are ordered, filtered and counted by.

ALTER TABLE alarms
    -- Rises with every change: two officers who have both seen version 3 cannot both act on it.
    ADD COLUMN version     int NOT NULL DEFAULT 1,
    ADD COLUMN subject     text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN object      text COLLATE "C",
    -- The unit whose head answers; it may be another than the journey's.
    ADD COLUMN responsible text COLLATE "C",
    -- Every episode that the alarm stands for, the repeats; episode is the newest.
    ADD COLUMN episodes    uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN group_id    uuid,
    ADD COLUMN opened_at   timestamptz,
    ADD COLUMN due_at      timestamptz,
    -- When time alone changes it next.
    ADD COLUMN timer_at    timestamptz,
    ADD COLUMN closed_at   timestamptz,
    ADD COLUMN code        text COLLATE "C",
    ADD COLUMN silent      boolean NOT NULL DEFAULT false,
    ADD COLUMN rank        smallint NOT NULL GENERATED ALWAYS AS (
        CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 WHEN 'low' THEN 4 ELSE 5 END
    ) STORED;

UPDATE alarms SET
    subject = coalesce(body ->> 'subject', ''),
    object = body ->> 'object',
    episodes = CASE WHEN episode IS NULL THEN '{}' ELSE ARRAY[episode] END,
    group_id = id,
    opened_at = raised_at,
    closed_at = CASE WHEN state = 'closed' THEN updated_at END;

ALTER TABLE alarms ALTER COLUMN opened_at SET NOT NULL;

-- What is open waits from now on, by the deadlines that hold where nothing is set: an upgrade is no reason to call every head at once.
UPDATE alarms SET
    due_at = date_trunc('milliseconds', now()) + term.acknowledge,
    timer_at = date_trunc('milliseconds', now()) + term.acknowledge,
    body = (body::jsonb || jsonb_build_object(
        'opened_at', body -> 'raised_at',
        'acknowledge_by', to_char((now() + term.acknowledge) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'escalates_at', to_char((now() + term.acknowledge) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'close_by', to_char((now() + term.close) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    ))::json
FROM (VALUES
    ('critical', interval '2 min', interval '30 min'), ('high', interval '5 min', interval '60 min'),
    ('medium', interval '15 min', interval '4 h'), ('low', interval '60 min', interval '24 h')
) AS term (severity, acknowledge, close)
WHERE alarms.severity = term.severity AND alarms.state <> 'closed';

-- The alarm of an episode, when the episode changes; of any that it stands for. Without a list of pending entries, which every
-- look-up would read through: there are more of those than of alarms.
DROP INDEX alarms_of_episode;
CREATE INDEX alarms_of_episodes ON alarms USING gin (episodes) WITH (fastupdate = off);

-- The operator's list.
CREATE INDEX alarms_by_priority ON alarms (space, rank, (coalesce(due_at, 'infinity')), id) WHERE state <> 'closed';

-- Newest first of a journey, a seal, a type and a group.
CREATE INDEX alarms_of_journey ON alarms (space, journey, raised_at DESC, id DESC);
CREATE INDEX alarms_of_seal ON alarms (space, seal, raised_at DESC, id DESC);
CREATE INDEX alarms_of_type ON alarms (space, type, raised_at DESC, id DESC);
CREATE INDEX alarms_of_group ON alarms (space, group_id, raised_at DESC, id DESC);

-- Whether what is raised is a repeat, and which group it belongs to.
CREATE INDEX alarms_alike ON alarms (space, subject, type, (coalesce(object, ''))) WHERE state <> 'closed';
CREATE INDEX alarms_beginning ON alarms (space, type, raised_at) WHERE id = group_id;

-- What the clock changes next; a closed alarm has no timer.
CREATE INDEX alarms_by_timer ON alarms (space, timer_at, id) WHERE timer_at IS NOT NULL;

-- How many there were in a time, and what became of them.
CREATE INDEX alarms_by_opening ON alarms (space, opened_at) WHERE NOT silent;
CREATE INDEX alarms_by_closing ON alarms (space, closed_at) WHERE closed_at IS NOT NULL;
