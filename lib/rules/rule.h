/* The rule: what an L1 rule says, member by member.
 *
 * `struct rule` holds the members of a promoted rule in the order in which every rendering writes
 * them (YAML, JSON, the dashboard's preview). It is a plain value: all text is borrowed slices, all
 * lists are borrowed arrays, so a rule lives as long as the memory it was made from, usually one
 * request's arena. Nothing here allocates.
 *
 * Pure and thread-safe. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    RULE_YAML_LIMIT = 8192, /* bytes of YAML that an appliance accepts for one rule */
    RULE_NAME_LIMIT = 200,  /* code points of a name */
    RULE_PRIORITY = 50,     /* what a promoted rule gets; the lower number is tried first */
    RULE_COOLDOWN_SECONDS = 300,
    RULE_MAX_RETRIES = 1,
};

enum rule_operator {
    RULE_EQ,
    RULE_NE,
    RULE_CONTAINS,
    RULE_REGEX,
    RULE_GT,
    RULE_LT,
    RULE_IN,
    RULE_NOT_IN,
    RULE_EXISTS,
    RULE_OPERATOR_COUNT,
};

enum rule_value_type { RULE_STRING, RULE_NUMBER, RULE_BOOL, RULE_LIST };

/* The value a condition compares with. Which members count depends on `type`; the others are
 * zero. */
struct rule_value {
    enum rule_value_type type;
    struct slice text;              /* RULE_STRING: the string */
    double number;                  /* RULE_NUMBER: finite */
    bool truth;                     /* RULE_BOOL */
    const struct rule_value *items; /* RULE_LIST: scalars only, a list of lists has no meaning */
    size_t item_count;
};

struct rule_condition {
    struct slice field; /* dot path into the incident */
    enum rule_operator op;
    struct rule_value value;
};

/* A list of strings. */
struct rule_names {
    const struct slice *items;
    size_t count;
};

struct rule_action_params {
    struct slice runbook_id; /* absent: the action needs none */
    struct rule_names phases;
};

struct rule {
    struct slice id;
    struct slice name;
    struct slice description;
    const struct rule_condition *conditions; /* all must hold; never zero of them */
    size_t condition_count;
    struct slice action;
    struct rule_action_params action_params;
    struct rule_names hipaa_controls;
    struct rule_names severity_filter; /* empty: any severity, and the member is not written */
    bool enabled;
    int32_t priority;
    int32_t cooldown_seconds;
    int32_t max_retries;
    struct slice source;
};

/* The operator's name as rules spell it (`eq`, `not_in`, …); NULL for a number outside the enum. */
const char *rule_operator_name(enum rule_operator op);

/* Finds an operator by its exact name; false when there is none, and `*op` is untouched. */
bool rule_operator_find(struct slice name, enum rule_operator *op);

/* One of the actions an appliance knows (`run_windows_runbook`, …, `escalate`), by exact name. */
bool rule_action_known(struct slice action);

/* An action that names its remediation itself: known, but neither `escalate` nor one of those that
 * run a runbook. A pattern may recommend such an action in place of a runbook. */
bool rule_action_named(struct slice action);

/* The known actions as one text, `a, b, c`, for messages. */
const char *rule_actions_text(void);

/* Same members, same values, same order of lists. */
bool rule_equal(const struct rule *a, const struct rule *b);

#endif
