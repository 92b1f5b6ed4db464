-- What appliances say of the rules that have been decided on: all have fetched what they were sent, nearly all confirm it, one
-- in forty could not install a rule. Run as flywheel_migrate, in one transaction, after the decisions.

UPDATE promoted_rule_deployments d
   SET deployment_status = CASE WHEN r.status <> 'active' THEN 'removed' WHEN hashtextextended(d.id::text, 1) % 40 = 0 THEN 'failed' ELSE 'applied' END,
       error = CASE WHEN r.status = 'active' AND hashtextextended(d.id::text, 1) % 40 = 0 THEN 'the disk is full' END,
       delivered_at = now(), acknowledged_at = now()
  FROM promoted_rules r WHERE r.site_id = d.site_id AND r.rule_id = d.rule_id AND d.deployment_status = 'pending';

INSERT INTO appliance_rule_sync (appliance_id, site_id, partner_id, acknowledged_revision, acknowledged_at, agent)
SELECT a.appliance_id, a.site_id, a.partner_id, s.rules_revision, now(), 'flywheel-agent/0.1.0'
  FROM site_appliances a JOIN sites s USING (site_id, partner_id)
ON CONFLICT (appliance_id) DO UPDATE SET acknowledged_revision = EXCLUDED.acknowledged_revision;
