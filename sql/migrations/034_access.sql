-- People and keys are managed by the partner's own admins: invitations, links by which a password is chosen, the
-- lock-out after failed sign-ins, and a login for the pages that manage them.

-- ---- people ----

-- Who is invited has no password yet; who was disabled before choosing one has none either.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_status_check;
ALTER TABLE users ADD CONSTRAINT users_status_check CHECK (status IN ('invited', 'active', 'disabled'));
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_password_check;
ALTER TABLE users ADD CONSTRAINT users_password_check CHECK (CASE status WHEN 'active' THEN password_hash IS NOT NULL
                                                                         WHEN 'invited' THEN password_hash IS NULL
                                                                         ELSE true END);
-- For those who manage people and must not read hashes.
ALTER TABLE users ADD COLUMN IF NOT EXISTS has_password boolean NOT NULL GENERATED ALWAYS AS (password_hash IS NOT NULL) STORED;

-- The link by which a person chooses a password: one at a time, so that a newer one ends the one before. Its token is
-- random, 256 bits, and only the SHA-256 is kept.
CREATE TABLE IF NOT EXISTS password_links (
    user_id    uuid PRIMARY KEY,
    partner_id uuid NOT NULL,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '72 hours'),
    FOREIGN KEY (user_id, partner_id) REFERENCES users (id, partner_id) ON DELETE CASCADE
);

-- A new password ends the link, and disabling ends the link and the sessions, whoever does it.
CREATE OR REPLACE FUNCTION end_access() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    DELETE FROM password_links WHERE user_id = NEW.id;
    IF NEW.status = 'disabled' THEN
        DELETE FROM sessions WHERE user_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER end_access AFTER UPDATE ON users
    FOR EACH ROW WHEN ((NEW.status = 'disabled' AND OLD.status <> 'disabled') OR NEW.password_hash IS DISTINCT FROM OLD.password_hash)
    EXECUTE FUNCTION end_access();

-- ---- sessions ----

-- Each new session takes some that have expired along, anybody's, so that they never pile up.
CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires_at);
CREATE OR REPLACE FUNCTION forget_old_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    DELETE FROM sessions s
     USING (SELECT o.token_hash FROM sessions o WHERE o.expires_at < now()
             ORDER BY o.expires_at LIMIT 20 FOR UPDATE SKIP LOCKED) AS gone
     WHERE s.token_hash = gone.token_hash;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER forget_old_sessions AFTER INSERT ON sessions
    FOR EACH ROW EXECUTE FUNCTION forget_old_sessions();

-- ---- lock-out ----

