-- Who may call: people with a password, scripts with a key, appliances with a token.
-- Keys, tokens and session cookies are random 256-bit values, of which only the SHA-256 is kept.

CREATE TABLE IF NOT EXISTS users (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    partner_id      uuid NOT NULL REFERENCES partners (id),
    email           text NOT NULL CHECK (length(email) BETWEEN 3 AND 254 AND email LIKE '%_@_%'),
    display_name    text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    role            text NOT NULL CHECK (role IN ('viewer', 'approver', 'admin')),
    password_hash   text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_sign_in_at timestamptz,
    UNIQUE (id, partner_id)
);
-- One address signs in to one account, however it is written.
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (lower(email));

CREATE TABLE IF NOT EXISTS sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    uuid NOT NULL,
    partner_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    FOREIGN KEY (user_id, partner_id) REFERENCES users (id, partner_id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (user_id, expires_at);

CREATE TABLE IF NOT EXISTS api_keys (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    partner_id   uuid NOT NULL REFERENCES partners (id),
    -- The person the key acts as; without one it acts for the partner and never counts as a second person.
    user_id      uuid,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- The first characters of the key, by which people tell their keys apart.
    prefix       text NOT NULL CHECK (length(prefix) BETWEEN 4 AND 16),
    key_hash     bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'decide', 'admin']),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    -- The key that took over; both work until this one expires or is revoked.
    replaced_by  uuid REFERENCES api_keys (id),
    last_used_at timestamptz,
    FOREIGN KEY (user_id, partner_id) REFERENCES users (id, partner_id)
);
CREATE INDEX IF NOT EXISTS api_keys_of_partner ON api_keys (partner_id, created_at);

CREATE TABLE IF NOT EXISTS appliance_tokens (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    appliance_id text NOT NULL,
    partner_id   uuid NOT NULL,
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    FOREIGN KEY (appliance_id, partner_id) REFERENCES site_appliances (appliance_id, partner_id) ON UPDATE CASCADE
);
CREATE INDEX IF NOT EXISTS appliance_tokens_of_appliance ON appliance_tokens (appliance_id);

-- What the three lookups of authenticate() have in common.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'principal' AND typnamespace = 'public'::regnamespace) THEN
        CREATE TYPE principal AS (
            outcome      text,    -- 'ok'; else why not: 'none', 'unknown', 'expired', 'mismatch'
            kind         text,    -- 'user', 'key' or 'appliance'
            actor_id     uuid,    -- of the user, else of the key
            actor        text,    -- how the audit log and people call it
            user_id      uuid,    -- the person, where there is one
            partner_id   uuid,
            can_read     boolean,
            can_decide   boolean,
            can_admin    boolean,
            role         text,    -- of the user
            key_id       uuid,    -- of the key that was used
            site_id      text,    -- of the appliance
            appliance_id text
        );
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION principal_of_key(hash bytea) RETURNS principal
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN k.expires_at <= now() OR k.revoked_at <= now() THEN 'expired' ELSE 'ok' END,
           CASE WHEN u.id IS NULL THEN 'key' ELSE 'user' END,
           coalesce(u.id, k.id),
           coalesce(u.email, 'key ' || k.prefix || ' (' || k.name || ')'),
           u.id, k.partner_id,
           k.scopes && ARRAY['read', 'admin'],
           k.scopes && ARRAY['decide', 'admin'] AND (u.id IS NULL OR u.role IN ('approver', 'admin')),
           'admin' = ANY (k.scopes) AND (u.id IS NULL OR u.role = 'admin'),
           u.role, k.id, NULL, NULL
      FROM api_keys k
      JOIN partners p ON p.id = k.partner_id AND p.status = 'active'
      LEFT JOIN users u ON u.id = k.user_id
     WHERE k.key_hash = hash AND (k.user_id IS NULL OR u.status = 'active')
    $$;

CREATE OR REPLACE FUNCTION principal_of_session(hash bytea) RETURNS principal
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN s.expires_at <= now() THEN 'expired' ELSE 'ok' END,
           'user', u.id, u.email, u.id, u.partner_id,
           true, u.role IN ('approver', 'admin'), u.role = 'admin', u.role, NULL::uuid, NULL, NULL
      FROM sessions s
      JOIN users u ON u.id = s.user_id AND u.status = 'active'
      JOIN partners p ON p.id = u.partner_id AND p.status = 'active'
     WHERE s.token_hash = hash
    $$;

CREATE OR REPLACE FUNCTION principal_of_token(hash bytea) RETURNS principal
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN t.expires_at <= now() OR t.revoked_at <= now() THEN 'expired' ELSE 'ok' END,
           'appliance', t.id, a.appliance_id, NULL::uuid, a.partner_id,
           false, false, false, NULL, NULL::uuid, a.site_id, a.appliance_id
      FROM appliance_tokens t
      JOIN site_appliances a ON a.appliance_id = t.appliance_id AND a.status = 'active'
      JOIN partners p ON p.id = a.partner_id AND p.status = 'active'
     WHERE t.token_hash = hash
    $$;

-- Says who is calling, from the SHA-256 of what was sent (NULL: not sent), and binds the rest of the
-- transaction to that caller's partner (and site and appliance): row security then shows nothing else.
-- A key and a session may come together if they belong to the same partner; the key then counts.
CREATE OR REPLACE FUNCTION authenticate(key_hash bytea, session_hash bytea, token_hash bytea) RETURNS principal
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    found   principal;
    session principal;
BEGIN
    IF key_hash IS NOT NULL THEN
        found := principal_of_key(key_hash);
        IF session_hash IS NOT NULL THEN
            session := principal_of_session(session_hash);
            IF session.outcome = 'ok' AND session.partner_id <> found.partner_id THEN
                found.outcome := 'mismatch';
            END IF;
        END IF;
    ELSIF session_hash IS NOT NULL THEN
        found := principal_of_session(session_hash);
    ELSIF token_hash IS NOT NULL THEN
        found := principal_of_token(token_hash);
    ELSE
        found.outcome := 'none';
    END IF;
    found.outcome := coalesce(found.outcome, 'unknown');
    PERFORM set_config('flywheel.partner_id',
                       CASE WHEN found.outcome = 'ok' THEN found.partner_id::text ELSE '' END, true),
            set_config('flywheel.site_id',
                       CASE WHEN found.outcome = 'ok' THEN coalesce(found.site_id, '') ELSE '' END, true),
            set_config('flywheel.appliance_id',
                       CASE WHEN found.outcome = 'ok' THEN coalesce(found.appliance_id, '') ELSE '' END, true);
    RETURN found;
END
$$;

-- Remembers, to the minute, that keys were used. Apart from the request, so that a role that may only
-- read need not write and a standby need not fail.
CREATE OR REPLACE FUNCTION note_key_use(key_ids uuid[]) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    UPDATE api_keys SET last_used_at = date_trunc('minute', now())
     WHERE id IN (SELECT k.id FROM api_keys k
                   WHERE k.id = ANY (key_ids) AND k.last_used_at IS DISTINCT FROM date_trunc('minute', now())
                     FOR NO KEY UPDATE SKIP LOCKED) -- whoever holds it notes the same minute
    $$;
