-- Who may touch what: all grants and policies on one page. A role sees a row only if a policy says so, and
-- row security is forced, so that not even the owner is exempt by accident.

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY[
        'partners', 'sites', 'site_appliances', 'users', 'sessions', 'api_keys', 'appliance_tokens',
        'aggregated_pattern_stats', 'appliance_pattern_stats', 'appliance_pattern_sync', 'learning_thresholds',
        'execution_telemetry', 'execution_ids', 'site_daily_executions',
        'learning_promotion_candidates', 'promoted_rules', 'promoted_rule_versions', 'promoted_rule_deployments',
        'promotion_audit_log', 'idempotency_keys']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('DROP POLICY IF EXISTS all_partners ON %I', t);
        EXECUTE format('CREATE POLICY all_partners ON %I TO flywheel_migrate, flywheel_operator USING (true) WITH CHECK (true)', t);
        EXECUTE format('DROP POLICY IF EXISTS own_partner ON %I', t);
        CONTINUE WHEN t = 'promotion_audit_log';
        EXECUTE format('CREATE POLICY own_partner ON %I TO flywheel_read, flywheel_decide, flywheel_account '
                       'USING (%s = current_partner()) WITH CHECK (%s = current_partner())', t,
                       CASE t WHEN 'partners' THEN 'id' ELSE 'partner_id' END,
                       CASE t WHEN 'partners' THEN 'id' ELSE 'partner_id' END);
    END LOOP;

    -- An appliance sees and writes its own site only.
    FOREACH t IN ARRAY ARRAY['sites', 'site_appliances', 'aggregated_pattern_stats', 'appliance_pattern_stats',
                             'appliance_pattern_sync', 'execution_telemetry', 'execution_ids', 'site_daily_executions',
                             'promoted_rules', 'promoted_rule_deployments']
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS own_site ON %I', t);
        EXECUTE format('CREATE POLICY own_site ON %I TO flywheel_agent USING (site_id = current_site()) '
                       'WITH CHECK (site_id = current_site() AND partner_id = current_partner())', t);
    END LOOP;
END
$$;

-- Of its site's other appliances it writes nothing: not their counters, not when they were seen.
DO $$
DECLARE
    t text;
    c text;
BEGIN
    FOREACH t IN ARRAY ARRAY['site_appliances', 'appliance_pattern_stats', 'appliance_pattern_sync']
    LOOP
        FOREACH c IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE']
        LOOP
            EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'own_appliance_' || lower(c), t);
            EXECUTE format('CREATE POLICY %I ON %I AS RESTRICTIVE FOR %s TO flywheel_agent %s (appliance_id = current_appliance())',
                           'own_appliance_' || lower(c), t, c, CASE c WHEN 'INSERT' THEN 'WITH CHECK' ELSE 'USING' END);
        END LOOP;
    END LOOP;
END
$$;

-- Each role logs what it does, for its own partner, and nothing else.
DROP POLICY IF EXISTS own_partner_select ON promotion_audit_log;
CREATE POLICY own_partner_select ON promotion_audit_log FOR SELECT TO flywheel_read, flywheel_decide
    USING (partner_id = current_partner());
DROP POLICY IF EXISTS own_partner_insert ON promotion_audit_log;
CREATE POLICY own_partner_insert ON promotion_audit_log FOR INSERT TO flywheel_decide
    WITH CHECK (partner_id = current_partner() AND entity IN ('candidate', 'rule', 'thresholds'));

-- The thresholds that hold for everybody are everybody's to read.
DROP POLICY IF EXISTS default_thresholds ON learning_thresholds;
CREATE POLICY default_thresholds ON learning_thresholds FOR SELECT TO flywheel_read, flywheel_decide, flywheel_agent
    USING (partner_id IS NULL OR partner_id = current_partner());

-- Sign-in finds the account before it knows the partner; once a partner is known it sees that one only.
DROP POLICY IF EXISTS sign_in ON users;
CREATE POLICY sign_in ON users TO flywheel_account USING (current_partner() IS NULL);
DROP POLICY IF EXISTS sign_in ON sessions;
CREATE POLICY sign_in ON sessions TO flywheel_account USING (current_partner() IS NULL);
DROP POLICY IF EXISTS sign_in ON partners;
CREATE POLICY sign_in ON partners FOR SELECT TO flywheel_account USING (current_partner() IS NULL);
DROP POLICY IF EXISTS sign_in ON promotion_audit_log;
CREATE POLICY sign_in ON promotion_audit_log FOR INSERT TO flywheel_account
    WITH CHECK (action IN ('user.signed_in', 'user.sign_in_failed', 'user.signed_out')
                AND coalesce(partner_id = current_partner(), true));

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- Partitions are made long after this, in a restored database too, whoever owns that.
GRANT USAGE, CREATE ON SCHEMA public TO flywheel_migrate;
-- The same for what comes later: nobody may call it or write it unless a migration says so.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO flywheel_operator;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA public
   TO flywheel_read, flywheel_decide, flywheel_agent, flywheel_account, flywheel_operator;
