#include "promotion/proposal.h"

#include "base/crypto.h"
#include "promotion/executions.h"
#include "rules/render.h"
#include "rules/rule_id.h"

/* The check and incident type of a pattern's executions count as known only when they all agree. */
DB_STATEMENT(proposal_candidate, 1,
             "SELECT " CANDIDATE_COLUMNS ", c.approved_by, c.approved_at, c.rejected_by, c.rejected_at, "
             "c.rejection_reason, c.custom_rule_name, c.approval_notes, r.id, r.rule_id, r.status, r.version, "
             "seen.check_type, seen.incident_type " CANDIDATE_TABLES
             "LEFT JOIN learning_promotion_candidates c "
             "ON c.site_id = a.site_id AND c.pattern_signature = a.pattern_signature "
             "LEFT JOIN promoted_rules r ON r.site_id = a.site_id AND r.pattern_signature = a.pattern_signature "
             "LEFT JOIN LATERAL (SELECT CASE WHEN min(e.check_type) = max(e.check_type) THEN min(e.check_type) END "
             "AS check_type, CASE WHEN min(e.incident_type) = max(e.incident_type) THEN min(e.incident_type) END "
             "AS incident_type FROM (SELECT check_type, incident_type FROM execution_telemetry "
             "WHERE site_id = a.site_id AND pattern_signature = a.pattern_signature "
             "ORDER BY created_at DESC LIMIT 200) e) seen ON true "
             "WHERE a.partner_id = current_partner() AND a.id = $1::uuid");

/* The recommended runbook, and the runbook of the check type ($2: as its executions or the approver name it). */
DB_STATEMENT(proposal_runbooks, 3,
             "SELECT b.runbook_id, b.platform, b.action, b.risk_tier, array_to_string(b.hipaa_controls, ','), "
             "(SELECT string_agg(t.check_type, ',' ORDER BY t.check_type) FROM runbook_check_types t "
             "WHERE t.runbook_id = b.runbook_id), b.runbook_id = $1 FROM runbooks b WHERE b.runbook_id = $1 "
             "OR b.runbook_id = (SELECT t.runbook_id FROM runbook_check_types t "
             "WHERE t.check_type = coalesce($2, $3))");

DB_STATEMENT(proposal_taken_ids, 1,
             "SELECT rule_id, pattern_signature, site_id FROM promoted_rules "
             "WHERE partner_id = current_partner() AND starts_with(rule_id, $1)");

/* First the pattern, then its rule; the site's revision comes last. Changes of a rule's status lock in the same order. */
DB_STATEMENT(proposal_lock_pattern, 1,
             "SELECT FROM aggregated_pattern_stats WHERE partner_id = current_partner() AND id = $1::uuid FOR UPDATE");
DB_STATEMENT(proposal_lock_rule, 1,
             "SELECT FROM promoted_rules r JOIN aggregated_pattern_stats a "
             "ON a.site_id = r.site_id AND a.pattern_signature = r.pattern_signature "
             "WHERE r.partner_id = current_partner() AND a.id = $1::uuid FOR UPDATE OF r");

DB_STATEMENT(proposal_lock_ids, 1,
             "SELECT pg_advisory_xact_lock(hashtextextended(current_partner()::text || $1, 0))");

enum { FIRST = CANDIDATE_COLUMN_COUNT, HISTORY_LIMIT = 50 };

/* ---- what the rows say ------------------------------------------------------------------------------ */

static bool unknown_id(struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, "candidate-not-found", "There is no candidate with this id.");
}

static bool take_candidate(const struct db_rows *rows, struct proposal *proposal, struct rule_evidence *evidence,
                           struct error *error)
{
    if (db_count(rows) == 0)
        return unknown_id(error);
    proposal->candidate = candidate_at(rows, 0);
    proposal->decision = (struct past_decision){
        .approved_by = db_value(rows, 0, FIRST),
        .approved_at = db_value(rows, 0, FIRST + 1),
        .rejected_by = db_value(rows, 0, FIRST + 2),
        .rejected_at = db_value(rows, 0, FIRST + 3),
        .rejection_reason = db_value(rows, 0, FIRST + 4),
        .custom_rule_name = db_value(rows, 0, FIRST + 5),
        .approval_notes = db_value(rows, 0, FIRST + 6),
    };
    proposal->standing = (struct standing_rule){
        .id = db_value(rows, 0, FIRST + 7),
        .rule_id = db_value(rows, 0, FIRST + 8),
        .status = db_value(rows, 0, FIRST + 9),
        .version = db_value(rows, 0, FIRST + 10),
    };
    *evidence = (struct rule_evidence){
        .pattern_signature = proposal->candidate.pattern_signature,
        .recommended_action = proposal->candidate.recommended_action,
        .success_rate = db_number(rows, 0, 11),
        .total_occurrences = db_integer(rows, 0, 6),
        .check_type = proposal->candidate.check_type,
        .incident_type = proposal->candidate.incident_type,
        .execution_check_type = db_value(rows, 0, FIRST + 11),
        .execution_incident_type = db_value(rows, 0, FIRST + 12),
    };
    return true;
}

/* Cuts `a,b,c` into names. */
static struct rule_names split_names(struct arena *arena, struct slice text)
{
    size_t count = slice_present(text) && text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',';
    struct slice *items = arena_array(arena, count + 1, sizeof *items);
    for (size_t i = 0, start = 0; i < count; i++) {
        const char *comma = memchr(text.ptr + start, ',', text.len - start);
        size_t end = comma != NULL ? (size_t)(comma - text.ptr) : text.len;
        items[i] = (struct slice){text.ptr + start, end - start};
        start = end + 1;
    }
    return (struct rule_names){items, count};
}

