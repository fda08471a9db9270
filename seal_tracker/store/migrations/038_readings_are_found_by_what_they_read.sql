-- Readings of gates are found by the seal, the lorry or the containers that were read, as they are compared.
ALTER TABLE equipment_facts ADD COLUMN seal text COLLATE "C";
ALTER TABLE equipment_facts ADD COLUMN box text COLLATE "C";
ALTER TABLE equipment_facts ADD COLUMN other_box text COLLATE "C";
CREATE INDEX equipment_facts_of_seal ON equipment_facts (space, seal, at) WHERE seal IS NOT NULL;
CREATE INDEX equipment_facts_of_box ON equipment_facts (space, box, at) WHERE box IS NOT NULL;
CREATE INDEX equipment_facts_of_other_box ON equipment_facts (space, other_box, at) WHERE other_box IS NOT NULL;

-- Which journeys passed a gate at a time: those of which the first stage tells so.
CREATE INDEX episodes_at_gates ON episodes (space, object, started_at)
    WHERE type IN ('CHECKPOINT_REACHED', 'ZONE_ENTERED') AND NOT retracted;
