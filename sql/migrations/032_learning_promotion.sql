-- Promotion: what people decided about patterns, the rules that came of it, where those were sent, and the
-- log of it all.

-- A row from the first decision on; a pattern without one has not been submitted.
CREATE TABLE IF NOT EXISTS learning_promotion_candidates (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    partner_id         uuid NOT NULL,
    site_id            text NOT NULL,
    pattern_signature  text NOT NULL,
    -- Only an appliance's report can tell this; a decision made on the dashboard has none.
    appliance_id       text,
    recommended_action text,
    approval_status    text NOT NULL DEFAULT 'not_submitted'
                       CHECK (approval_status IN ('not_submitted', 'pending', 'approved', 'rejected')),
    approved_by        text,
    approved_at        timestamptz,
    rejected_by        text,
    rejected_at        timestamptz,
    rejection_reason   text CHECK (length(rejection_reason) BETWEEN 1 AND 2000 AND rejection_reason ~ '[^[:space:]]'),
    custom_rule_name   text CHECK (length(custom_rule_name) BETWEEN 1 AND 200),
    approval_notes     text CHECK (length(approval_notes) BETWEEN 1 AND 2000),
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (site_id, pattern_signature),
    FOREIGN KEY (site_id, pattern_signature) REFERENCES aggregated_pattern_stats (site_id, pattern_signature)
        ON UPDATE CASCADE,
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE,
    CHECK (approval_status <> 'approved' OR (approved_by IS NOT NULL AND approved_at IS NOT NULL)),
    CHECK (approval_status <> 'rejected' OR
           (rejected_by IS NOT NULL AND rejected_at IS NOT NULL AND rejection_reason IS NOT NULL))
);

CREATE OR REPLACE FUNCTION mirror_approval_status() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE aggregated_pattern_stats SET approval_status = NEW.approval_status
     WHERE site_id = NEW.site_id AND pattern_signature = NEW.pattern_signature
       AND approval_status <> NEW.approval_status;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER mirror_status AFTER INSERT OR UPDATE ON learning_promotion_candidates
    FOR EACH ROW EXECUTE FUNCTION mirror_approval_status();

-- An approval stays: what came of it is a rule, and that is what can be disabled or archived.
CREATE OR REPLACE FUNCTION refuse_unapproval() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'an approved candidate cannot become %', NEW.approval_status USING ERRCODE = 'check_violation';
END
$$;
CREATE OR REPLACE TRIGGER approval_stays BEFORE UPDATE ON learning_promotion_candidates
    FOR EACH ROW WHEN (OLD.approval_status = 'approved' AND NEW.approval_status <> 'approved')
    EXECUTE FUNCTION refuse_unapproval();

CREATE TABLE IF NOT EXISTS promoted_rules (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rule_id           text NOT NULL CHECK (rule_id ~ '^[A-Za-z0-9_-]{3,64}$'),
    pattern_signature text NOT NULL,
    site_id           text NOT NULL,
    partner_id        uuid NOT NULL,
    name              text NOT NULL CHECK (length(name) BETWEEN 1 AND 250),
    rule_yaml         text NOT NULL CHECK (octet_length(rule_yaml) BETWEEN 1 AND 8192),
    rule_json         jsonb NOT NULL,
    rule_digest       text NOT NULL CHECK (rule_digest ~ '^[0-9a-f]{64}$'), -- of what the rule does
    yaml_digest       text NOT NULL CHECK (yaml_digest ~ '^[0-9a-f]{64}$'), -- of the YAML's bytes
    version           integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    promoted_by       text NOT NULL,
    promoted_at       timestamptz NOT NULL DEFAULT now(),
    status            text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'archived')),
    -- NULL: made, but held back until somebody sends it.
    released_at       timestamptz,
    deployment_count  integer NOT NULL DEFAULT 0 CHECK (deployment_count >= 0),
    last_deployed_at  timestamptz,
    notes             text CHECK (length(notes) BETWEEN 1 AND 2000),
    -- The site's rules_revision at this row's last change.
    revision          bigint NOT NULL DEFAULT 0 CHECK (revision >= 0),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (site_id, pattern_signature),
    UNIQUE (partner_id, rule_id),
    UNIQUE (site_id, rule_id),
    UNIQUE (id, partner_id),
    CHECK (rule_json ->> 'id' IS NOT DISTINCT FROM rule_id),
    CHECK (rule_json ->> 'name' IS NOT DISTINCT FROM name),
    FOREIGN KEY (site_id, pattern_signature) REFERENCES aggregated_pattern_stats (site_id, pattern_signature)
        ON UPDATE CASCADE,
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE
);
CREATE INDEX IF NOT EXISTS rules_by_promotion ON promoted_rules (partner_id, promoted_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS rules_by_status ON promoted_rules (partner_id, status);

-- Archived is final: only the next version of a rule is active again. Versions count upwards.
CREATE OR REPLACE FUNCTION refuse_rule_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rule %, version %, is %: it cannot become % in version %',
        OLD.rule_id, OLD.version, OLD.status, NEW.status, NEW.version USING ERRCODE = 'check_violation';
END
$$;
CREATE OR REPLACE TRIGGER archived_is_final BEFORE UPDATE ON promoted_rules
    FOR EACH ROW WHEN (NEW.version < OLD.version
                       OR (OLD.status = 'archived' AND NEW.status <> 'archived' AND NEW.version = OLD.version))
    EXECUTE FUNCTION refuse_rule_change();

-- Half a promotion cannot be committed: when a transaction ends, whatever it approved has its rule, and
-- whatever rule it made has its approval.
CREATE OR REPLACE FUNCTION refuse_half_promotion() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM learning_promotion_candidates c
                WHERE c.site_id = NEW.site_id AND c.pattern_signature = NEW.pattern_signature
                  AND c.approval_status = 'approved')
       <> EXISTS (SELECT FROM promoted_rules r
                   WHERE r.site_id = NEW.site_id AND r.pattern_signature = NEW.pattern_signature)
    THEN
        RAISE EXCEPTION 'half a promotion: pattern % of site % needs both an approved candidate and a rule',
            NEW.pattern_signature, NEW.site_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS approved_has_rule ON learning_promotion_candidates;
