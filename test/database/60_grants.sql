-- Who may do what at all: the grants, to the letter. A new grant has to be written down here too.
\ir lib/begin.psql
SELECT no_plan();

-- Privileges on whole tables or on any column, as letters: r SELECT, a INSERT, w UPDATE, d DELETE, D TRUNCATE.
CREATE FUNCTION pg_temp.granted(role text) RETURNS TABLE (relation text, privileges text)
    LANGUAGE sql
    AS $$
    SELECT * FROM (
    SELECT c.relname::text,
           CASE WHEN has_table_privilege(role, c.oid, 'SELECT') OR has_any_column_privilege(role, c.oid, 'SELECT') THEN 'r' ELSE '' END ||
           CASE WHEN has_table_privilege(role, c.oid, 'INSERT') OR has_any_column_privilege(role, c.oid, 'INSERT') THEN 'a' ELSE '' END ||
           CASE WHEN has_table_privilege(role, c.oid, 'UPDATE') OR has_any_column_privilege(role, c.oid, 'UPDATE') THEN 'w' ELSE '' END ||
           CASE WHEN has_table_privilege(role, c.oid, 'DELETE') THEN 'd' ELSE '' END ||
           CASE WHEN has_table_privilege(role, c.oid, 'TRUNCATE, REFERENCES, TRIGGER') THEN 'D' ELSE '' END
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    ) AS g (relation, privileges) WHERE privileges <> ''
    $$;
