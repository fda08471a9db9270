-- What gates read finds journeys by their plates and containers, which stand beside their devices; journeys of before have none yet. Written
-- as the service writes them: letters and digits, those that cameras cannot tell apart as one.
DELETE FROM journey_devices WHERE device LIKE 'plate/%';

INSERT INTO journey_devices (space, journey, device, role, is_armed, from_at, to_at)
SELECT
    space, id,
    'plate/' || translate(left(upper(regexp_replace(body ->> 'vehicle', '[^[:alnum:]]', '', 'g')), 32), 'OQDIZSGB', '00012568'),
    'mark', false, armed_at, ended_at
FROM journeys
WHERE armed_at IS NOT NULL AND body ->> 'vehicle' ~ '[[:alnum:]]'
ON CONFLICT DO NOTHING;

INSERT INTO journey_devices (space, journey, device, role, is_armed, from_at, to_at)
SELECT space, id, 'box/' || upper(regexp_replace(body ->> 'box', '[^A-Za-z0-9]', '', 'g')), 'mark', false, armed_at, ended_at
FROM journeys
WHERE armed_at IS NOT NULL AND body ->> 'box' ~ '[A-Za-z0-9]'
ON CONFLICT DO NOTHING;