CREATE CONSTRAINT TRIGGER approved_has_rule AFTER INSERT OR UPDATE ON learning_promotion_candidates
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.approval_status = 'approved')
    EXECUTE FUNCTION refuse_half_promotion();
DROP TRIGGER IF EXISTS rule_has_approval ON promoted_rules;
CREATE CONSTRAINT TRIGGER rule_has_approval AFTER INSERT ON promoted_rules
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_half_promotion();

-- What each version of a rule said, the current one included.
CREATE TABLE IF NOT EXISTS promoted_rule_versions (
    promoted_rule_id uuid NOT NULL,
    version          integer NOT NULL CHECK (version >= 1),
    partner_id       uuid NOT NULL,
    name             text NOT NULL,
    rule_yaml        text NOT NULL,
    rule_json        jsonb NOT NULL,
    rule_digest      text NOT NULL,
    yaml_digest      text NOT NULL,
    promoted_by      text NOT NULL,
    promoted_at      timestamptz NOT NULL DEFAULT now(),
    notes            text,
    PRIMARY KEY (promoted_rule_id, version),
    FOREIGN KEY (promoted_rule_id, partner_id) REFERENCES promoted_rules (id, partner_id) ON UPDATE CASCADE
);

-- To whom a rule was sent, and what the appliance says of it.
CREATE TABLE IF NOT EXISTS promoted_rule_deployments (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rule_id           text NOT NULL,
    site_id           text NOT NULL,
    appliance_id      text NOT NULL,
    partner_id        uuid NOT NULL,
    rule_version      integer NOT NULL CHECK (rule_version >= 1),
    deployment_status text NOT NULL DEFAULT 'pending'
                      CHECK (deployment_status IN ('pending', 'delivered', 'applied', 'failed', 'removed')),
    deployed_at       timestamptz NOT NULL DEFAULT now(),
    delivered_at      timestamptz,
    acknowledged_at   timestamptz,
    error             text,
    UNIQUE (site_id, rule_id, appliance_id),
    FOREIGN KEY (site_id, rule_id) REFERENCES promoted_rules (site_id, rule_id) ON UPDATE CASCADE,
    FOREIGN KEY (site_id, appliance_id, partner_id) REFERENCES site_appliances (site_id, appliance_id, partner_id)
        ON UPDATE CASCADE,
    CHECK (deployment_status NOT IN ('applied', 'removed') OR acknowledged_at IS NOT NULL)
);
CREATE INDEX IF NOT EXISTS deployments_of_appliance ON promoted_rule_deployments (site_id, appliance_id);

