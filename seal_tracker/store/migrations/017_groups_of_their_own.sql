-- A group of alarms has an id of its own: it was the id of the alarm that began it, which may be another unit's. And a step of an
-- alarm is told to the unit that answers for it, too.
ALTER TABLE alarms
    -- It began its group, so others may join it.
    ADD COLUMN begins boolean NOT NULL DEFAULT false;

DROP INDEX alarms_beginning;

-- What was grouped stays so, under an id that tells nothing of the alarm.
UPDATE alarms SET
    begins = (id = group_id),
    group_id = md5('group ' || group_id)::uuid,
    body = jsonb_set(body::jsonb, '{group}', to_jsonb(md5('group ' || group_id)::uuid))::json
WHERE group_id IS NOT NULL;

CREATE INDEX alarms_beginning ON alarms (space, type, raised_at) WHERE begins;

-- The unit that answers for an alarm, where it is another than the journey's; of its steps alone.
ALTER TABLE events ADD COLUMN responsible text COLLATE "C";
CREATE INDEX events_of_responsible ON events (space, responsible, sequence) WHERE responsible IS NOT NULL;
