-- Retention: what has had its time goes and nothing else does; the audit log's chain survives its oldest part.
\ir lib/begin.psql
SELECT no_plan();
SET CONSTRAINTS ALL IMMEDIATE;
\ir lib/roles.psql

CREATE FUNCTION pg_temp.rows(what text) RETURNS bigint
    LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I', what) INTO n; RETURN n; END $$;

SELECT ok(keep >= shortest, what || ' is kept long enough') FROM retention_periods ORDER BY what;
SELECT throws_ok($$UPDATE retention_periods SET keep = '1 month' WHERE what = 'telemetry'$$, '23514', NULL, 'a preview''s 90 days cannot be set away');
SELECT throws_ok($$UPDATE retention_periods SET keep = '24 months' WHERE what = 'execution_ids'$$, '23514', NULL, 'nor the ids of reports that may still be repeated');
SELECT is((SELECT array_agg(what ORDER BY what) FROM retention_periods WHERE count_outdated(what) <> 0), NULL, 'of what is new nothing has had its time');

-- Months of executions.
SELECT ensure_execution_partitions(ARRAY[now() - interval '13 months', now() - interval '14 months' - interval '3 days', now() - interval '30 months']) \g /dev/null
SELECT pg_temp.add_execution('a-one', 'old', now() - interval '30 months'), pg_temp.add_execution('b-one', 'not that old', now() - interval '13 months') \g /dev/null
SELECT is((SELECT count(*) FROM telemetry_months() WHERE due), 2::bigint, 'months that ended more than 13 months ago have had their time');
SELECT is((SELECT bool_and(ends <= now() - interval '13 months') FROM telemetry_months() WHERE due), true, 'none that did not');
CREATE TEMP TABLE before AS SELECT site_id, day, sum(executions) AS n FROM site_daily_executions GROUP BY 1, 2;
SELECT is((SELECT sum(count_telemetry_month(partition)) FROM telemetry_months() WHERE due), 1::numeric, 'they hold what they hold');
SELECT drop_telemetry_month(partition) FROM telemetry_months() WHERE NOT due \g /dev/null
SELECT is((SELECT count(*) FROM execution_telemetry WHERE execution_id = 'not that old'), 1::bigint, 'a month that has not had its time is not dropped');
SELECT drop_telemetry_month(partition) FROM telemetry_months() WHERE due \g /dev/null
SELECT is((SELECT count(*) FROM telemetry_months() WHERE due), 0::bigint, 'the others are');
SELECT is((SELECT count(*) FROM execution_telemetry WHERE execution_id = 'old'), 0::bigint, 'with their executions');
SELECT set_eq('SELECT site_id, day, sum(executions) FROM site_daily_executions GROUP BY 1, 2', 'SELECT * FROM before', 'the counts by day stay');
SELECT is((SELECT count(*) FROM execution_ids WHERE execution_id = 'old'), 1::bigint, 'and the ids');
SELECT throws_ok($$SELECT pg_temp.add_execution('a-one', 'old', now() - interval '30 months')$$, '23505', NULL, 'so that a repeated report does not count a second time');
SET LOCAL ROLE flywheel_agent;
SELECT lives_ok($$SELECT ensure_execution_partitions(ARRAY[now() - interval '30 months'])$$, 'a late report into a month that was dropped');
RESET ROLE;
SELECT lives_ok($$SELECT pg_temp.add_execution('a-one', 'late', now() - interval '30 months')$$, 'is taken');
SELECT is((SELECT count(*) FROM telemetry_months() WHERE due), 1::bigint, 'and goes the next time');

-- Rows.
INSERT INTO execution_ids (site_id, execution_id, partner_id, created_at) SELECT 'a-one', 'ancient ' || n, :'a', now() - interval '63 months' FROM generate_series(1, 5) AS n;
INSERT INTO site_daily_executions (site_id, day, resolution_level, partner_id, executions) VALUES ('a-one', (now() - interval '8 years')::date, 'L1', :'a', 3);
INSERT INTO sessions (token_hash, user_id, partner_id, created_at, expires_at)
SELECT sha256(convert_to('old ' || email, 'UTF8')), id, partner_id, now() - interval '3 days', now() + interval '2 days' FROM users;
UPDATE sessions SET expires_at = now() - interval '2 days' WHERE created_at < now(); -- not when they are made: the next one would take them along
UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE partner_id = :'a';
INSERT INTO sign_in_failures (address_hash, failed_at, forget_at) VALUES (sha256('x'), '{}', now() - interval '2 days'), (sha256('y'), '{}', now());
INSERT INTO password_links (user_id, partner_id, token_hash, created_at, expires_at)
SELECT id, partner_id, sha256(convert_to(email, 'UTF8')), now() - interval '5 days', now() - interval '2 days' FROM users WHERE partner_id = :'a'
ON CONFLICT (user_id) DO UPDATE SET created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at;
SELECT is(count_outdated('execution_ids'), 5::bigint, 'rows that have had their time are counted');
SELECT is(remove_outdated('execution_ids', 2), 2::bigint, 'and removed a part at a time');
SELECT is(remove_outdated('execution_ids', 100), 3::bigint, 'until there is none left');
SELECT is(remove_outdated('execution_ids', 100), 0::bigint, 'then nothing happens');
SELECT is(remove_outdated(what, 1000), n, what || ': those and no others') FROM (VALUES ('daily_counts', 1), ('sessions', (SELECT count(*) FROM users)),
    ('idempotency_keys', 1), ('sign_in_failures', 1), ('password_links', (SELECT count(*) FROM users WHERE partner_id = :'a'))) AS v (what, n);
