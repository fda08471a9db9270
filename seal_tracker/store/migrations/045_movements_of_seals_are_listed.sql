-- The storekeeper's book: movements of all seals in the order in which they were recorded, of a unit those into and out of its hands.
ALTER TABLE seal_movements ADD COLUMN entry bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX seal_movements_newest ON seal_movements (space, entry);
CREATE INDEX seal_movements_of_unit ON seal_movements (space, unit, entry);
CREATE INDEX seal_movements_from_unit ON seal_movements (space, from_unit, entry) WHERE from_unit <> unit;
