-- name: try_writer_lock
-- Takes the writer's lock for this session, or says false at once. PostgreSQL frees it when the session ends,
-- however it ends.
SELECT pg_try_advisory_lock($1::bigint);

-- name: writer_lock_holder
-- Who holds the writer's lock. A bigint key is shown as two halves (classid, objid) with objsubid 1; locks of
-- other databases of the same server are other locks.
SELECT l.pid, a.application_name, host(a.client_addr) AS client, a.backend_start
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = (($1::bigint >> 32) & 4294967295)::oid
  AND l.objid = ($1::bigint & 4294967295)::oid
  AND l.objsubid = 1;

-- name: end_backend
-- Ends a backend of ours that the server has not yet noticed to be dead.
SELECT pg_terminate_backend($1::int);

-- name: writer_at
-- Number of the last commit stored, and the last outbox id given.
SELECT commit_number, outbox_id FROM writer;

-- name: advance_writer
-- Takes the commit number and as many outbox ids as the commit needs. Fails (ST001) if another writer has been here since: the
-- commit is then not ours to make.
SELECT advance_writer($1::bigint, $2::bigint);
