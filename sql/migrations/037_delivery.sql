-- Delivery: what appliances are to have installed, what they say of it, and from which revision on that can be told in parts.

-- An appliance that stands below this revision gets everything: of what changed before, this database cannot know all (it was
-- restored from a back-up). Nothing else sets it.
ALTER TABLE sites ADD COLUMN IF NOT EXISTS rules_full_below bigint NOT NULL DEFAULT 0;

-- Agents that never acknowledge prove by an L1 execution that they have a rule: when that was. NULL again as soon as the
-- appliance acknowledges; until then the rule cannot be withdrawn there.
ALTER TABLE promoted_rule_deployments ADD COLUMN IF NOT EXISTS proven_at timestamptz;

-- What each appliance said when it last acknowledged. An appliance without a row here never has.
CREATE TABLE IF NOT EXISTS appliance_rule_sync (
    appliance_id          text PRIMARY KEY,
    site_id               text NOT NULL,
    partner_id            uuid NOT NULL,
    acknowledged_revision bigint NOT NULL CHECK (acknowledged_revision >= 0),
    acknowledged_at       timestamptz NOT NULL DEFAULT now(), -- since when it is at that revision
    agent                 text CHECK (length(agent) BETWEEN 1 AND 100), -- program and version
    -- Why it refused the server's last answer as a whole; NULL when it did not.
    last_error            text CHECK (length(last_error) BETWEEN 1 AND 2000),
    last_error_at         timestamptz,
    -- What its engine could not load: [{file, error}].
    engine_errors         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(engine_errors) = 'array'),
    dropped_executions    bigint NOT NULL DEFAULT 0 CHECK (dropped_executions >= 0),
    CHECK ((last_error IS NULL) = (last_error_at IS NULL)),
    FOREIGN KEY (site_id, appliance_id, partner_id) REFERENCES site_appliances (site_id, appliance_id, partner_id)
        ON UPDATE CASCADE
);

-- What changed since a revision, what is to go, and what has not been sent: each a walk along an index.
CREATE INDEX IF NOT EXISTS rules_by_revision ON promoted_rules (site_id, revision);
CREATE INDEX IF NOT EXISTS rules_withdrawn ON promoted_rules (site_id) WHERE status <> 'active' OR released_at IS NULL;
CREATE INDEX IF NOT EXISTS deployments_pending ON promoted_rule_deployments (appliance_id) WHERE deployment_status = 'pending';

-- ---- an appliance that is added later ------------------------------------------------------------------------------

-- Gets what its site has. The lock lets a decision about the site's rules be before this or after it, never beside it: one of
-- the two sees the other's rows.
CREATE OR REPLACE FUNCTION queue_rules_for_appliance() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    PERFORM FROM sites s WHERE s.site_id = NEW.site_id FOR SHARE;
    INSERT INTO promoted_rule_deployments (rule_id, site_id, appliance_id, partner_id, rule_version)
    SELECT r.rule_id, r.site_id, NEW.appliance_id, r.partner_id, r.version
      FROM promoted_rules r
     WHERE r.site_id = NEW.site_id AND r.status = 'active' AND r.released_at IS NOT NULL;
    UPDATE promoted_rules r SET deployment_count = deployment_count + 1, last_deployed_at = now()
     WHERE r.site_id = NEW.site_id AND r.status = 'active' AND r.released_at IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER queue_rules AFTER INSERT ON site_appliances
    FOR EACH ROW WHEN (NEW.status = 'active') EXECUTE FUNCTION queue_rules_for_appliance();

-- Those that were added before this was so.
WITH queued AS (
    INSERT INTO promoted_rule_deployments (rule_id, site_id, appliance_id, partner_id, rule_version)
    SELECT r.rule_id, r.site_id, a.appliance_id, r.partner_id, r.version
      FROM promoted_rules r JOIN site_appliances a ON a.site_id = r.site_id AND a.status = 'active'
     WHERE r.status = 'active' AND r.released_at IS NOT NULL
    ON CONFLICT (site_id, rule_id, appliance_id) DO NOTHING
    RETURNING site_id, rule_id
)
UPDATE promoted_rules r SET deployment_count = r.deployment_count + q.added, last_deployed_at = now()
  FROM (SELECT site_id, rule_id, count(*)::integer AS added FROM queued GROUP BY site_id, rule_id) AS q
 WHERE r.site_id = q.site_id AND r.rule_id = q.rule_id;

-- ---- an acknowledgement ---------------------------------------------------------------------------------------------

