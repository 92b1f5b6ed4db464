-- authenticate(): who is calling, and to whom the rest of the transaction is bound.
\ir lib/begin.psql
SELECT no_plan();
\ir lib/roles.psql

CREATE FUNCTION pg_temp.h(secret text) RETURNS bytea LANGUAGE sql AS $$ SELECT sha256(convert_to(secret, 'UTF8')) $$;
CREATE FUNCTION pg_temp.who(key text DEFAULT NULL, session text DEFAULT NULL, token text DEFAULT NULL) RETURNS principal
    LANGUAGE sql AS $$ SELECT a FROM authenticate(pg_temp.h(key), pg_temp.h(session), pg_temp.h(token)) AS a $$;
-- What the transaction is bound to.
CREATE FUNCTION pg_temp.bound() RETURNS text
    LANGUAGE sql AS $$ SELECT concat_ws(' ', current_partner(), current_site(), current_appliance()) $$;
CREATE FUNCTION pg_temp.may(p principal) RETURNS text
    LANGUAGE sql AS $$ SELECT concat_ws(' ', CASE WHEN p.can_read THEN 'read' END, CASE WHEN p.can_decide THEN 'decide' END, CASE WHEN p.can_admin THEN 'admin' END) $$;

-- Who comes in.
SELECT is((pg_temp.who(key => 'key of partner-a')).outcome, 'ok', 'a key opens');
SELECT is(pg_temp.bound(), :'a', 'and binds to its partner, and to no site');
SELECT is((pg_temp.who(key => 'key of partner-a')).kind, 'key', 'a key without a person acts for the partner');
SELECT ok((pg_temp.who(key => 'key of partner-a')).user_id IS NULL, 'and is no second person');
SELECT is((pg_temp.who(session => 'session of approver@a.example')).outcome, 'ok', 'a session opens');
SELECT is((pg_temp.who(session => 'session of approver@a.example')).actor, 'approver@a.example', 'as the person');
SELECT is(pg_temp.bound(), :'a', 'and binds to the person''s partner');
SELECT is((pg_temp.who(token => 'token of a-one-1')).outcome, 'ok', 'a token opens');
SELECT is(pg_temp.bound(), :'a' || ' a-one a-one-1', 'and binds to its site and appliance');
SELECT is((pg_temp.who(token => 'token of a-one-1')).kind, 'appliance', 'as the appliance');
SELECT is(pg_temp.may(pg_temp.who(token => 'token of a-one-1')), '', 'P24: which may nothing of what people may');
SELECT is((pg_temp.who(key => 'key of partner-a')).outcome, 'ok', 'after the appliance a key') ;
SELECT is(pg_temp.bound(), :'a', 'P24: is not left bound to the appliance''s site');

