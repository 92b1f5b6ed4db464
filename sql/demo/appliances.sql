-- What the demonstration's appliances say of the rules that deploy/demo/decide has made: most have them, one could not install
-- one, one found a broken file of the clinic's own, one site's agents are old ones that never confirm anything.
--
-- Run as flywheel_migrate, in one transaction, after the decisions. Does nothing when appliances have said something already.

SELECT NOT EXISTS (SELECT FROM appliance_rule_sync) AND EXISTS (SELECT FROM partners WHERE slug = 'north-valley') AS nothing_said \gset
\if :nothing_said

CREATE TEMP TABLE demo_agents ON COMMIT DROP AS
SELECT a.*, s.rules_revision, a.site_id = 'north-valley-pediatrics' AS is_old
  FROM site_appliances a JOIN sites s USING (site_id, partner_id) JOIN partners p ON p.id = a.partner_id
 WHERE p.slug = 'north-valley' AND a.site_id <> 'valley-eye-center'; -- whose line is down

-- Fetched. What was withdrawn meanwhile the old agents had fetched as well.
UPDATE promoted_rule_deployments d SET deployment_status = 'delivered', delivered_at = now()
  FROM demo_agents a, promoted_rules r
 WHERE d.appliance_id = a.appliance_id AND r.site_id = d.site_id AND r.rule_id = d.rule_id
   AND (r.status = 'active' OR a.is_old);

-- Confirmed, by those that confirm; what was withdrawn is gone.
UPDATE promoted_rule_deployments d
   SET deployment_status = CASE r.status WHEN 'active' THEN 'applied' ELSE 'removed' END, acknowledged_at = now()
  FROM demo_agents a, promoted_rules r
 WHERE d.appliance_id = a.appliance_id AND r.site_id = d.site_id AND r.rule_id = d.rule_id AND NOT a.is_old;

UPDATE promoted_rule_deployments d
   SET deployment_status = 'failed', error = 'renew-portal-certificate.yaml, a file of the clinic''s own, has the same id; it stays in force.'
  FROM promoted_rules r
 WHERE r.site_id = d.site_id AND r.rule_id = d.rule_id AND r.name = 'Renew Portal Certificate' AND d.appliance_id = 'oak-street-orthodontics-box-2';

INSERT INTO appliance_rule_sync (appliance_id, site_id, partner_id, acknowledged_revision, acknowledged_at, agent, engine_errors, dropped_executions)
SELECT appliance_id, site_id, partner_id, rules_revision, now(), 'flywheel-agent/0.1.0',
       CASE appliance_id WHEN 'cedar-creek-family-box-2'
            THEN '[{"file": "scanner-restart.yaml", "error": "conditions/0/operator: \"starts_with\" is none of eq, ne, contains, regex, gt, lt, in, not_in, exists"}]' ELSE '[]' END::jsonb,
       CASE appliance_id WHEN 'oak-street-orthodontics-box-4' THEN 12 ELSE 0 END
  FROM demo_agents WHERE NOT is_old
UNION ALL -- heard of before any of this was decided
SELECT appliance_id, site_id, partner_id, 0, last_seen_at, 'flywheel-agent/0.1.0', '[]', 0 FROM site_appliances WHERE site_id = 'valley-eye-center';

-- An old agent shows what it has by what it does: an L1 execution of the rule.
CREATE TEMP TABLE demo_proof ON COMMIT DROP AS
SELECT a.appliance_id, a.site_id, a.partner_id, r.rule_id, r.pattern_signature, p.check_type, p.incident_type, now() - interval '3 seconds' AS at
  FROM demo_agents a
  JOIN promoted_rules r ON r.site_id = a.site_id AND r.status = 'active'
  JOIN aggregated_pattern_stats p ON p.site_id = r.site_id AND p.pattern_signature = r.pattern_signature
  JOIN appliance_pattern_stats s ON s.appliance_id = a.appliance_id AND s.pattern_signature = r.pattern_signature
 WHERE a.is_old ORDER BY a.appliance_id LIMIT 1;

SELECT ensure_execution_partitions(array_agg(at)) FROM demo_proof;
INSERT INTO execution_telemetry (created_at, received_at, partner_id, site_id, appliance_id, execution_id, incident_id, runbook_id, rule_id,
       pattern_signature, hostname, platform, incident_type, check_type, started_at, completed_at, duration_seconds, success, status,
       verification_passed, resolution_level)
SELECT at, at, partner_id, site_id, appliance_id, 'exec-demo-proof', 'inc-demo-proof', rule_id, rule_id, pattern_signature, 'NVP-WS02',
       'windows', incident_type, check_type, at - interval '2 seconds', at, 2, true, 'completed', true, 'L1'
  FROM demo_proof;
INSERT INTO execution_ids (site_id, execution_id, partner_id, created_at)
SELECT site_id, 'exec-demo-proof', partner_id, at FROM demo_proof;
UPDATE appliance_pattern_stats s
   SET total_occurrences = total_occurrences + 1, l1_resolutions = l1_resolutions + 1, success_count = success_count + 1,
       total_resolution_time_ms = total_resolution_time_ms + 2000, last_seen = p.at
  FROM demo_proof p WHERE s.appliance_id = p.appliance_id AND s.pattern_signature = p.pattern_signature;
UPDATE aggregated_pattern_stats s
   SET total_occurrences = total_occurrences + 1, l1_resolutions = l1_resolutions + 1, success_count = success_count + 1,
       total_resolution_time_ms = total_resolution_time_ms + 2000, last_seen = p.at
  FROM demo_proof p WHERE s.site_id = p.site_id AND s.pattern_signature = p.pattern_signature;
UPDATE promoted_rule_deployments d SET deployment_status = 'applied', acknowledged_at = p.at, proven_at = p.at
  FROM demo_proof p WHERE d.appliance_id = p.appliance_id AND d.rule_id = p.rule_id;
UPDATE site_appliances a SET last_seen_at = now() FROM demo_proof p WHERE a.appliance_id = p.appliance_id;
\endif
