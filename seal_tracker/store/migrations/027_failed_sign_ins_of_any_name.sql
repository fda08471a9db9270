-- Failed sign-ins are kept of whatever name was tried, and of addresses, so that a restart forgives nobody. A name is kept as the SHA-256 of it
-- in hex: it may be a long one, or a password typed in the wrong place. '' is all names, as it is all addresses.
ALTER TABLE sign_in_failures DROP CONSTRAINT sign_in_failures_username_fkey;
UPDATE sign_in_failures SET username = encode(sha256(convert_to(username, 'UTF8')), 'hex');

-- What is too old to count goes, and the oldest where there are too many.
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_at);
