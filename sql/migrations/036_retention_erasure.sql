-- How long things are kept, and how a site's data goes for good. The functions are the schema owner's: deploy/retain and
-- deploy/erase-site call them, no login of the handlers or operators can.

-- ---- retention --------------------------------------------------------------------------------------------------

-- The one place where periods are set; each may be longer, and none shorter than what something else relies on.
CREATE TABLE IF NOT EXISTS retention_periods (
    what     text PRIMARY KEY,
    keep     interval NOT NULL,
    shortest interval NOT NULL,
    about    text NOT NULL,
    CHECK (keep >= shortest)
);
INSERT INTO retention_periods (what, keep, shortest, about) VALUES
    ('telemetry', '13 months', '4 months', 'executions, by whole months; a preview looks back 90 days'),
    ('daily_counts', '7 years', '13 months', 'executions of a site a day, by level'),
    -- As long as a report may be filed under its own date (five years), its id must be known; else a repetition counts twice.
    ('execution_ids', '62 months', '62 months', 'ids of executions, by which a repeated report is recognised'),
    ('audit', '7 years', '1 year', 'entries of the audit log'),
    ('sessions', '1 day', '0', 'sessions, after they have ended'),
    ('password_links', '1 day', '0', 'links by which a password is chosen, after they have ended'),
    ('sign_in_failures', '1 day', '0', 'failed sign-ins of an address, after they have stopped counting'),
    ('idempotency_keys', '24 hours', '24 hours', 'first answers to requests with an Idempotency-Key')
ON CONFLICT (what) DO NOTHING;
GRANT SELECT ON retention_periods TO flywheel_operator;

-- Small, and in the order in which rows arrive, as the ages are.
CREATE INDEX IF NOT EXISTS execution_ids_by_age ON execution_ids USING brin (created_at);

-- Before this moment things of that kind have had their time.
CREATE OR REPLACE FUNCTION retention_cut(of_what text) RETURNS timestamptz
    LANGUAGE sql STABLE
    AS $$ SELECT now() - keep FROM retention_periods WHERE what = of_what $$;

