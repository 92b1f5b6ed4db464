#include "rules/generate.h"

#include <inttypes.h>
#include <math.h>

#include "rules/scalar.h"

/* `%.*s` for a slice, cut so that a sentence stays readable. */
#define SHOWN(slice) (int)((slice).len < 80 ? (slice).len : 80), (slice).ptr

static bool known(struct slice text)
{
    return slice_present(text) && text.len > 0;
}

static struct slice first_known(struct slice a, struct slice b)
{
    return known(a) ? a : known(b) ? b : SLICE_ABSENT;
}

static bool listed(struct rule_names names, struct slice name)
{
    for (size_t i = 0; i < names.count; i++)
        if (slice_equal(names.items[i], name))
            return true;
    return false;
}

struct slice rule_known_check_type(const struct rule_evidence *evidence)
{
    return first_known(evidence->check_type, evidence->execution_check_type);
}

/* ---- what to do ------------------------------------------------------------------------------ */

struct remedy {
    const struct runbook *runbook; /* NULL: a named action */
    struct slice id;               /* of the runbook, or the action's name */
    struct slice action;
};

static bool runbook_form(struct slice text)
{
    return slice_starts_with(text, "RB-") || slice_starts_with(text, "LIN-");
}

static struct slice runbook_action(const struct runbook *runbook)
{
    if (known(runbook->action))
        return runbook->action;
    if (slice_is(runbook->platform, "windows"))
        return SLICE("run_windows_runbook");
    return slice_is(runbook->platform, "linux") ? SLICE("run_linux_runbook") : SLICE("");
}

/* The runbook is the recommended action when that is in the catalogue; else the action it names;
 * else the check type's runbook. */
static bool choose_remedy(const struct rule_evidence *evidence, struct remedy *remedy,
                          struct error *error)
{
    struct slice wanted = evidence->recommended_action;
    if (!known(wanted))
        return error_set(error, ERROR_INVALID, "no-action",
                         "This pattern recommends no action, so there is nothing a rule could do; "
                         "wait until an appliance reports what solved it.");
    if (slice_is(wanted, "escalate"))
        return error_set(error, ERROR_INVALID, "escalated-pattern",
                         "This pattern was solved by a person, so there is no remediation that a "
                         "rule could repeat.");
    const struct runbook *runbook = evidence->recommended_runbook;
    if (runbook == NULL && rule_action_named(wanted)) {
        *remedy = (struct remedy){NULL, wanted, wanted};
        return true;
    }
    if (runbook == NULL && runbook_form(wanted))
        return error_set(error, ERROR_INVALID, "unknown-runbook",
                         "The runbook %.*s is not in the catalogue; ask an operator to add it, "
                         "then approve again.",
                         SHOWN(wanted));
    if (runbook == NULL)
        runbook = evidence->check_type_runbook;
    if (runbook == NULL)
        return error_set(
            error, ERROR_INVALID, "no-runbook",
            "The recommended action \"%.*s\" is neither a runbook of the catalogue nor "
            "a known action, and no runbook belongs to the pattern's check type.",
            SHOWN(wanted));
    *remedy = (struct remedy){runbook, runbook->runbook_id, runbook_action(runbook)};
    return true;
}

static bool check_remedy(const struct remedy *remedy, struct error *error)
{
    if (remedy->runbook != NULL && slice_is(remedy->runbook->risk_tier, "R3"))
        return error_set(error, ERROR_INVALID, "risk-tier",
                         "%.*s is risk tier R3 (irreversible, or about identity or data); such "
                         "runbooks stay with people and are never promoted.",
                         SHOWN(remedy->id));
    if (!rule_action_known(remedy->action) || slice_is(remedy->action, "escalate"))
        return error_set(error, ERROR_INVALID, "unknown-action",
                         "The catalogue gives %.*s the action \"%.*s\", which appliances do not "
                         "know; ask an operator to correct the entry.",
                         SHOWN(remedy->id), SHOWN(remedy->action));
    return true;
}

/* ---- when to do it --------------------------------------------------------------------------- */

static bool mismatch(struct error *error, struct slice chosen, const char *because,
                     struct slice instead)
{
    error_fill_item(error, "/check_type", "cannot be used: %s%.*s", because, SHOWN(instead));
    return error_set(error, ERROR_INVALID, "check-type-mismatch",
                     "The check type %.*s cannot be used: %s%.*s.", SHOWN(chosen), because,
                     SHOWN(instead));
}

static bool accept(struct slice value, const char *field, struct rule_condition *condition,
                   struct error *error)
{
    if (scalar_kind(value) != SCALAR_STRING)
        return error_set(error, ERROR_INVALID, "ambiguous-value",
                         "The %s \"%.*s\" reads as a number, a boolean or a date in some rule "
                         "engines, so a rule on it could match the wrong incidents.",
                         field, SHOWN(value));
    *condition = (struct rule_condition){
        .field = slice_of(field),
        .op = RULE_EQ,
        .value = {.type = RULE_STRING, .text = value},
    };
    return true;
}

