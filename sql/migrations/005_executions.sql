-- What appliances did: one row an execution, in monthly partitions, and daily counts per site beside it.

CREATE SEQUENCE IF NOT EXISTS execution_telemetry_id_seq;

CREATE TABLE IF NOT EXISTS execution_telemetry (
    id                  bigint NOT NULL DEFAULT nextval('execution_telemetry_id_seq'),
    -- When it happened: completed, else started, by the appliance's clock where that is credible.
    created_at          timestamptz NOT NULL,
    received_at         timestamptz NOT NULL DEFAULT now(),
    partner_id          uuid NOT NULL,
    site_id             text NOT NULL,
    appliance_id        text,
    execution_id        text NOT NULL,
    incident_id         text,
    runbook_id          text,
    rule_id             text,
    pattern_signature   text,
    hostname            text,
    host_id             text,
    platform            text,
    incident_type       text,
    check_type          text,
    severity            text,
    recommended_action  text,
    started_at          timestamptz,
    completed_at        timestamptz,
    duration_seconds    double precision,
    -- NULL: the appliance did not say. Handing an incident to a person is never a success.
    success             boolean,
    status              text,
    verification_passed boolean,
    confidence          double precision,
    resolution_level    text CHECK (resolution_level IN ('L1', 'L2', 'L3')),
    failure_type        text,
    error_message       text,
    error_step          text,
    retry_count         integer,
    evidence_bundle_id  text,
    incident            jsonb,
    state_before        jsonb,
    state_after         jsonb,
    state_diff          jsonb,
    executed_steps      jsonb,
    PRIMARY KEY (created_at, id),
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE execution_telemetry_id_seq OWNED BY execution_telemetry.id;

CREATE INDEX IF NOT EXISTS executions_of_partner ON execution_telemetry (partner_id, created_at DESC, id DESC);
-- The partner leads here too: row security asks for it, and would else fetch that partner's whole index as well.
CREATE INDEX IF NOT EXISTS executions_of_site ON execution_telemetry (partner_id, site_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS executions_of_pattern ON execution_telemetry
    (partner_id, site_id, pattern_signature, created_at DESC, id DESC);

-- A unique key of a partitioned table must hold the partition key; this table is what makes an
-- execution count once. Scoped to the site: another site's ids are none of its business.
CREATE TABLE IF NOT EXISTS execution_ids (
    site_id      text NOT NULL,
    execution_id text NOT NULL CHECK (length(execution_id) BETWEEN 1 AND 255),
    partner_id   uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (site_id, execution_id),
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE
);

-- Counts by UTC day, kept as rows arrive, so that figures over 30 days never read telemetry.
CREATE TABLE IF NOT EXISTS site_daily_executions (
    site_id          text NOT NULL,
    day              date NOT NULL,
    resolution_level text NOT NULL CHECK (resolution_level IN ('L1', 'L2', 'L3', 'unknown')),
    partner_id       uuid NOT NULL,
    executions       bigint NOT NULL DEFAULT 0 CHECK (executions >= 0),
    successes        bigint NOT NULL DEFAULT 0 CHECK (successes BETWEEN 0 AND executions),
    PRIMARY KEY (site_id, day, resolution_level),
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE
);
CREATE INDEX IF NOT EXISTS daily_executions_of_partner ON site_daily_executions (partner_id, day)
    INCLUDE (executions, successes);

CREATE OR REPLACE FUNCTION count_executions() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO site_daily_executions AS d (site_id, day, resolution_level, partner_id, executions, successes)
    SELECT n.site_id, (n.created_at AT TIME ZONE 'UTC')::date, coalesce(n.resolution_level, 'unknown'), n.partner_id,
           count(*), count(*) FILTER (WHERE n.success)
      FROM arrived n
     GROUP BY 1, 2, 3, 4
     ORDER BY 1, 2, 3 -- one order for all writers, so that they wait instead of deadlocking
    ON CONFLICT (site_id, day, resolution_level) DO UPDATE
       SET executions = d.executions + EXCLUDED.executions, successes = d.successes + EXCLUDED.successes;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER count_executions AFTER INSERT ON execution_telemetry
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION count_executions();

-- Makes the monthly partitions for the given moments where they are missing. To be called first in a
-- transaction: attaching waits for readers, and a reader that waits for it in turn would be a deadlock.
CREATE OR REPLACE FUNCTION ensure_execution_partitions(moments timestamptz[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    month_start timestamp;
    partition   text;
BEGIN
    FOR month_start IN
        SELECT DISTINCT date_trunc('month', m AT TIME ZONE 'UTC') FROM unnest(moments) AS m WHERE m IS NOT NULL ORDER BY 1
    LOOP
        -- A clock gone wild must not leave thousands of tables behind.
        IF month_start < '2000-01-01' OR month_start > now() AT TIME ZONE 'UTC' + interval '1 year' THEN
            RAISE EXCEPTION 'executions are kept from the year 2000 to a year from now, not for %', month_start
                USING ERRCODE = 'datetime_field_overflow';
        END IF;
        partition := 'execution_telemetry_' || to_char(month_start, 'YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(hashtextextended('ensure_execution_partitions', 0));
        -- Somebody else may have made it while we waited. Not to_regclass: that may remember that there was none.
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = partition AND relnamespace = 'public'::regnamespace);
        EXECUTE format('CREATE TABLE public.%I (LIKE public.execution_telemetry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                       partition);
        EXECUTE format('ALTER TABLE public.execution_telemetry ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       partition, (month_start AT TIME ZONE 'UTC')::text,
                       ((month_start + interval '1 month') AT TIME ZONE 'UTC')::text);
    END LOOP;
END
$$;
SELECT ensure_execution_partitions(ARRAY[now(), now() + interval '1 month']);
