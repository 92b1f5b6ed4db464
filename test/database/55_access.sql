-- Managing people and keys: what the role for it can do to whom, whatever the program sends.
\ir lib/begin.psql
SELECT no_plan();
\ir lib/roles.psql
SET CONSTRAINTS ALL IMMEDIATE;

-- As a role and a partner: how many rows a statement touched, or the state in which it was refused. (Undone again.)
CREATE FUNCTION pg_temp.try(role text, partner text, statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    touched bigint;
    state   text;
BEGIN
    BEGIN
        PERFORM set_config('flywheel.partner_id', coalesce(partner, ''), true), set_config('role', role, true);
        EXECUTE statement;
        GET DIAGNOSTICS touched = ROW_COUNT;
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
        NULL;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
    END;
    PERFORM set_config('role', 'none', true);
    RETURN coalesce(state, touched::text);
END
$$;
CREATE FUNCTION pg_temp.access(statement text) RETURNS text
    LANGUAGE sql AS $$ SELECT pg_temp.try('flywheel_access', 'aaaaaaaa-0000-4000-8000-000000000001', statement) $$;
CREATE FUNCTION pg_temp.account(statement text) RETURNS text
    LANGUAGE sql AS $$ SELECT pg_temp.try('flywheel_account', NULL, statement) $$;

-- ---- one partner's people and keys ----
SELECT is(pg_temp.access('SELECT id FROM users'), '3', 'it sees its own partner''s people');
SELECT is(pg_temp.access('SELECT id FROM api_keys'), '1', 'and keys');
SELECT is(pg_temp.access('SELECT user_id FROM password_links'), '3', 'and that there are links');
SELECT is(pg_temp.try('flywheel_access', NULL, 'SELECT id FROM ' || t), '0', 'without a partner nothing of ' || t) FROM unnest(ARRAY['users', 'api_keys']) AS t;
SELECT is(pg_temp.access(statement), '42501', 'it cannot: ' || statement)
  FROM unnest(ARRAY['SELECT password_hash FROM users', 'SELECT key_hash FROM api_keys', 'SELECT token_hash FROM password_links',
                    'SELECT * FROM sessions', 'SELECT * FROM sign_in_failures', 'SELECT * FROM promotion_audit_log', 'SELECT * FROM partners',
                    'UPDATE users SET password_hash = NULL', 'UPDATE users SET email = ''x@y.z''', 'UPDATE users SET partner_id = partner_id',
                    'UPDATE api_keys SET scopes = ''{admin}''', 'UPDATE api_keys SET user_id = NULL', 'UPDATE api_keys SET key_hash = NULL',
                    'DELETE FROM users', 'DELETE FROM api_keys', 'DELETE FROM password_links', 'SELECT begin_sign_in(''x'')']) AS statement;
SELECT is(pg_temp.access('UPDATE users SET role = ''viewer'''), '3', 'a change without a filter is one of its own people');
SELECT is(pg_temp.access('UPDATE api_keys SET revoked_at = now()'), '1', 'or keys');

-- ---- who is made ----
SELECT is(pg_temp.access(format($$INSERT INTO users (partner_id, email, display_name, role, status) VALUES (%L, 'new@a.example', 'n', 'admin', 'invited')$$, :'a')), '1', 'it invites');
SELECT is(pg_temp.access(format($$INSERT INTO users (partner_id, email, display_name, role, status) VALUES (%L, 'new@a.example', 'n', 'admin', %L)$$, :'a', status)), '42501', 'it makes nobody ' || status)
  FROM unnest(ARRAY['active', 'disabled']) AS status;
SELECT is(pg_temp.access(format($$INSERT INTO users (partner_id, email, display_name, role, status) VALUES (%L, 'new@b.example', 'n', 'admin', 'invited')$$, :'b')), '42501', 'for its own partner only');
SELECT is(pg_temp.access(format($$INSERT INTO password_links (user_id, partner_id, token_hash, expires_at) VALUES ('00000000-0000-4000-8000-0000000000b1', %L, sha256('x'), now() + interval '1 hour')$$, p)), state, 'no link for another partner''s person: ' || state)
  FROM (VALUES (:'a', '23505'), (:'b', '42501')) AS v (p, state);
DELETE FROM password_links WHERE user_id = '00000000-0000-4000-8000-0000000000b1';
SELECT is(pg_temp.access(format($$INSERT INTO password_links (user_id, partner_id, token_hash, expires_at) VALUES ('00000000-0000-4000-8000-0000000000b1', %L, sha256('x'), now() + interval '1 hour')$$, :'a')), '23503', 'nor under its own name');
SELECT is(pg_temp.access(format($$INSERT INTO api_keys (partner_id, user_id, name, prefix, key_hash, scopes, expires_at) VALUES (%L, '00000000-0000-4000-8000-0000000000b1', 'k', 'fwk_', sha256('k'), '{admin}', now())$$, :'a')), '23503', 'no key that acts as another partner''s person');
SELECT is(pg_temp.access(format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (%L, 'user', 'x', %L, 'user', '1')$$, p, action)), state, 'it logs ' || action || ': ' || state)
  FROM (VALUES (:'a', 'user.invited', '1'), (:'a', 'key.revoked', '1'), (:'b', 'user.invited', '42501'), (:'a', 'user.signed_in', '42501'),
               (:'a', 'user.password_set', '42501'), (:'a', 'user.locked', '42501'), (:'a', 'rule.created', '42501'), (:'a', 'user.created', '42501')) AS v (p, action, state);
