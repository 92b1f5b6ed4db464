-- Plans: under row security, lists still come out of an index in the right order.
\ir lib/begin.psql
SELECT no_plan();
-- Many partners, of which A is one of the larger.
INSERT INTO partners (id, name, slug) SELECT md5('plans ' || n)::uuid, 'P' || n, 'plans-' || n FROM generate_series(1, 20) AS n;
INSERT INTO sites (site_id, clinic_name, partner_id) SELECT 'plans-' || n, 'S', CASE WHEN n <= 5 THEN :'a' ELSE md5('plans ' || 1 + n % 20) END::uuid FROM generate_series(1, 100) AS n;
INSERT INTO aggregated_pattern_stats (site_id, pattern_signature, total_occurrences, l2_resolutions, success_count, recommended_action, first_seen, last_seen)
SELECT 'plans-' || s, 'p' || n, 20, CASE WHEN n % 3 = 0 THEN 10 ELSE 0 END, 15 + n % 6, 'RB-WIN-AV-001', now() - n * interval '1 hour', now() - n * interval '1 minute'
  FROM generate_series(1, 100) AS s, generate_series(1, 100) AS n;
INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id, pattern_signature)
SELECT now() - n * interval '1 second', s.partner_id, s.site_id, 'plans ' || n, 'p' || n % 7 FROM sites s, generate_series(1, 200) AS n WHERE s.site_id LIKE 'plans-%';
ANALYZE aggregated_pattern_stats, sites, partners, execution_telemetry;
\ir lib/roles.psql

CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    line  text;
    whole text := '';
BEGIN
    PERFORM set_config('role', 'flywheel_read', true), set_config('plan_cache_mode', 'force_generic_plan', true);
    EXECUTE 'PREPARE planned (integer) AS ' || statement;
    FOR line IN EXECUTE 'EXPLAIN EXECUTE planned (51)' LOOP
        whole := whole || line || E'\n';
    END LOOP;
    DEALLOCATE planned;
    PERFORM set_config('role', 'none', true);
    RETURN whole;
END
$$;
CREATE FUNCTION pg_temp.walks(index text, statement text, what text) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    plan text := pg_temp.plan_of(statement);
BEGIN
    RETURN NEXT ok(plan LIKE '%' || index || '%', what || ' walks ' || index) || CASE WHEN plan LIKE '%' || index || '%' THEN '' ELSE E'\n' || diag(plan) END;
    RETURN NEXT ok(plan NOT LIKE '%Sort Key%', what || ' is not sorted again') || CASE WHEN plan NOT LIKE '%Sort Key%' THEN '' ELSE E'\n' || diag(plan) END;
    RETURN NEXT ok(plan NOT LIKE '%Seq Scan on aggregated%' AND plan NOT LIKE '%Seq Scan on execution%', what || ' reads no whole table');
END
$$;
SET LOCAL flywheel.partner_id = :'a';
SELECT pg_temp.walks('candidates_by_rank', 'SELECT a.id, s.clinic_name FROM aggregated_pattern_stats a JOIN sites s ON s.site_id = a.site_id
    WHERE a.partner_id = current_partner() AND a.is_candidate
    ORDER BY a.is_undecided DESC, a.success_rate DESC, a.total_occurrences DESC, a.id DESC LIMIT $1', 'the list of candidates');
SELECT pg_temp.walks('candidates_by_rank', 'SELECT a.id FROM aggregated_pattern_stats a WHERE a.is_candidate
    ORDER BY a.is_undecided DESC, a.success_rate DESC, a.total_occurrences DESC, a.id DESC LIMIT $1', 'the same without its filter');
SELECT pg_temp.walks('candidates_by_rank', 'SELECT a.id FROM aggregated_pattern_stats a WHERE a.partner_id = current_partner() AND a.is_candidate
    AND (a.is_undecided, a.success_rate, a.total_occurrences, a.id) < (true, 0.97, 20, ''ffffffff-ffff-ffff-ffff-ffffffffffff'')
    ORDER BY a.is_undecided DESC, a.success_rate DESC, a.total_occurrences DESC, a.id DESC LIMIT $1', 'its second page');
SELECT pg_temp.walks('candidates_by_' || name, format('SELECT a.id FROM aggregated_pattern_stats a WHERE a.partner_id = current_partner() AND a.is_candidate
    ORDER BY a.%1$s %2$s, a.id %2$s LIMIT $1', sort, direction), format('the list by %s %s', sort, direction))
  FROM (VALUES ('success_rate', 'success_rate'), ('occurrences', 'total_occurrences'), ('last_seen', 'last_seen'), ('first_seen', 'first_seen')) AS v (name, sort),
       unnest(ARRAY['ASC', 'DESC']) AS direction;
SELECT pg_temp.walks('candidates_by_rank', 'SELECT * FROM v_partner_promotion_candidates WHERE partner_id = current_partner()
    ORDER BY is_undecided DESC, success_rate DESC, total_occurrences DESC, id DESC LIMIT $1', 'the view of candidates');
SELECT ok(pg_temp.plan_of('SELECT * FROM v_partner_learning_stats WHERE partner_id = current_partner() LIMIT $1') LIKE '%patterns_of_partner%', 'P14: a partner''s sums come from one index');
CREATE FUNCTION pg_temp.walks_history(index text, condition text, what text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT ok(plan LIKE '%Index Scan using execution_telemetry_%' || index || '%' AND plan NOT LIKE '%Bitmap%' AND plan NOT LIKE '%Sort Key: e.created_at%'
              OR plan LIKE '%Merge Append%' || index || '%', what || ' comes in the order of an index') || E'\n' || diag(plan)
      FROM pg_temp.plan_of('SELECT e.execution_id FROM execution_telemetry e JOIN sites s ON s.site_id = e.site_id WHERE e.partner_id = current_partner() '
                           || condition || ' ORDER BY e.created_at DESC, e.id DESC LIMIT $1') AS plan
    $$;
SELECT pg_temp.walks_history('partner_id_created_at_id', 'AND (e.created_at, e.id) < (now(), 9223372036854775807)', 'the history');
SELECT pg_temp.walks_history('partner_id_site_id_created_at', 'AND e.site_id = ''plans-1''', 'the history of a site');
SELECT pg_temp.walks_history('partner_id_site_id_pattern_sig', 'AND e.site_id = ''plans-1'' AND e.pattern_signature = ''p1''', 'P16: the history of one pattern');
SELECT * FROM finish();
ROLLBACK;
