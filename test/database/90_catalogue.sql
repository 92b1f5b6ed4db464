-- The shipped runbooks, as the contract lists them; and the demonstration data.
\ir lib/begin.psql
SELECT no_plan();

SELECT is((SELECT string_agg(runbook_id, ' ' ORDER BY runbook_id) FROM runbooks WHERE risk_tier = 'R3'),
          'LIN-PERM-001 LIN-SUID-001 RB-WIN-ENCRYPTION-001 RB-WIN-SEC-005 RB-WIN-SEC-022 RB-WIN-SEC-024', 'R3: never promoted');
SELECT is((SELECT string_agg(runbook_id, ' ' ORDER BY runbook_id) FROM runbooks WHERE risk_tier = 'R2'),
          'LIN-KERN-001 LIN-SSH-001 LIN-SVC-001 LIN-UPGRADES-001 RB-WIN-NET-001 RB-WIN-NET-003 RB-WIN-PATCH-001 RB-WIN-SVC-001', 'R2: felt by users');
SELECT is((SELECT string_agg(runbook_id, ' ' ORDER BY runbook_id) FROM runbooks WHERE risk_tier = 'R0'), 'LIN-CERT-001 LIN-CRON-001', 'R0: looks only');
SELECT is((SELECT count(*) FROM runbooks WHERE risk_tier = 'R1'), 19::bigint, 'R1: all others');
SELECT is((SELECT count(*) FROM runbooks r WHERE NOT EXISTS (SELECT FROM runbook_check_types t WHERE t.runbook_id = r.runbook_id)), 0::bigint, 'every runbook serves some check type');
SELECT is((SELECT count(*) FROM runbooks WHERE action <> CASE WHEN runbook_id LIKE 'RB-WIN-%' THEN 'run_windows_runbook' WHEN runbook_id LIKE 'LIN-%' THEN 'run_linux_runbook' END
              OR platform <> CASE WHEN runbook_id LIKE 'RB-WIN-%' THEN 'windows' ELSE 'linux' END), 0::bigint, 'action and platform follow the id');
SELECT is((SELECT count(*) FROM runbooks r, unnest(hipaa_controls) AS c WHERE c !~ '^164\.3(08|12)\([a-e]\)(\(\d\))?(\([ivx]+\))?(\([A-D]\))?$'), 0::bigint, 'controls are citations');
SELECT is((SELECT count(*) FROM runbooks WHERE cardinality(hipaa_controls) = 0), 0::bigint, 'every runbook serves one');
SELECT is((SELECT string_agg(check_type, ' ' ORDER BY check_type) FROM runbook_check_types WHERE runbook_id = id), types, id || ' serves ' || types)
  FROM (VALUES ('RB-WIN-AV-001', 'antivirus av_edr'), ('RB-WIN-SERVICES-001', 'print_spooler windows_service'),
               ('RB-WIN-SVC-001', 'service_dns service_netlogon windows_update'), ('RB-WIN-PATCH-001', 'patches patching'),
               ('RB-WIN-SCREENLOCK-001', 'screen_lock screenlock'), ('RB-WIN-SEC-024', 'guest_account'), ('LIN-CERT-001', 'linux_cert_expiry')) AS v (id, types);
SELECT is((SELECT count(*) FROM runbook_check_types), 43::bigint, 'there are 43 check types');
SELECT is((SELECT pattern_signature FROM runbook_check_types WHERE check_type = 'firewall'), '6c4a6b5b711abb80', 'P19: the signature of a check type alone is the one agents compute');
SELECT throws_ok($$INSERT INTO runbook_check_types (check_type, runbook_id) VALUES ('firewall', 'RB-WIN-SEC-001')$$, '23505', NULL, 'a check type has one runbook');
SELECT throws_ok($$INSERT INTO runbook_check_types (check_type, runbook_id) VALUES ('new_type', 'RB-NOT-THERE-001')$$, '23503', NULL, 'P9: which exists');
SELECT throws_ok($$INSERT INTO runbooks (runbook_id, title, platform, action) VALUES ('RB-X-001', 'x', 'windows', 'format_disk')$$, '23514', NULL, 'and has an action that appliances know');
SELECT throws_ok($$INSERT INTO runbooks (runbook_id, title, platform, action) VALUES ('RB-X-001', 'x', 'windows', 'escalate')$$, '23514', NULL, 'P20: handing over to a person is no runbook');

-- Operators' rows survive; so do their changes.
UPDATE runbooks SET title = 'Our own way' WHERE runbook_id = 'RB-WIN-AV-001';
INSERT INTO runbooks (runbook_id, title, platform, action) VALUES ('RB-OWN-001', 'Own', 'windows', 'run_windows_runbook');
\ir ../../sql/migrations/006_shipped_catalogue.sql
SELECT is((SELECT title FROM runbooks WHERE runbook_id = 'RB-WIN-AV-001'), 'Our own way', 'what an operator changed stays changed');
SELECT ok(EXISTS (SELECT FROM runbooks WHERE runbook_id = 'RB-OWN-001'), 'what an operator added stays');

