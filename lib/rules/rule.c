#include "rules/rule.h"

#include "base/compiler.h"

static const char *const operator_names[RULE_OPERATOR_COUNT] = {
    [RULE_EQ] = "eq",       [RULE_NE] = "ne",         [RULE_CONTAINS] = "contains",
    [RULE_REGEX] = "regex", [RULE_GT] = "gt",         [RULE_LT] = "lt",
    [RULE_IN] = "in",       [RULE_NOT_IN] = "not_in", [RULE_EXISTS] = "exists",
};

/* What an action needs beside its name. */
enum remedy { REMEDY_NAMED, REMEDY_RUNBOOK, REMEDY_PERSON };

static const struct {
    const char *name;
    enum remedy remedy;
} actions[] = {
    {"update_to_baseline_generation", REMEDY_NAMED},
    {"restart_av_service", REMEDY_NAMED},
    {"run_backup_job", REMEDY_NAMED},
    {"restart_logging_services", REMEDY_NAMED},
    {"restore_firewall_baseline", REMEDY_NAMED},
    {"run_windows_runbook", REMEDY_RUNBOOK},
    {"run_linux_runbook", REMEDY_RUNBOOK},
    {"escalate", REMEDY_PERSON},
    {"renew_certificate", REMEDY_NAMED},
    {"cleanup_disk_space", REMEDY_NAMED},
};

const char *rule_operator_name(enum rule_operator op)
{
    return (unsigned)op < RULE_OPERATOR_COUNT ? operator_names[op] : NULL;
}

bool rule_operator_find(struct slice name, enum rule_operator *op)
{
    for (unsigned i = 0; i < RULE_OPERATOR_COUNT; i++)
        if (slice_is(name, operator_names[i])) {
            *op = (enum rule_operator)i;
            return true;
        }
    return false;
}

bool rule_action_known(struct slice action)
{
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        if (slice_is(action, actions[i].name))
            return true;
    return false;
}

bool rule_action_named(struct slice action)
{
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        if (slice_is(action, actions[i].name))
            return actions[i].remedy == REMEDY_NAMED;
    return false;
}

const char *rule_actions_text(void)
{
    return "update_to_baseline_generation, restart_av_service, run_backup_job, "
           "restart_logging_services, restore_firewall_baseline, run_windows_runbook, "
           "run_linux_runbook, escalate, renew_certificate, cleanup_disk_space";
}

static bool names_equal(struct rule_names a, struct rule_names b)
{
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++)
        if (!slice_equal(a.items[i], b.items[i]))
            return false;
    return true;
}

static bool values_equal(const struct rule_value *a, const struct rule_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case RULE_STRING:
        return slice_equal(a->text, b->text);
    case RULE_NUMBER:
        return a->number == b->number;
    case RULE_BOOL:
        return a->truth == b->truth;
    case RULE_LIST:
        break;
    }
    if (a->item_count != b->item_count)
        return false;
    for (size_t i = 0; i < a->item_count; i++)
        if (!values_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static bool conditions_equal(const struct rule *a, const struct rule *b)
{
    if (a->condition_count != b->condition_count)
        return false;
    for (size_t i = 0; i < a->condition_count; i++) {
        const struct rule_condition *left = &a->conditions[i], *right = &b->conditions[i];
        if (left->op != right->op || !slice_equal(left->field, right->field) ||
            !values_equal(&left->value, &right->value))
            return false;
    }
    return true;
}

bool rule_equal(const struct rule *a, const struct rule *b)
{
    return slice_equal(a->id, b->id) && slice_equal(a->name, b->name) &&
           slice_equal(a->description, b->description) && conditions_equal(a, b) &&
           slice_equal(a->action, b->action) &&
           slice_equal(a->action_params.runbook_id, b->action_params.runbook_id) &&
           names_equal(a->action_params.phases, b->action_params.phases) &&
           names_equal(a->hipaa_controls, b->hipaa_controls) &&
           names_equal(a->severity_filter, b->severity_filter) && a->enabled == b->enabled &&
           a->priority == b->priority && a->cooldown_seconds == b->cooldown_seconds &&
           a->max_retries == b->max_retries && slice_equal(a->source, b->source);
}
