-- Decisions and rules: states that must not exist.
\ir lib/begin.psql
SELECT plan(56);

CREATE FUNCTION pg_temp.decide(site text, signature text, status text) RETURNS void
    LANGUAGE sql
    AS $$ INSERT INTO learning_promotion_candidates AS c (partner_id, site_id, pattern_signature, approval_status, approved_by,
                                                         approved_at, rejected_by, rejected_at, rejection_reason)
          SELECT partner_id, site, signature, status, 'somebody', now(), 'somebody', now(), 'because' FROM sites WHERE site_id = site
          ON CONFLICT (site_id, pattern_signature) DO UPDATE SET approval_status = EXCLUDED.approval_status $$;
CREATE FUNCTION pg_temp.status_of(signature text) RETURNS text
    LANGUAGE sql AS $$ SELECT approval_status FROM aggregated_pattern_stats WHERE site_id = 'a-one' AND pattern_signature = signature $$;
-- Does the work, then what COMMIT does.
CREATE FUNCTION pg_temp.commits(work text) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN EXECUTE work; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; END $$;
SELECT pg_temp.add_pattern('a-one', n) FROM unnest(ARRAY['one', 'two', 'three', 'four']) AS n \g /dev/null

-- Statuses.
SELECT throws_ok($$SELECT pg_temp.decide('a-one', 'one', 'maybe')$$, '23514', NULL, 'a candidate''s status is one of four');
SELECT throws_ok($$UPDATE promoted_rules SET status = 'paused'$$, '23514', NULL, 'a rule''s status is one of three');
SELECT throws_ok($$UPDATE promoted_rule_deployments SET deployment_status = 'sent'$$, '23514', NULL, 'so is a delivery''s');
SELECT throws_ok($$UPDATE promoted_rule_deployments SET deployment_status = 'applied'$$, '23514', NULL, 'P6: nothing is applied that no appliance has acknowledged');
SELECT is(pg_temp.status_of('one'), 'not_submitted', 'a pattern starts undecided');
SELECT pg_temp.decide('a-one', 'one', 'pending') \g /dev/null
SELECT is(pg_temp.status_of('one'), 'pending', 'its status follows the decision: pending');
SELECT pg_temp.decide('a-one', 'one', 'rejected') \g /dev/null
SELECT is(pg_temp.status_of('one'), 'rejected', 'rejected');
SELECT lives_ok($$SELECT pg_temp.decide('a-one', 'one', 'not_submitted')$$, 'rejected goes back to not submitted');
SELECT lives_ok($$SELECT pg_temp.decide('a-one', 'one', 'rejected'), pg_temp.decide('a-one', 'one', 'approved')$$, 'a no can be reconsidered');
SELECT is(pg_temp.status_of('one'), 'approved', 'approved');
SELECT throws_ok(format($$SELECT pg_temp.decide('a-one', 'one', %L)$$, s), '23514', NULL, 'P12: approved does not become ' || s)
  FROM unnest(ARRAY['rejected', 'not_submitted', 'pending']) AS s;
SELECT lives_ok($$UPDATE learning_promotion_candidates SET approval_notes = 'x' WHERE pattern_signature = 'one'$$, 'an approval can be noted on');

-- What a decision must have.
SELECT throws_ok($$INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature, approval_status) SELECT partner_id, 'a-one', 'two', 'approved' FROM sites WHERE site_id = 'a-one'$$, '23514', NULL, 'nothing is approved by nobody');
SELECT throws_ok($$INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature, approval_status, rejected_by, rejected_at) SELECT partner_id, 'a-one', 'two', 'rejected', 'x', now() FROM sites WHERE site_id = 'a-one'$$, '23514', NULL, 'P12: nothing is rejected without a reason');
SELECT throws_ok(format($$INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature, approval_status, rejected_by, rejected_at, rejection_reason) SELECT partner_id, 'a-one', 'two', 'rejected', 'x', now(), %L FROM sites WHERE site_id = 'a-one'$$, r), '23514', NULL, 'P12: blank is no reason: ' || n)
  FROM (VALUES ('empty', ''), ('spaces', '   '), ('line breaks', E'\n\t'), ('too long', repeat('x', 2001))) AS v (n, r);
