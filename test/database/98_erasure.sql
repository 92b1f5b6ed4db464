-- Erasure of a site: of it nothing is left in any table, of others nothing is missing, and the log says what happened.
\ir lib/begin.psql
SELECT no_plan();
SET CONSTRAINTS ALL IMMEDIATE;
\ir lib/roles.psql

INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, site_id, before, after, reason)
SELECT s.partner_id, 'user', 'kim@example', 'candidate.rejected', 'candidate', n::text, s.site_id, '{"x": 1}', '{"x": 2}', 'Mrs. Miller asked'
  FROM sites s, generate_series(1, 3) AS n WHERE s.site_id IN ('a-one', 'a-two', 'b-one');
INSERT INTO idempotency_keys (caller, key, partner_id, request_hash, status, body) VALUES
    (gen_random_uuid(), 'of a-one', :'a', sha256('x'), 200, '{"site_id":"a-one","rule_yaml":"x"}'),
    (gen_random_uuid(), 'of a-two', :'a', sha256('x'), 200, '{"site_id":"a-two","rule_yaml":"x"}');

-- Every table with a column for the site, whatever migration adds it.
CREATE TEMP VIEW of_sites AS
SELECT c.relname::text AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE a.attname = 'site_id' AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition;
CREATE FUNCTION pg_temp.count_of(relation text, site text) RETURNS bigint
    LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I WHERE site_id = %L', relation, site) INTO n; RETURN n; END $$;
CREATE FUNCTION pg_temp.contents(relation text) RETURNS bigint
    LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT hashtextextended(coalesce(string_agg(t::text, E''\n'' ORDER BY t::text), ''''), 0) FROM %I t WHERE NOT (to_jsonb(t) @> ''{"site_id": "a-one"}'')', relation) INTO n; RETURN n; END $$;
SELECT ok(count(*) >= 11, 'there are tables of sites') FROM of_sites;
SELECT ok(pg_temp.count_of(name, 'a-one') > 0, name || ' has something of the site') FROM of_sites ORDER BY name;
CREATE TEMP TABLE others AS SELECT name, pg_temp.contents(name) AS was FROM of_sites WHERE name <> 'promotion_audit_log';
CREATE TEMP TABLE log_before AS SELECT * FROM promotion_audit_log;

SELECT count_site_rows('a-one')::text AS counts \gset
SELECT close_site('a-one', 'olga') \g /dev/null
SELECT is((SELECT count(*) FROM site_appliances WHERE site_id = 'a-one' AND status = 'active'), 0::bigint, 'first nothing more arrives');
SELECT is((SELECT outcome FROM authenticate(NULL, NULL, sha256('token of a-one-1'))), 'unknown', 'a token of the site opens nothing');
SELECT is((SELECT count(*) FROM promotion_audit_log WHERE action = 'appliance.revoked' AND actor = 'olga'), 2::bigint, 'which is logged');
SELECT is(erase_site_history('a-one', 1), 1::bigint, 'then the history goes, a part at a time');
SELECT is(erase_site_history('a-one', 1000), 0::bigint, 'until there is none');
SELECT lives_ok(format('SELECT erase_site(%L, %L, %L)', 'a-one', 'olga', :'counts'), 'then everything else');

SELECT is(pg_temp.count_of(name, 'a-one'), 0::bigint, 'nothing of the site is left in ' || name) FROM of_sites WHERE name <> 'promotion_audit_log' ORDER BY name;
SELECT is((SELECT count(*) FROM appliance_tokens WHERE appliance_id LIKE 'a-one%'), 0::bigint, 'nor a token');
SELECT is((SELECT count(*) FROM promoted_rule_versions v WHERE NOT EXISTS (SELECT FROM promoted_rules r WHERE r.id = v.promoted_rule_id)), 0::bigint, 'nor a version of a rule');
SELECT is((SELECT array_agg(key) FROM idempotency_keys WHERE key LIKE 'of%'), '{of a-two}'::text[], 'nor an answer that was kept');
SELECT is(pg_temp.contents(name), was, 'of other sites nothing is changed in ' || name) FROM others ORDER BY name;

SELECT is((SELECT count(*) FROM promotion_audit_log l JOIN log_before b USING (id)), (SELECT count(*) FROM log_before), 'the log has all its entries');
SELECT is((SELECT count(*) FROM promotion_audit_log WHERE site_id = 'a-one' AND num_nonnulls(before, after, reason) > 0 AND action <> 'site.erased'), 0::bigint, 'without what people wrote about the site');
SELECT set_eq('SELECT l.* FROM promotion_audit_log l JOIN log_before b USING (id) WHERE b.site_id IS DISTINCT FROM ''a-one''',
              'SELECT * FROM log_before WHERE site_id IS DISTINCT FROM ''a-one''', 'entries of others are as they were');
SELECT is((SELECT actor || ' ' || (after ->> 'execution_telemetry') || ' ' || (after ->> 'promoted_rules') FROM promotion_audit_log WHERE action = 'site.erased'), 'olga 1 1', 'and says who erased what');
SELECT is_empty(format('SELECT * FROM verify_audit_chain(%L)', id), 'the chain of ' || slug || ' is whole') FROM partners ORDER BY slug;
SELECT throws_ok($$SELECT erase_site('a-one', 'olga', '{}')$$, 'P0002', NULL, 'a second time there is no such site');
SELECT lives_ok($$INSERT INTO sites (site_id, clinic_name, partner_id) SELECT 'a-one', 'Another', id FROM partners WHERE slug = 'a'$$, 'the id may be used again');
SELECT * FROM finish();
ROLLBACK;
