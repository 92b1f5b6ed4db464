-- The names and columns that others rely on, and the keys behind every upsert.
\ir lib/begin.psql
SELECT plan(36);

CREATE FUNCTION pg_temp.has_all_columns(relation text, expected text[]) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT is(ARRAY(SELECT e FROM unnest(expected) AS e
                    EXCEPT SELECT attname::text FROM pg_attribute
                     WHERE attrelid = ('public.' || relation)::regclass AND attnum > 0 AND NOT attisdropped), '{}'::text[],
              relation || ' has the columns that callers rely on')
    $$;

SELECT pg_temp.has_all_columns('partners', '{id,name,slug,status}');
SELECT pg_temp.has_all_columns('sites', '{site_id,clinic_name,partner_id}');
SELECT pg_temp.has_all_columns('site_appliances', '{appliance_id,site_id}');
SELECT pg_temp.has_all_columns('aggregated_pattern_stats', '{id,site_id,pattern_signature,check_type,total_occurrences,l1_resolutions,l2_resolutions,l3_resolutions,success_count,success_rate,total_resolution_time_ms,avg_resolution_time_ms,recommended_action,promotion_eligible,first_seen,last_seen,last_synced_at}');
SELECT pg_temp.has_all_columns('learning_promotion_candidates', '{id,site_id,pattern_signature,approval_status,approved_by,approved_at,rejection_reason,custom_rule_name,approval_notes}');
SELECT pg_temp.has_all_columns('promoted_rules', '{id,rule_id,pattern_signature,site_id,partner_id,rule_yaml,rule_json,version,promoted_by,promoted_at,status,deployment_count,last_deployed_at,notes}');
SELECT pg_temp.has_all_columns('promoted_rule_deployments', '{rule_id,site_id,appliance_id,deployment_status,deployed_at,acknowledged_at}');
SELECT pg_temp.has_all_columns('execution_telemetry', '{execution_id,incident_id,site_id,runbook_id,success,resolution_level,created_at}');
SELECT has_table('public', 'appliance_pattern_sync', 'appliance_pattern_sync exists');
SELECT has_table('public', 'promotion_audit_log', 'promotion_audit_log exists');
SELECT has_view('public', 'v_partner_promotion_candidates', 'v_partner_promotion_candidates exists');
SELECT pg_temp.has_all_columns('v_partner_learning_stats', '{partner_id,pending_candidates,active_promoted_rules,avg_success_rate,total_l1_resolutions,total_l2_resolutions,total_l3_resolutions,total_incidents}');

SELECT col_type_is('public', 'partners', 'id', 'uuid', 'a partner''s id is a uuid');
SELECT col_is_unique('public', 'partners', 'slug', 'a partner''s slug is its own');
SELECT col_type_is('public', 'aggregated_pattern_stats', 'total_occurrences', 'bigint', 'P18: sums over appliances do not overflow at 2^31');
SELECT col_type_is('public', 'aggregated_pattern_stats', 'success_rate', 'double precision', 'P15: rates are fractions');

SELECT col_is_unique('public', 'learning_promotion_candidates', ARRAY['site_id', 'pattern_signature'], 'P2: a unique key stands behind the upsert of candidates');
SELECT col_is_unique('public', 'aggregated_pattern_stats', ARRAY['site_id', 'pattern_signature'], 'P2: and of patterns');
SELECT col_is_unique('public', 'promoted_rules', ARRAY['site_id', 'pattern_signature'], 'P2, P4: and of rules, one for a site and pattern');
SELECT col_is_unique('public', 'promoted_rules', ARRAY['partner_id', 'rule_id'], 'P7: a rule id is unique within its partner');
SELECT col_is_unique('public', 'promoted_rule_deployments', ARRAY['site_id', 'rule_id', 'appliance_id'], 'P2, P26: and of deliveries');
SELECT col_is_pk('public', 'appliance_pattern_stats', ARRAY['appliance_id', 'pattern_signature'], 'P2, P17: and of an appliance''s counters');
SELECT col_is_pk('public', 'appliance_pattern_sync', 'appliance_id', 'P2: and of an appliance''s last report');
SELECT col_is_pk('public', 'site_daily_executions', ARRAY['site_id', 'day', 'resolution_level'], 'P2: and of daily counts');
SELECT col_is_pk('public', 'execution_ids', ARRAY['site_id', 'execution_id'], 'P2: and of executions');
SELECT col_is_pk('public', 'idempotency_keys', ARRAY['caller', 'key'], 'P38: and of first answers');

-- P2: a decision made on the dashboard has no appliance, and recommends nothing of its own.
SELECT col_is_null('public', 'learning_promotion_candidates', 'appliance_id', 'P2: a dashboard''s approval names no appliance');
SELECT col_is_null('public', 'learning_promotion_candidates', 'recommended_action', 'P2: nor an action');
SELECT col_is_null('public', 'learning_promotion_candidates', 'custom_rule_name', 'P2: nor, always, a name');
SELECT col_is_null('public', 'learning_promotion_candidates', 'approval_notes', 'P2: nor notes');
SELECT col_is_null('public', 'learning_promotion_candidates', 'rejection_reason', 'P2: nor a reason');
SELECT col_not_null('public', 'learning_promotion_candidates', 'site_id', 'a candidate has a site');
SELECT col_not_null('public', 'learning_promotion_candidates', 'pattern_signature', 'and a pattern');
SELECT col_not_null('public', 'learning_promotion_candidates', 'partner_id', 'and a partner');
SELECT col_not_null('public', 'learning_promotion_candidates', 'approval_status', 'and a status');
SELECT lives_ok($$
    WITH pattern AS (INSERT INTO aggregated_pattern_stats (site_id, pattern_signature) VALUES ('a-one', 'from-dashboard') RETURNING site_id)
    INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature, approval_status, rejected_by, rejected_at, rejection_reason)
    SELECT partner_id, site_id, 'from-dashboard', 'rejected', 'somebody', now(), 'no' FROM sites JOIN pattern USING (site_id)
    $$, 'P2: a decision needs no value that only an appliance could give');
SELECT * FROM finish();
ROLLBACK;