-- Months of executions, with those that have had their time. A month goes when its last moment has.
CREATE OR REPLACE FUNCTION telemetry_months() RETURNS TABLE (partition text, ends timestamptz, due boolean)
    LANGUAGE sql STABLE
    AS $$
    SELECT c.relname::text, m.ends, m.ends <= retention_cut('telemetry')
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
           LATERAL (SELECT (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' AS ends) AS m
     WHERE i.inhparent = 'public.execution_telemetry'::regclass AND c.relname ~ '^execution_telemetry_[0-9]{4}_[0-9]{2}$'
     ORDER BY m.ends
    $$;

CREATE OR REPLACE FUNCTION count_telemetry_month(partition text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    rows bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM public.%I', partition) INTO rows;
    RETURN rows;
END
$$;

-- Drops a month that has had its time, whole. Dropping takes a lock on the months' parent for a moment, and so is to be called
-- with a short lock_timeout; detaching first would lock `sites`, too, and with it everybody. The counts by day stay.
CREATE OR REPLACE FUNCTION drop_telemetry_month(partition text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM telemetry_months() m WHERE m.partition = drop_telemetry_month.partition AND m.due) THEN
        EXECUTE format('DROP TABLE IF EXISTS public.%I', partition);
    END IF;
END
$$;

-- Removes at most `batch` rows of that kind that have had their time; says how many. What somebody works on is left for
-- the next time.
CREATE OR REPLACE FUNCTION remove_outdated(of_what text, batch integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    cut     timestamptz := retention_cut(of_what);
    removed bigint;
BEGIN
    CASE of_what
    WHEN 'execution_ids' THEN
        DELETE FROM execution_ids e USING (SELECT o.site_id, o.execution_id FROM execution_ids o WHERE o.created_at < cut
                                            LIMIT batch FOR UPDATE SKIP LOCKED) AS gone
         WHERE e.site_id = gone.site_id AND e.execution_id = gone.execution_id;
    WHEN 'daily_counts' THEN
        DELETE FROM site_daily_executions e
         USING (SELECT o.site_id, o.day, o.resolution_level FROM site_daily_executions o
                 WHERE o.day < (cut AT TIME ZONE 'UTC')::date LIMIT batch FOR UPDATE SKIP LOCKED) AS gone
         WHERE e.site_id = gone.site_id AND e.day = gone.day AND e.resolution_level = gone.resolution_level;
    WHEN 'sessions' THEN
        DELETE FROM sessions e USING (SELECT o.token_hash FROM sessions o WHERE o.expires_at < cut
                                       ORDER BY o.expires_at LIMIT batch FOR UPDATE SKIP LOCKED) AS gone
         WHERE e.token_hash = gone.token_hash;
    WHEN 'password_links' THEN
        DELETE FROM password_links e USING (SELECT o.user_id FROM password_links o WHERE o.expires_at < cut
                                             LIMIT batch FOR UPDATE SKIP LOCKED) AS gone
         WHERE e.user_id = gone.user_id AND e.expires_at < cut;
    WHEN 'sign_in_failures' THEN
        DELETE FROM sign_in_failures e USING (SELECT o.address_hash FROM sign_in_failures o WHERE o.forget_at < cut
                                               ORDER BY o.forget_at LIMIT batch FOR UPDATE SKIP LOCKED) AS gone
         WHERE e.address_hash = gone.address_hash;
    WHEN 'idempotency_keys' THEN
        DELETE FROM idempotency_keys e USING (SELECT o.caller, o.key FROM idempotency_keys o WHERE o.created_at < cut
                                               LIMIT batch FOR UPDATE SKIP LOCKED) AS gone
         WHERE e.caller = gone.caller AND e.key = gone.key;
    END CASE;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

-- The last link of the part of a partner's chain of which every entry has had its time.
CREATE OR REPLACE FUNCTION outdated_audit(of_partner uuid) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce((SELECT k.seq - 1 FROM audit_chain_links k JOIN promotion_audit_log l ON l.id = k.audit_id
                      WHERE k.partner_id = of_partner AND k.seq > c.anchor_seq AND l.at >= retention_cut('audit')
                      ORDER BY k.seq LIMIT 1), c.last_seq)
      FROM audit_chains c WHERE c.partner_id = of_partner
    $$;

-- How many rows of each kind have had their time (telemetry: months, audit: entries).
CREATE OR REPLACE FUNCTION count_outdated(of_what text) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE of_what
           WHEN 'telemetry' THEN (SELECT count(*) FROM telemetry_months() WHERE due)
           WHEN 'daily_counts' THEN (SELECT count(*) FROM site_daily_executions WHERE day < (retention_cut(of_what) AT TIME ZONE 'UTC')::date)
           WHEN 'execution_ids' THEN (SELECT count(*) FROM execution_ids WHERE created_at < retention_cut(of_what))
           WHEN 'audit' THEN (SELECT sum(outdated_audit(c.partner_id) - c.anchor_seq) FROM audit_chains c)
           WHEN 'sessions' THEN (SELECT count(*) FROM sessions WHERE expires_at < retention_cut(of_what))
           WHEN 'password_links' THEN (SELECT count(*) FROM password_links WHERE expires_at < retention_cut(of_what))
           WHEN 'sign_in_failures' THEN (SELECT count(*) FROM sign_in_failures WHERE forget_at < retention_cut(of_what))
           WHEN 'idempotency_keys' THEN (SELECT count(*) FROM idempotency_keys WHERE created_at < retention_cut(of_what))
           END
    $$;

-- ---- the audit log: its oldest part goes, and the chain is anchored where that ended ------------------------------

-- Prunes at most `batch` entries; says how many. A chain in which something is wrong is not pruned: that would remove the trace.
CREATE OR REPLACE FUNCTION prune_audit(of_partner uuid, batch integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    chain  audit_chains;
    upto   bigint;
    newest timestamptz;
BEGIN
    SELECT * INTO chain FROM audit_chains c WHERE c.partner_id = of_partner;
    upto := least(outdated_audit(of_partner), chain.anchor_seq + batch);
    IF upto IS NULL OR upto <= chain.anchor_seq THEN
        RETURN 0;
    END IF;
    IF EXISTS (SELECT FROM verify_audit_chain(of_partner)) THEN
        RAISE EXCEPTION 'the audit log of partner % does not verify, so it is not pruned. Look: flywheelctl audit verify', of_partner;
    END IF;
    SELECT max(l.at) INTO newest FROM audit_chain_links k JOIN promotion_audit_log l ON l.id = k.audit_id
     WHERE k.partner_id = of_partner AND k.seq <= upto;
    UPDATE audit_chains c SET anchor_seq = upto, anchor_hash = k.hash, anchored_at = now()
      FROM audit_chain_links k
     WHERE c.partner_id = of_partner AND k.partner_id = of_partner AND k.seq = upto;
    DELETE FROM promotion_audit_log l USING audit_chain_links k
     WHERE k.partner_id = of_partner AND k.seq <= upto AND l.id = k.audit_id;
    DELETE FROM audit_chain_links k WHERE k.partner_id = of_partner AND k.seq <= upto;
    INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, after)
    VALUES (of_partner, 'system', 'retention', 'audit.pruned', 'audit', of_partner::text,
            jsonb_build_object('entries', upto - chain.anchor_seq, 'link', upto, 'until', to_char(newest AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
    RETURN upto - chain.anchor_seq;
END
$$;

-- ---- erasure of a site ----------------------------------------------------------------------------------------------

-- What there is of a site, by table.
CREATE OR REPLACE FUNCTION count_site_rows(of_site text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT jsonb_build_object(
        'execution_telemetry', (SELECT count(*) FROM execution_telemetry t
                                 WHERE t.partner_id = (SELECT partner_id FROM sites WHERE site_id = of_site) AND t.site_id = of_site),
        'execution_ids', (SELECT count(*) FROM execution_ids t WHERE t.site_id = of_site),
        'site_daily_executions', (SELECT count(*) FROM site_daily_executions t WHERE t.site_id = of_site),
        'promoted_rule_deployments', (SELECT count(*) FROM promoted_rule_deployments t WHERE t.site_id = of_site),
        'promoted_rule_versions', (SELECT count(*) FROM promoted_rule_versions v JOIN promoted_rules r ON r.id = v.promoted_rule_id WHERE r.site_id = of_site),
        'promoted_rules', (SELECT count(*) FROM promoted_rules t WHERE t.site_id = of_site),
        'learning_promotion_candidates', (SELECT count(*) FROM learning_promotion_candidates t WHERE t.site_id = of_site),
        'appliance_pattern_stats', (SELECT count(*) FROM appliance_pattern_stats t WHERE t.site_id = of_site),
        'appliance_pattern_sync', (SELECT count(*) FROM appliance_pattern_sync t WHERE t.site_id = of_site),
        'aggregated_pattern_stats', (SELECT count(*) FROM aggregated_pattern_stats t WHERE t.site_id = of_site),
        'appliance_tokens', (SELECT count(*) FROM appliance_tokens t JOIN site_appliances a USING (appliance_id) WHERE a.site_id = of_site),
        'site_appliances', (SELECT count(*) FROM site_appliances t WHERE t.site_id = of_site),
        'idempotency_keys', (SELECT count(*) FROM idempotency_keys i JOIN sites s ON s.site_id = of_site AND s.partner_id = i.partner_id
                              WHERE position('"' || of_site || '"' IN i.body) > 0),
        'sites', (SELECT count(*) FROM sites t WHERE t.site_id = of_site),
        'promotion_audit_log_texts', (SELECT count(*) FROM promotion_audit_log l WHERE l.site_id = of_site AND num_nonnulls(l.before, l.after, l.reason) > 0))
    $$;

-- First step: nothing more arrives. The site's appliances are revoked, as operators do it.
CREATE OR REPLACE FUNCTION close_site(of_site text, operator text) RETURNS void
    LANGUAGE sql
    AS $$
    WITH gone AS (
        UPDATE site_appliances SET status = 'revoked' WHERE site_id = of_site AND status <> 'revoked'
        RETURNING appliance_id, site_id, partner_id
    ), tokens AS (
        UPDATE appliance_tokens t SET revoked_at = coalesce(t.revoked_at, now())
          FROM site_appliances a WHERE a.appliance_id = t.appliance_id AND a.site_id = of_site
    )
    INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, site_id)
    SELECT partner_id, 'operator', operator, 'appliance.revoked', 'appliance', appliance_id, site_id FROM gone
    $$;

-- Second step, as often as it says a number: what may be millions of rows, a part at a time.
CREATE OR REPLACE FUNCTION erase_site_history(of_site text, batch integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    whose     uuid := (SELECT partner_id FROM sites WHERE site_id = of_site);
    telemetry bigint;
    ids       bigint;
BEGIN
    DELETE FROM execution_telemetry t USING (SELECT o.created_at, o.id FROM execution_telemetry o
                                              WHERE o.partner_id = whose AND o.site_id = of_site LIMIT batch) AS gone
     WHERE t.created_at = gone.created_at AND t.id = gone.id;
    GET DIAGNOSTICS telemetry = ROW_COUNT;
    DELETE FROM execution_ids t USING (SELECT o.execution_id FROM execution_ids o WHERE o.site_id = of_site LIMIT batch) AS gone
     WHERE t.site_id = of_site AND t.execution_id = gone.execution_id;
    GET DIAGNOSTICS ids = ROW_COUNT;
    RETURN greatest(telemetry, ids);
END
$$;

-- Last step, in one transaction: everything else, what people wrote about the site in the log, the site itself, and the entry
-- that says so. `counts`: what there was when it began, for that entry.
CREATE OR REPLACE FUNCTION erase_site(of_site text, operator text, counts jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    whose uuid;
BEGIN
    SELECT partner_id INTO whose FROM sites WHERE site_id = of_site FOR UPDATE;
    IF whose IS NULL THEN
        RAISE EXCEPTION 'there is no site %', of_site USING ERRCODE = 'no_data_found';
    END IF;
    DELETE FROM promoted_rule_deployments t WHERE t.site_id = of_site;
    DELETE FROM promoted_rule_versions v USING promoted_rules r WHERE r.id = v.promoted_rule_id AND r.site_id = of_site;
    DELETE FROM promoted_rules t WHERE t.site_id = of_site;
    DELETE FROM learning_promotion_candidates t WHERE t.site_id = of_site;
    DELETE FROM appliance_pattern_stats t WHERE t.site_id = of_site;
    DELETE FROM appliance_pattern_sync t WHERE t.site_id = of_site;
    DELETE FROM aggregated_pattern_stats t WHERE t.site_id = of_site;
    DELETE FROM appliance_tokens t USING site_appliances a WHERE a.appliance_id = t.appliance_id AND a.site_id = of_site;
    DELETE FROM site_appliances t WHERE t.site_id = of_site;
    DELETE FROM execution_telemetry t WHERE t.partner_id = whose AND t.site_id = of_site;
    DELETE FROM execution_ids t WHERE t.site_id = of_site;
    DELETE FROM site_daily_executions t WHERE t.site_id = of_site;
    DELETE FROM idempotency_keys i WHERE i.partner_id = whose AND position('"' || of_site || '"' IN i.body) > 0;
    UPDATE audit_chain_links k SET salt = NULL, erased_at = now() FROM promotion_audit_log l
     WHERE l.partner_id = whose AND l.site_id = of_site AND k.audit_id = l.id AND k.salt IS NOT NULL;
    UPDATE promotion_audit_log l SET before = NULL, after = NULL, reason = NULL
     WHERE l.partner_id = whose AND l.site_id = of_site AND num_nonnulls(l.before, l.after, l.reason) > 0;
    DELETE FROM sites WHERE site_id = of_site;
    INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, site_id, after)
    VALUES (whose, 'operator', operator, 'site.erased', 'site', of_site, of_site, counts);
END
$$;
