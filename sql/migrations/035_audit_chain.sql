-- The audit log's chain: each entry is linked to the one before it by a hash, one chain for each partner, so that
-- an entry that is altered, removed or slipped in later shows (verify_audit_chain below).
--
-- Links are made when a transaction commits: the head of a partner's chain is locked last and for that moment only, so
-- that transactions may log whenever they like without waiting for each other in a circle.
--
-- What people wrote in an entry (before, after, reason) goes into the hash by a salted digest. To erase it, the salt is
-- thrown away with the text: the digest then tells nothing, and the chain still holds.

-- ---- what else may be logged --------------------------------------------------------------------------------

ALTER TABLE promotion_audit_log DROP CONSTRAINT IF EXISTS promotion_audit_log_action_check;
ALTER TABLE promotion_audit_log ADD CONSTRAINT promotion_audit_log_action_check CHECK (action IN (
    'candidate.approved', 'candidate.rejected',
    'rule.created', 'rule.regenerated', 'rule.deployed', 'rule.enabled', 'rule.disabled', 'rule.archived',
    'user.signed_in', 'user.sign_in_failed', 'user.signed_out', 'user.created', 'user.changed',
    'user.invited', 'user.disabled', 'user.enabled', 'user.password_reset', 'user.password_set', 'user.locked', 'user.unlocked',
    'key.created', 'key.rotated', 'key.revoked',
    'partner.created', 'site.created', 'site.erased', 'appliance.created', 'appliance.revoked',
    'thresholds.changed', 'audit.pruned'));
ALTER TABLE promotion_audit_log DROP CONSTRAINT IF EXISTS promotion_audit_log_entity_check;
ALTER TABLE promotion_audit_log ADD CONSTRAINT promotion_audit_log_entity_check CHECK (entity IN (
    'candidate', 'rule', 'user', 'key', 'partner', 'site', 'appliance', 'thresholds', 'audit'));

-- ---- the chain ----------------------------------------------------------------------------------------------

-- One row a partner: how long its chain is, and where the part that was pruned ended.
CREATE TABLE IF NOT EXISTS audit_chains (
    partner_id  uuid PRIMARY KEY REFERENCES partners (id),
    last_seq    bigint NOT NULL CHECK (last_seq >= 0),
    -- Links up to this one are gone; the next one follows this hash.
    anchor_seq  bigint NOT NULL DEFAULT 0 CHECK (anchor_seq BETWEEN 0 AND last_seq),
    anchor_hash bytea NOT NULL CHECK (length(anchor_hash) = 32),
    anchored_at timestamptz
);