-- The revisions of the calling appliance's site. Decisions about the site's rules wait until the transaction ends, so that what
-- the appliance said of a rule is compared with the rule as it is.
CREATE OR REPLACE FUNCTION hold_site_rules(OUT rules_revision bigint, OUT rules_full_below bigint)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT s.rules_revision, s.rules_full_below FROM sites s WHERE s.site_id = current_site() FOR SHARE $$;

-- ---- who may -------------------------------------------------------------------------------------------------------

ALTER TABLE appliance_rule_sync ENABLE ROW LEVEL SECURITY;
ALTER TABLE appliance_rule_sync FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS all_partners ON appliance_rule_sync;
CREATE POLICY all_partners ON appliance_rule_sync TO flywheel_migrate, flywheel_operator USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS own_partner ON appliance_rule_sync;
CREATE POLICY own_partner ON appliance_rule_sync TO flywheel_read, flywheel_decide, flywheel_account
    USING (partner_id = current_partner()) WITH CHECK (partner_id = current_partner());
DROP POLICY IF EXISTS own_site ON appliance_rule_sync;
CREATE POLICY own_site ON appliance_rule_sync TO flywheel_agent
    USING (site_id = current_site()) WITH CHECK (site_id = current_site() AND partner_id = current_partner());

-- An appliance speaks for itself only.
DROP POLICY IF EXISTS own_appliance_insert ON appliance_rule_sync;
CREATE POLICY own_appliance_insert ON appliance_rule_sync AS RESTRICTIVE FOR INSERT TO flywheel_agent
    WITH CHECK (appliance_id = current_appliance());
DROP POLICY IF EXISTS own_appliance_update ON appliance_rule_sync;
CREATE POLICY own_appliance_update ON appliance_rule_sync AS RESTRICTIVE FOR UPDATE TO flywheel_agent
    USING (appliance_id = current_appliance());
DROP POLICY IF EXISTS own_appliance_update ON promoted_rule_deployments;
CREATE POLICY own_appliance_update ON promoted_rule_deployments AS RESTRICTIVE FOR UPDATE TO flywheel_agent
    USING (appliance_id = current_appliance());

GRANT SELECT ON appliance_rule_sync TO flywheel_read, flywheel_decide, flywheel_account, flywheel_operator;
GRANT SELECT ON promoted_rule_deployments TO flywheel_account;
GRANT SELECT, INSERT ON appliance_rule_sync TO flywheel_agent;
GRANT UPDATE (acknowledged_revision, acknowledged_at, agent, last_error, last_error_at, engine_errors, dropped_executions)
   ON appliance_rule_sync TO flywheel_agent;
GRANT UPDATE (rule_version, deployment_status, delivered_at, acknowledged_at, error, proven_at)
   ON promoted_rule_deployments TO flywheel_agent;
GRANT EXECUTE ON FUNCTION hold_site_rules() TO flywheel_agent;

-- ---- the log -------------------------------------------------------------------------------------------------------

ALTER TABLE promotion_audit_log DROP CONSTRAINT IF EXISTS promotion_audit_log_action_check;
ALTER TABLE promotion_audit_log ADD CONSTRAINT promotion_audit_log_action_check CHECK (action IN (
    'candidate.approved', 'candidate.rejected',
    'rule.created', 'rule.regenerated', 'rule.deployed', 'rule.enabled', 'rule.disabled', 'rule.archived',
    'user.signed_in', 'user.sign_in_failed', 'user.signed_out', 'user.created', 'user.changed',
    'user.invited', 'user.disabled', 'user.enabled', 'user.password_reset', 'user.password_set', 'user.locked', 'user.unlocked',
    'key.created', 'key.rotated', 'key.revoked',
    'partner.created', 'site.created', 'site.erased', 'appliance.created', 'appliance.revoked', 'appliance.token_rotated',
    'thresholds.changed', 'audit.pruned'));

-- ---- erasure of a site: as before, and the new table --------------------------------------------------------------