-- The demonstration.
SELECT count(*) AS partners_before FROM partners \gset
\ir ../../sql/demo/demo.sql
SELECT is((SELECT count(*) FROM partners) - :partners_before, 3::bigint, 'demonstration: three partners');
CREATE TEMP VIEW demo AS SELECT s.* FROM sites s JOIN partners p ON p.id = s.partner_id WHERE p.slug IN ('north-valley', 'harbor-health', 'pine-ridge');
SELECT is((SELECT count(*) FROM demo), 12::bigint, 'demonstration: 12 sites');
SELECT is((SELECT count(*) FROM site_appliances JOIN demo USING (site_id)), 40::bigint, 'demonstration: 40 appliances');
SELECT is((SELECT count(*) FROM site_appliances WHERE site_id = 'north-valley-dental' AND status = 'active'), 2::bigint, 'demonstration: two at north-valley-dental');
SELECT results_eq($$SELECT slug, check_type, recommended_action, total_occurrences, l2_resolutions, success_count, promotion_eligible, approval_status
    FROM aggregated_pattern_stats a JOIN partners p ON p.id = a.partner_id WHERE site_id = 'north-valley-dental' AND pattern_signature = 'print-spooler-restart'$$,
    $$VALUES ('north-valley', 'windows_service', 'RB-WIN-SERVICES-001', 15::bigint, 12::bigint, 14::bigint, true, 'not_submitted')$$, 'demonstration: the spooler pattern is as the guided tour has it');
SELECT is((SELECT count(*) FROM appliance_pattern_stats WHERE pattern_signature = 'print-spooler-restart' AND site_id = 'north-valley-dental'), 2::bigint, 'demonstration: seen by both appliances');
SELECT is((SELECT count(*) FROM aggregated_pattern_stats a JOIN demo USING (site_id), LATERAL (
             SELECT sum(p.total_occurrences) AS n, sum(p.l1_resolutions) AS l1, sum(p.l2_resolutions) AS l2, sum(p.l3_resolutions) AS l3, sum(p.success_count) AS s, sum(p.total_resolution_time_ms) AS ms
               FROM appliance_pattern_stats p WHERE p.site_id = a.site_id AND p.pattern_signature = a.pattern_signature) AS p
            WHERE (a.total_occurrences, a.l1_resolutions, a.l2_resolutions, a.l3_resolutions, a.success_count, a.total_resolution_time_ms) IS DISTINCT FROM (p.n, p.l1, p.l2, p.l3, p.s, p.ms)),
          0::bigint, 'demonstration, P17: every site''s counters are the sums of its appliances''');
SELECT is((SELECT sum(executions) FROM site_daily_executions JOIN demo USING (site_id)), (SELECT count(*) FROM execution_telemetry JOIN demo USING (site_id))::numeric, 'demonstration: daily counts are those of the telemetry');
SELECT is((SELECT count(*) FROM execution_ids JOIN demo USING (site_id)), (SELECT count(*) FROM execution_telemetry JOIN demo USING (site_id)), 'demonstration: every execution has its id');
SELECT ok((SELECT min(t.created_at) > now() - interval '92 days' AND max(t.created_at) <= now() AND count(DISTINCT t.created_at::date) > 80 FROM execution_telemetry t JOIN demo USING (site_id)), 'demonstration: 90 days up to now');
SELECT ok((SELECT sum(l1_resolutions) > 0.6 * sum(total_occurrences) FROM aggregated_pattern_stats JOIN demo USING (site_id)), 'demonstration: most incidents are L1');
SELECT ok(n BETWEEN 200 AND 600 AND eligible > 60 AND failing > 30 AND people > 10 AND without > 20, 'demonstration: a realistic mix of patterns')
  FROM (SELECT count(*) AS n, count(*) FILTER (WHERE promotion_eligible) AS eligible, count(*) FILTER (WHERE success_rate < 0.9) AS failing,
               count(*) FILTER (WHERE recommended_action = 'escalate') AS people, count(*) FILTER (WHERE check_type IS NULL) AS without
          FROM aggregated_pattern_stats JOIN demo USING (site_id)) AS mix;
\set decisions `cat "$FLYWHEEL_TOP/deploy/demo/decisions.json"`
SELECT ok(count(*) FILTER (WHERE a.promotion_eligible AND a.pattern_signature <> 'print-spooler-restart' AND (d ->> 'decision' = 'reject' OR coalesce(r.risk_tier, 'R1') <> 'R3')) = count(*) AND count(*) >= 10,
          'demonstration: all decisions it replays are about candidates that can be decided so')
  FROM jsonb_array_elements(:'decisions'::jsonb) AS d
  LEFT JOIN aggregated_pattern_stats a ON a.site_id = d ->> 'site_id' AND a.pattern_signature = d ->> 'pattern_signature'
  LEFT JOIN runbooks r ON r.runbook_id = a.recommended_action;
SELECT count(*) AS executions_before FROM execution_telemetry \gset
\ir ../../sql/demo/demo.sql
SELECT is((SELECT count(*) FROM execution_telemetry), :executions_before::bigint, 'demonstration: loading it again does nothing');
SELECT * FROM finish();
ROLLBACK;