CREATE TABLE IF NOT EXISTS audit_chain_links (
    partner_id      uuid NOT NULL REFERENCES partners (id),
    seq             bigint NOT NULL CHECK (seq >= 1),
    audit_id        bigint NOT NULL UNIQUE,
    salt            bytea CHECK (length(salt) = 16), -- NULL: what people wrote is erased
    personal_digest bytea NOT NULL CHECK (length(personal_digest) = 32),
    hash            bytea NOT NULL CHECK (length(hash) = 32),
    erased_at       timestamptz,
    PRIMARY KEY (partner_id, seq),
    CHECK ((salt IS NULL) = (erased_at IS NOT NULL))
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['audit_chains', 'audit_chain_links']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('DROP POLICY IF EXISTS all_partners ON %I', t);
        EXECUTE format('CREATE POLICY all_partners ON %I TO flywheel_migrate, flywheel_operator USING (true) WITH CHECK (true)', t);
    END LOOP;
END
$$;
GRANT SELECT ON audit_chains, audit_chain_links TO flywheel_operator;

-- What the first link of a partner's chain follows.
CREATE OR REPLACE FUNCTION audit_chain_start(of_partner uuid) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT sha256(convert_to('flywheel audit chain of ' || of_partner::text, 'UTF8')) $$;

-- JSON arrays of texts, because two different rows can never look the same in them.
CREATE OR REPLACE FUNCTION audit_personal_digest(l promotion_audit_log, salt bytea) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$ SELECT sha256(salt || convert_to(jsonb_build_array((l).before::text, (l).after::text, (l).reason)::text, 'UTF8')) $$;

CREATE OR REPLACE FUNCTION audit_link_hash(previous bytea, seq bigint, l promotion_audit_log, personal_digest bytea) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
    SELECT sha256(previous || personal_digest || convert_to(jsonb_build_array(
        seq, (l).id, to_char((l).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), (l).partner_id, (l).site_id, (l).actor_kind,
        (l).actor_id, (l).actor, (l).action, (l).entity, (l).entity_id, (l).pattern_signature, (l).rule_id,
        (l).request_id)::text, 'UTF8'))
    $$;

-- Links one entry to its partner's chain.
CREATE OR REPLACE FUNCTION append_audit_link(l promotion_audit_log) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    chain    audit_chains;
    previous bytea;
    salt     bytea := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
    personal bytea := audit_personal_digest(l, salt);
BEGIN
    -- Whoever links for the same partner waits here until this transaction is over.
    INSERT INTO audit_chains AS c (partner_id, last_seq, anchor_hash)
    VALUES (l.partner_id, 1, audit_chain_start(l.partner_id))
    ON CONFLICT (partner_id) DO UPDATE SET last_seq = c.last_seq + 1
    RETURNING * INTO chain;
    IF chain.last_seq = chain.anchor_seq + 1 THEN
        previous := chain.anchor_hash;
    ELSE
        SELECT k.hash INTO previous FROM audit_chain_links k
         WHERE k.partner_id = l.partner_id AND k.seq = chain.last_seq - 1;
    END IF;
    -- A link that somebody removed stays missed; deciding goes on.
    INSERT INTO audit_chain_links (partner_id, seq, audit_id, salt, personal_digest, hash)
    VALUES (l.partner_id, chain.last_seq, l.id, salt, personal,
            audit_link_hash(coalesce(previous, '\x'), chain.last_seq, l, personal));
END
$$;

CREATE OR REPLACE FUNCTION link_audit_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    PERFORM append_audit_link(NEW);
    RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS link_row ON promotion_audit_log;
CREATE CONSTRAINT TRIGGER link_row AFTER INSERT ON promotion_audit_log
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION link_audit_row();
ALTER TABLE promotion_audit_log ENABLE ALWAYS TRIGGER link_row;

-- Entries from before there was a chain; nothing where there is one, so that nothing slipped in is ever made good. The chain's
-- row is written once, at its end: to change one row for each entry takes ever longer within one transaction.
DO $$
DECLARE
    whose    uuid;
    entry    promotion_audit_log;
    next_seq bigint;
    previous bytea;
    new_salt bytea;
    personal bytea;
BEGIN
    FOR whose IN SELECT p.id FROM partners p WHERE NOT EXISTS (SELECT FROM audit_chains c WHERE c.partner_id = p.id)
                                               AND EXISTS (SELECT FROM promotion_audit_log l WHERE l.partner_id = p.id) ORDER BY 1
    LOOP
        next_seq := 1;
        previous := audit_chain_start(whose);
        FOR entry IN SELECT l.* FROM promotion_audit_log l WHERE l.partner_id = whose ORDER BY l.id
        LOOP
            new_salt := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
            personal := audit_personal_digest(entry, new_salt);
            previous := audit_link_hash(previous, next_seq, entry, personal);
            INSERT INTO audit_chain_links (partner_id, seq, audit_id, salt, personal_digest, hash)
            VALUES (whose, next_seq, entry.id, new_salt, personal, previous);
            next_seq := next_seq + 1;
        END LOOP;
        INSERT INTO audit_chains (partner_id, last_seq, anchor_hash) VALUES (whose, next_seq - 1, audit_chain_start(whose));
    END LOOP;
END
$$;

-- ---- what may be changed after all ----------------------------------------------------------------------------

-- The log stays append-only, but for what the chain itself says: entries up to the anchor may go, and what people wrote
-- may go where its salt is gone. A superuser can do anything; the chain is how it shows.
CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM audit_chain_links k JOIN audit_chains c USING (partner_id)
                    WHERE k.audit_id = OLD.id AND k.seq <= c.anchor_seq) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.before IS NULL AND NEW.after IS NULL AND NEW.reason IS NULL
           AND to_jsonb(NEW) - '{before,after,reason}'::text[] = to_jsonb(OLD) - '{before,after,reason}'::text[]
           AND EXISTS (SELECT FROM audit_chain_links k WHERE k.audit_id = OLD.id AND k.salt IS NULL) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE FUNCTION refuse_chain_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_TABLE_NAME = 'audit_chains' AND TG_OP = 'UPDATE' THEN
        -- The anchor moves forward only, over links that are there and old enough that no period could be shorter.
        IF NEW.partner_id = OLD.partner_id AND NEW.last_seq = OLD.last_seq AND NEW.anchor_seq > OLD.anchor_seq
           AND EXISTS (SELECT FROM audit_chain_links k
                        WHERE k.partner_id = NEW.partner_id AND k.seq = NEW.anchor_seq AND k.hash = NEW.anchor_hash)
           AND NOT EXISTS (SELECT FROM audit_chain_links k JOIN promotion_audit_log l ON l.id = k.audit_id
                            WHERE k.partner_id = NEW.partner_id AND k.seq > OLD.anchor_seq AND k.seq <= NEW.anchor_seq
                              AND l.at >= now() - interval '1 year') THEN
            RETURN NEW;
        END IF;
    ELSIF TG_TABLE_NAME = 'audit_chain_links' AND TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM audit_chains c WHERE c.partner_id = OLD.partner_id AND OLD.seq <= c.anchor_seq) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_TABLE_NAME = 'audit_chain_links' AND TG_OP = 'UPDATE' THEN
        IF NEW.salt IS NULL AND OLD.salt IS NOT NULL
           AND to_jsonb(NEW) - '{salt,erased_at}'::text[] = to_jsonb(OLD) - '{salt,erased_at}'::text[] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log''s chain is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