GRANT EXECUTE ON FUNCTION current_partner(), current_site(), current_appliance()
   TO flywheel_read, flywheel_decide, flywheel_agent, flywheel_account, flywheel_operator;
GRANT EXECUTE ON FUNCTION authenticate(bytea, bytea, bytea)
   TO flywheel_read, flywheel_decide, flywheel_agent, flywheel_account;
GRANT EXECUTE ON FUNCTION is_promotion_eligible(uuid, bigint, bigint, double precision, text)
   TO flywheel_decide, flywheel_agent, flywheel_operator;

-- Catalogue: no partner's, everybody's.
GRANT SELECT ON runbooks, runbook_check_types TO flywheel_read, flywheel_decide, flywheel_agent, flywheel_operator;

-- Showing.
GRANT SELECT ON partners, sites, site_appliances, aggregated_pattern_stats, learning_thresholds, execution_telemetry,
                site_daily_executions, learning_promotion_candidates, promoted_rules, promoted_rule_versions,
                promoted_rule_deployments, promotion_audit_log, appliance_pattern_sync,
                v_partner_promotion_candidates, v_partner_learning_stats
   TO flywheel_read, flywheel_decide;

-- Deciding.
GRANT UPDATE (approval_status) ON aggregated_pattern_stats TO flywheel_decide;
GRANT UPDATE (rules_revision) ON sites TO flywheel_decide;
GRANT INSERT ON learning_promotion_candidates, promoted_rules, promoted_rule_deployments TO flywheel_decide;
GRANT UPDATE (appliance_id, recommended_action, approval_status, approved_by, approved_at, rejected_by, rejected_at,
              rejection_reason, custom_rule_name, approval_notes, updated_at)
   ON learning_promotion_candidates TO flywheel_decide;
GRANT UPDATE (name, rule_yaml, rule_json, rule_digest, yaml_digest, version, promoted_by, promoted_at, status, released_at,
              deployment_count, last_deployed_at, notes, revision, updated_at)
   ON promoted_rules TO flywheel_decide;
GRANT UPDATE (rule_version, deployment_status, deployed_at, delivered_at, acknowledged_at, error)
   ON promoted_rule_deployments TO flywheel_decide;
GRANT INSERT ON promoted_rule_versions, promotion_audit_log TO flywheel_decide;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO flywheel_decide;

-- Reporting.
GRANT SELECT ON sites, site_appliances, aggregated_pattern_stats, appliance_pattern_stats, appliance_pattern_sync,
                learning_thresholds, execution_telemetry, execution_ids, site_daily_executions, promoted_rules,
                promoted_rule_deployments
   TO flywheel_agent;
GRANT UPDATE (last_seen_at) ON site_appliances TO flywheel_agent;
GRANT INSERT (id, partner_id, site_id, pattern_signature, check_type, incident_type, total_occurrences, l1_resolutions,
              l2_resolutions, l3_resolutions, success_count, success_rate, total_resolution_time_ms, avg_resolution_time_ms,
              recommended_action, promotion_eligible, first_seen, last_seen, last_synced_at)
   ON aggregated_pattern_stats TO flywheel_agent; -- not the approval status: that is a person's
GRANT UPDATE (check_type, incident_type, total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_count,
              success_rate, total_resolution_time_ms, avg_resolution_time_ms, recommended_action, promotion_eligible,
              first_seen, last_seen, last_synced_at)
   ON aggregated_pattern_stats TO flywheel_agent;
GRANT INSERT, UPDATE ON appliance_pattern_stats, appliance_pattern_sync, site_daily_executions TO flywheel_agent;
GRANT INSERT ON execution_telemetry, execution_ids TO flywheel_agent;
GRANT USAGE ON SEQUENCE execution_telemetry_id_seq TO flywheel_agent;
GRANT EXECUTE ON FUNCTION ensure_execution_partitions(timestamptz[]) TO flywheel_agent;

-- Signing in and out.
GRANT SELECT ON partners, sites, site_appliances, users, sessions, aggregated_pattern_stats, site_daily_executions,
                promoted_rules, appliance_pattern_sync TO flywheel_account;
GRANT UPDATE (last_sign_in_at) ON users TO flywheel_account;
GRANT INSERT, DELETE ON sessions TO flywheel_account;
GRANT INSERT ON promotion_audit_log TO flywheel_account;
GRANT EXECUTE ON FUNCTION note_key_use(uuid[]) TO flywheel_account;

-- Operating.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO flywheel_operator;
GRANT INSERT ON partners, sites, site_appliances, users, api_keys, appliance_tokens, runbooks, runbook_check_types,
                promotion_audit_log TO flywheel_operator;
GRANT UPDATE (expires_at, revoked_at, replaced_by) ON api_keys TO flywheel_operator;
GRANT UPDATE (expires_at, revoked_at) ON appliance_tokens TO flywheel_operator;
GRANT UPDATE (status) ON site_appliances TO flywheel_operator;
GRANT UPDATE ON runbooks, runbook_check_types TO flywheel_operator;