-- Who did what, when, why, and what was before and after. Rows are written in the transaction of the change
-- and never altered: no grant allows it, and the triggers below refuse it to everybody else.
CREATE TABLE IF NOT EXISTS promotion_audit_log (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    partner_id        uuid NOT NULL REFERENCES partners (id),
    site_id           text,
    actor_kind        text NOT NULL CHECK (actor_kind IN ('user', 'key', 'operator', 'system')),
    actor_id          uuid,
    actor             text NOT NULL,
    action            text NOT NULL CHECK (action IN (
                          'candidate.approved', 'candidate.rejected',
                          'rule.created', 'rule.regenerated', 'rule.deployed', 'rule.enabled', 'rule.disabled',
                          'rule.archived',
                          'user.signed_in', 'user.sign_in_failed', 'user.signed_out', 'user.created', 'user.changed',
                          'key.created', 'key.rotated', 'key.revoked',
                          'partner.created', 'site.created', 'appliance.created', 'appliance.revoked',
                          'thresholds.changed')),
    entity            text NOT NULL CHECK (entity IN ('candidate', 'rule', 'user', 'key', 'partner', 'site', 'appliance',
                                                      'thresholds')),
    entity_id         text NOT NULL,
    pattern_signature text,
    rule_id           text,
    before            jsonb,
    after             jsonb,
    reason            text,
    request_id        text
);
CREATE INDEX IF NOT EXISTS audit_of_partner ON promotion_audit_log (partner_id, id DESC);

CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON promotion_audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE OR REPLACE TRIGGER append_only_table BEFORE TRUNCATE ON promotion_audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
-- Always: also for a session that calls itself a replica.
ALTER TABLE promotion_audit_log ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_table;

-- The first answer to each Idempotency-Key, for 24 hours.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    caller       uuid NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    partner_id   uuid NOT NULL REFERENCES partners (id),
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    -- NULL only inside the transaction that is working on the first answer.
    status       integer CHECK (status BETWEEN 200 AND 499),
    content_type text,
    body         text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX IF NOT EXISTS idempotency_keys_by_age ON idempotency_keys (partner_id, created_at);

-- Each new key takes some that have had their time along, so that they never pile up. Row security keeps it to the same partner's.
CREATE OR REPLACE FUNCTION forget_old_answers() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM idempotency_keys k
     USING (SELECT o.caller, o.key FROM idempotency_keys o
             WHERE o.partner_id = NEW.partner_id AND o.created_at < now() - interval '24 hours'
             ORDER BY o.created_at LIMIT 10 FOR UPDATE SKIP LOCKED) AS gone
     WHERE k.caller = gone.caller AND k.key = gone.key;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER forget_old_answers AFTER INSERT ON idempotency_keys
    FOR EACH ROW EXECUTE FUNCTION forget_old_answers();

-- Views run with the rights of whoever asks, so that row security applies to them as well.
CREATE OR REPLACE VIEW v_partner_promotion_candidates WITH (security_invoker = true) AS
SELECT a.id, a.partner_id, a.site_id, s.clinic_name AS site_name, a.pattern_signature, a.check_type, a.incident_type,
       a.total_occurrences, a.l1_resolutions, a.l2_resolutions, a.l3_resolutions, a.success_count, a.success_rate,
       a.avg_resolution_time_ms, a.recommended_action, a.promotion_eligible, a.first_seen, a.last_seen,
       a.approval_status, c.approved_by, c.approved_at, c.rejected_by, c.rejected_at, c.rejection_reason,
       c.custom_rule_name, c.approval_notes, a.is_undecided
  FROM aggregated_pattern_stats a
  JOIN sites s ON s.site_id = a.site_id
  LEFT JOIN learning_promotion_candidates c ON c.site_id = a.site_id AND c.pattern_signature = a.pattern_signature
 WHERE a.is_candidate;

-- Each figure is counted in a query of its own: joining patterns with rules would multiply them.
CREATE OR REPLACE VIEW v_partner_learning_stats WITH (security_invoker = true) AS
SELECT p.id AS partner_id,
       coalesce(a.pending_candidates, 0) AS pending_candidates,
       coalesce(r.active_promoted_rules, 0) AS active_promoted_rules,
       a.avg_success_rate,
       coalesce(a.total_l1_resolutions, 0)::bigint AS total_l1_resolutions,
       coalesce(a.total_l2_resolutions, 0)::bigint AS total_l2_resolutions,
       coalesce(a.total_l3_resolutions, 0)::bigint AS total_l3_resolutions,
       coalesce(a.total_incidents, 0)::bigint AS total_incidents
  FROM partners p
  LEFT JOIN LATERAL (
       SELECT count(*) FILTER (WHERE promotion_eligible AND is_undecided) AS pending_candidates,
              avg(success_rate) FILTER (WHERE promotion_eligible) AS avg_success_rate,
              sum(l1_resolutions) AS total_l1_resolutions, sum(l2_resolutions) AS total_l2_resolutions,
              sum(l3_resolutions) AS total_l3_resolutions, sum(total_occurrences) AS total_incidents
         FROM aggregated_pattern_stats WHERE partner_id = p.id) a ON true
  LEFT JOIN LATERAL (
       SELECT count(*) AS active_promoted_rules
         FROM promoted_rules WHERE partner_id = p.id AND status = 'active') r ON true;
