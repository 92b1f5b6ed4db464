-- Who looks after whom: partners own sites, sites have appliances.

-- The partner on whose behalf the current transaction acts; NULL (so: no rows) when none is set.
CREATE OR REPLACE FUNCTION current_partner() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('flywheel.partner_id', true), '')::uuid $$;

-- The site for which an appliance speaks in the current transaction.
CREATE OR REPLACE FUNCTION current_site() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('flywheel.site_id', true), '') $$;

-- The appliance that speaks in the current transaction.
CREATE OR REPLACE FUNCTION current_appliance() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('flywheel.appliance_id', true), '') $$;

CREATE TABLE IF NOT EXISTS partners (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    slug          text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    brand_name    text CHECK (length(brand_name) BETWEEN 1 AND 200),
    contact_email text CHECK (length(contact_email) BETWEEN 3 AND 254),
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS sites (
    site_id        text PRIMARY KEY CHECK (site_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
    clinic_name    text NOT NULL CHECK (length(clinic_name) BETWEEN 1 AND 200),
    partner_id     uuid NOT NULL REFERENCES partners (id),
    -- Moves with every change of what the site's appliances shall have installed.
    rules_revision bigint NOT NULL DEFAULT 0 CHECK (rules_revision >= 0),
    created_at     timestamptz NOT NULL DEFAULT now(),
    -- Rows of a site carry its partner too; this key lets them refer to both, so that the pair cannot be wrong.
    UNIQUE (site_id, partner_id)
);
CREATE INDEX IF NOT EXISTS sites_of_partner ON sites (partner_id, site_id);

CREATE TABLE IF NOT EXISTS site_appliances (
    appliance_id text PRIMARY KEY CHECK (appliance_id ~ '^[A-Za-z0-9._:%-]{1,255}$'),
    site_id      text NOT NULL,
    partner_id   uuid NOT NULL,
    status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz,
    -- Rows of an appliance carry its site and partner; through these keys they cannot name wrong ones.
    UNIQUE (site_id, appliance_id, partner_id),
    UNIQUE (appliance_id, partner_id),
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE
);

-- Fills the partner of a row from its site, so that no writer can state another one.
CREATE OR REPLACE FUNCTION fill_partner_from_site() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT s.partner_id INTO NEW.partner_id FROM sites s WHERE s.site_id = NEW.site_id;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER partner_from_site BEFORE INSERT ON site_appliances
    FOR EACH ROW WHEN (NEW.partner_id IS NULL) EXECUTE FUNCTION fill_partner_from_site();
