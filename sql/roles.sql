-- Login roles. Run by a superuser before the migrations; harmless when run again.
-- Passwords are not set here: whoever sets up the instance gives each role one.
--
--   flywheel_migrate   owns the schema and runs the migrations; no handler logs in as it
--   flywheel_read      handlers that only show
--   flywheel_decide    handlers that decide: approve, reject, change a rule's status
--   flywheel_agent     handlers that appliances talk to
--   flywheel_account   sign-in, sign-out, who am I, one's own password
--   flywheel_access    the pages on which a partner's admins manage people and keys
--   flywheel_operator  the operators' commands; reads everything
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['flywheel_migrate', 'flywheel_read', 'flywheel_decide',
                                     'flywheel_agent', 'flywheel_account', 'flywheel_access', 'flywheel_operator']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT', role_name);
        END IF;
    END LOOP;
END
$$;
-- The schema belongs to whoever owns the database, and only a role that inherits has that right.
ALTER ROLE flywheel_migrate INHERIT;
ALTER ROLE flywheel_read SET default_transaction_read_only = on;