/* The check type from the runbook: the only one, or the one the approver named. */
static bool check_type_of_runbook(const struct rule_evidence *evidence, const struct remedy *remedy,
                                  struct slice *check_type, struct error *error)
{
    struct rule_names types = {NULL, 0};
    if (remedy->runbook != NULL)
        types = remedy->runbook->check_types;
    if (types.count == 0)
        return error_set(error, ERROR_INVALID, "no-condition",
                         "Nothing is known that tells this pattern's incidents from others: no "
                         "check type, no incident type, and the catalogue names no check type for "
                         "%.*s. A rule would match any drift.",
                         SHOWN(remedy->id));
    struct slice chosen = evidence->chosen_check_type;
    if (known(chosen) && !listed(types, chosen))
        return mismatch(error, chosen, "it is not among the check types of ", remedy->id);
    if (!known(chosen) && types.count > 1) {
        error_fill_item(error, "/check_type", "is needed: one of the candidate's check_type_choices");
        return error_set(error, ERROR_INVALID, "check-type-needed",
                         "%.*s serves several check types; name the one this pattern is about as "
                         "check_type (the candidate's check_type_choices lists them).",
                         SHOWN(remedy->id));
    }
    *check_type = types.count == 1 ? types.items[0] : chosen;
    return true;
}

static bool choose_condition(const struct rule_evidence *evidence, const struct remedy *remedy,
                             struct rule_condition *condition, struct error *error)
{
    struct slice chosen = evidence->chosen_check_type;
    struct slice check_type = rule_known_check_type(evidence);
    struct slice incident_type =
        first_known(evidence->incident_type, evidence->execution_incident_type);
    if (known(check_type)) {
        if (known(chosen) && !slice_equal(chosen, check_type))
            return mismatch(error, chosen, "the pattern's own check type is ", check_type);
        return accept(check_type, "check_type", condition, error);
    }
    if (known(incident_type) && !known(chosen))
        return accept(incident_type, "incident_type", condition, error);
    return check_type_of_runbook(evidence, remedy, &check_type, error) &&
           accept(check_type, "check_type", condition, error);
}

struct rule_names rule_check_type_choices(const struct rule_evidence *evidence)
{
    const struct rule_names none = {NULL, 0};
    struct error ignored;
    struct remedy remedy;
    error_clear(&ignored);
    if (known(rule_known_check_type(evidence)) ||
        known(first_known(evidence->incident_type, evidence->execution_incident_type)) ||
        !choose_remedy(evidence, &remedy, &ignored) || !check_remedy(&remedy, &ignored))
        return none;
    if (remedy.runbook == NULL || remedy.runbook->check_types.count < 2)
        return none;
    return remedy.runbook->check_types;
}

/* ---- what to call it ------------------------------------------------------------------------- */

static bool choose_name(struct arena *arena, const struct rule_evidence *evidence,
                        struct slice *name, struct error *error)
{
    if (!slice_present(evidence->custom_name)) {
        *name = slice_of(arena_printf(arena, "Auto-promoted: %.*s",
                                      (int)evidence->recommended_action.len,
                                      evidence->recommended_action.ptr));
        return true;
    }
    const char *flaw = NULL;
    if (!slice_is_utf8(evidence->custom_name))
        flaw = "must be UTF-8";
    else {
        *name = slice_trim(evidence->custom_name);
        if (name->len == 0 || slice_code_points(*name) > RULE_NAME_LIMIT)
            flaw = "must have 1 to 200 characters";
        else if (slice_has_control(*name, false))
            flaw = "must not hold control characters or line breaks";
    }
    if (flaw == NULL)
        return true;
    error_fill_item(error, "/custom_name", "%s", flaw);
    return error_set(error, ERROR_INVALID, "custom-name", "The rule's name %s.", flaw);
}

/* Rounds half up; the nudge undoes that 0.145 × 100 is 14.499…. */
static int percent(double rate)
{
    return (int)floor(rate * 100.0 + 0.5 + 1e-9);
}

static bool check_figures(const struct rule_evidence *evidence, struct error *error)
{
    if (evidence->success_rate >= 0.0 && evidence->success_rate <= 1.0 &&
        evidence->total_occurrences >= 0)
        return true;
    return error_set(error, ERROR_INVALID, "evidence-range",
                     "The pattern's figures cannot be: its success rate must lie between 0 and 1 "
                     "and its occurrences must not be negative.");
}

bool rule_generate(struct arena *arena, const struct rule_evidence *evidence, struct rule *out,
                   struct error *error)
{
    static const struct slice phases[] = {{"remediate", 9}, {"verify", 6}};
    struct remedy remedy;
    struct rule_condition *condition = arena_array(arena, 1, sizeof *condition);
    struct slice name;
    if (!choose_remedy(evidence, &remedy, error) || !check_remedy(&remedy, error) ||
        !choose_condition(evidence, &remedy, condition, error) || !check_figures(evidence, error) ||
        !choose_name(arena, evidence, &name, error))
        return false;
    *out = (struct rule){
        .id = evidence->rule_id,
        .name = name,
        .description = slice_of(arena_printf(
            arena, "Promoted from L2 with %d%% success rate over %" PRId64 " occurrences",
            percent(evidence->success_rate), evidence->total_occurrences)),
        .conditions = condition,
        .condition_count = 1,
        .action = remedy.action,
        .action_params = {.runbook_id = remedy.id, .phases = {phases, COUNT_OF(phases)}},
        .hipaa_controls =
            remedy.runbook != NULL ? remedy.runbook->hipaa_controls : (struct rule_names){NULL, 0},
        .enabled = true,
        .priority = RULE_PRIORITY,
        .cooldown_seconds = RULE_COOLDOWN_SECONDS,
        .max_retries = RULE_MAX_RETRIES,
        .source = SLICE("promoted"),
    };
    return true;
}