CREATE FUNCTION pg_temp.columns(role text, relation text, privilege text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute
           WHERE attrelid = ('public.' || relation)::regclass AND attnum > 0 AND NOT attisdropped
             AND has_column_privilege(role, attrelid, attnum, privilege) $$;
CREATE FUNCTION pg_temp.callable(role text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT coalesce(string_agg(proname, ' ' ORDER BY proname), '') FROM pg_proc
           WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype AND has_function_privilege(role, oid, 'EXECUTE') $$;

SELECT set_eq($$SELECT * FROM pg_temp.granted('flywheel_read')$$, $$VALUES
    ('partners', 'r'), ('sites', 'r'), ('site_appliances', 'r'), ('aggregated_pattern_stats', 'r'), ('learning_thresholds', 'r'),
    ('execution_telemetry', 'r'), ('site_daily_executions', 'r'), ('learning_promotion_candidates', 'r'), ('promoted_rules', 'r'),
    ('promoted_rule_versions', 'r'), ('promoted_rule_deployments', 'r'), ('promotion_audit_log', 'r'), ('appliance_pattern_sync', 'r'),
    ('appliance_rule_sync', 'r'), ('runbooks', 'r'), ('runbook_check_types', 'r'), ('v_partner_promotion_candidates', 'r'), ('v_partner_learning_stats', 'r'), ('v_appliances', 'r')$$,
    'the reading role reads and writes nothing; it sees no password, key or token');
SELECT set_eq($$SELECT * FROM pg_temp.granted('flywheel_decide')$$, $$VALUES
    ('partners', 'r'), ('sites', 'rw'), ('site_appliances', 'r'), ('aggregated_pattern_stats', 'rw'), ('learning_thresholds', 'r'),
    ('execution_telemetry', 'r'), ('site_daily_executions', 'r'), ('learning_promotion_candidates', 'raw'), ('promoted_rules', 'raw'),
    ('promoted_rule_versions', 'ra'), ('promoted_rule_deployments', 'raw'), ('promotion_audit_log', 'ra'), ('appliance_pattern_sync', 'r'),
    ('appliance_rule_sync', 'r'), ('runbooks', 'r'), ('runbook_check_types', 'r'), ('idempotency_keys', 'rawd'),
    ('v_partner_promotion_candidates', 'r'), ('v_partner_learning_stats', 'r')$$,
    'the deciding role writes what a decision writes and nothing else');
SELECT set_eq($$SELECT * FROM pg_temp.granted('flywheel_agent')$$, $$VALUES
    ('sites', 'r'), ('site_appliances', 'rw'), ('aggregated_pattern_stats', 'raw'), ('appliance_pattern_stats', 'raw'),
    ('appliance_pattern_sync', 'raw'), ('learning_thresholds', 'r'), ('execution_telemetry', 'ra'), ('execution_ids', 'ra'),
    ('site_daily_executions', 'raw'), ('promoted_rules', 'r'), ('promoted_rule_deployments', 'rw'), ('appliance_rule_sync', 'raw'), ('runbooks', 'r'),
    ('runbook_check_types', 'r')$$,
    'the appliances'' role writes what a report writes and nothing else; it sees no people and no decisions');
SELECT set_eq($$SELECT * FROM pg_temp.granted('flywheel_account')$$, $$VALUES
    ('partners', 'r'), ('sites', 'r'), ('site_appliances', 'r'), ('users', 'rw'), ('sessions', 'rad'), ('promotion_audit_log', 'a'),
    ('aggregated_pattern_stats', 'r'), ('site_daily_executions', 'r'), ('promoted_rules', 'r'), ('appliance_pattern_sync', 'r'), ('password_links', 'rd'),
    ('promoted_rule_deployments', 'r'), ('appliance_rule_sync', 'r'), ('v_appliances', 'r')$$,
    'the account role signs in and out and takes passwords; it sees no key and no token');
SELECT set_eq($$SELECT * FROM pg_temp.granted('flywheel_access')$$, $$VALUES
    ('users', 'raw'), ('api_keys', 'raw'), ('password_links', 'raw'), ('promotion_audit_log', 'a'), ('idempotency_keys', 'rawd')$$,
    'the role for people and keys touches those, and deletes none of them');
SELECT is((SELECT string_agg(relation, ' ' ORDER BY relation) FROM pg_temp.granted('flywheel_operator') WHERE privileges LIKE '%d%' OR privileges LIKE '%D%'), NULL, 'the operators'' role deletes nothing');

SELECT is(pg_temp.columns('flywheel_decide', 'sites', 'UPDATE'), 'rules_revision', 'a decision changes of a site its revision only');
SELECT is(pg_temp.columns('flywheel_decide', 'aggregated_pattern_stats', 'UPDATE'), 'approval_status', 'and of a pattern its status only');
SELECT ok(NOT has_column_privilege('flywheel_decide', ('public.' || r)::regclass, c, 'UPDATE'), 'a decision does not move a row of ' || r || ' by its ' || c)
  FROM unnest(ARRAY['learning_promotion_candidates', 'promoted_rules', 'promoted_rule_deployments']) AS r, unnest(ARRAY['id', 'site_id', 'partner_id']) AS c;
SELECT is(pg_temp.columns('flywheel_agent', 'site_appliances', 'UPDATE'), 'last_seen_at', 'a report says of an appliance when it was seen');
SELECT ok(NOT has_column_privilege('flywheel_agent', 'public.aggregated_pattern_stats', 'approval_status', p), 'P18: a report decides nothing: ' || p)
  FROM unnest(ARRAY['INSERT', 'UPDATE']) AS p;
SELECT is(pg_temp.columns('flywheel_agent', 'promoted_rule_deployments', 'UPDATE'), 'acknowledged_at delivered_at deployment_status error proven_at rule_version', 'an appliance says what became of a delivery, not where it was to go');
SELECT is(pg_temp.columns('flywheel_agent', 'appliance_rule_sync', 'UPDATE'), 'acknowledged_at acknowledged_revision agent dropped_executions engine_errors last_error last_error_at', 'and of its own acknowledgement not whose it is');
SELECT ok(NOT has_column_privilege('flywheel_agent', 'public.aggregated_pattern_stats', c, 'UPDATE'), 'a report does not move a pattern by its ' || c)
  FROM unnest(ARRAY['id', 'site_id', 'partner_id', 'pattern_signature']) AS c;
SELECT is(pg_temp.columns('flywheel_account', 'users', 'UPDATE'), 'last_sign_in_at password_hash status', 'signing in changes no role');
SELECT is(pg_temp.columns('flywheel_access', 'users', 'SELECT'), 'created_at display_name email has_password id last_sign_in_at partner_id role status', 'whoever manages people reads no password');
SELECT is(pg_temp.columns('flywheel_access', 'users', 'INSERT'), 'display_name email partner_id role status', 'and gives nobody one');
SELECT is(pg_temp.columns('flywheel_access', 'users', 'UPDATE'), 'display_name role status', 'nor changes one, or an address');
SELECT is(pg_temp.columns('flywheel_access', 'api_keys', 'SELECT'), 'created_at expires_at id last_used_at name partner_id prefix replaced_by revoked_at scopes user_id', 'whoever manages keys reads no key''s hash');
SELECT is(pg_temp.columns('flywheel_access', 'api_keys', 'UPDATE'), 'expires_at replaced_by revoked_at', 'and changes neither what a key may nor as whom');
SELECT is(pg_temp.columns('flywheel_access', 'password_links', 'SELECT'), 'expires_at partner_id user_id', 'nor reads a link''s hash');
SELECT is(pg_temp.columns('flywheel_operator', 'users', 'UPDATE'), 'status', 'operators change of a person the status only');

SELECT is(pg_temp.callable('flywheel_read'), 'appliance_is_silent authenticate current_appliance current_partner current_site', 'functions for reading');
SELECT is(pg_temp.callable('flywheel_decide'), 'authenticate current_appliance current_partner current_site is_promotion_eligible', 'functions for deciding');
SELECT is(pg_temp.callable('flywheel_agent'), 'authenticate current_appliance current_partner current_site ensure_execution_partitions hold_site_rules is_promotion_eligible', 'functions for appliances');
SELECT is(pg_temp.callable('flywheel_account'), 'appliance_is_silent authenticate begin_sign_in current_appliance current_partner current_site forget_sign_in_failures note_key_use', 'functions for accounts');
SELECT is(pg_temp.callable('flywheel_access'), 'authenticate current_appliance current_partner current_site forget_sign_in_failures sign_in_locked_until', 'functions for people and keys');
SELECT is((SELECT string_agg(proname, ' ') FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
              AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0))), NULL, 'nobody else may call anything');
