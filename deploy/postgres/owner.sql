-- name: owner
-- Run once, as superuser, on an empty cluster: the service's role, which owns its database and nothing else.
\getenv password SEAL_TRACKER_DATABASE_PASSWORD
CREATE ROLE seal_tracker LOGIN PASSWORD :'password';
CREATE DATABASE seal_tracker OWNER seal_tracker ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
REVOKE CONNECT ON DATABASE seal_tracker FROM PUBLIC;
