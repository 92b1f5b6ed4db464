-- Row security: a statement without any filter still gives and changes nothing of another partner's.
\ir lib/begin.psql
SELECT no_plan();
\ir lib/roles.psql

-- Every relation that holds somebody's data, and the column that says whose.
CREATE TEMP VIEW tenant_relations AS
SELECT c.oid, c.relname::text AS name, c.relkind, CASE c.relname WHEN 'partners' THEN 'id' ELSE 'partner_id' END AS owner
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
   AND c.relname NOT IN ('runbooks', 'runbook_check_types', 'schema_migrations', 'retention_periods', 'sign_in_failures'); -- the last is nobody's: see 75_lockout

SELECT is((SELECT count(*) FROM tenant_relations) >= 22, true, 'there are relations to look at');
SELECT ok(relrowsecurity AND relforcerowsecurity, 'row security is forced on ' || name)
  FROM tenant_relations JOIN pg_class USING (oid) WHERE tenant_relations.relkind <> 'v' ORDER BY name;
SELECT ok(coalesce(reloptions @> ARRAY['security_invoker=true'], false), name || ' runs with the rights of whoever asks')
  FROM tenant_relations JOIN pg_class USING (oid) WHERE tenant_relations.relkind = 'v' ORDER BY name;
SELECT has_column('public', name, owner, name || ' says whose each row is') FROM tenant_relations ORDER BY name;
SELECT ok(NOT has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE'), role || ' does not reach the partition ' || c.relname || ' past its parent')
  FROM pg_class c, unnest(ARRAY['flywheel_read', 'flywheel_decide', 'flywheel_agent', 'flywheel_account', 'flywheel_access']) AS role
 WHERE c.relispartition AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY role, c.relname;
SELECT ok(NOT rolsuper AND NOT rolbypassrls AND NOT rolcreaterole AND NOT rolcreatedb AND NOT rolreplication, rolname || ' has no way past row security')
  FROM pg_roles WHERE rolname LIKE 'flywheel%' ORDER BY rolname;
SELECT is((SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'flywheel%'), 0::bigint, 'no role has another''s rights');

-- As a role: counts what a query without a filter gives. `own` rows are partner A's (for an appliance, its site's).
CREATE FUNCTION pg_temp.seen(role text, relation text, owner text, OUT own bigint, OUT foreign_rows bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    mine text := format('%I = ''aaaaaaaa-0000-4000-8000-000000000001''', owner);
BEGIN
    IF role = 'flywheel_agent' THEN
        mine := 'site_id = ''a-one''';
    ELSIF relation = 'learning_thresholds' THEN
        mine := mine || ' OR partner_id IS NULL'; -- those that hold for everybody
    END IF;
    PERFORM set_config('role', role, true);
    EXECUTE format('SELECT count(*) FILTER (WHERE %1$s), count(*) FILTER (WHERE NOT coalesce(%1$s, false)) FROM %2$I', mine, relation)
       INTO own, foreign_rows;
    PERFORM set_config('role', 'none', true);
END
$$;
CREATE TEMP VIEW readable AS
SELECT role, t.* FROM tenant_relations t, unnest(ARRAY['flywheel_read', 'flywheel_decide', 'flywheel_agent', 'flywheel_account', 'flywheel_access']) AS role
 WHERE has_table_privilege(role, t.oid, 'SELECT') AND NOT (role = 'flywheel_agent' AND name = 'learning_thresholds');
SELECT is((SELECT count(DISTINCT role) FROM readable), 5::bigint, 'every handler''s role reads something');

-- Without a partner: nothing. (Sign-in must find an account first: its tables are open until it has.)
SELECT is(s.own + s.foreign_rows, CASE name WHEN 'learning_thresholds' THEN 1 ELSE 0 END::bigint, role || ' without a partner gets nothing from ' || name)
  FROM readable, pg_temp.seen(role, name, owner) AS s
 WHERE NOT (role = 'flywheel_account' AND name IN ('users', 'sessions', 'partners', 'password_links')) ORDER BY role, name;
SELECT is((SELECT array_agg(name ORDER BY name) FROM readable, pg_temp.seen(role, name, owner) AS s
            WHERE role = 'flywheel_account' AND s.own + s.foreign_rows > 0), '{partners,password_links,sessions,users}'::text[], 'sign-in without a partner sees accounts, and nothing else');
SET LOCAL flywheel.partner_id = '';
SET LOCAL flywheel.site_id = '';
SELECT is(s.own + s.foreign_rows, CASE name WHEN 'learning_thresholds' THEN 1 ELSE 0 END::bigint, role || ' with an empty partner gets nothing from ' || name)
  FROM readable, pg_temp.seen(role, name, owner) AS s
 WHERE role <> 'flywheel_account' ORDER BY role, name;
SET LOCAL flywheel.partner_id = 'everybody';
SELECT throws_ok(format('SELECT * FROM pg_temp.seen(%L, %L, %L)', role, name, owner), '22P02', NULL, role || ' with nonsense for a partner is refused ' || name)
  FROM readable WHERE relkind <> 'v' AND role = 'flywheel_read' ORDER BY name;

-- As partner A, without a filter: A's rows, all relations, and no others.
SET LOCAL flywheel.partner_id = :'a';
SET LOCAL flywheel.site_id = 'a-one';
SET LOCAL flywheel.appliance_id = 'a-one-1';
SELECT is(s.foreign_rows, 0::bigint, role || ' without a filter gets no other partner''s rows from ' || name)
  FROM readable, pg_temp.seen(role, name, owner) AS s ORDER BY role, name;
SELECT cmp_ok(s.own, '>', 0::bigint, role || ' gets its own from ' || name)
  FROM readable, pg_temp.seen(role, name, owner) AS s ORDER BY role, name;

-- Changing without a filter changes only A's.
-- (Each change is undone again.)
CREATE FUNCTION pg_temp.changed(role text, statement text, relation text, owner text, OUT own bigint, OUT foreign_rows bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM set_config('role', role, true);
    EXECUTE format('WITH done AS (%s RETURNING %I AS owner) SELECT count(*) FILTER (WHERE owner = current_partner()), '
                   'count(*) FILTER (WHERE owner IS DISTINCT FROM current_partner()) FROM done', statement, owner) INTO own, foreign_rows;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    NULL;
END
$$;
CREATE TEMP VIEW changeable AS
SELECT r.role, r.name, r.owner, format('UPDATE %1$I SET %2$I = %2$I', r.name, min(a.attname::text)) AS statement
  FROM readable r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE r.relkind <> 'v' AND has_column_privilege(r.role, r.oid, a.attnum, 'UPDATE')
 GROUP BY r.role, r.name, r.owner
UNION ALL
SELECT role, name, owner, format('DELETE FROM %I', name) FROM readable WHERE relkind <> 'v' AND has_table_privilege(role, oid, 'DELETE');
SELECT is((SELECT count(*) FROM changeable) >= 13, true, 'there are changes to try');
SELECT is(d.foreign_rows, 0::bigint, role || ': ' || statement || ' changes no other partner''s rows')
  FROM changeable, pg_temp.changed(role, statement, name, owner) AS d ORDER BY role, statement;
SELECT cmp_ok(d.own, '>', 0::bigint, role || ': ' || statement || ' changes its own')
  FROM changeable, pg_temp.changed(role, statement, name, owner) AS d WHERE statement NOT LIKE 'DELETE%' ORDER BY role, statement;

-- Writing a row for another partner, or for another partner's site.
CREATE FUNCTION pg_temp.refused(role text, statement text, what text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    state   text;
    message text := 'it was done';
BEGIN
    BEGIN
        PERFORM set_config('role', role, true);
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
    END;
    PERFORM set_config('role', 'none', true);
    RETURN ok(message LIKE '%row-level security%' OR state = '23503', role || ' cannot write ' || what || ' (' || message || ')');
END
$$;
SELECT pg_temp.add_pattern('b-one', 'new'), pg_temp.add_pattern('a-one', 'new') \g /dev/null
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature) VALUES (%L, %L, 'new')$$, p, s), 'a candidate of ' || w)
  FROM (VALUES (:'b', 'b-one', 'another partner'), (:'b', 'a-one', 'its own site in another''s name'), (:'a', 'b-one', 'another''s site in its own name')) AS v (p, s, w);
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO promoted_rules (rule_id, pattern_signature, site_id, partner_id, name, rule_yaml, rule_json, rule_digest, yaml_digest, promoted_by) VALUES ('R-1', 'new', %L, %L, 'n', 'y', '{"id": "R-1", "name": "n"}', repeat('0', 64), repeat('0', 64), 'x')$$, s, p), 'a rule of ' || w)
  FROM (VALUES (:'b', 'b-one', 'another partner'), (:'b', 'a-one', 'its own site in another''s name'), (:'a', 'b-one', 'another''s site in its own name')) AS v (p, s, w);
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO promoted_rule_versions (promoted_rule_id, version, partner_id, name, rule_yaml, rule_json, rule_digest, yaml_digest, promoted_by) VALUES (%L, 7, %L, 'n', 'y', '{}', 'd', 'd', 'x')$$, r.id, p), 'a version of another''s rule')
  FROM promoted_rules r, unnest(ARRAY[:'a', :'b']) AS p WHERE r.site_id = 'b-one' AND r.pattern_signature = 'pattern';