-- Who does not: and then nothing stays bound.
CREATE FUNCTION pg_temp.refuses(wanted text, what text, key text DEFAULT NULL, session text DEFAULT NULL, token text DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    found text;
BEGIN
    PERFORM set_config('flywheel.partner_id', 'aaaaaaaa-0000-4000-8000-000000000001', true), set_config('flywheel.site_id', 'a-one', true),
            set_config('flywheel.appliance_id', 'a-one-1', true);
    found := (pg_temp.who(key, session, token)).outcome;
    RETURN NEXT is(found, wanted, 'refused: ' || what);
    RETURN NEXT is(pg_temp.bound(), '', 'and bound to nobody: ' || what);
END
$$;
SELECT pg_temp.refuses('none', 'nothing sent');
SELECT pg_temp.refuses('unknown', 'an unknown key', key => 'guessed');
SELECT pg_temp.refuses('unknown', 'an unknown session', session => 'guessed');
SELECT pg_temp.refuses('unknown', 'an unknown token', token => 'guessed');
SELECT pg_temp.refuses('unknown', 'a session''s value sent as a key', key => 'session of admin@a.example');
SELECT pg_temp.refuses('unknown', 'a key''s value sent as a token', token => 'key of partner-a');
SELECT pg_temp.refuses('unknown', 'an unknown key beside a good session', key => 'guessed', session => 'session of admin@a.example');
SELECT pg_temp.refuses('mismatch', 'key and session of different partners', key => 'key of partner-a', session => 'session of admin@b.example');
SELECT is((pg_temp.who(key => 'key of partner-a', session => 'session of viewer@a.example')).kind, 'key', 'key and session of one partner: the key counts');
SELECT is((pg_temp.who(key => 'key of partner-a', session => 'guessed')).outcome, 'ok', 'a good key beside a stale session opens');
SELECT pg_temp.refuses('unknown', 'a suspended partner''s key', key => 'key of partner-c');
SELECT pg_temp.refuses('unknown', 'a suspended partner''s session', session => 'session of admin@c.example');
SELECT pg_temp.refuses('unknown', 'a suspended partner''s appliance', token => 'token of c-one-1');

-- Ends.
UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE partner_id = :'b';
SELECT pg_temp.refuses('expired', 'an expired key', key => 'key of partner-b');
UPDATE api_keys SET expires_at = now() WHERE partner_id = :'b';
SELECT pg_temp.refuses('expired', 'a key at the very moment it expires', key => 'key of partner-b');
UPDATE api_keys SET expires_at = now() + interval '1 day', revoked_at = now() WHERE partner_id = :'b';
SELECT pg_temp.refuses('expired', 'a revoked key', key => 'key of partner-b');
UPDATE api_keys SET revoked_at = now() + interval '1 hour' WHERE partner_id = :'b';
SELECT is((pg_temp.who(key => 'key of partner-b')).outcome, 'ok', 'a key being rotated works until its end');
UPDATE sessions SET created_at = now() - interval '2 days', expires_at = now() - interval '1 second' WHERE user_id = '00000000-0000-4000-8000-0000000000a1';
SELECT pg_temp.refuses('expired', 'an expired session', session => 'session of viewer@a.example');
UPDATE appliance_tokens SET revoked_at = now() WHERE appliance_id = 'a-one-2';
SELECT pg_temp.refuses('expired', 'a revoked token', token => 'token of a-one-2');
UPDATE appliance_tokens SET expires_at = now() - interval '1 second' WHERE appliance_id = 'a-two-1';
SELECT pg_temp.refuses('expired', 'an expired token', token => 'token of a-two-1');
UPDATE site_appliances SET status = 'revoked' WHERE appliance_id = 'b-one-1';
SELECT pg_temp.refuses('unknown', 'a revoked appliance', token => 'token of b-one-1');
UPDATE users SET status = 'disabled' WHERE email = 'admin@b.example';
SELECT pg_temp.refuses('unknown', 'a disabled person''s session', session => 'session of admin@b.example');

-- Scopes and roles.
SELECT is(pg_temp.may(pg_temp.who(session => 'session of admin@a.example')), 'read decide admin', 'an admin may all');
SELECT is(pg_temp.may(pg_temp.who(session => 'session of approver@a.example')), 'read decide', 'an approver decides');
UPDATE sessions SET expires_at = now() + interval '1 day' WHERE user_id = '00000000-0000-4000-8000-0000000000a1';
SELECT is(pg_temp.may(pg_temp.who(session => 'session of viewer@a.example')), 'read', 'a viewer only looks');
CREATE FUNCTION pg_temp.key_may(scopes text[], email text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE api_keys k SET scopes = key_may.scopes, user_id = (SELECT u.id FROM users u WHERE u.email = key_may.email)
     WHERE k.partner_id = 'aaaaaaaa-0000-4000-8000-000000000001';
    RETURN pg_temp.may(pg_temp.who(key => 'key of partner-a'));
END
$$;
SELECT is(pg_temp.key_may(scopes::text[], email), may, coalesce('a key of ' || email, 'a partner''s key') || ' with ' || scopes || ' may ' || may)
  FROM (VALUES ('{read}', NULL, 'read'), ('{read,decide}', NULL, 'read decide'), ('{decide}', NULL, 'decide'), ('{admin}', NULL, 'read decide admin'),
               ('{read}', 'admin@a.example', 'read'), ('{read,decide}', 'viewer@a.example', 'read'),
               ('{admin}', 'viewer@a.example', 'read'), ('{admin}', 'approver@a.example', 'read decide'),
               ('{admin}', 'admin@a.example', 'read decide admin')) AS v (scopes, email, may);
SELECT is((pg_temp.who(key => 'key of partner-a')).actor, 'admin@a.example', 'a key made for a person acts as that person');
UPDATE users SET status = 'disabled' WHERE email = 'admin@a.example';
SELECT pg_temp.refuses('unknown', 'a disabled person''s key', key => 'key of partner-a');
SELECT throws_ok($$UPDATE api_keys SET user_id = '00000000-0000-4000-8000-0000000000b1' WHERE name = 'key'$$, '23503', NULL, 'a key acts for no other partner''s person');
SELECT throws_ok($$UPDATE api_keys SET scopes = '{}'$$, '23514', NULL, 'a key has a scope');
SELECT throws_ok($$UPDATE api_keys SET scopes = '{everything}'$$, '23514', NULL, 'which is one of three');
SELECT throws_ok($$UPDATE api_keys SET key_hash = 'fw_plain'$$, '23514', NULL, 'a key is stored as its hash only');
SELECT throws_ok($$UPDATE users SET password_hash = 'plain'$$, '23514', NULL, 'a password as its argon2id hash only');
SELECT throws_ok($$UPDATE users SET email = 'Admin@A.Example' WHERE email = 'viewer@a.example'$$, '23505', NULL, 'an address signs in to one account, however it is written');

-- For every handler's role, without any right on the tables behind it.
UPDATE api_keys SET user_id = NULL;
SET LOCAL flywheel.partner_id = '';
SET LOCAL ROLE flywheel_read;
SELECT is((authenticate(sha256('key of partner-a'), NULL, NULL)).outcome, 'ok', 'the reading role can ask who is calling');
SELECT is((SELECT array_agg(DISTINCT partner_id::text) FROM aggregated_pattern_stats), ARRAY[:'a'], 'and then sees that partner''s rows');
SELECT throws_ok('SELECT key_hash FROM api_keys', '42501', NULL, 'but not the keys');
SELECT throws_ok('SELECT principal_of_key(sha256(''x''))', '42501', NULL, 'and looks none up past authenticate()');
SELECT is((authenticate(NULL, NULL, sha256('guessed'))).outcome, 'unknown', 'somebody unknown');
SELECT is((SELECT count(*) FROM aggregated_pattern_stats), 0::bigint, 'sees nothing, even where the statement comes all the same');
SET LOCAL ROLE flywheel_decide;
SELECT is((authenticate(sha256('key of partner-a'), NULL, NULL)).outcome, 'ok', 'the deciding role can ask');
SET LOCAL ROLE flywheel_account;
SELECT is((authenticate(NULL, sha256('session of approver@a.example'), NULL)).outcome, 'ok', 'the account role can ask');
SELECT is((SELECT array_agg(DISTINCT partner_id::text) FROM users), ARRAY[:'a'], 'and then sees that partner''s people only');
SET LOCAL ROLE flywheel_agent;
SELECT is((authenticate(NULL, NULL, sha256('token of a-one-1'))).outcome, 'ok', 'the appliances'' role can ask');
SELECT is((SELECT array_agg(DISTINCT site_id) FROM aggregated_pattern_stats), '{a-one}'::text[], 'P24: and then sees that appliance''s site only');
RESET ROLE;

-- P40: where its tables cannot be read, it fails; it does not let anybody in.
REVOKE ALL ON api_keys, sessions, appliance_tokens FROM flywheel_migrate;
SELECT throws_ok('SELECT authenticate(sha256(''key of partner-a''), NULL, NULL)', '42501', NULL, 'P40: when the keys cannot be read a key is an error, not a way in');
SELECT throws_ok('SELECT authenticate(NULL, sha256(''session of admin@a.example''), NULL)', '42501', NULL, 'P40: nor is a session when the sessions cannot');
SELECT throws_ok('SELECT authenticate(NULL, NULL, sha256(''token of a-one-1''))', '42501', NULL, 'P40: nor a token when the tokens cannot');
GRANT ALL ON api_keys, sessions, appliance_tokens TO flywheel_migrate;
DROP POLICY all_partners ON api_keys;
SELECT pg_temp.refuses('unknown', 'P40: any key, when a policy hides the keys', key => 'key of partner-a');
CREATE POLICY all_partners ON api_keys TO flywheel_migrate USING (true);

SET LOCAL transaction_read_only = on;
SELECT is((pg_temp.who(key => 'key of partner-a')).outcome, 'ok', 'asking writes nothing');
SELECT * FROM finish();
ROLLBACK;

