/* Rules, sets and incidents from their texts, for the tests of the L1 engine. */
#ifndef TEST_UNIT_ENGINE_FIXTURE_H
#define TEST_UNIT_ENGINE_FIXTURE_H

#include "unit.h"

#include "rules/condition.h"
#include "rules/load.h"
#include "rules/rule_set.h"

static inline const struct json *incident_of(struct arena *arena, const char *text)
{
    char why[200];
    const struct json *json = json_parse(arena, slice_of(text), why, sizeof why);
    if (json == NULL)
        fail_msg("%s: %s", text, why);
    return json;
}

static inline struct rule rule_of(struct arena *arena, const char *yaml)
{
    struct rule rule;
    struct error error;
    error_clear(&error);
    if (!rule_load_yaml(arena, slice_of(yaml), &rule, &error))
        fail_msg("refused: %s\n%s", error.detail, yaml);
    return rule;
}

static inline const struct rule_set *set_of(struct arena *arena, const struct rule *rules, size_t count)
{
    const struct rule_set *set = NULL;
    struct error error;
    error_clear(&error);
    if (!rule_set_new(arena, rules, count, &set, &error))
        fail_msg("refused: %s", error.detail);
    return set;
}

/* The id of the rule that acts, or "-". */
static inline const char *winner(struct arena *arena, const struct rule_set *set, const char *text)
{
    struct rule_matcher *matcher = rule_matcher_new(set);
    const struct rule *rule = rule_match(matcher, incident_of(arena, text), NULL, NULL);
    rule_matcher_free(matcher);
    return rule != NULL ? arena_text(arena, rule->id) : "-";
}

/* Whether a condition holds, asked without any set or index. */
static inline bool holds_alone(struct arena *arena, const struct rule_condition *source, const struct json *incident)
{
    struct condition condition;
    struct error error;
    error_clear(&error);
    if (!condition_compile(arena, source, &condition, &error))
        fail_msg("refused: %s", error.detail);
    struct regex_scratch *scratch = regex_scratch_new();
    bool holds = condition_holds(&condition, field_value(incident, source->field), scratch);
    regex_scratch_free(scratch);
    return holds;
}

#endif