SELECT is((SELECT count(*) FROM sessions WHERE expires_at > now()), (SELECT count(*) FROM users), 'sessions that hold go on');
SELECT is((SELECT count(*) FROM sign_in_failures), 1::bigint, 'a lock-out goes on');
SELECT is((SELECT array_agg(what ORDER BY what) FROM retention_periods WHERE what NOT IN ('telemetry', 'audit') AND count_outdated(what) <> 0), NULL, 'of all these kinds nothing is left over');
SELECT throws_ok($$SELECT remove_outdated('partners', 10)$$, '20000', NULL, 'what has no period is not removed');

-- The audit log. Its first entry is of today (by begin.psql), so the chain of c, made here, is looked at.
INSERT INTO partners (id, name, slug) VALUES ('dddddddd-0000-4000-8000-000000000004', 'Partner D', 'd');
\set d 'dddddddd-0000-4000-8000-000000000004'
INSERT INTO promotion_audit_log (at, partner_id, actor_kind, actor, action, entity, entity_id, reason)
SELECT now() - (12 - n) * interval '1 year', :'d', 'user', 'kim@d.example', 'candidate.rejected', 'candidate', n::text, 'why'
  FROM generate_series(1, 12) AS n;
SELECT is(outdated_audit(:'a'), 0::bigint, 'a log without old entries keeps them');
SELECT is(prune_audit(:'a', 100), 0::bigint, 'all of them');
SELECT is(count_outdated('audit'), 4::numeric::bigint, 'entries of more than 7 years have had their time');
SELECT is(prune_audit(:'d', 2), 2::bigint, 'they are pruned a part at a time');
SELECT is_empty(format('SELECT * FROM verify_audit_chain(%L)', :'d'), 'the chain is whole in between');
SELECT is(prune_audit(:'d', 100), 2::bigint, 'until none is left');
SELECT is(prune_audit(:'d', 100), 0::bigint, 'then nothing happens');
SELECT is_empty(format('SELECT * FROM verify_audit_chain(%L)', :'d'), 'the chain is whole, from its anchor on');
SELECT is((SELECT min(at) > now() - interval '7 years 1 hour' FROM promotion_audit_log WHERE partner_id = :'d'), true, 'what is younger stays');
SELECT is((SELECT string_agg(after ->> 'entries', ' ' ORDER BY id) FROM promotion_audit_log WHERE partner_id = :'d' AND action = 'audit.pruned'), '2 2', 'the log says what was pruned');
SELECT is((SELECT anchor_seq FROM audit_chains WHERE partner_id = :'d'), 4::bigint, 'the anchor says where');
SAVEPOINT whole;
ALTER TABLE promotion_audit_log DISABLE TRIGGER USER;
DELETE FROM promotion_audit_log WHERE partner_id = :'d' AND entity_id = '6';
SELECT is((SELECT string_agg(kind || ' ' || seq, ', ') FROM verify_audit_chain(:'d')), 'removed 6', 'whoever removes more than was pruned is seen');
UPDATE retention_periods SET keep = '3 years' WHERE what = 'audit';
SELECT throws_like(format('SELECT prune_audit(%L, 100)', :'d'), '%does not verify%', 'and the trace is not pruned');
ROLLBACK TO whole;

-- Nobody but the owner.
SELECT ok(NOT has_function_privilege(r, f, 'EXECUTE'), r || ' cannot call ' || f)
  FROM unnest(ARRAY['flywheel_read', 'flywheel_decide', 'flywheel_agent', 'flywheel_account', 'flywheel_access', 'flywheel_operator']) AS r,
       unnest(ARRAY['drop_telemetry_month(text)', 'remove_outdated(text, integer)', 'prune_audit(uuid, integer)', 'erase_site(text, text, jsonb)',
                    'erase_site_history(text, integer)', 'close_site(text, text)']) AS f;
SELECT * FROM finish();
ROLLBACK;
