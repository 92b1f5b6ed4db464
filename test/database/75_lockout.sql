-- The lock-out: how attempts are counted, and that nothing of it tells who exists.
\ir lib/begin.psql
SELECT no_plan();
\ir lib/roles.psql

-- `times` failed attempts; what the last of them was told.
CREATE FUNCTION pg_temp.fail(address text, times integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    seen record;
BEGIN
    FOR n IN 1 .. times LOOP
        SELECT * INTO seen FROM begin_sign_in(address);
    END LOOP;
    RETURN concat_ws(' ', CASE WHEN seen.locked_for IS NULL THEN 'open' WHEN seen.locked_for BETWEEN 1 AND 900 THEN 'locked' ELSE 'wrong: ' || seen.locked_for END,
                     CASE WHEN seen.is_last THEN 'last' END);
END
$$;
CREATE FUNCTION pg_temp.later(minutes integer) RETURNS void
    LANGUAGE sql
    AS $$ UPDATE sign_in_failures SET failed_at = ARRAY(SELECT a - make_interval(mins => minutes) FROM unnest(failed_at) AS a),
                 locked_until = locked_until - make_interval(mins => minutes), forget_at = forget_at - make_interval(mins => minutes) $$;

SELECT is(pg_temp.fail('viewer@a.example', 9), 'open', 'nine failures lock nothing');
SELECT is(pg_temp.fail('Viewer@A.Example', 1), 'open last', 'the tenth locks, however the address is written');
SELECT is(pg_temp.fail('viewer@a.example', 5), 'locked', 'after that nothing is looked at');
SELECT is((SELECT cardinality(failed_at) FROM sign_in_failures), 10, 'and nothing is added');
SELECT is(pg_temp.fail('nobody@nowhere.example', 9) || ', ' || pg_temp.fail('nobody@nowhere.example', 1) || ', ' || pg_temp.fail('nobody@nowhere.example', 1),
          'open, open last, locked', 'an address that nobody has is counted alike');
SELECT is(pg_temp.fail('approver@a.example', 1), 'open', 'another address is not locked');
SELECT ok(sign_in_locked_until('viewer@a.example') > now(), 'the lock-out shows');
SELECT ok(sign_in_locked_until('approver@a.example') IS NULL, 'where there is one');
SELECT pg_temp.later(10) \g /dev/null
SELECT is((SELECT locked_for BETWEEN 1 AND 300 FROM begin_sign_in('viewer@a.example')), true, 'waiting is not lengthened by trying');
SELECT pg_temp.later(6) \g /dev/null
SELECT ok(sign_in_locked_until('viewer@a.example') IS NULL, 'it ends after 15 minutes');
SELECT is(pg_temp.fail('viewer@a.example', 9), 'open', 'and the count begins anew');
SELECT pg_temp.later(14) \g /dev/null
SELECT is(pg_temp.fail('viewer@a.example', 1), 'open last', 'ten within 15 minutes lock');
SELECT is(forget_sign_in_failures('viewer@a.example'), true, 'a lock-out is lifted');
SELECT is(forget_sign_in_failures('viewer@a.example'), false, 'once');
SELECT is(pg_temp.fail('viewer@a.example', 9), 'open', 'and all failures with it');
SELECT pg_temp.later(15) \g /dev/null
SELECT is(pg_temp.fail('viewer@a.example', 9), 'open', 'older failures do not count');
SELECT is(forget_sign_in_failures('viewer@a.example'), false, 'forgetting says whether there was a lock-out');

-- What is kept, and for how long.
SELECT is(pg_temp.fail('kept@a.example', 1), 'open', 'an attempt');
SELECT is((SELECT count(*) FROM sign_in_failures f WHERE f::text ILIKE '%example%' OR f::text ILIKE '%kept%'), 0::bigint, 'no address is kept');
DELETE FROM sign_in_failures;
INSERT INTO sign_in_failures (address_hash, failed_at, forget_at) SELECT sha256(n::text::bytea), '{}', now() - interval '1 minute' FROM generate_series(1, 25) AS n;
SELECT is(pg_temp.fail('new@a.example', 3), 'open', 'attempts');
SELECT is((SELECT count(*) FROM sign_in_failures), 1::bigint, 'take what is old along');

-- Expired sessions go with anybody's new one.
UPDATE sessions SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE user_id <> '00000000-0000-4000-8000-0000000000a1';
SET LOCAL ROLE flywheel_account;
INSERT INTO sessions (token_hash, user_id, partner_id, expires_at) VALUES (sha256('new'), '00000000-0000-4000-8000-0000000000a1', :'a', now() + interval '1 hour');
RESET ROLE;
SELECT is((SELECT count(*) FROM sessions), 2::bigint, 'expired sessions go with anybody''s next sign-in');

-- Nobody reads or writes the table but by the functions.
SELECT ok(relrowsecurity AND relforcerowsecurity, 'row security is forced on the failures') FROM pg_class WHERE relname = 'sign_in_failures';
SELECT ok(NOT has_table_privilege(r, 'sign_in_failures', 'SELECT, INSERT, UPDATE, DELETE'), r || ' does not touch the failures')
  FROM unnest(ARRAY['flywheel_read', 'flywheel_decide', 'flywheel_agent', 'flywheel_account', 'flywheel_access']) AS r;
SELECT throws_ok($$INSERT INTO sign_in_failures (address_hash, failed_at, forget_at) VALUES ('somebody@a.example', '{}', now())$$, '23514', NULL, 'only a hash fits');
SELECT * FROM finish();
ROLLBACK;
