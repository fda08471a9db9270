-- What was open at a moment is found by when it ended: reports of a week long past read those of years else.
CREATE INDEX situations_by_end ON situations (space, coalesce(closed_at, 'infinity'::timestamptz), registered_at);
