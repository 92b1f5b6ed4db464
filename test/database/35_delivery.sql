-- Delivery: what an appliance that is added later gets, and what the site's lock is for.
\ir lib/begin.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.release(which text, state text, released timestamptz, at_revision bigint) RETURNS void
    LANGUAGE sql AS $$ UPDATE promoted_rules SET status = state, released_at = released, revision = at_revision WHERE rule_id = which $$;
SELECT pg_temp.add_pattern('a-one', n), pg_temp.approve('a-one', n, 'R-' || n) FROM unnest(ARRAY['active', 'held', 'disabled', 'archived']) AS n \g /dev/null
SELECT pg_temp.release('R-active', 'active', now(), 1), pg_temp.release('R-held', 'active', NULL, 2), pg_temp.release('R-disabled', 'disabled', now(), 3),
       pg_temp.release('R-archived', 'archived', now(), 4), pg_temp.release('L1-PROMOTED-A2', 'active', now(), 1) \g /dev/null
UPDATE promoted_rules SET deployment_count = 2 WHERE rule_id = 'R-active';

-- P23: whoever comes later misses nothing.
INSERT INTO site_appliances (appliance_id, site_id) VALUES ('a-one-3', 'a-one');
SELECT is((SELECT array_agg(rule_id || ' ' || deployment_status || ' ' || rule_version) FROM promoted_rule_deployments WHERE appliance_id = 'a-one-3'), '{R-active pending 1}'::text[],
          'P23, P24: an appliance that is added later is sent the rules of its site that can be installed, and no others');
SELECT is((SELECT deployment_count FROM promoted_rules WHERE rule_id = 'R-active'), 3, 'P6: and is counted among those it was sent to');
SELECT is((SELECT last_deployed_at FROM promoted_rules WHERE rule_id = 'R-active'), now(), 'with the time of that');
SELECT is((SELECT sum(deployment_count) FROM promoted_rules WHERE rule_id <> 'R-active'), 0::bigint, 'but not for other rules');
INSERT INTO site_appliances (appliance_id, site_id, status) VALUES ('a-one-4', 'a-one', 'revoked');
SELECT is((SELECT count(*) FROM promoted_rule_deployments WHERE appliance_id = 'a-one-4'), 0::bigint, 'one that is revoked is sent nothing');

-- Constraints.
SELECT throws_ok($$INSERT INTO appliance_rule_sync (appliance_id, site_id, partner_id, acknowledged_revision) SELECT 'a-one-3', 'a-two', partner_id, 1 FROM sites WHERE site_id = 'a-two'$$, '23503', NULL, 'P24: an appliance acknowledges at its own site');
SELECT throws_ok(format('UPDATE appliance_rule_sync SET %s', change), '23514', NULL, 'it cannot be that ' || what)
  FROM (VALUES ('acknowledged_revision = -1', 'a revision is negative'), ('dropped_executions = -1', 'P28: fewer than none were dropped'),
               ($$engine_errors = '{}'$$, 'the errors are no list'), ($$last_error = 'x'$$, 'an error has no time'), ('last_error_at = now()', 'a time has no error')) AS v (change, what);

-- The revisions that an acknowledgement is compared with.
SET LOCAL flywheel.site_id = 'a-one';
UPDATE sites SET rules_revision = 4, rules_full_below = 2 WHERE site_id = 'a-one';
SET LOCAL ROLE flywheel_agent;
SELECT results_eq('SELECT * FROM hold_site_rules()', 'VALUES (4::bigint, 2::bigint)', 'an appliance is told its site''s revisions');
RESET ROLE;
SET LOCAL flywheel.site_id = '';
SELECT results_eq('SELECT * FROM hold_site_rules()', 'VALUES (NULL::bigint, NULL::bigint)', 'and nobody else any');
SELECT lives_ok($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) SELECT partner_id, 'operator', 'olga', 'appliance.token_rotated', 'appliance', 'a-one-1' FROM sites WHERE site_id = 'a-one'$$, 'that a token was rotated can be logged');
SELECT * FROM finish();
ROLLBACK;