SELECT throws_ok($$SELECT pg_temp.decide('a-one', 'no such pattern', 'rejected')$$, '23503', NULL, 'only a known pattern is decided on');
SELECT throws_ok($$INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature) SELECT partner_id, 'a-one', 'one' FROM sites WHERE site_id = 'a-one'$$, '23505', NULL, 'P2, P4: a pattern of a site is decided on once');
SELECT throws_ok($$UPDATE learning_promotion_candidates SET partner_id = 'bbbbbbbb-0000-4000-8000-000000000002' WHERE site_id = 'a-one'$$, '23503', NULL, 'a decision belongs to its site''s partner');
DELETE FROM learning_promotion_candidates WHERE pattern_signature = 'one';

-- All or nothing.
SELECT throws_ok($$SELECT pg_temp.commits($w$SELECT pg_temp.decide('a-one', 'two', 'approved')$w$)$$, '23000', NULL, 'P3: an approval without its rule does not commit');
SELECT throws_ok($$SELECT pg_temp.commits($w$INSERT INTO promoted_rules (rule_id, pattern_signature, site_id, partner_id, name, rule_yaml, rule_json, rule_digest, yaml_digest, promoted_by)
    SELECT 'R-2', 'two', site_id, partner_id, 'n', 'y', '{"id": "R-2", "name": "n"}', repeat('0', 64), repeat('0', 64), 'x' FROM sites WHERE site_id = 'a-one'$w$)$$, '23000', NULL, 'P3: nor a rule without its approval');
SELECT throws_ok($$SELECT pg_temp.commits($w$SELECT pg_temp.decide('a-one', 'two', 'rejected'); INSERT INTO promoted_rules (rule_id, pattern_signature, site_id, partner_id, name, rule_yaml, rule_json, rule_digest, yaml_digest, promoted_by)
    SELECT 'R-2', 'two', site_id, partner_id, 'n', 'y', '{"id": "R-2", "name": "n"}', repeat('0', 64), repeat('0', 64), 'x' FROM sites WHERE site_id = 'a-one'$w$)$$, '23000', NULL, 'P3: nor a rule of a rejected pattern');
SELECT lives_ok($$SELECT pg_temp.commits($w$SELECT pg_temp.approve('a-one', 'two', 'R-2')$w$)$$, 'P3: both together do');

-- Rules.
CREATE FUNCTION pg_temp.rule(change text) RETURNS text
    LANGUAGE sql AS $$ SELECT 'UPDATE promoted_rules SET ' || change || $w$ WHERE site_id = 'a-one' AND pattern_signature = 'two'$w$ $$;
SELECT pg_temp.approve('a-one', 'three', 'R-3') \g /dev/null
SELECT throws_ok($$SELECT pg_temp.approve('a-two', 'pattern', 'R-9')$$, '23505', NULL, 'P4: a pattern of a site has one rule');
SELECT throws_ok($$SELECT pg_temp.approve('a-one', 'four', 'R-2')$$, '23505', NULL, 'P7: a partner''s rule id is taken once');
SELECT pg_temp.add_pattern('b-one', 'two') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.approve('b-one', 'two', 'R-2')$$, 'P7: partners do not collide with each other');
SELECT throws_ok(pg_temp.rule($$rule_json = rule_json || '{"id": "R-4"}'$$), '23514', NULL, 'P10: the stored rule''s id is the row''s');
SELECT throws_ok(pg_temp.rule($$rule_json = rule_json - 'id'$$), '23514', NULL, 'P10: a stored rule has an id');
SELECT throws_ok(pg_temp.rule($$rule_json = rule_json || '{"name": "other"}'$$), '23514', NULL, 'P10: the stored rule''s name is the row''s');
SELECT throws_ok(pg_temp.rule($$rule_json = rule_json - 'name'$$), '23514', NULL, 'P10: a stored rule has a name');
SELECT throws_ok(pg_temp.rule($$rule_id = 'a b'$$), '23514', NULL, 'a rule id is one that appliances accept');
SELECT throws_ok(pg_temp.rule($$rule_yaml = repeat('ü', 4097)$$), '23514', NULL, 'a rule is at most 8,192 bytes');
SELECT throws_ok(pg_temp.rule($$rule_digest = upper(repeat('a', 64))$$), '23514', NULL, 'a digest is 64 lower-case hexadecimal digits');
SELECT throws_ok(pg_temp.rule($$partner_id = 'cccccccc-0000-4000-8000-000000000003'$$), '23503', NULL, 'P24: a rule belongs to its site''s partner');
SELECT throws_ok(pg_temp.rule($$deployment_count = -1$$), '23514', NULL, 'P6: a count is not negative');
SELECT throws_ok(pg_temp.rule($$version = 0$$), '23514', NULL, 'versions start at 1');

