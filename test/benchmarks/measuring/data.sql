-- Partners, sites, appliances, patterns and executions of a size that is asked for, as of now.
--
-- Run as flywheel_migrate, in one transaction, into a migrated database without such data, with the variables
--   partners    [{"number": 1, "sites": 100}, …], the largest first
--   patterns, executions   how many, altogether
--
-- All chance comes from hashes of row numbers, so the same numbers give the same data, shifted to today. What is drawn are
-- executions; every counter, total and date is summed from them, just as appliances and the server would have done. Of
-- ten patterns three are eligible. Decisions are not in here: data.py makes them through the API.

-- A number from 0 up to 1 that depends on nothing but its arguments.
CREATE FUNCTION pg_temp.draw(row_number bigint, what bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (hashint8extended(row_number, what) & 1099511627775) / 1099511627776.0::double precision $$;

-- ---- partners, sites, appliances ------------------------------------------------------------------------------------

CREATE TEMP TABLE bench_partners ON COMMIT DROP AS
SELECT p.number, p.sites, sum(p.sites) OVER (ORDER BY p.number) - p.sites AS sites_before,
       md5('bench partner ' || p.number)::uuid AS partner_id, 'bench-' || lpad(p.number::text, 3, '0') AS slug
  FROM json_to_recordset(:'partners') AS p (number integer, sites integer);

INSERT INTO partners (id, name, slug, created_at)
SELECT partner_id, 'Bench Partner ' || number, slug, now() - interval '200 days' FROM bench_partners;

CREATE TEMP TABLE bench_sites ON COMMIT DROP AS
SELECT sites_before + n AS number, partner_id, 'bench-site-' || lpad((sites_before + n)::text, 5, '0') AS site_id,
       1 + (sites_before + n) % 3 AS appliances
  FROM bench_partners, generate_series(1, sites) AS n;

INSERT INTO sites (site_id, clinic_name, partner_id, created_at)
SELECT site_id, (ARRAY['Dental', 'Pediatrics', 'Family Medicine', 'Orthopedics', 'Eye Center'])[1 + number % 5] || ' Clinic ' || number,
       partner_id, now() - interval '180 days'
  FROM bench_sites ORDER BY number;

INSERT INTO site_appliances (appliance_id, site_id, partner_id, created_at, last_seen_at)
SELECT site_id || '-box-' || n, site_id, partner_id, now() - interval '150 days', now() - pg_temp.draw(number * 10 + n, 1) * interval '15 minutes'
  FROM bench_sites, generate_series(1, appliances) AS n ORDER BY number, n;

-- ---- what goes wrong ------------------------------------------------------------------------------------------------

-- Kinds are of the shipped catalogue, as far as people may approve its runbooks; a particular service or message tells one kind
-- from the next of the same check. Sites meet the same kinds, so they share signatures, as real ones do.
CREATE TEMP TABLE bench_kinds ON COMMIT DROP AS
SELECT n AS kind, left(encode(sha256(convert_to('bench kind ' || n, 'UTF8')), 'hex'), 16) AS pattern_signature,
       t.check_type, t.runbook_id, t.platform, 'Service' || n AS service_name
  FROM (SELECT c.check_type, r.runbook_id, r.platform, row_number() OVER (ORDER BY c.check_type) - 1 AS place, count(*) OVER () AS places
          FROM runbook_check_types c JOIN runbooks r USING (runbook_id) WHERE r.risk_tier <> 'R3') AS t,
       generate_series(0, greatest(2 * :patterns / (SELECT count(*) FROM bench_sites), 43)) AS n
 WHERE n % t.places = t.place;

CREATE TEMP TABLE bench_patterns ON COMMIT DROP AS
WITH placed AS (
    SELECT n AS number, 1 + (n - 1) * (SELECT count(*) FROM bench_sites) / :patterns AS site_number,
           CASE WHEN n % 10 IN (0, 3, 6) THEN 'candidate' WHEN n % 10 IN (1, 5) THEN 'young' WHEN n % 10 = 9 THEN 'person'
                WHEN n % 10 = 4 THEN 'failing' ELSE 'routine' END AS profile
      FROM generate_series(1, :patterns::bigint) AS n
), weighed AS (
    SELECT *, row_number() OVER (PARTITION BY site_number ORDER BY number) AS place,
           CASE profile WHEN 'candidate' THEN 1.0 + 0.6 * pg_temp.draw(number, 2) WHEN 'young' THEN 0.15 + 0.1 * pg_temp.draw(number, 2)
                        ELSE 0.8 + 0.8 * pg_temp.draw(number, 2) END AS weight
      FROM placed
), shared AS (
    SELECT *, floor(:executions * (sum(weight) OVER w / sum(weight) OVER ()))::bigint AS executions_until
      FROM weighed WINDOW w AS (ORDER BY number)
)
SELECT p.number, p.site_number, p.profile, k.kind,
       (executions_until - coalesce(lag(executions_until) OVER (ORDER BY p.number), 0))::integer AS executions
  FROM shared p
  JOIN bench_kinds k ON k.kind = (p.place + 7 * p.site_number) % (SELECT count(*) FROM bench_kinds);
CREATE INDEX ON bench_patterns (number);
ANALYZE bench_sites, bench_kinds, bench_patterns;

-- ---- executions: level and success by the pattern's profile, so that exactly the candidates are eligible ----------------

CREATE TEMP TABLE bench_executions ON COMMIT DROP AS
SELECT e.*, row_number() OVER () AS execution FROM (
    SELECT p.number AS pattern, now() - pg_temp.draw(p.number * 100000 + n, 3) * interval '89 days' AS completed_at, level.is AS level,
           level.is <> 'L3' AND CASE p.profile WHEN 'candidate' THEN n % 20 <> 19 WHEN 'failing' THEN n % 2 = 0 ELSE n % 40 <> 39 END AS success,
           (CASE level.is WHEN 'L1' THEN 2000 WHEN 'L2' THEN 25000 ELSE 600000 END
                 * (1 + 4 * power(pg_temp.draw(p.number * 100000 + n, 4), 3)))::bigint AS duration_ms,
           (hashint8extended(p.number * 100000 + n, 5) & 1023)::integer AS host
      FROM bench_patterns p, generate_series(1, p.executions) AS n,
           LATERAL (SELECT CASE p.profile WHEN 'candidate' THEN CASE WHEN n % 10 IN (4, 8) THEN 'L1' WHEN n % 40 = 33 THEN 'L3' ELSE 'L2' END
                                          WHEN 'young' THEN CASE WHEN n <= 2 THEN 'L2' ELSE 'L1' END
                                          WHEN 'failing' THEN CASE WHEN n % 5 = 0 THEN 'L1' ELSE 'L2' END
                                          WHEN 'person' THEN 'L3'
                                          ELSE CASE WHEN n = 7 THEN 'L2' WHEN n % 50 = 49 THEN 'L3' ELSE 'L1' END END AS is) AS level
     ORDER BY 2) AS e;
ANALYZE bench_executions;

-- ---- counters, per site and per appliance -------------------------------------------------------------------------------

CREATE TEMP VIEW bench_facts AS
SELECT e.*, p.profile, s.site_id, s.partner_id, k.pattern_signature, k.check_type, k.platform, k.service_name,
       CASE p.profile WHEN 'person' THEN 'escalate' ELSE k.runbook_id END AS action,
       s.site_id || '-box-' || 1 + e.host % s.appliances AS appliance_id
  FROM bench_executions e
  JOIN bench_patterns p ON p.number = e.pattern JOIN bench_sites s ON s.number = p.site_number JOIN bench_kinds k USING (kind);

INSERT INTO aggregated_pattern_stats (id, partner_id, site_id, pattern_signature, check_type, incident_type, total_occurrences,
       l1_resolutions, l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, recommended_action,
       first_seen, last_seen, last_synced_at)
SELECT md5('bench pattern ' || pattern)::uuid, partner_id, site_id, pattern_signature, check_type, check_type, count(*),
       count(*) FILTER (WHERE level = 'L1'), count(*) FILTER (WHERE level = 'L2'), count(*) FILTER (WHERE level = 'L3'),
       count(*) FILTER (WHERE success), sum(duration_ms), action, min(completed_at), max(completed_at), now()
  FROM bench_facts GROUP BY pattern, partner_id, site_id, pattern_signature, check_type, action;

INSERT INTO appliance_pattern_stats (appliance_id, pattern_signature, site_id, partner_id, total_occurrences, l1_resolutions,
       l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, last_seen, updated_at)
SELECT appliance_id, pattern_signature, site_id, partner_id, count(*),
       count(*) FILTER (WHERE level = 'L1'), count(*) FILTER (WHERE level = 'L2'), count(*) FILTER (WHERE level = 'L3'),
       count(*) FILTER (WHERE success), sum(duration_ms), max(completed_at), now()
  FROM bench_facts GROUP BY appliance_id, pattern_signature, site_id, partner_id;

INSERT INTO appliance_pattern_sync (appliance_id, site_id, partner_id, synced_at, agent_synced_at, patterns_received, patterns_merged)
SELECT a.appliance_id, a.site_id, a.partner_id, a.last_seen_at, a.last_seen_at - interval '2 seconds', count(p.*), count(p.*)
  FROM site_appliances a LEFT JOIN appliance_pattern_stats p USING (appliance_id)
 GROUP BY a.appliance_id;

-- ---- telemetry; its trigger keeps the daily counts ------------------------------------------------------------------------

SELECT ensure_execution_partitions(array_agg(DISTINCT date_trunc('day', completed_at))) FROM bench_executions;

INSERT INTO execution_telemetry (created_at, received_at, partner_id, site_id, appliance_id, execution_id, incident_id, runbook_id,
       rule_id, pattern_signature, hostname, host_id, platform, incident_type, check_type, severity, recommended_action, started_at,
       completed_at, duration_seconds, success, status, verification_passed, confidence, resolution_level, failure_type,
       error_message, error_step, retry_count, incident, state_before, state_after, executed_steps)
SELECT completed_at, completed_at + interval '20 seconds', partner_id, site_id, appliance_id, 'exec-' || execution, 'inc-' || execution,
       CASE WHEN level <> 'L3' THEN action END, CASE WHEN level = 'L1' THEN 'L1-' || upper(translate(check_type, '_', '-')) || '-001' END,
       pattern_signature, host_name, lower(host_name), platform, check_type, check_type,
       (ARRAY['low', 'medium', 'medium', 'high', 'critical'])[1 + host % 5], action,
       completed_at - duration_ms * interval '1 millisecond', completed_at, duration_ms / 1000.0, success,
       CASE WHEN level = 'L3' THEN 'escalated' WHEN success THEN 'completed' ELSE 'failed' END, success,
       CASE WHEN level = 'L2' THEN round((0.62 + host / 3000.0)::numeric, 2) END, level,
       CASE WHEN level = 'L3' THEN 'manual_intervention_needed' WHEN NOT success THEN 'verification_failed' END,
       CASE WHEN level <> 'L3' AND NOT success THEN 'The check still fails after the runbook has run.' END,
       CASE WHEN level <> 'L3' AND NOT success THEN 'verify' END, CASE WHEN level <> 'L3' AND NOT success THEN 1 ELSE 0 END,
       jsonb_build_object('check_type', check_type, 'incident_type', check_type, 'platform', platform, 'hostname', host_name,
                          'drift_detected', true, 'details', jsonb_build_object('service_name', service_name)),
       '{"compliant": false}', jsonb_build_object('compliant', success),
       CASE WHEN level <> 'L3' THEN jsonb_build_array(jsonb_build_object('phase', 'remediate', 'ok', true),
                                                      jsonb_build_object('phase', 'verify', 'ok', success)) END
  FROM (SELECT *, upper(right(site_id, 5)) || CASE platform WHEN 'linux' THEN '-LNX' ELSE '-WS' END || host % 20 AS host_name
          FROM bench_facts) AS f;

INSERT INTO execution_ids (site_id, execution_id, partner_id, created_at)
SELECT site_id, 'exec-' || execution, partner_id, completed_at FROM bench_facts;
