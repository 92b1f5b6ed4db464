-- What must hold of bench data, and of any database: each line a sentence and how many rows break it. Run by data.py.
SELECT sentence, broken FROM (VALUES
    ('a site''s counters are the sum of what its appliances said', (
        SELECT count(*) FROM aggregated_pattern_stats a FULL JOIN (
            SELECT site_id, pattern_signature, sum(total_occurrences) AS n, sum(l1_resolutions) AS l1, sum(l2_resolutions) AS l2,
                   sum(l3_resolutions) AS l3, sum(success_count) AS ok, sum(total_resolution_time_ms) AS ms
              FROM appliance_pattern_stats GROUP BY 1, 2) AS s USING (site_id, pattern_signature)
         WHERE (a.total_occurrences, a.l1_resolutions, a.l2_resolutions, a.l3_resolutions, a.success_count, a.total_resolution_time_ms)
               IS DISTINCT FROM (s.n, s.l1, s.l2, s.l3, s.ok, s.ms))),
    ('rates and eligibility follow from the counters', (
        SELECT count(*) FROM aggregated_pattern_stats
         WHERE success_rate IS DISTINCT FROM success_count::double precision / nullif(total_occurrences, 0)
            OR promotion_eligible <> is_promotion_eligible(partner_id, total_occurrences, l2_resolutions, success_rate, recommended_action))),
    ('the daily counts are those of the executions', (
        SELECT count(*) FROM site_daily_executions d FULL JOIN (
            SELECT site_id, (created_at AT TIME ZONE 'UTC')::date AS day, coalesce(resolution_level, 'unknown') AS resolution_level,
                   count(*) AS n, count(*) FILTER (WHERE success) AS ok
              FROM execution_telemetry GROUP BY 1, 2, 3) AS t USING (site_id, day, resolution_level)
         WHERE (d.executions, d.successes) IS DISTINCT FROM (t.n, t.ok))),
    ('every execution has its id, and every id its execution', (
        SELECT count(*) FROM execution_ids i FULL JOIN execution_telemetry t USING (site_id, execution_id, created_at)
         WHERE i.site_id IS NULL OR t.id IS NULL)),
    ('every approved candidate has a rule, and every rule its approval', (
        SELECT count(*) FROM promoted_rules r
          FULL JOIN (SELECT * FROM learning_promotion_candidates WHERE approval_status = 'approved') AS c USING (site_id, pattern_signature)
         WHERE r.id IS NULL OR c.id IS NULL)),
    ('a pattern''s status mirrors its candidate''s', (
        SELECT count(*) FROM aggregated_pattern_stats a LEFT JOIN learning_promotion_candidates c USING (site_id, pattern_signature)
         WHERE a.approval_status <> coalesce(c.approval_status, 'not_submitted'))),
    ('every rule has kept its present version', (
        SELECT count(*) FROM promoted_rules r LEFT JOIN promoted_rule_versions v ON v.promoted_rule_id = r.id AND v.version = r.version
         WHERE v.rule_digest IS DISTINCT FROM r.rule_digest)),
    ('an active rule went to every active appliance of its site', (
        SELECT count(*) FROM promoted_rules r JOIN site_appliances a USING (site_id)
          LEFT JOIN promoted_rule_deployments d USING (site_id, rule_id, appliance_id)
         WHERE r.status = 'active' AND r.released_at IS NOT NULL AND a.status = 'active' AND d.id IS NULL)),
    ('a rule counts the appliances that it went to', (
        SELECT count(*) FROM promoted_rules r
         WHERE r.status = 'active' AND r.deployment_count <> (
               SELECT count(*) FROM promoted_rule_deployments d WHERE d.site_id = r.site_id AND d.rule_id = r.rule_id))),
    ('no rule is of a later revision than its site', (
        SELECT count(*) FROM promoted_rules r JOIN sites s USING (site_id) WHERE r.revision > s.rules_revision)),
    ('the audit log''s chains hold', (SELECT count(*) FROM partners p, LATERAL verify_audit_chain(p.id))),
    ('every row of a site is its partner''s', (
        SELECT count(*) FROM (SELECT site_id, partner_id FROM aggregated_pattern_stats UNION ALL SELECT site_id, partner_id FROM site_daily_executions
                              UNION ALL SELECT site_id, partner_id FROM promoted_rules UNION ALL SELECT site_id, partner_id FROM site_appliances) AS x
         WHERE NOT EXISTS (SELECT FROM sites s WHERE s.site_id = x.site_id AND s.partner_id = x.partner_id)))
) AS checks (sentence, broken);
