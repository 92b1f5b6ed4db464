#include "promotion/decisions.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/json.h"
#include "promotion/audit.h"
#include "promotion/promoted_rules.h"

DB_STATEMENT(decision_approve_candidate, 7,
             "INSERT INTO learning_promotion_candidates AS c (partner_id, site_id, pattern_signature, "
             "recommended_action, approval_status, approved_by, approved_at, custom_rule_name, approval_notes) "
             "VALUES ($1::uuid, $2, $3, $4, 'approved', $5, now(), $6, $7) "
             "ON CONFLICT (site_id, pattern_signature) DO UPDATE SET approval_status = 'approved', "
             "recommended_action = EXCLUDED.recommended_action, approved_by = EXCLUDED.approved_by, "
             "approved_at = EXCLUDED.approved_at, custom_rule_name = EXCLUDED.custom_rule_name, "
             "approval_notes = EXCLUDED.approval_notes, updated_at = now()");

/* A new rule, or the next version of an archived one. */
DB_STATEMENT(decision_store_rule, 13,
             "INSERT INTO promoted_rules AS r (id, rule_id, pattern_signature, site_id, partner_id, name, rule_yaml, "
             "rule_json, rule_digest, yaml_digest, promoted_by, notes, released_at, revision) "
             "SELECT $1::uuid, $2, $3, s.site_id, s.partner_id, $5, $6, $7::jsonb, $8, $9, $10, $11, "
             "CASE WHEN $12::boolean THEN now() END, s.rules_revision FROM sites s "
             "WHERE s.site_id = $4 AND s.partner_id = $13::uuid "
             "ON CONFLICT (site_id, pattern_signature) DO UPDATE SET name = EXCLUDED.name, "
             "rule_yaml = EXCLUDED.rule_yaml, rule_json = EXCLUDED.rule_json, rule_digest = EXCLUDED.rule_digest, "
             "yaml_digest = EXCLUDED.yaml_digest, version = r.version + 1, promoted_by = EXCLUDED.promoted_by, "
             "promoted_at = now(), status = 'active', released_at = EXCLUDED.released_at, notes = EXCLUDED.notes, "
             "deployment_count = 0, last_deployed_at = NULL, revision = EXCLUDED.revision, updated_at = now() "
             "WHERE r.status = 'archived'");

DB_STATEMENT(decision_store_version, 1,
             "INSERT INTO promoted_rule_versions (promoted_rule_id, version, partner_id, name, rule_yaml, rule_json, "
             "rule_digest, yaml_digest, promoted_by, promoted_at, notes) "
             "SELECT id, version, partner_id, name, rule_yaml, rule_json, rule_digest, yaml_digest, promoted_by, "
             "promoted_at, notes FROM promoted_rules WHERE id = $1::uuid RETURNING version");

DB_STATEMENT(decision_reject_candidate, 5,
             "INSERT INTO learning_promotion_candidates AS c (partner_id, site_id, pattern_signature, "
             "approval_status, rejected_by, rejected_at, rejection_reason) "
             "VALUES ($1::uuid, $2, $3, 'rejected', $4, now(), $5) "
             "ON CONFLICT (site_id, pattern_signature) DO UPDATE SET approval_status = 'rejected', "
             "rejected_by = EXCLUDED.rejected_by, rejected_at = EXCLUDED.rejected_at, "
             "rejection_reason = EXCLUDED.rejection_reason, updated_at = now()");

/* ---- approve ------------------------------------------------------------------------------------------ */

static bool refuse_standing(const struct standing_rule *standing, struct error *error)
{
    error_fill(error, ERROR_CONFLICT, "rule-exists",
               slice_is(standing->status, "disabled")
                   ? "This candidate is approved already: rule %.*s exists and is %.*s. Enable the rule instead."
                   : "This candidate is approved already: rule %.*s exists and is %.*s.",
               (int)standing->rule_id.len, standing->rule_id.ptr, (int)standing->status.len, standing->status.ptr);
    snprintf(error->rule_id, sizeof error->rule_id, "%s", standing->rule_id.ptr);
    snprintf(error->rule_status, sizeof error->rule_status, "%s", standing->status.ptr);
    return false;
}

