-- Candidates to be approved, of a partner of their own: pattern n of `count` at the site n modulo `sites`, seen by that site's
-- appliance. Id and signature follow from n, so that callers can name the next one without asking.
CREATE TEMP TABLE seeds ON COMMIT DROP AS
SELECT n, :'slug' || '-' || n % :sites AS site_id, to_hex(:tag * 1048576::bigint + n) AS tail FROM generate_series(1, :count::bigint) AS n;

INSERT INTO aggregated_pattern_stats (id, site_id, pattern_signature, check_type, incident_type, total_occurrences, l2_resolutions,
       success_count, total_resolution_time_ms, recommended_action)
SELECT ('00000000-0000-4000-8000-' || lpad(tail, 12, '0'))::uuid, site_id, lpad(tail, 8, '0') || '00000000', 'windows_service', 'windows_service',
       15, 12, 14, 400000, 'RB-WIN-SERVICES-001'
  FROM seeds;

INSERT INTO appliance_pattern_stats (appliance_id, pattern_signature, site_id, partner_id, total_occurrences, l1_resolutions, l2_resolutions,
       l3_resolutions, success_count, total_resolution_time_ms, last_seen)
SELECT site_id || '-box', pattern_signature, site_id, partner_id, 15, 0, 12, 0, 14, 400000, last_seen
  FROM aggregated_pattern_stats a JOIN seeds USING (site_id) WHERE a.pattern_signature = lpad(seeds.tail, 8, '0') || '00000000';