-- The everyday change of a chain, one more link, does not even ask.
CREATE OR REPLACE TRIGGER append_only_update BEFORE UPDATE ON audit_chains
    FOR EACH ROW WHEN ((NEW.partner_id, NEW.last_seq, NEW.anchor_seq, NEW.anchor_hash)
                       IS DISTINCT FROM (OLD.partner_id, OLD.last_seq + 1, OLD.anchor_seq, OLD.anchor_hash))
    EXECUTE FUNCTION refuse_chain_change();
CREATE OR REPLACE TRIGGER append_only_delete BEFORE DELETE ON audit_chains
    FOR EACH ROW EXECUTE FUNCTION refuse_chain_change();
CREATE OR REPLACE TRIGGER append_only_table BEFORE TRUNCATE ON audit_chains
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_chain_change();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_chain_links
    FOR EACH ROW EXECUTE FUNCTION refuse_chain_change();
CREATE OR REPLACE TRIGGER append_only_table BEFORE TRUNCATE ON audit_chain_links
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_chain_change();
ALTER TABLE audit_chains ENABLE ALWAYS TRIGGER append_only_update, ENABLE ALWAYS TRIGGER append_only_delete,
    ENABLE ALWAYS TRIGGER append_only_table;
ALTER TABLE audit_chain_links ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_table;

-- ---- verification ---------------------------------------------------------------------------------------------

