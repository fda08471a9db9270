-- The ledger belongs to another role than the one that runs this, so that the service can add to it and not change it: a
-- superuser makes it (ledger_owner.sql). Here is checked that it is there, and is what it must be.
DO $$ DECLARE
    links oid := (
        SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'ledger' AND c.relname = 'links'
    );
BEGIN
    IF links IS NULL OR NOT has_table_privilege(links, 'SELECT') OR NOT has_table_privilege(links, 'INSERT') THEN
        RAISE EXCEPTION '%', format(
            'database %I has no ledger that %I may write. Once, as superuser: '
            'seal-tracker ledger prepare | psql --dbname %I', current_database(), current_user, current_database());
    END IF;
    IF has_table_privilege(links, 'UPDATE') OR has_table_privilege(links, 'DELETE')
        OR has_table_privilege(links, 'TRUNCATE') THEN
        RAISE EXCEPTION '%', format(
            'role %I could change the ledger: run the service as the role that owns database %I, and no superuser',
            current_user, current_database());
    END IF;
END $$;
