-- How an appliance is doing: silent, failing, behind, and what it has of its site's rules.
\ir lib/begin.psql
SELECT no_plan();
\ir lib/roles.psql

SELECT is(appliance_is_silent(status, now() - age), silent, format('%s, last seen %s ago', status, coalesce(age::text, 'never')))
  FROM (VALUES ('active', interval '59 minutes', false), ('active', '61 minutes', true), ('active', '40 days', true), ('active', NULL, true),
               ('revoked', '40 days', false), ('revoked', NULL, false)) AS v (status, age, silent);

CREATE FUNCTION pg_temp.is_doing(which text) RETURNS text
    LANGUAGE sql AS $$ SELECT concat_ws(' ', CASE WHEN silent THEN 'silent' END, CASE WHEN failing THEN 'failing' END, 'behind ' || coalesce(revisions_behind::text, '?'),
                              format('%s/%s/%s/%s', rules_applied, rules_pending, rules_failed, rules_to_withdraw)) FROM v_appliances WHERE appliance_id = which $$;
UPDATE promoted_rules SET released_at = now() WHERE rule_id = 'L1-PROMOTED-A1';
UPDATE sites SET rules_revision = 5 WHERE site_id = 'a-one';
UPDATE site_appliances SET last_seen_at = now() WHERE site_id = 'a-one';

SELECT is(pg_temp.is_doing('a-one-1'), 'behind 5 0/1/0/0', 'it acknowledged revision 0, and a rule waits for it');
DELETE FROM appliance_rule_sync WHERE appliance_id = 'a-one-1';
SELECT is(pg_temp.is_doing('a-one-1'), 'behind ? 0/1/0/0', 'of one that never acknowledged nobody knows how far it is');
UPDATE promoted_rule_deployments SET deployment_status = 'applied', acknowledged_at = now() WHERE appliance_id = 'a-one-1';
SELECT is(pg_temp.is_doing('a-one-1'), 'behind ? 1/0/0/0', 'it has the rule');
UPDATE promoted_rules SET status = 'disabled' WHERE rule_id = 'L1-PROMOTED-A1';
SELECT is(pg_temp.is_doing('a-one-1'), 'behind ? 0/0/0/1', 'and has to give it up when it is disabled');
UPDATE promoted_rule_deployments SET deployment_status = 'failed', error = 'no' WHERE appliance_id = 'a-one-1';
SELECT is(pg_temp.is_doing('a-one-1'), 'behind ? 0/0/0/0', 'that a rule could not be installed is no trouble when nobody wants it any more');
UPDATE promoted_rules SET status = 'active' WHERE rule_id = 'L1-PROMOTED-A1';
SELECT is(pg_temp.is_doing('a-one-1'), 'failing behind ? 0/0/1/0', 'else it is');
UPDATE promoted_rule_deployments SET deployment_status = 'applied' WHERE appliance_id = 'a-one-1';
UPDATE appliance_rule_sync SET acknowledged_revision = 7 WHERE appliance_id = 'a-one-2';
SELECT is(pg_temp.is_doing('a-one-2'), 'behind 0 0/1/0/0', 'one that is ahead, as after a restored back-up, is not behind');
UPDATE appliance_rule_sync SET engine_errors = '[{"file": "own.yaml", "error": "no conditions"}]' WHERE appliance_id = 'a-one-2';
SELECT is(pg_temp.is_doing('a-one-2'), 'failing behind 0 0/1/0/0', 'P32: a file that its engine does not load is a trouble');
UPDATE appliance_rule_sync SET engine_errors = '[]', last_error = 'expired', last_error_at = now() WHERE appliance_id = 'a-one-2';
SELECT is(pg_temp.is_doing('a-one-2'), 'failing behind 0 0/1/0/0', 'and so is an answer that it refused');
UPDATE site_appliances SET status = 'revoked', last_seen_at = NULL WHERE appliance_id = 'a-one-2';
SELECT is(pg_temp.is_doing('a-one-2'), 'behind 0 0/1/0/0', 'of one that is revoked nothing is a trouble');

-- Deployments are counted at once for all appliances, and not at all when nobody asks: pages' totals do not.
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    line  text;
    whole text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || statement LOOP whole := whole || line || E'\n'; END LOOP;
    RETURN whole;
END
$$;
SELECT ok(pg_temp.plan_of('SELECT count(*) FROM v_appliances WHERE silent') NOT LIKE '%promoted_rule_deployments%', 'who is silent is told without looking at deployments');
SELECT ok(pg_temp.plan_of('SELECT count(*) FROM v_appliances WHERE failing') LIKE '%Aggregate%Group Key:%appliance_id%promoted_rule_deployments%', 'who is failing by counting them once, by appliance');

-- Row security holds through the view.
SET LOCAL flywheel.partner_id = :'b';
SET LOCAL ROLE flywheel_account;
SELECT is((SELECT string_agg(appliance_id, ' ') FROM v_appliances), 'b-one-1', 'P24: a partner sees its own appliances only');
SET LOCAL flywheel.partner_id = '';
SELECT is_empty('SELECT * FROM v_appliances', 'and nobody any without signing in');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
