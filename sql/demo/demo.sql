-- Demonstration data: three invented partners, 12 sites, 40 appliances, 90 days up to now.
--
-- Run as flywheel_migrate, in one transaction, after the migrations. Does nothing when the demonstration is
-- there already. The same data every time, shifted to today: all chance comes from hashes of a fixed seed.
--
-- What is drawn are executions; every counter, total and date is then summed from them, just as appliances
-- and the server would have done. People's decisions are not in here: deploy/demo/decide makes some, which
-- go through the API, so that the rules are real ones.

SELECT NOT EXISTS (SELECT FROM partners WHERE slug = 'north-valley') AS demo_is_missing \gset
\if :demo_is_missing

-- A number from 0 up to 1 that depends on nothing but its arguments.
CREATE FUNCTION pg_temp.draw(VARIADIC of text[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT ('x' || left(md5('flywheel demo 1|' || array_to_string(of, '|')), 8))::bit(32)::bigint / 4294967296.0 $$;

-- The signature as agents compute it (lib/rules/signature.h), for messages in plain ASCII.
CREATE FUNCTION pg_temp.signature(type text, check_type text, drift_type text, service_name text, message text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT left(encode(sha256(convert_to(
               '{' || concat_ws(', ', '"check_type": ' || to_json(check_type), '"drift_type": ' || to_json(drift_type),
                                '"error_pattern": ' || to_json(left(pattern, 200)),
                                '"service_name": ' || to_json(service_name), '"type": ' || to_json(type)) || '}',
               'UTF8')), 'hex'), 16)
      FROM (SELECT regexp_replace(regexp_replace(coalesce(message, ''),
                       '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}', '<TIMESTAMP>', 'g'),
                       '\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}', '<IP>', 'g') AS pattern) AS masked
    $$;

-- 1. Partners, sites, appliances.

INSERT INTO partners (id, name, slug, brand_name, contact_email, created_at)
SELECT md5('demo partner ' || slug)::uuid, name, slug, brand_name, contact_email, now() - interval '200 days'
  FROM (VALUES ('North Valley Partners', 'north-valley', 'North Valley IT', 'help@north-valley.example'),
               ('Harbor Health Systems', 'harbor-health', 'Harbor Managed IT', 'service@harbor-health.example'),
               ('Pine Ridge Technology', 'pine-ridge', NULL, 'desk@pine-ridge.example')
       ) AS p (name, slug, brand_name, contact_email);

CREATE TEMP TABLE demo_sites ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('north-valley',  'north-valley-dental',      'North Valley Dental',               2, 'NVD'),
    ('north-valley',  'north-valley-pediatrics',  'North Valley Pediatrics',           4, 'NVP'),
    ('north-valley',  'cedar-creek-family',       'Cedar Creek Family Medicine',       3, 'CCF'),
    ('north-valley',  'oak-street-orthodontics',  'Oak Street Orthodontics',           4, 'OSO'),
    ('north-valley',  'valley-eye-center',        'Valley Eye Center',                 3, 'VEC'),
    ('harbor-health', 'harbor-cardiology',        'Harbor Cardiology Associates',      5, 'HCA'),
    ('harbor-health', 'bayside-physical-therapy', 'Bayside Physical Therapy',          3, 'BPT'),
    ('harbor-health', 'lighthouse-dermatology',   'Lighthouse Dermatology',            3, 'LHD'),
    ('harbor-health', 'harbor-womens-health',     'Harbor Women''s Health',            4, 'HWH'),
    ('pine-ridge',    'pine-ridge-urgent-care',   'Pine Ridge Urgent Care',            4, 'PRU'),
    ('pine-ridge',    'summit-orthopedics',       'Summit Orthopedics & Sports Clinic', 3, 'SOS'),
    ('pine-ridge',    'ridgeview-counseling',     'Ridgeview Counseling Center',       2, 'RCC')
    ) AS s (slug, site_id, clinic_name, appliances, host_prefix);

INSERT INTO sites (site_id, clinic_name, partner_id, created_at)
SELECT s.site_id, s.clinic_name, p.id, now() - interval '180 days'
  FROM demo_sites s JOIN partners p ON p.slug = s.slug;

INSERT INTO site_appliances (appliance_id, site_id, created_at)
SELECT s.site_id || '-box-' || n, s.site_id, now() - interval '150 days'
  FROM demo_sites s, generate_series(1, s.appliances) AS n;

-- 2. What goes wrong at clinics. One kind for each check type of the catalogue, and some that are more
--    particular: a service, an error message, a named action, or (old agents) no check type at all.

CREATE TEMP TABLE demo_kinds ON COMMIT DROP AS
SELECT t.check_type AS kind, r.platform, t.check_type AS incident_type, t.check_type,
       NULL::text AS drift_type, NULL::text AS service_name, NULL::text AS message, r.runbook_id AS action
  FROM runbook_check_types t JOIN runbooks r USING (runbook_id)
UNION ALL
SELECT * FROM (VALUES
    ('spooler',        'windows', 'windows_service', 'windows_service', 'stopped', 'Spooler', 'The Spooler service terminated unexpectedly at 2026-01-05 08:12:44', 'RB-WIN-SERVICES-001'),
    ('time service',   'windows', 'windows_service', 'windows_service', 'stopped', 'W32Time', NULL, 'RB-WIN-SERVICES-001'),
    ('imaging',        'windows', 'windows_service', 'windows_service', 'stopped', 'DicomGateway', 'Peer 10.20.4.17 closed the association', 'RB-WIN-SERVICES-001'),
    ('practice sql',   'windows', 'windows_service', 'windows_service', 'stopped', 'MSSQL$PRACTICE', 'Login time-out expired', 'RB-WIN-SERVICES-001'),
    ('restic',         'windows', 'backup', 'backup', NULL, 'restic', NULL, 'RB-WIN-BACKUP-001'),
    ('backup locked',  'windows', 'backup', 'backup', 'missed', 'restic', 'repository is locked by 10.0.4.12 since 2026-01-04 23:00:01', 'run_backup_job'),
    ('av signatures',  'windows', 'antivirus', 'antivirus', 'signatures_outdated', NULL, NULL, 'RB-WIN-AV-001'),
    ('av stopped',     'windows', 'antivirus', 'antivirus', 'stopped', 'WinDefend', NULL, 'restart_av_service'),
    ('firewall open',  'windows', 'firewall', 'firewall', 'profile_disabled', 'public', NULL, 'restore_firewall_baseline'),
    ('reboot pending', 'windows', 'patching', 'patching', 'reboot_pending', NULL, NULL, 'RB-WIN-PATCH-001'),
    ('event log',      'windows', 'logging', 'logging', 'stopped', 'EventLog', NULL, 'restart_logging_services'),
    ('baseline',       'windows', 'audit_policy', 'audit_policy', 'generation_behind', NULL, NULL, 'update_to_baseline_generation'),
    ('cups',           'linux', 'linux_failed_services', 'linux_failed_services', 'failed', 'cups.service', NULL, 'LIN-SVC-001'),
    ('rsyslog',        'linux', 'linux_log_forwarding', 'linux_log_forwarding', 'stopped', 'rsyslog.service', 'cannot connect to 10.0.0.5', 'LIN-LOG-001'),
    ('disk full',      'linux', 'linux_disk_space', 'linux_disk_space', 'above_limit', '/var', NULL, 'cleanup_disk_space'),
    ('certificate',    'linux', 'linux_cert_expiry', 'linux_cert_expiry', 'expiring', 'portal', NULL, 'renew_certificate'),
    ('print queue',    'windows', 'print_queue', NULL, NULL, NULL, 'Print queue holds documents for more than one hour', 'RB-WIN-SERVICES-001'),
    ('unknown',        'windows', NULL, NULL, NULL, NULL, NULL, 'RB-WIN-AV-001'),
    ('core service',   'windows', NULL, NULL, NULL, NULL, 'A core service did not answer the control request', 'RB-WIN-SVC-001'),
    ('own runbook',    'windows', 'scanner_agent', 'scanner_agent', 'stopped', 'ScanAgent', NULL, 'RB-CLINIC-SCANNER-001'),
    ('vpn',            'linux', 'vpn_tunnel', NULL, NULL, 'ipsec', 'no answer from peer 203.0.113.9', 'escalate'),
    ('ehr sync',       'windows', 'ehr_sync', NULL, 'delayed', NULL, 'Records wait for transfer since 2026-01-03 17:30:00', 'escalate'),
    ('disk health',    'windows', 'disk_health', 'disk_health', 'predicted_failure', NULL, NULL, 'escalate')
    ) AS k (kind, platform, incident_type, check_type, drift_type, service_name, message, action);

-- 3. Patterns: which site meets which kind how often, and how that usually ends. Most are routine (L1); some
--    the planner solves well (candidates), some it solves badly, some are too young, some go to a person.

CREATE TEMP TABLE demo_patterns ON COMMIT DROP AS
SELECT s.site_id, s.appliances, s.host_prefix, k.*,
       CASE WHEN k.kind IN ('unknown') THEN pg_temp.signature('unknown', NULL, NULL, NULL, NULL)
            ELSE pg_temp.signature(coalesce(k.incident_type, 'unknown'), k.check_type, k.drift_type, k.service_name, k.message)
       END AS pattern_signature,
       p.profile,
       CASE p.profile
            WHEN 'routine'   THEN 25 + floor(110 * pg_temp.draw(s.site_id, k.kind, 'count'))
            WHEN 'candidate' THEN 6 + floor(30 * pg_temp.draw(s.site_id, k.kind, 'count'))
            WHEN 'failing'   THEN 8 + floor(24 * pg_temp.draw(s.site_id, k.kind, 'count'))
            WHEN 'young'     THEN 1 + floor(5 * pg_temp.draw(s.site_id, k.kind, 'count'))
            WHEN 'person'    THEN 3 + floor(20 * pg_temp.draw(s.site_id, k.kind, 'count'))
       END::integer AS executions,
       -- Up to here L1, from there to the next L2, the rest L3.
       CASE p.profile WHEN 'routine' THEN 0.955 WHEN 'candidate' THEN 0.10 WHEN 'failing' THEN 0.15 WHEN 'young' THEN 0.30 ELSE 0.00 END AS l1_share,
       CASE p.profile WHEN 'routine' THEN 0.970 WHEN 'candidate' THEN 0.98 WHEN 'failing' THEN 0.85 WHEN 'young' THEN 0.95 ELSE 0.12 END AS l2_share,
       CASE p.profile WHEN 'routine' THEN 0.99 WHEN 'candidate' THEN 0.985
                      WHEN 'failing' THEN 0.35 + 0.45 * pg_temp.draw(s.site_id, k.kind, 'success')
                      WHEN 'young' THEN 0.93 ELSE 0.20 END AS success_share,
       1 + floor(6 * pg_temp.draw(s.site_id, k.kind, 'hosts'))::integer AS hosts,
       (ARRAY['low', 'medium', 'medium', 'high', 'critical'])[1 + floor(5 * pg_temp.draw(s.site_id, k.kind, 'severity'))::integer] AS severity
  FROM demo_sites s, demo_kinds k,
       LATERAL (SELECT pg_temp.draw(s.site_id, k.kind, 'profile') AS u) AS d,
       LATERAL (SELECT CASE WHEN k.action = 'escalate' THEN 'person'
                            WHEN k.check_type IS NULL THEN 'candidate'
                            WHEN d.u < 0.42 THEN 'routine' WHEN d.u < 0.70 THEN 'candidate'
                            WHEN d.u < 0.84 THEN 'failing' ELSE 'young' END AS profile) AS p
 WHERE pg_temp.draw(s.site_id, k.kind, 'there') < CASE WHEN k.platform = 'linux' THEN 0.40 ELSE 0.62 END
   AND NOT (s.site_id = 'north-valley-dental' AND k.kind = 'spooler');

-- 4. Executions.

CREATE TEMP TABLE demo_executions ON COMMIT DROP AS
SELECT p.site_id, p.pattern_signature, p.platform, p.incident_type, p.check_type, p.drift_type, p.service_name, p.message,
       p.action, p.severity, e.level, e.moment AS completed_at,
       -- Handing an incident to a person heals nothing.
       e.level <> 'L3' AND pg_temp.draw(e.key, 'success') < CASE e.level WHEN 'L1' THEN greatest(p.success_share, 0.97) ELSE p.success_share END AS success,
       (1000 * CASE e.level WHEN 'L1' THEN 2 WHEN 'L2' THEN 25 ELSE 600 END
             * (1 + 4 * power(pg_temp.draw(e.key, 'duration'), 3)))::bigint AS duration_ms,
       p.host_prefix || CASE p.platform WHEN 'linux' THEN '-LNX' ELSE '-WS' END || lpad(e.host::text, 2, '0') AS hostname,
       p.site_id || '-box-' || 1 + e.host % p.appliances AS appliance_id,
       md5('demo execution ' || e.key) AS number
  FROM demo_patterns p,
       generate_series(1, p.executions) AS n,
       LATERAL (SELECT concat_ws(' ', p.site_id, p.kind, n) AS key) AS k,
       LATERAL (SELECT floor(88 * pg_temp.draw(k.key, 'day'))::integer AS days,
                       -- most of it while the clinic is open
                       (CASE WHEN pg_temp.draw(k.key, 'open') < 0.8 THEN 13 + 9 * pg_temp.draw(k.key, 'hour')
                             ELSE 24 * pg_temp.draw(k.key, 'hour') END) * interval '1 hour' AS hour) AS d,
       LATERAL (SELECT date_trunc('day', now()) - d.days * interval '1 day' + d.hour AS at) AS t,
       -- The line of Valley Eye Center is down since this morning.
       LATERAL (SELECT t.at - CASE WHEN t.at > now() - CASE WHEN p.site_id = 'valley-eye-center' THEN interval '6 hours' ELSE '10 minutes' END
                                   THEN interval '1 day' ELSE '0' END AS at) AS past,
       LATERAL (SELECT k.key,
                       past.at - CASE WHEN extract(isodow FROM past.at) > 5 AND pg_temp.draw(k.key, 'weekend') < 0.7
                                      THEN interval '2 days' ELSE '0' END AS moment,
                       CASE WHEN pg_temp.draw(k.key, 'level') < p.l1_share THEN 'L1'
                            WHEN pg_temp.draw(k.key, 'level') < p.l2_share THEN 'L2' ELSE 'L3' END AS level,
                       1 + (floor(p.hosts * pg_temp.draw(k.key, 'host')) + floor(17 * pg_temp.draw(p.site_id, p.kind)))::integer % 20 AS host) AS e
UNION ALL
-- The pattern of the guided tour: 15 occurrences, 12 by L2, 14 successes, seen by both appliances.
SELECT 'north-valley-dental', 'print-spooler-restart', 'windows', 'windows_service', 'windows_service', 'stopped', 'Spooler',
       'The Spooler service terminated unexpectedly', 'RB-WIN-SERVICES-001', 'medium',
       CASE WHEN n IN (2, 7) THEN 'L1' WHEN n = 11 THEN 'L3' ELSE 'L2' END,
       now() - n * interval '4 days 3 hours' + interval '4 days', n <> 11,
       CASE WHEN n IN (2, 7) THEN 3100 WHEN n = 11 THEN 1500000 ELSE 31000 + 1700 * n END,
       'NVD-WS0' || 1 + n % 4, 'north-valley-dental-box-' || CASE WHEN n % 5 < 3 THEN 1 ELSE 2 END,
       md5('demo execution print-spooler-restart ' || n)
  FROM generate_series(1, 15) AS n;

-- 5. Totals of the patterns, per site and per appliance, and each appliance's last report.

CREATE TEMP TABLE demo_reports ON COMMIT DROP AS
SELECT a.appliance_id,
       -- Two have been silent for some days, those of a whole site for some hours; the others report every few minutes.
       now() - CASE WHEN a.appliance_id IN ('valley-eye-center-box-3', 'harbor-cardiology-box-5') THEN interval '6 days 4 hours'
                    WHEN a.site_id = 'valley-eye-center' THEN interval '5 hours 20 minutes'
                    ELSE (1 + 13 * pg_temp.draw(a.appliance_id, 'sync')) * interval '1 minute' END AS synced_at
  FROM site_appliances a JOIN demo_sites USING (site_id);

INSERT INTO aggregated_pattern_stats (id, site_id, pattern_signature, check_type, incident_type, total_occurrences,
       l1_resolutions, l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, recommended_action,
       first_seen, last_seen, last_synced_at)
SELECT md5('demo pattern ' || e.site_id || ' ' || e.pattern_signature)::uuid,
       e.site_id, e.pattern_signature, min(e.check_type), min(e.incident_type), count(*),
       count(*) FILTER (WHERE e.level = 'L1'), count(*) FILTER (WHERE e.level = 'L2'), count(*) FILTER (WHERE e.level = 'L3'),
       count(*) FILTER (WHERE e.success), sum(e.duration_ms), min(e.action),
       min(e.completed_at), max(e.completed_at), max(r.synced_at)
  FROM demo_executions e JOIN demo_reports r USING (appliance_id)
 GROUP BY e.site_id, e.pattern_signature;

INSERT INTO appliance_pattern_stats (appliance_id, pattern_signature, site_id, partner_id, total_occurrences,
       l1_resolutions, l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, last_seen, updated_at)
SELECT e.appliance_id, e.pattern_signature, e.site_id, s.partner_id, count(*),
       count(*) FILTER (WHERE e.level = 'L1'), count(*) FILTER (WHERE e.level = 'L2'), count(*) FILTER (WHERE e.level = 'L3'),
       count(*) FILTER (WHERE e.success), sum(e.duration_ms), max(e.completed_at), max(r.synced_at)
  FROM demo_executions e JOIN demo_reports r USING (appliance_id) JOIN sites s USING (site_id)
 GROUP BY e.appliance_id, e.pattern_signature, e.site_id, s.partner_id;

INSERT INTO appliance_pattern_sync (appliance_id, site_id, partner_id, synced_at, agent_synced_at, patterns_received,
       patterns_accepted, patterns_merged)
SELECT a.appliance_id, a.site_id, a.partner_id, r.synced_at, r.synced_at - interval '2 seconds', count(p.*), 0, count(p.*)
  FROM demo_reports r
  JOIN site_appliances a USING (appliance_id)
  LEFT JOIN appliance_pattern_stats p USING (appliance_id)
 GROUP BY a.appliance_id, r.synced_at;

UPDATE site_appliances a SET last_seen_at = r.synced_at FROM demo_reports r WHERE r.appliance_id = a.appliance_id;

-- 6. Telemetry; its trigger keeps the daily counts.

SELECT ensure_execution_partitions(array_agg(DISTINCT completed_at)) FROM demo_executions;

INSERT INTO execution_telemetry (created_at, received_at, partner_id, site_id, appliance_id, execution_id, incident_id,
       runbook_id, rule_id, pattern_signature, hostname, host_id, platform, incident_type, check_type, severity,
       recommended_action, started_at, completed_at, duration_seconds, success, status, verification_passed, confidence,
       resolution_level, failure_type, error_message, error_step, retry_count, incident, state_before, state_after, executed_steps)
SELECT e.completed_at, e.completed_at + interval '20 seconds', s.partner_id, e.site_id, e.appliance_id,
       'exec-' || left(e.number, 20), 'inc-' || right(e.number, 12),
       CASE WHEN e.level <> 'L3' THEN e.action END,
       CASE WHEN e.level = 'L1' THEN 'L1-' || upper(translate(coalesce(e.check_type, e.incident_type, 'generic'), '_', '-')) || '-001' END,
       e.pattern_signature, e.hostname, lower(e.hostname), e.platform, e.incident_type, e.check_type, e.severity,
       e.action, e.completed_at - e.duration_ms * interval '1 millisecond', e.completed_at, e.duration_ms / 1000.0,
       e.success,
       CASE WHEN e.level = 'L3' THEN 'escalated' WHEN e.success THEN 'completed' ELSE 'failed' END,
       e.level <> 'L3' AND e.success,
       CASE WHEN e.level = 'L2' THEN round((0.62 + 0.36 * pg_temp.draw(e.number, 'confidence'))::numeric, 2) END,
       e.level,
       CASE WHEN e.level = 'L3' THEN 'manual_intervention_needed'
            WHEN NOT e.success THEN (ARRAY['verification_failed', 'timeout', 'execution_error'])[1 + floor(3 * pg_temp.draw(e.number, 'failure'))::integer] END,
       CASE WHEN e.level <> 'L3' AND NOT e.success THEN 'The check still fails after the runbook has run.' END,
       CASE WHEN e.level <> 'L3' AND NOT e.success THEN 'verify' END,
       CASE WHEN e.level <> 'L3' AND NOT e.success THEN 1 ELSE 0 END,
       jsonb_strip_nulls(jsonb_build_object('check_type', e.check_type, 'incident_type', e.incident_type, 'platform', e.platform,
           'hostname', e.hostname, 'host_id', lower(e.hostname), 'drift_detected', true, 'severity', e.severity,
           'details', jsonb_build_object('drift_type', e.drift_type, 'service_name', e.service_name, 'message', e.message))),
       '{"compliant": false}', jsonb_build_object('compliant', e.level <> 'L3' AND e.success),
       CASE WHEN e.level <> 'L3' THEN jsonb_build_array(jsonb_build_object('phase', 'remediate', 'ok', true),
                                                        jsonb_build_object('phase', 'verify', 'ok', e.success)) END
  FROM demo_executions e JOIN sites s USING (site_id)
 ORDER BY e.completed_at, e.number;

INSERT INTO execution_ids (site_id, execution_id, partner_id, created_at)
SELECT t.site_id, t.execution_id, t.partner_id, t.created_at
  FROM execution_telemetry t JOIN demo_sites USING (site_id);

ANALYZE partners, sites, site_appliances, aggregated_pattern_stats, appliance_pattern_stats, appliance_pattern_sync,
        execution_telemetry, execution_ids, site_daily_executions;
\endif