SELECT is(pg_temp.try('flywheel_decide', :'a', format($$INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES (%L, 'user', 'x', 'user.invited', 'user', '1')$$, :'a')), '42501', 'deciding logs nothing about people');

-- ---- states that must not exist ----
SELECT throws_ok($$UPDATE users SET password_hash = NULL$$, '23514', NULL, 'nobody is active without a password');
SELECT throws_ok($$UPDATE users SET status = 'invited'$$, '23514', NULL, 'nobody is invited with one');
SELECT lives_ok($$UPDATE users SET status = 'disabled', password_hash = NULL WHERE email = 'viewer@a.example'$$, 'who is disabled may have none');
SELECT is(has_password, email <> 'viewer@a.example', 'has_password says so of ' || email) FROM users ORDER BY email;
SELECT throws_ok($$UPDATE users SET status = 'active' WHERE email = 'viewer@a.example'$$, '23514', NULL, 'and is not simply active again');
SELECT throws_ok($$UPDATE users SET status = 'retired'$$, '23514', NULL, 'there are three states');
SELECT throws_ok($$UPDATE password_links SET expires_at = created_at + interval '73 hours'$$, '23514', NULL, 'a link lives 72 hours at most');
SELECT throws_ok($$UPDATE password_links SET token_hash = 'fwl_plain'$$, '23514', NULL, 'and is kept as a hash only');

-- ---- what ends with a person's access ----
SELECT is((SELECT count(*) FROM sessions WHERE user_id = '00000000-0000-4000-8000-0000000000a1'), 0::bigint, 'disabling has ended the sessions');
SELECT is((SELECT count(*) FROM password_links WHERE user_id = '00000000-0000-4000-8000-0000000000a1'), 0::bigint, 'and the link');
SELECT is((SELECT count(*) FROM sessions), 4::bigint, 'nobody else''s');
UPDATE users SET password_hash = '$argon2id$other' WHERE email = 'approver@a.example';
SELECT is((SELECT count(*) FROM password_links WHERE user_id = '00000000-0000-4000-8000-0000000000a2'), 0::bigint, 'a new password ends the link');
SELECT is((SELECT count(*) FROM sessions WHERE user_id = '00000000-0000-4000-8000-0000000000a2'), 1::bigint, 'and leaves the sessions to whoever sets it');
UPDATE users SET role = 'viewer', last_sign_in_at = now() WHERE email = 'admin@a.example';
SELECT is((SELECT count(*) FROM password_links WHERE user_id = '00000000-0000-4000-8000-0000000000a3'), 1::bigint, 'another role does not');
SELECT is(pg_temp.access($$UPDATE users SET status = 'disabled' WHERE id = '00000000-0000-4000-8000-0000000000a3'$$), '1', 'all that works for the role that may not touch sessions');

-- ---- choosing a password ----
SELECT is(pg_temp.account($$UPDATE users SET password_hash = '$argon2id$y', status = 'active' WHERE email = 'admin@b.example'$$), '1', 'signing in may set a password');
SELECT is(pg_temp.account($$UPDATE users SET password_hash = '$argon2id$y', status = 'active' WHERE email = 'viewer@a.example'$$), '0', 'but bring back nobody who is disabled');
SELECT is(pg_temp.account($$UPDATE users SET status = 'disabled' WHERE email = 'admin@b.example'$$), '42501', 'and disable nobody');
SELECT is(pg_temp.account($$UPDATE users SET role = 'admin'$$), '42501', 'nor change a role');
SELECT is(pg_temp.account($$INSERT INTO password_links (user_id, partner_id, token_hash, expires_at) SELECT id, partner_id, sha256('y'), now() + interval '1 hour' FROM users LIMIT 1$$), '42501', 'nor make a link');
SELECT is(pg_temp.try('flywheel_account', :'b', 'DELETE FROM password_links'), '0', 'once it has a partner, that one''s links only');

-- ---- the log by subject walks an index of its own ----
INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id)
SELECT :'a', 'user', 'x', CASE WHEN n % 100 = 0 THEN 'rule.created' ELSE 'user.signed_in' END, CASE WHEN n % 100 = 0 THEN 'rule' ELSE 'user' END, n::text
  FROM generate_series(1, 3000) AS n;
ANALYZE promotion_audit_log;
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    line  text;
    whole text := '';
BEGIN
    PERFORM set_config('flywheel.partner_id', 'aaaaaaaa-0000-4000-8000-000000000001', true), set_config('role', 'flywheel_read', true);
    FOR line IN EXECUTE 'EXPLAIN ' || statement LOOP whole := whole || line || E'\n'; END LOOP;
    PERFORM set_config('role', 'none', true);
    RETURN whole;
END
$$;
SELECT matches(pg_temp.plan_of('SELECT * FROM promotion_audit_log l WHERE l.partner_id = current_partner() AND l.entity IN (''candidate'', ''rule'', ''thresholds'') AND l.id < 9223372036854775807 ORDER BY l.id DESC LIMIT 51'),
               'audit_of_decisions', 'decisions among many sign-ins');
SELECT matches(pg_temp.plan_of('SELECT * FROM promotion_audit_log l WHERE l.partner_id = current_partner() AND l.entity IN (''user'', ''key'') AND l.id < 9223372036854775807 ORDER BY l.id DESC LIMIT 51'),
               'audit_of_(access|partner)', 'people and keys');
SELECT * FROM finish();
ROLLBACK;