DELETE FROM promoted_rule_deployments WHERE site_id = 'b-one';
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO promoted_rule_deployments (rule_id, site_id, appliance_id, partner_id, rule_version) VALUES ('L1-PROMOTED-B1', 'b-one', 'b-one-1', %L, 1)$$, p), 'a delivery to another''s appliance')
  FROM unnest(ARRAY[:'a', :'b']) AS p;
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (%L, 'user', 'x', 'rule.created', 'rule', '1')$$, :'b'), 'another''s log');
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (%L, 'user', 'x', 'user.created', 'user', '1')$$, :'a'), 'an operator''s event');
SELECT pg_temp.refused('flywheel_decide', format($$INSERT INTO idempotency_keys (caller, key, partner_id, request_hash) VALUES (gen_random_uuid(), 'k', %L, sha256(''))$$, :'b'), 'another''s answer');
SELECT pg_temp.refused('flywheel_account', format($$INSERT INTO sessions (token_hash, user_id, partner_id, expires_at) SELECT sha256('new'), '00000000-0000-4000-8000-0000000000b1', %L, now() + interval '1 hour'$$, p), 'another partner''s session once it has a partner')
  FROM unnest(ARRAY[:'a', :'b']) AS p;
SELECT pg_temp.refused('flywheel_account', format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (%L, 'user', 'x', 'user.signed_in', 'user', '1')$$, :'b'), 'another''s log');
SELECT pg_temp.refused('flywheel_account', format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (%L, 'user', 'x', 'rule.archived', 'rule', '1')$$, :'a'), 'a decision''s event');

