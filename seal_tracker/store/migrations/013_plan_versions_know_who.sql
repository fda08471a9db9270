-- A version of a plan says who made it, why, and what it changed; and what a folder looked like that was imported.

-- changes is {collection or file: {added, changed, removed}}. import_digest is that of the folder where the version came from
-- one, and imported its files where edits made here since were joined in, so that the version is not the folder's word for word.
ALTER TABLE plan_versions
    ADD COLUMN author text,
    ADD COLUMN note text,
    ADD COLUMN changes json,
    ADD COLUMN import_digest text,
    ADD COLUMN imported json;

-- Until now every version of the live space came from a folder.
UPDATE plan_versions SET import_digest = digest;