SELECT lives_ok(pg_temp.rule($$status = 'disabled'$$), 'active becomes disabled');
SELECT lives_ok(pg_temp.rule($$status = 'active'$$), 'disabled becomes active');
SELECT lives_ok(pg_temp.rule($$status = 'archived'$$), 'active becomes archived');
SELECT throws_ok(pg_temp.rule(format('status = %L', s)), '23514', NULL, 'P8: archived does not become ' || s) FROM unnest(ARRAY['active', 'disabled']) AS s;
SELECT lives_ok(pg_temp.rule($$status = 'active', version = 2$$), 'P8: its next version is active');
SELECT throws_ok(pg_temp.rule($$version = 1$$), '23514', NULL, 'versions do not go back');
SELECT throws_ok($$UPDATE promoted_rule_versions SET partner_id = 'bbbbbbbb-0000-4000-8000-000000000002'$$, '23503', NULL, 'P24: a version belongs to its rule''s partner');
SELECT throws_ok($$DELETE FROM promoted_rules WHERE rule_id = 'R-2' AND site_id = 'a-one'$$, '23503', NULL, 'a rule with versions does not vanish');

-- First answers.
SELECT throws_ok($$INSERT INTO idempotency_keys (caller, key, partner_id, request_hash) SELECT caller, key, partner_id, request_hash FROM idempotency_keys$$, '23505', NULL, 'P38: a caller''s key has one first answer');
INSERT INTO idempotency_keys (caller, key, partner_id, request_hash, created_at)
SELECT :'a', 'k' || n, :'a', sha256(''), now() - CASE WHEN n <= 12 THEN interval '25 hours' ELSE interval '23 hours' END FROM generate_series(1, 15) AS n;
INSERT INTO idempotency_keys (caller, key, partner_id, request_hash) VALUES (:'a', 'new', :'a', sha256('')), (:'a', 'newer', :'a', sha256(''));
SELECT is((SELECT string_agg(key, ' ' ORDER BY key) FROM idempotency_keys WHERE caller = :'a'), 'k13 k14 k15 new newer one', 'P38: answers are kept for 24 hours and do not pile up');

-- Deliveries.
SELECT throws_ok($$INSERT INTO promoted_rule_deployments (rule_id, site_id, appliance_id, partner_id, rule_version) SELECT 'R-2', site_id, 'b-one-1', partner_id, 1 FROM sites WHERE site_id = 'a-one'$$, '23503', NULL, 'P24: a rule is not sent to another site''s appliance');
SELECT throws_ok($$INSERT INTO promoted_rule_deployments (rule_id, site_id, appliance_id, partner_id, rule_version) SELECT 'L1-PROMOTED-B1', site_id, 'a-one-1', partner_id, 1 FROM sites WHERE site_id = 'a-one'$$, '23503', NULL, 'P24: nor another site''s rule to this one''s');
SELECT throws_ok($$INSERT INTO promoted_rule_deployments (rule_id, site_id, appliance_id, partner_id, rule_version) VALUES ('R-2', 'b-one', 'b-one-1', 'aaaaaaaa-0000-4000-8000-000000000001', 1)$$, '23503', NULL, 'P24: nor in another partner''s name');

-- A site that changes its name, or its partner, takes all its rows along.
CREATE FUNCTION pg_temp.left_behind(site text, partner uuid) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    t    text;
    left_rows bigint;
    found text := '';
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'site_id' JOIN pg_attribute p ON p.attrelid = c.oid AND p.attname = 'partner_id'
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'promotion_audit_log' ORDER BY 1
    LOOP
        EXECUTE format('SELECT count(*) FROM %I WHERE site_id = ''a-one'' OR (site_id = $1 AND partner_id <> $2)', t) INTO left_rows USING site, partner;
        IF left_rows > 0 THEN found := found || t || ' '; END IF;
    END LOOP;
    RETURN found;
END
$$;
UPDATE sites SET site_id = 'a-renamed' WHERE site_id = 'a-one';
SELECT is(pg_temp.left_behind('a-renamed', :'a'), '', 'a site''s new name reaches every row');
UPDATE sites SET partner_id = :'c' WHERE site_id = 'a-renamed';
SELECT is(pg_temp.left_behind('a-renamed', :'c') || (SELECT count(*) FROM promoted_rule_versions v JOIN promoted_rules r ON r.id = v.promoted_rule_id WHERE r.site_id = 'a-renamed' AND v.partner_id <> :'c'), '0', 'P24: a site that changes its partner leaves nothing with the old one');
SELECT * FROM finish();
ROLLBACK;