static void take_runbooks(struct arena *arena, const struct db_rows *rows, struct rule_evidence *evidence)
{
    for (size_t i = 0; i < db_count(rows); i++) {
        struct runbook *runbook = arena_alloc(arena, sizeof *runbook);
        *runbook = (struct runbook){
            .runbook_id = db_value(rows, i, 0),
            .platform = db_value(rows, i, 1),
            .action = db_value(rows, i, 2),
            .risk_tier = db_value(rows, i, 3),
            .hipaa_controls = split_names(arena, db_value(rows, i, 4)),
            .check_types = split_names(arena, db_value(rows, i, 5)),
        };
        if (db_bool(rows, i, 6))
            evidence->recommended_runbook = runbook;
        else
            evidence->check_type_runbook = runbook;
    }
}

static struct slice choose_id(struct arena *arena, const struct proposal *proposal, const struct db_rows *taken_rows)
{
    size_t count = db_count(taken_rows);
    struct rule_id_taken *taken = arena_array(arena, count + 1, sizeof *taken);
    for (size_t i = 0; i < count; i++)
        taken[i] = (struct rule_id_taken){db_value(taken_rows, i, 0), db_value(taken_rows, i, 1),
                                          db_value(taken_rows, i, 2)};
    return rule_id_choose(arena, proposal->candidate.pattern_signature, proposal->candidate.site_id, taken, count);
}

/* ---- the rule ----------------------------------------------------------------------------------------- */

static void make_rule(struct arena *arena, const struct rule_evidence *evidence, struct proposal *proposal)
{
    proposal->check_type_choices = rule_check_type_choices(evidence);
    proposal->made = rule_generate(arena, evidence, &proposal->rule, &proposal->problem) &&
                     rule_to_yaml(arena, &proposal->rule, &proposal->yaml, &proposal->problem);
    if (!proposal->made)
        return;
    proposal->json = rule_to_json(arena, &proposal->rule);
    proposal->rule_digest = rule_digest(arena, &proposal->rule);
    proposal->yaml_digest = bytes_digest(arena, proposal->yaml);
}

/* The call for the runbooks that the evidence leads to. */
static struct db_call runbooks_call(struct arena *arena, const struct rule_evidence *evidence)
{
    const char **values = arena_array(arena, 3, sizeof *values);
    values[0] = arena_text(arena, evidence->recommended_action);
    values[1] = arena_text(arena, rule_known_check_type(evidence));
    values[2] = arena_text(arena, evidence->chosen_check_type);
    return (struct db_call){&proposal_runbooks, values};
}

static struct db_call taken_call(struct arena *arena, const struct proposal *proposal)
{
    const char **values = arena_array(arena, 1, sizeof *values);
    values[0] = rule_id_family(arena, proposal->candidate.pattern_signature).ptr;
    return (struct db_call){&proposal_taken_ids, values};
}

bool proposal_read(struct session *session, struct slice candidate_id, const struct proposal_wishes *wishes,
                   struct proposal *proposal, const struct db_rows **history, struct error *error)
{
    struct arena *arena = session->arena;
    struct rule_evidence evidence;
    const char *id = is_uuid(candidate_id) ? arena_text(arena, candidate_id) : NULL;
    const struct db_call find = {&proposal_candidate, &id};
    const struct db_rows *rows[3];
    if (!session_read(session, &find, 1, rows, error))
        return false;
    if (!take_candidate(rows[0], proposal, &evidence, error))
        return false;
    evidence.custom_name = wishes->custom_name;
    evidence.chosen_check_type = wishes->check_type;
    const char *site_id = arena_text(arena, proposal->candidate.site_id);
    const char *signature = arena_text(arena, proposal->candidate.pattern_signature);
    const struct db_call calls[] = {
        runbooks_call(arena, &evidence),
        taken_call(arena, proposal),
        executions_of_pattern_call(arena, site_id, signature, arena_printf(arena, "%d", HISTORY_LIMIT)),
    };
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    take_runbooks(arena, rows[0], &evidence);
    evidence.rule_id = choose_id(arena, proposal, rows[1]);
    make_rule(arena, &evidence, proposal);
    if (history != NULL)
        *history = rows[2];
    return true;
}

bool proposal_lock(struct change *change, struct slice candidate_id, const struct proposal_wishes *wishes,
                   struct proposal *proposal, struct error *error)
{
    struct arena *arena = change->session->arena;
    struct rule_evidence evidence;
    if (!is_uuid(candidate_id))
        return unknown_id(error);
    const char *id = arena_text(arena, candidate_id);
    /* Locks first, because what is read together with waiting for a lock may be older than the lock. */
    const struct db_call find[] = {{&proposal_lock_pattern, &id}, {&proposal_lock_rule, &id}, {&proposal_candidate, &id}};
    const struct db_rows *rows[3];
    if (!db_run(change->transaction, find, COUNT_OF(find), rows, error) ||
        !take_candidate(rows[2], proposal, &evidence, error))
        return false;
    evidence.custom_name = wishes->custom_name;
    evidence.chosen_check_type = wishes->check_type;
    const char *family = rule_id_family(arena, proposal->candidate.pattern_signature).ptr;
    const struct db_call calls[] = {
        {&proposal_lock_ids, &family},
        runbooks_call(arena, &evidence),
        taken_call(arena, proposal),
    };
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    take_runbooks(arena, rows[1], &evidence);
    evidence.rule_id = choose_id(arena, proposal, rows[2]);
    make_rule(arena, &evidence, proposal);
    return true;
}
