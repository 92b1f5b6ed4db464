-- The audit log: every event is accepted, none can be changed, by anybody.
\ir lib/begin.psql
SELECT plan(56);
SET CONSTRAINTS ALL IMMEDIATE;

-- P13: the log takes every action that the library and the commands write. A list of its own, so that an action that
-- is taken out of the constraint is missed here.
SELECT lives_ok(format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id)
    VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'user', 'x', %L, %L, '1')$$, action, entity), 'P13: the log takes ' || action)
  FROM (VALUES ('candidate.approved', 'candidate'), ('candidate.rejected', 'candidate'), ('rule.created', 'rule'),
               ('rule.regenerated', 'rule'), ('rule.deployed', 'rule'), ('rule.enabled', 'rule'), ('rule.disabled', 'rule'),
               ('rule.archived', 'rule'), ('user.signed_in', 'user'), ('user.sign_in_failed', 'user'), ('user.signed_out', 'user'),
               ('user.created', 'user'), ('user.invited', 'user'), ('user.changed', 'user'), ('user.disabled', 'user'), ('user.enabled', 'user'),
               ('user.password_reset', 'user'), ('user.password_set', 'user'), ('user.locked', 'user'), ('user.unlocked', 'user'), ('key.created', 'key'), ('key.rotated', 'key'), ('key.revoked', 'key'),
               ('partner.created', 'partner'), ('site.created', 'site'), ('site.erased', 'site'), ('audit.pruned', 'audit'), ('appliance.created', 'appliance'),
               ('appliance.revoked', 'appliance'), ('appliance.token_rotated', 'appliance'), ('thresholds.changed', 'thresholds')) AS v (action, entity);
SELECT throws_ok($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id)
    VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'user', 'x', 'rule.vanished', 'rule', '1')$$, '23514', NULL, 'P13: an action that the log does not know is an error, not a silence');
-- What the source writes as an action, the log must take.
\set actions `grep -rhoE '"(candidate|rule|user|key|partner|site|appliance|thresholds)\.[a-z_]+"' "$FLYWHEEL_TOP/lib/promotion" "$FLYWHEEL_TOP/cgi" "$FLYWHEEL_TOP/deploy" --include='*.c' --include='*.h' 2>/dev/null | tr -d '"' | sort -u | tr '\n' ' '`
SELECT is(ARRAY(SELECT a FROM regexp_split_to_table(btrim(:'actions'), ' +') AS a
                 WHERE a <> '' AND pg_get_constraintdef(c.oid) NOT LIKE '%''' || a || '''%'), '{}'::text[],
          'P13: the log takes every action in the sources')
  FROM pg_constraint c WHERE conname = 'promotion_audit_log_action_check';
SELECT throws_ok($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (NULL, 'user', 'x', 'rule.created', 'rule', '1')$$, '23502', NULL, 'an event has a partner');
SELECT throws_ok($$INSERT INTO promotion_audit_log (partner_id, actor_kind, action, entity, entity_id) VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'user', 'rule.created', 'rule', '1')$$, '23502', NULL, 'and somebody who did it');
SELECT throws_ok($$INSERT INTO promotion_audit_log (id, partner_id, actor_kind, actor, action, entity, entity_id) VALUES (1, 'aaaaaaaa-0000-4000-8000-000000000001', 'user', 'x', 'rule.created', 'rule', '1')$$, '428C9', NULL, 'its number is the log''s to give');

-- Nobody changes it: neither the superuser nor the owner nor a role of the handlers.
SELECT throws_ok($$UPDATE promotion_audit_log SET actor = 'somebody else'$$, '42501', NULL, 'the log is append-only: a superuser''s UPDATE is refused');
SELECT throws_ok($$DELETE FROM promotion_audit_log$$, '42501', NULL, 'the log is append-only: a superuser''s DELETE is refused');
SELECT throws_ok($$TRUNCATE promotion_audit_log$$, '42501', NULL, 'the log is append-only: a superuser''s TRUNCATE is refused');
SET LOCAL session_replication_role = replica;
SELECT throws_ok($$DELETE FROM promotion_audit_log$$, '42501', NULL, 'the log is append-only: for one who calls himself a replica too');
SELECT throws_ok($$TRUNCATE promotion_audit_log$$, '42501', NULL, 'the log is append-only: TRUNCATE by him as well');
SET LOCAL session_replication_role = origin;
SELECT throws_ok($$TRUNCATE partners CASCADE$$, '42501', NULL, 'the log is append-only: it does not vanish with the partners');
\ir lib/roles.psql
SET LOCAL flywheel.partner_id = :'a';
SET LOCAL ROLE flywheel_migrate;
SELECT throws_ok(statement, '42501', NULL, 'the log is append-only for its owner: ' || left(statement, 8))
  FROM unnest(ARRAY['UPDATE promotion_audit_log SET actor = ''x''', 'DELETE FROM promotion_audit_log', 'TRUNCATE promotion_audit_log']) AS statement;
SET LOCAL ROLE flywheel_decide;
SELECT throws_ok(statement, '42501', NULL, 'the log is append-only for deciding: ' || left(statement, 8))
  FROM unnest(ARRAY['UPDATE promotion_audit_log SET actor = ''x''', 'DELETE FROM promotion_audit_log', 'TRUNCATE promotion_audit_log']) AS statement;
SET LOCAL ROLE flywheel_account;
SELECT throws_ok(statement, '42501', NULL, 'the log is append-only for sign-in: ' || left(statement, 8))
  FROM unnest(ARRAY['UPDATE promotion_audit_log SET actor = ''x''', 'DELETE FROM promotion_audit_log', 'TRUNCATE promotion_audit_log']) AS statement;
SET LOCAL ROLE flywheel_operator;
SELECT throws_ok(statement, '42501', NULL, 'the log is append-only for operators: ' || left(statement, 8))
  FROM unnest(ARRAY['UPDATE promotion_audit_log SET actor = ''x''', 'DELETE FROM promotion_audit_log', 'TRUNCATE promotion_audit_log']) AS statement;
RESET ROLE;
SELECT is((SELECT count(*) FROM promotion_audit_log WHERE actor = 'test'), 3::bigint, 'and all of it is still there');
SELECT ok((SELECT max(at) > min(at) FROM promotion_audit_log), 'each event has the time when it happened, not when the transaction began');
SELECT * FROM finish();
ROLLBACK;
