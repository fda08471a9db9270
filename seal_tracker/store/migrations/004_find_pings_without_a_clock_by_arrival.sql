-- A ping whose device's clock cannot be believed counts at its arrival: judging a seal again asks for those that came
-- after a time. They are few, so the index is too.
CREATE INDEX pings_by_arrival ON pings (seal, received_at) WHERE NOT clock_ok;