SELECT is((SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
              AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, public, pg_temp'], false)), NULL, 'functions with their owner''s rights look for names where nobody else can put any');
SELECT is((SELECT string_agg(pg_get_userbyid(proowner), ' ') FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND pg_get_userbyid(proowner) <> 'flywheel_migrate'), NULL, 'all functions belong to the migrations'' role, which is no superuser');
SELECT ok(NOT has_schema_privilege(r, 'public', 'CREATE'), r || ' makes no objects')
  FROM unnest(ARRAY['flywheel_read', 'flywheel_decide', 'flywheel_agent', 'flywheel_account', 'flywheel_access', 'flywheel_operator']) AS r;
SELECT ok((SELECT setconfig @> ARRAY['default_transaction_read_only=on'] FROM pg_db_role_setting WHERE setrole = 'flywheel_read'::regrole), 'the reading role''s transactions are read-only from the start');

-- What a later migration adds is closed until it says otherwise.
SET LOCAL ROLE flywheel_migrate;
CREATE TABLE public.added_later (x integer);
CREATE FUNCTION public.added_later() RETURNS integer LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
SELECT ok(NOT has_table_privilege(r, 'public.added_later', 'SELECT') AND NOT has_function_privilege(r, 'public.added_later()', 'EXECUTE'), 'what is added later is closed to ' || r)
  FROM unnest(ARRAY['flywheel_read', 'flywheel_decide', 'flywheel_agent', 'flywheel_account', 'flywheel_access']) AS r;
SELECT ok(has_table_privilege('flywheel_operator', 'public.added_later', 'SELECT'), 'but operators read everything');
SELECT * FROM finish();
ROLLBACK;