-- What there is of a site, by table.
CREATE OR REPLACE FUNCTION count_site_rows(of_site text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT jsonb_build_object(
        'execution_telemetry', (SELECT count(*) FROM execution_telemetry t
                                 WHERE t.partner_id = (SELECT partner_id FROM sites WHERE site_id = of_site) AND t.site_id = of_site),
        'execution_ids', (SELECT count(*) FROM execution_ids t WHERE t.site_id = of_site),
        'site_daily_executions', (SELECT count(*) FROM site_daily_executions t WHERE t.site_id = of_site),
        'promoted_rule_deployments', (SELECT count(*) FROM promoted_rule_deployments t WHERE t.site_id = of_site),
        'promoted_rule_versions', (SELECT count(*) FROM promoted_rule_versions v JOIN promoted_rules r ON r.id = v.promoted_rule_id WHERE r.site_id = of_site),
        'promoted_rules', (SELECT count(*) FROM promoted_rules t WHERE t.site_id = of_site),
        'learning_promotion_candidates', (SELECT count(*) FROM learning_promotion_candidates t WHERE t.site_id = of_site),
        'appliance_pattern_stats', (SELECT count(*) FROM appliance_pattern_stats t WHERE t.site_id = of_site),
        'appliance_pattern_sync', (SELECT count(*) FROM appliance_pattern_sync t WHERE t.site_id = of_site),
        'appliance_rule_sync', (SELECT count(*) FROM appliance_rule_sync t WHERE t.site_id = of_site),
        'aggregated_pattern_stats', (SELECT count(*) FROM aggregated_pattern_stats t WHERE t.site_id = of_site),
        'appliance_tokens', (SELECT count(*) FROM appliance_tokens t JOIN site_appliances a USING (appliance_id) WHERE a.site_id = of_site),
        'site_appliances', (SELECT count(*) FROM site_appliances t WHERE t.site_id = of_site),
        'idempotency_keys', (SELECT count(*) FROM idempotency_keys i JOIN sites s ON s.site_id = of_site AND s.partner_id = i.partner_id
                              WHERE position('"' || of_site || '"' IN i.body) > 0),
        'sites', (SELECT count(*) FROM sites t WHERE t.site_id = of_site),
        'promotion_audit_log_texts', (SELECT count(*) FROM promotion_audit_log l WHERE l.site_id = of_site AND num_nonnulls(l.before, l.after, l.reason) > 0))
    $$;

-- Last step, in one transaction: everything else, what people wrote about the site in the log, the site itself, and the entry
-- that says so. `counts`: what there was when it began, for that entry.
CREATE OR REPLACE FUNCTION erase_site(of_site text, operator text, counts jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    whose uuid;
BEGIN
    SELECT partner_id INTO whose FROM sites WHERE site_id = of_site FOR UPDATE;
    IF whose IS NULL THEN
        RAISE EXCEPTION 'there is no site %', of_site USING ERRCODE = 'no_data_found';
    END IF;
    DELETE FROM promoted_rule_deployments t WHERE t.site_id = of_site;
    DELETE FROM promoted_rule_versions v USING promoted_rules r WHERE r.id = v.promoted_rule_id AND r.site_id = of_site;
    DELETE FROM promoted_rules t WHERE t.site_id = of_site;
    DELETE FROM learning_promotion_candidates t WHERE t.site_id = of_site;
    DELETE FROM appliance_pattern_stats t WHERE t.site_id = of_site;
    DELETE FROM appliance_pattern_sync t WHERE t.site_id = of_site;
    DELETE FROM appliance_rule_sync t WHERE t.site_id = of_site;
    DELETE FROM aggregated_pattern_stats t WHERE t.site_id = of_site;
    DELETE FROM appliance_tokens t USING site_appliances a WHERE a.appliance_id = t.appliance_id AND a.site_id = of_site;
    DELETE FROM site_appliances t WHERE t.site_id = of_site;
    DELETE FROM execution_telemetry t WHERE t.partner_id = whose AND t.site_id = of_site;
    DELETE FROM execution_ids t WHERE t.site_id = of_site;
    DELETE FROM site_daily_executions t WHERE t.site_id = of_site;
    DELETE FROM idempotency_keys i WHERE i.partner_id = whose AND position('"' || of_site || '"' IN i.body) > 0;
    UPDATE audit_chain_links k SET salt = NULL, erased_at = now() FROM promotion_audit_log l
     WHERE l.partner_id = whose AND l.site_id = of_site AND k.audit_id = l.id AND k.salt IS NOT NULL;
    UPDATE promotion_audit_log l SET before = NULL, after = NULL, reason = NULL
     WHERE l.partner_id = whose AND l.site_id = of_site AND num_nonnulls(l.before, l.after, l.reason) > 0;
    DELETE FROM sites WHERE site_id = of_site;
    INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, site_id, after)
    VALUES (whose, 'operator', operator, 'site.erased', 'site', of_site, of_site, counts);
END
$$;
