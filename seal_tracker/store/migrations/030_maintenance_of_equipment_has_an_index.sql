-- Availability over a period asks which equipment was in planned maintenance then: orders that suppress alarms of a piece of it.
CREATE INDEX suppressions_of_equipment ON suppressions (space, until_at) WHERE body ->> 'equipment' IS NOT NULL;
