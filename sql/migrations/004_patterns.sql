-- What appliances report about patterns: counters per appliance, and their sums per site.

-- When a pattern is worth a candidate. One row for all partners (partner_id NULL), and at most one of its
-- own for each.
CREATE TABLE IF NOT EXISTS learning_thresholds (
    partner_id         uuid UNIQUE REFERENCES partners (id),
    min_occurrences    integer NOT NULL DEFAULT 5 CHECK (min_occurrences >= 1),
    min_l2_resolutions integer NOT NULL DEFAULT 3 CHECK (min_l2_resolutions >= 0),
    min_success_rate   double precision NOT NULL DEFAULT 0.90 CHECK (min_success_rate BETWEEN 0 AND 1)
);
CREATE UNIQUE INDEX IF NOT EXISTS learning_thresholds_default ON learning_thresholds ((true)) WHERE partner_id IS NULL;
INSERT INTO learning_thresholds (partner_id) VALUES (NULL) ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION is_promotion_eligible(for_partner uuid, occurrences bigint, l2 bigint, rate double precision,
                                                 action text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce((SELECT occurrences >= t.min_occurrences AND l2 >= t.min_l2_resolutions AND rate >= t.min_success_rate
                            AND lower(btrim(action)) NOT IN ('', 'escalate')
                       FROM learning_thresholds t
                      WHERE t.partner_id = for_partner OR t.partner_id IS NULL
                      ORDER BY t.partner_id NULLS LAST
                      LIMIT 1), false)
    $$;

CREATE TABLE IF NOT EXISTS aggregated_pattern_stats (
    id                       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    partner_id               uuid NOT NULL,
    site_id                  text NOT NULL,
    pattern_signature        text NOT NULL CHECK (pattern_signature ~ '^[A-Za-z0-9._:-]{1,64}$'),
    check_type               text CHECK (check_type ~ '^[a-z0-9_.-]{1,64}$'),
    incident_type            text CHECK (incident_type ~ '^[a-z0-9_.-]{1,64}$'),
    total_occurrences        bigint NOT NULL DEFAULT 0 CHECK (total_occurrences >= 0),
    l1_resolutions           bigint NOT NULL DEFAULT 0 CHECK (l1_resolutions >= 0),
    l2_resolutions           bigint NOT NULL DEFAULT 0 CHECK (l2_resolutions >= 0),
    l3_resolutions           bigint NOT NULL DEFAULT 0 CHECK (l3_resolutions >= 0),
    success_count            bigint NOT NULL DEFAULT 0 CHECK (success_count >= 0),
    -- Fractions and means follow from the counters (trigger below); NULL where there is nothing to divide by.
    success_rate             double precision CHECK (success_rate BETWEEN 0 AND 1),
    total_resolution_time_ms bigint NOT NULL DEFAULT 0 CHECK (total_resolution_time_ms >= 0),
    avg_resolution_time_ms   double precision CHECK (avg_resolution_time_ms >= 0),
    recommended_action       text CHECK (length(recommended_action) BETWEEN 1 AND 200),
    promotion_eligible       boolean NOT NULL DEFAULT false,
    -- Mirrors learning_promotion_candidates, whose trigger keeps it: lists sort and filter by it.
    approval_status          text NOT NULL DEFAULT 'not_submitted'
                             CHECK (approval_status IN ('not_submitted', 'pending', 'approved', 'rejected')),
    -- Shown to the partner: eligible, or decided once upon a time.
    is_candidate             boolean NOT NULL GENERATED ALWAYS AS
                             (promotion_eligible OR approval_status <> 'not_submitted') STORED,
    is_undecided             boolean NOT NULL GENERATED ALWAYS AS
                             (approval_status IN ('not_submitted', 'pending')) STORED,
    first_seen               timestamptz NOT NULL DEFAULT now(),
    last_seen                timestamptz NOT NULL DEFAULT now(),
    last_synced_at           timestamptz NOT NULL DEFAULT now(),
    UNIQUE (site_id, pattern_signature),
    CHECK (success_count <= total_occurrences),
    CHECK (l1_resolutions + l2_resolutions + l3_resolutions <= total_occurrences),
    FOREIGN KEY (site_id, partner_id) REFERENCES sites (site_id, partner_id) ON UPDATE CASCADE
);

CREATE OR REPLACE FUNCTION derive_pattern_figures() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.success_rate := NEW.success_count::double precision / nullif(NEW.total_occurrences, 0);
    NEW.avg_resolution_time_ms := NEW.total_resolution_time_ms::double precision / nullif(NEW.total_occurrences, 0);
    NEW.promotion_eligible := is_promotion_eligible(NEW.partner_id, NEW.total_occurrences, NEW.l2_resolutions,
                                                    NEW.success_rate, NEW.recommended_action);
    RETURN NEW;
END
$$;
-- Triggers of one kind fire in the order of their names: the partner first.
CREATE OR REPLACE TRIGGER a_partner_from_site BEFORE INSERT ON aggregated_pattern_stats
    FOR EACH ROW WHEN (NEW.partner_id IS NULL) EXECUTE FUNCTION fill_partner_from_site();
CREATE OR REPLACE TRIGGER b_derive_figures BEFORE INSERT OR UPDATE ON aggregated_pattern_stats
    FOR EACH ROW EXECUTE FUNCTION derive_pattern_figures();

-- The order in which a partner meets the candidates, and the orders it may ask for.
CREATE INDEX IF NOT EXISTS candidates_by_rank ON aggregated_pattern_stats
    (partner_id, is_undecided DESC, success_rate DESC, total_occurrences DESC, id DESC) WHERE is_candidate;
CREATE INDEX IF NOT EXISTS candidates_by_success_rate ON aggregated_pattern_stats (partner_id, success_rate, id) WHERE is_candidate;
CREATE INDEX IF NOT EXISTS candidates_by_occurrences ON aggregated_pattern_stats (partner_id, total_occurrences, id) WHERE is_candidate;
CREATE INDEX IF NOT EXISTS candidates_by_last_seen ON aggregated_pattern_stats (partner_id, last_seen, id) WHERE is_candidate;
CREATE INDEX IF NOT EXISTS candidates_by_first_seen ON aggregated_pattern_stats (partner_id, first_seen, id) WHERE is_candidate;
-- All that the sums over a partner's patterns need.
CREATE INDEX IF NOT EXISTS patterns_of_partner ON aggregated_pattern_stats (partner_id)
    INCLUDE (total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_rate, promotion_eligible, is_undecided);
-- The type first: beside the unique key, an index that begins with the site would tempt the planner to read whole sites.
CREATE INDEX IF NOT EXISTS patterns_by_incident_type ON aggregated_pattern_stats (incident_type, site_id);

-- New thresholds count at once, for patterns that nobody touches too.
CREATE OR REPLACE FUNCTION apply_learning_thresholds() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE aggregated_pattern_stats a SET last_synced_at = a.last_synced_at
     WHERE a.promotion_eligible IS DISTINCT FROM
           is_promotion_eligible(a.partner_id, a.total_occurrences, a.l2_resolutions, a.success_rate, a.recommended_action);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER apply_thresholds AFTER INSERT OR UPDATE OR DELETE ON learning_thresholds
    FOR EACH STATEMENT EXECUTE FUNCTION apply_learning_thresholds();

-- One appliance's own counters, cumulative since it was installed. The sums above are made of these.
CREATE TABLE IF NOT EXISTS appliance_pattern_stats (
    appliance_id             text NOT NULL,
    pattern_signature        text NOT NULL,
    site_id                  text NOT NULL,
    partner_id               uuid NOT NULL,
    total_occurrences        integer NOT NULL CHECK (total_occurrences >= 0),
    l1_resolutions           integer NOT NULL CHECK (l1_resolutions >= 0),
    l2_resolutions           integer NOT NULL CHECK (l2_resolutions >= 0),
    l3_resolutions           integer NOT NULL CHECK (l3_resolutions >= 0),
    success_count            integer NOT NULL CHECK (success_count >= 0),
    total_resolution_time_ms bigint NOT NULL CHECK (total_resolution_time_ms >= 0),
    last_seen                timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (appliance_id, pattern_signature),
    CHECK (success_count <= total_occurrences),
    CHECK (l1_resolutions::bigint + l2_resolutions + l3_resolutions <= total_occurrences),
    FOREIGN KEY (site_id, appliance_id, partner_id) REFERENCES site_appliances (site_id, appliance_id, partner_id)
        ON UPDATE CASCADE,
    FOREIGN KEY (site_id, pattern_signature) REFERENCES aggregated_pattern_stats (site_id, pattern_signature) ON UPDATE CASCADE
);

-- The last push of each appliance; its row is also what serialises that appliance's pushes.
CREATE TABLE IF NOT EXISTS appliance_pattern_sync (
    appliance_id      text PRIMARY KEY,
    site_id           text NOT NULL,
    partner_id        uuid NOT NULL,
    synced_at         timestamptz NOT NULL DEFAULT now(), -- by the server's clock
    agent_synced_at   timestamptz,                        -- by the appliance's own
    patterns_received integer NOT NULL DEFAULT 0 CHECK (patterns_received >= 0),
    patterns_accepted integer NOT NULL DEFAULT 0 CHECK (patterns_accepted >= 0),
    patterns_merged   integer NOT NULL DEFAULT 0 CHECK (patterns_merged >= 0),
    patterns_rejected integer NOT NULL DEFAULT 0 CHECK (patterns_rejected >= 0),
    FOREIGN KEY (site_id, appliance_id, partner_id) REFERENCES site_appliances (site_id, appliance_id, partner_id)
        ON UPDATE CASCADE
);