-- P24: an appliance writes for its own site, and counters of its own only.
SELECT pg_temp.refused('flywheel_agent', format($$INSERT INTO aggregated_pattern_stats (partner_id, site_id, pattern_signature) VALUES (%L, %L, 'newer')$$, p, s), 'P24: a pattern of ' || w)
  FROM (VALUES (:'b', 'b-one', 'another partner'), (:'a', 'a-two', 'another site of its partner'), (:'b', 'a-one', 'its own site in another''s name'), (:'a', 'b-one', 'another''s site in its own name')) AS v (p, s, w);
SELECT pg_temp.refused('flywheel_agent', format($$INSERT INTO appliance_pattern_stats (appliance_id, pattern_signature, site_id, partner_id, total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, last_seen) VALUES (%L, 'new', %L, %L, 1, 1, 0, 0, 1, 1, now())$$, d, s, p), 'P17: counters of ' || w)
  FROM (VALUES ('b-one-1', 'b-one', :'b', 'another partner'), ('a-two-1', 'a-two', :'a', 'another site'), ('a-one-2', 'a-one', :'a', 'its neighbour'), ('a-one-1', 'b-one', :'b', 'itself at another site')) AS v (d, s, p, w);
SELECT pg_temp.refused('flywheel_agent', format($$INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id) VALUES (now(), %L, %L, 'e')$$, p, s), 'P24: an execution of ' || w)
  FROM (VALUES (:'b', 'b-one', 'another partner'), (:'a', 'a-two', 'another site'), (:'a', 'b-one', 'another''s site in its own name')) AS v (p, s, w);
SELECT pg_temp.refused('flywheel_agent', format($$INSERT INTO execution_ids (created_at, partner_id, site_id, execution_id) VALUES (now(), %L, 'b-one', 'e')$$, :'b'), 'P24: an execution''s id of another partner');
SELECT is((SELECT own FROM pg_temp.changed('flywheel_agent', $$UPDATE appliance_pattern_stats SET total_occurrences = 100 WHERE appliance_id <> 'a-one-1'$$, NULL, 'partner_id')), 0::bigint, 'P17: an appliance does not overwrite its neighbour''s counters');
SELECT is((SELECT own FROM pg_temp.changed('flywheel_agent', $$UPDATE site_appliances SET last_seen_at = now()$$, NULL, 'partner_id')), 1::bigint, 'an appliance says only of itself that it was seen');
SELECT is((SELECT own FROM pg_temp.changed('flywheel_agent', $$UPDATE appliance_pattern_sync SET synced_at = now()$$, NULL, 'partner_id')), 1::bigint, 'and that it has reported');
SELECT is((SELECT own FROM pg_temp.changed('flywheel_agent', $$UPDATE appliance_rule_sync SET acknowledged_at = now()$$, NULL, 'partner_id')), 1::bigint, 'P24: an appliance acknowledges for itself only');
SELECT is((SELECT own FROM pg_temp.changed('flywheel_agent', $$UPDATE promoted_rule_deployments SET delivered_at = now()$$, NULL, 'partner_id')), 1::bigint, 'P24: and says of its own deliveries only what became of them');
DELETE FROM appliance_rule_sync;
SELECT pg_temp.refused('flywheel_agent', format($$INSERT INTO appliance_rule_sync (appliance_id, site_id, partner_id, acknowledged_revision) VALUES (%L, %L, %L, 1)$$, d, s, p), 'P24: an acknowledgement of ' || w)
  FROM (VALUES ('b-one-1', 'b-one', :'b', 'another partner'), ('a-two-1', 'a-two', :'a', 'another site'), ('a-one-2', 'a-one', :'a', 'its neighbour'), ('a-one-1', 'b-one', :'b', 'itself at another site')) AS v (d, s, p, w);
SELECT * FROM finish();
ROLLBACK;
