-- How an appliance is doing, in one place: lists, the summary of sites and the dashboard all ask here.

-- Silent: nothing was heard of an appliance that should be there for longer than this. An agent calls every few minutes.
CREATE OR REPLACE FUNCTION appliance_is_silent(status text, last_seen_at timestamptz) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT status = 'active' AND coalesce(last_seen_at < now() - interval '1 hour', true) $$;
GRANT EXECUTE ON FUNCTION appliance_is_silent(text, timestamptz)
   TO flywheel_read, flywheel_account, flywheel_operator;

DROP VIEW IF EXISTS v_appliances;
CREATE VIEW v_appliances WITH (security_invoker = true) AS
SELECT a.appliance_id, a.site_id, a.partner_id, a.status, a.created_at, a.last_seen_at,
       appliance_is_silent(a.status, a.last_seen_at) AS silent,
       y.acknowledged_revision, y.acknowledged_at, s.rules_revision AS site_revision,
       -- NULL for an agent that never acknowledges.
       CASE WHEN y.acknowledged_revision IS NOT NULL THEN greatest(s.rules_revision - y.acknowledged_revision, 0) END AS revisions_behind,
       y.agent, y.last_error, y.last_error_at, coalesce(y.engine_errors, '[]') AS engine_errors,
       coalesce(y.dropped_executions, 0) AS dropped_executions,
       coalesce(d.applied, 0) AS rules_applied, coalesce(d.pending, 0) AS rules_pending, coalesce(d.failed, 0) AS rules_failed,
       coalesce(d.to_withdraw, 0) AS rules_to_withdraw,
       a.status = 'active' AND coalesce(d.failed > 0 OR y.last_error IS NOT NULL OR y.engine_errors <> '[]', false) AS failing
  FROM site_appliances a
  JOIN sites s ON s.site_id = a.site_id
  LEFT JOIN appliance_rule_sync y ON y.appliance_id = a.appliance_id
  -- Counted at once for all appliances that are seen: one by one would be slow where many appliances have many rules.
  LEFT JOIN (
      SELECT appliance_id,
             count(*) FILTER (WHERE wanted AND deployment_status = 'applied') AS applied,
             count(*) FILTER (WHERE wanted AND deployment_status IN ('pending', 'delivered')) AS pending,
             count(*) FILTER (WHERE wanted AND deployment_status = 'failed') AS failed,
             count(*) FILTER (WHERE NOT wanted AND deployment_status IN ('delivered', 'applied')) AS to_withdraw
        FROM (SELECT p.appliance_id, p.deployment_status, r.status = 'active' AND r.released_at IS NOT NULL AS wanted
                FROM promoted_rule_deployments p
                JOIN promoted_rules r ON r.site_id = p.site_id AND r.rule_id = p.rule_id) AS each
       GROUP BY appliance_id) AS d ON d.appliance_id = a.appliance_id;

GRANT SELECT ON v_appliances TO flywheel_read, flywheel_account;
