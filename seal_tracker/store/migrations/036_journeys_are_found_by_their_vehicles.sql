-- A journey's vehicle stands beside its devices, by its registration as it is compared, so that what was weighed or read of it finds the
-- journey. Journeys of before have none until they are changed; those that were armed get theirs here. A body that holds NUL as an escape
-- is left out: ->> cannot read it.
INSERT INTO journey_devices (space, journey, device, role, is_armed, from_at, to_at)
SELECT j.space, j.id, 'plate/' || j.plate, 'vehicle', false, j.armed_at, j.ended_at
FROM (
    SELECT space, id, armed_at, ended_at,
           left(upper(regexp_replace(
               CASE WHEN strpos(body::text, '\u0000') = 0 THEN body ->> 'vehicle' END, '[^[:alnum:]]', '', 'g'
           )), 32) AS plate
    FROM journeys
    WHERE armed_at IS NOT NULL
) AS j
WHERE j.plate <> ''
ON CONFLICT (space, journey, device) DO NOTHING;