-- Failed sign-ins by address, whether anybody has it or not: so nobody learns from a lock-out who exists. The address
-- itself is not kept.
CREATE TABLE IF NOT EXISTS sign_in_failures (
    address_hash bytea PRIMARY KEY CHECK (length(address_hash) = 32), -- SHA-256 of the address in lower case
    failed_at    timestamptz[] NOT NULL CHECK (cardinality(failed_at) <= 10),
    locked_until timestamptz,
    forget_at    timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sign_in_failures_by_age ON sign_in_failures (forget_at);

CREATE OR REPLACE FUNCTION hash_of_address(address text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT sha256(convert_to(lower(address), 'UTF8')) $$;

-- Before a password is looked at: counts the attempt as failed, and says for how many seconds the address is locked (NULL:
-- it is not, the password may be looked at) and whether this is the attempt that locks it. Counting first means that
-- however many try at once, ten passwords are looked at and no more. The tenth within 15 minutes locks for 15 minutes;
-- what comes in that time changes nothing.
CREATE OR REPLACE FUNCTION begin_sign_in(address text, OUT locked_for integer, OUT is_last boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    span   CONSTANT interval := interval '15 minutes';
    moment timestamptz := clock_timestamp();
    f      sign_in_failures;
BEGIN
    -- Some that have had their time go with each attempt, so that they never pile up.
    DELETE FROM sign_in_failures s
     USING (SELECT o.address_hash FROM sign_in_failures o WHERE o.forget_at < moment
             ORDER BY o.forget_at LIMIT 10 FOR UPDATE SKIP LOCKED) AS gone
     WHERE s.address_hash = gone.address_hash;
    INSERT INTO sign_in_failures AS s (address_hash, failed_at, forget_at)
    VALUES (hash_of_address(address), '{}', moment + span)
        ON CONFLICT (address_hash) DO UPDATE SET forget_at = greatest(s.forget_at, EXCLUDED.forget_at)
    RETURNING * INTO f;
    moment := clock_timestamp(); -- after waiting for another attempt
    is_last := false;
    IF f.locked_until > moment THEN
        locked_for := greatest(1, ceil(extract(epoch FROM f.locked_until - moment)))::integer;
        RETURN;
    END IF;
    f.failed_at := ARRAY(SELECT a FROM unnest(f.failed_at) AS a
                          WHERE f.locked_until IS NULL AND a > moment - span ORDER BY a) || moment;
    is_last := cardinality(f.failed_at) = 10;
    UPDATE sign_in_failures s
       SET failed_at = f.failed_at, locked_until = CASE WHEN is_last THEN moment + span END, forget_at = moment + span
     WHERE s.address_hash = f.address_hash;
END
$$;

-- The password was right, or somebody who may lifts the lock-out. Says whether there was one.
CREATE OR REPLACE FUNCTION forget_sign_in_failures(address text) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    WITH gone AS (DELETE FROM sign_in_failures WHERE address_hash = hash_of_address(address) RETURNING locked_until)
    SELECT coalesce((SELECT locked_until > clock_timestamp() FROM gone), false)
    $$;

CREATE OR REPLACE FUNCTION sign_in_locked_until(address text) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT locked_until FROM sign_in_failures WHERE address_hash = hash_of_address(address) AND locked_until > now() $$;

-- ---- answers kept for replays ----

-- An answer that holds a secret is kept sealed, under a key made of what only the caller has.
ALTER TABLE idempotency_keys ADD COLUMN IF NOT EXISTS sealed boolean NOT NULL DEFAULT false;

-- ---- the audit log ----

ALTER TABLE promotion_audit_log DROP CONSTRAINT IF EXISTS promotion_audit_log_action_check;
ALTER TABLE promotion_audit_log ADD CONSTRAINT promotion_audit_log_action_check CHECK (action IN (
    'candidate.approved', 'candidate.rejected',
    'rule.created', 'rule.regenerated', 'rule.deployed', 'rule.enabled', 'rule.disabled', 'rule.archived',
    'user.signed_in', 'user.sign_in_failed', 'user.signed_out', 'user.created', 'user.invited', 'user.changed',
    'user.disabled', 'user.enabled', 'user.password_reset', 'user.password_set', 'user.locked', 'user.unlocked',
    'key.created', 'key.rotated', 'key.revoked',
    'partner.created', 'site.created', 'appliance.created', 'appliance.revoked',
    'thresholds.changed'));
-- What is asked for by subject; sign-ins are many and decisions few.
CREATE INDEX IF NOT EXISTS audit_of_decisions ON promotion_audit_log (partner_id, id DESC)
    WHERE entity IN ('candidate', 'rule', 'thresholds');
CREATE INDEX IF NOT EXISTS audit_of_access ON promotion_audit_log (partner_id, id DESC) WHERE entity IN ('user', 'key');

-- ---- who may ----

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['password_links', 'sign_in_failures']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('DROP POLICY IF EXISTS all_partners ON %I', t);
        EXECUTE format('CREATE POLICY all_partners ON %I TO flywheel_migrate, flywheel_operator USING (true) WITH CHECK (true)', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['users', 'api_keys', 'password_links', 'idempotency_keys']
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS managed_partner ON %I', t);
        EXECUTE format('CREATE POLICY managed_partner ON %I TO flywheel_access '
                       'USING (partner_id = current_partner()) WITH CHECK (partner_id = current_partner())', t);
    END LOOP;
END
$$;

-- Whoever manages people makes nobody who could sign in at once.
DROP POLICY IF EXISTS only_invited ON users;
CREATE POLICY only_invited ON users AS RESTRICTIVE FOR INSERT TO flywheel_access WITH CHECK (status = 'invited');
-- Choosing a password makes a person active, and brings nobody back who is disabled.
DROP POLICY IF EXISTS only_active ON users;
CREATE POLICY only_active ON users AS RESTRICTIVE FOR UPDATE TO flywheel_account
    USING (status <> 'disabled') WITH CHECK (status = 'active');
-- A link is found before its partner is known; once a partner is known it sees that one's only.
DROP POLICY IF EXISTS sign_in ON password_links;
CREATE POLICY sign_in ON password_links TO flywheel_account USING (coalesce(partner_id = current_partner(), true));

DROP POLICY IF EXISTS sign_in ON promotion_audit_log;
CREATE POLICY sign_in ON promotion_audit_log FOR INSERT TO flywheel_account
    WITH CHECK (action IN ('user.signed_in', 'user.sign_in_failed', 'user.signed_out', 'user.password_set', 'user.locked')
                AND coalesce(partner_id = current_partner(), true));
DROP POLICY IF EXISTS managed_partner ON promotion_audit_log;
CREATE POLICY managed_partner ON promotion_audit_log FOR INSERT TO flywheel_access
    WITH CHECK (action IN ('user.invited', 'user.changed', 'user.disabled', 'user.enabled', 'user.password_reset',
                           'user.unlocked', 'key.created', 'key.rotated', 'key.revoked')
                AND partner_id = current_partner());

GRANT USAGE ON SCHEMA public TO flywheel_access;
GRANT EXECUTE ON FUNCTION current_partner(), current_site(), current_appliance(), authenticate(bytea, bytea, bytea)
   TO flywheel_access;

-- Managing people and keys: no password, no key, no session can be read.
GRANT SELECT (id, partner_id, email, display_name, role, status, has_password, created_at, last_sign_in_at),
      INSERT (partner_id, email, display_name, role, status),
      UPDATE (display_name, role, status) ON users TO flywheel_access;
GRANT SELECT (user_id, partner_id, expires_at),
      INSERT (user_id, partner_id, token_hash, created_at, expires_at),
      UPDATE (token_hash, created_at, expires_at) ON password_links TO flywheel_access;
GRANT SELECT (id, partner_id, user_id, name, prefix, scopes, created_at, expires_at, revoked_at, replaced_by, last_used_at),
      INSERT (id, partner_id, user_id, name, prefix, key_hash, scopes, expires_at),
      UPDATE (expires_at, revoked_at, replaced_by) ON api_keys TO flywheel_access;
GRANT INSERT ON promotion_audit_log TO flywheel_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO flywheel_access;
GRANT EXECUTE ON FUNCTION sign_in_locked_until(text), forget_sign_in_failures(text) TO flywheel_access;

-- Choosing and changing a password.
GRANT UPDATE (password_hash, status) ON users TO flywheel_account;
GRANT SELECT, DELETE ON password_links TO flywheel_account;
GRANT EXECUTE ON FUNCTION begin_sign_in(text), forget_sign_in_failures(text) TO flywheel_account;

-- Operating.
GRANT SELECT ON password_links, sign_in_failures TO flywheel_operator;
GRANT UPDATE (status) ON users TO flywheel_operator;
GRANT INSERT, UPDATE (token_hash, created_at, expires_at) ON password_links TO flywheel_operator;
GRANT EXECUTE ON FUNCTION sign_in_locked_until(text), forget_sign_in_failures(text) TO flywheel_operator;