-- What is wrong with a partner's log; no row when it is whole. `audit_id` is NULL where the entry itself is gone.
CREATE OR REPLACE FUNCTION verify_audit_chain(of_partner uuid) RETURNS TABLE (kind text, seq bigint, audit_id bigint, problem text)
    LANGUAGE sql STABLE
    AS $$
    WITH chain AS (
        SELECT * FROM audit_chains c WHERE c.partner_id = of_partner
    ), links AS (
        SELECT k.*, coalesce(lag(k.hash) OVER w, c.anchor_hash) AS previous,
               coalesce(lag(k.seq) OVER w, c.anchor_seq) AS previous_seq
          FROM audit_chain_links k JOIN chain c USING (partner_id)
         WHERE k.seq > c.anchor_seq
        WINDOW w AS (ORDER BY k.seq)
    ), checked AS (
        SELECT k.*, l.id AS entry_id,
               k.hash = audit_link_hash(k.previous, k.seq, l, k.personal_digest) AS linked,
               CASE WHEN k.salt IS NOT NULL THEN k.personal_digest = audit_personal_digest(l, k.salt)
                    ELSE num_nonnulls(l.before, l.after, l.reason) = 0 END AS untouched,
               k.salt IS NOT NULL OR EXISTS (
                   SELECT FROM promotion_audit_log e WHERE e.partner_id = of_partner AND e.action = 'site.erased'
                                                       AND e.entity_id = l.site_id AND e.id > l.id) AS accounted
          FROM links k LEFT JOIN promotion_audit_log l ON l.id = k.audit_id
    )
    SELECT 'removed', previous_seq + 1, NULL::bigint,
           CASE WHEN seq = previous_seq + 2 THEN format('link %s is missing', previous_seq + 1)
                ELSE format('links %s to %s are missing', previous_seq + 1, seq - 1) END
      FROM checked WHERE seq <> previous_seq + 1
    UNION ALL
    SELECT 'removed', seq, audit_id, format('entry %s is missing', audit_id) FROM checked WHERE entry_id IS NULL
    UNION ALL
    SELECT 'altered', seq, audit_id, format('entry %s is not what was logged', audit_id)
      FROM checked WHERE entry_id IS NOT NULL AND (NOT untouched OR (NOT linked AND seq = previous_seq + 1))
    UNION ALL
    SELECT 'altered', seq, audit_id, format('the text of entry %s is erased without an erasure of its site on record', audit_id)
      FROM checked WHERE entry_id IS NOT NULL AND untouched AND NOT accounted
    UNION ALL
    SELECT 'removed', coalesce(ends.last, c.anchor_seq) + 1, NULL,
           format('the chain ends with link %s, and had %s', coalesce(ends.last, c.anchor_seq), c.last_seq)
      FROM chain c, (SELECT max(seq) AS last FROM links) AS ends
     WHERE coalesce(ends.last, c.anchor_seq) <> c.last_seq
    UNION ALL
    SELECT 'removed', c.anchor_seq, NULL, format('links up to %s are gone without a pruning on record', c.anchor_seq)
      FROM chain c
     WHERE c.anchor_seq > 0 AND NOT EXISTS (
               SELECT FROM promotion_audit_log e WHERE e.partner_id = of_partner AND e.action = 'audit.pruned'
                                                   AND e.after ->> 'link' = c.anchor_seq::text)
    UNION ALL
    SELECT 'removed', max(k.seq), NULL, 'the head of the chain is missing'
      FROM audit_chain_links k WHERE k.partner_id = of_partner AND NOT EXISTS (SELECT FROM chain) HAVING count(*) > 0
    UNION ALL
    SELECT 'inserted', NULL, l.id, format('entry %s was never linked', l.id)
      FROM promotion_audit_log l
     WHERE l.partner_id = of_partner AND NOT EXISTS (SELECT FROM audit_chain_links k WHERE k.audit_id = l.id)
     ORDER BY 2 NULLS LAST, 3
    $$;

-- The end of each partner's chain. Kept elsewhere, as a back-up's manifest does, it also shows a chain that somebody who
-- could change everything made anew.
CREATE OR REPLACE VIEW v_audit_chain_heads WITH (security_invoker = true) AS
SELECT c.partner_id, c.last_seq AS seq, coalesce(k.hash, c.anchor_hash) AS hash, c.anchor_seq, c.anchored_at
  FROM audit_chains c LEFT JOIN audit_chain_links k ON k.partner_id = c.partner_id AND k.seq = c.last_seq;
GRANT SELECT ON v_audit_chain_heads TO flywheel_operator;

-- Heads from earlier, [{partner_id, seq, hash}], that the chains do not have any more.
CREATE OR REPLACE FUNCTION lost_audit_heads(earlier jsonb) RETURNS TABLE (partner_id uuid, seq bigint, problem text)
    LANGUAGE sql STABLE
    AS $$
    SELECT e.partner_id, e.seq, format('link %s is not the one that was kept', e.seq)
      FROM jsonb_to_recordset(earlier) AS e (partner_id uuid, seq bigint, hash text)
      LEFT JOIN audit_chains c ON c.partner_id = e.partner_id
      LEFT JOIN audit_chain_links k ON k.partner_id = e.partner_id AND k.seq = e.seq
     WHERE e.seq > 0 -- what was pruned since cannot be compared
       AND CASE WHEN e.seq = c.anchor_seq THEN encode(c.anchor_hash, 'hex') <> e.hash
                WHEN e.seq < c.anchor_seq THEN false
                ELSE coalesce(encode(k.hash, 'hex') <> e.hash, true) END
     ORDER BY 1, 2
    $$;
GRANT EXECUTE ON FUNCTION audit_personal_digest(promotion_audit_log, bytea), verify_audit_chain(uuid), lost_audit_heads(jsonb),
                          audit_link_hash(bytea, bigint, promotion_audit_log, bytea)
   TO flywheel_operator;