/* Whether the state of things lets the proposal become a rule. */
static bool may_approve(const struct proposal *proposal, const struct approval_request *request, struct error *error)
{
    const struct standing_rule *standing = &proposal->standing;
    if (slice_present(standing->rule_id) && !slice_is(standing->status, "archived"))
        return refuse_standing(standing, error);
    if (!proposal->candidate.eligible)
        return error_set(error, ERROR_CONFLICT, "not-eligible",
                         "The pattern is no longer eligible: its figures have fallen below the thresholds.");
    if (!proposal->made) {
        *error = proposal->problem;
        return false;
    }
    if (slice_present(request->rule_digest) && !slice_equal(request->rule_digest, proposal->rule_digest))
        return error_set(error, ERROR_CONFLICT, "proposal-changed",
                         "The proposed rule has changed since you looked at it; look again and decide anew.");
    return true;
}

/* `{"approval_status": …, "rule_id": …, "status": …, "version": …}`, members without value left out. */
static const char *state_json(struct arena *arena, const char *approval_status, struct slice rule_id,
                              const char *rule_status, long version)
{
    struct buffer text = buffer_make(1024);
    struct json_writer json = json_writer_make(&text);
    json_open_object(&json, NULL);
    if (approval_status != NULL)
        json_text(&json, "approval_status", approval_status);
    if (slice_present(rule_id))
        json_string(&json, "rule_id", rule_id);
    if (rule_status != NULL)
        json_text(&json, "status", rule_status);
    if (version > 0)
        json_integer(&json, "version", version);
    json_writer_end(&json);
    const char *copy = arena_text(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static struct db_call approve_candidate_call(const struct change *change, const struct proposal *proposal,
                                             const struct approval_request *request)
{
    struct arena *arena = change->session->arena;
    const struct principal *who = &change->session->principal;
    const char **values = arena_array(arena, 7, sizeof *values);
    values[0] = arena_text(arena, who->partner_id);
    values[1] = arena_text(arena, proposal->candidate.site_id);
    values[2] = arena_text(arena, proposal->candidate.pattern_signature);
    values[3] = arena_text(arena, proposal->candidate.recommended_action);
    values[4] = arena_text(arena, who->actor);
    values[5] = arena_text(arena, request->custom_name);
    values[6] = arena_text(arena, request->notes);
    return (struct db_call){&decision_approve_candidate, values};
}

static struct db_call store_rule_call(const struct change *change, const struct proposal *proposal,
                                      const struct approval_request *request, const char *row_id)
{
    struct arena *arena = change->session->arena;
    const struct principal *who = &change->session->principal;
    const char **values = arena_array(arena, 13, sizeof *values);
    values[0] = row_id;
    values[1] = arena_text(arena, proposal->rule.id);
    values[2] = arena_text(arena, proposal->candidate.pattern_signature);
    values[3] = arena_text(arena, proposal->candidate.site_id);
    values[4] = arena_text(arena, proposal->rule.name);
    values[5] = arena_text(arena, proposal->yaml);
    values[6] = arena_text(arena, proposal->json);
    values[7] = arena_text(arena, proposal->rule_digest);
    values[8] = arena_text(arena, proposal->yaml_digest);
    values[9] = arena_text(arena, who->actor);
    values[10] = arena_text(arena, request->notes);
    values[11] = request->deploy_immediately ? "true" : "false";
    values[12] = arena_text(arena, who->partner_id);
    return (struct db_call){&decision_store_rule, values};
}

/* What the log is told: first the person's decision, then the rule that came of it. */
static void audit_approval(const struct change *change, const struct proposal *proposal,
                           const struct approval_request *request, const struct approval *approval,
                           struct db_call calls[2])
{
    struct arena *arena = change->session->arena;
    const struct candidate *candidate = &proposal->candidate;
    bool again = slice_present(proposal->standing.rule_id);
    struct audit_event event = {
        .action = "candidate.approved",
        .entity = "candidate",
        .entity_id = candidate->id,
        .site_id = candidate->site_id,
        .pattern_signature = candidate->pattern_signature,
        .rule_id = approval->rule_id,
        .before = state_json(arena, arena_text(arena, candidate->approval_status), SLICE_ABSENT, NULL, 0),
        .after = state_json(arena, "approved", approval->rule_id, NULL, 0),
        .reason = request->notes,
    };
    calls[0] = audit_call(change->session, &event);
    event.action = again ? "rule.regenerated" : "rule.created";
    event.entity = "rule";
    event.entity_id = approval->rule_id;
    event.before = again ? state_json(arena, NULL, SLICE_ABSENT, "archived", approval->version - 1) : NULL;
    event.after = arena_printf(arena, "{\"status\": \"active\", \"version\": %ld, \"held\": %s, \"rule_digest\": \"%s\"}",
                               approval->version, approval->held ? "true" : "false",
                               arena_text(arena, proposal->rule_digest));
    calls[1] = audit_call(change->session, &event);
}

/* The row that the rule has, or will have. */
static const char *row_id_for(struct arena *arena, const struct standing_rule *standing)
{
    return slice_present(standing->id) ? arena_text(arena, standing->id) : uuid_text(arena);
}

static bool store_approval(struct change *change, const struct proposal *proposal,
                           const struct approval_request *request, struct approval *approval, struct error *error)
{
    struct arena *arena = change->session->arena;
    const char *row_id = row_id_for(arena, &proposal->standing);
    const char *site_id = arena_text(arena, proposal->candidate.site_id);
    struct db_call calls[] = {
        rules_revision_call(arena, site_id),
        store_rule_call(change, proposal, request, row_id),
        {&decision_store_version, &row_id},
        approve_candidate_call(change, proposal, request),
        rules_dispatch_call(arena, row_id),
        {0},
        {0},
    };
    audit_approval(change, proposal, request, approval, &calls[5]);
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    approval->deployed_to = (long)db_integer(rows[4], 0, 0);
    return true;
}

bool candidate_approve(struct change *change, const struct approval_request *request, struct approval *approval,
                       struct error *error)
{
    struct proposal *proposal = arena_alloc(change->session->arena, sizeof *proposal);
    const struct proposal_wishes wishes = {request->custom_name, request->check_type};
    if (!proposal_lock(change, request->candidate_id, &wishes, proposal, error) ||
        !may_approve(proposal, request, error))
        return false;
    const char *version = arena_text(change->session->arena, proposal->standing.version);
    *approval = (struct approval){
        .rule_id = proposal->rule.id,
        .pattern_signature = proposal->candidate.pattern_signature,
        .site_id = proposal->candidate.site_id,
        .site_name = proposal->candidate.site_name,
        .rule_yaml = proposal->yaml,
        .version = version != NULL ? strtol(version, NULL, 10) + 1 : 1,
        .held = !request->deploy_immediately,
    };
    return store_approval(change, proposal, request, approval, error);
}

/* ---- reject ------------------------------------------------------------------------------------------- */

static bool store_rejection(struct change *change, const struct candidate *candidate, struct slice reason,
                            struct error *error)
{
    struct arena *arena = change->session->arena;
    const struct principal *who = &change->session->principal;
    const char *values[] = {
        arena_text(arena, who->partner_id), arena_text(arena, candidate->site_id),
        arena_text(arena, candidate->pattern_signature), arena_text(arena, who->actor), arena_text(arena, reason),
    };
    const struct audit_event event = {
        .action = "candidate.rejected",
        .entity = "candidate",
        .entity_id = candidate->id,
        .site_id = candidate->site_id,
        .pattern_signature = candidate->pattern_signature,
        .before = state_json(arena, arena_text(arena, candidate->approval_status), SLICE_ABSENT, NULL, 0),
        .after = state_json(arena, "rejected", SLICE_ABSENT, NULL, 0),
        .reason = reason,
    };
    const struct db_call calls[] = {{&decision_reject_candidate, values}, audit_call(change->session, &event)};
    const struct db_rows *rows[COUNT_OF(calls)];
    return db_run(change->transaction, calls, COUNT_OF(calls), rows, error);
}

bool candidate_reject(struct change *change, struct slice candidate_id, struct slice reason, struct error *error)
{
    struct proposal *proposal = arena_alloc(change->session->arena, sizeof *proposal);
    const struct proposal_wishes wishes = {SLICE_ABSENT, SLICE_ABSENT};
    if (!proposal_lock(change, candidate_id, &wishes, proposal, error))
        return false;
    if (slice_is(proposal->candidate.approval_status, "rejected"))
        return true;
    if (slice_is(proposal->candidate.approval_status, "approved")) {
        refuse_standing(&proposal->standing, error);
        return error_set(error, ERROR_CONFLICT, "already-approved",
                         "This candidate is approved; disable or archive its rule %s instead.", error->rule_id);
    }
    return store_rejection(change, &proposal->candidate, reason, error);
}
