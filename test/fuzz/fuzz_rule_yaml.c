/* Rules as YAML: what loads renders, as YAML that loads to the same rule and as JSON that says the same. */
#include <math.h>

#include "fuzz.h"
#include "rules/load.h"
#include "rules/render.h"
#include "rules/rule_id.h"

/* A rule that says no name and one with an empty name are rendered alike. */
static struct rule with_texts(struct rule rule)
{
    struct slice *texts[] = {&rule.name, &rule.description, &rule.source};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!slice_present(*texts[i]))
            *texts[i] = SLICE("");
    return rule;
}

static void check_rule(const struct rule *rule)
{
    MUST(rule_id_valid(rule->id) && rule_action_known(rule->action) && rule->condition_count > 0);
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct rule_condition *condition = &rule->conditions[i];
        bool list = condition->op == RULE_IN || condition->op == RULE_NOT_IN;
        MUST(condition->field.len > 0 && rule_operator_name(condition->op) != NULL);
        MUST((condition->value.type == RULE_LIST) == list);
        MUST(condition->value.type != RULE_NUMBER || isfinite(condition->value.number));
    }
}

static void check_json(struct arena *arena, const struct rule *rule)
{
    const struct json *json = fuzz_parse(arena, rule_to_json(arena, rule));
    MUST(slice_equal(fuzz_text_of(json, "id"), rule->id));
    MUST(slice_equal(fuzz_text_of(json, "action"), rule->action));
    MUST(json_count(json_member(json, "conditions")) == rule->condition_count);
    (void)fuzz_parse(arena, rule_canonical_json(arena, rule));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct error error;
    struct rule rule, again;
    struct slice yaml;
    error_clear(&error);
    if (!rule_load_yaml(arena, input, &rule, &error)) {
        MUST(error.kind == ERROR_INVALID && strcmp(error.slug, "rule-refused") == 0);
        fuzz_check_error(arena, &error);
        return;
    }
    rule = with_texts(rule);
    check_rule(&rule);
    check_json(arena, &rule);
    if (!rule_to_yaml(arena, &rule, &yaml, &error)) {
        MUST(strcmp(error.slug, "rule-too-large") == 0);
        return;
    }
    MUST(yaml.len <= RULE_YAML_LIMIT && slice_is_utf8(yaml));
    MUST(rule_load_yaml(arena, fuzz_exact(arena, yaml), &again, &error));
    MUST(rule_equal(&rule, &again));
    MUST(slice_equal(rule_digest(arena, &rule), rule_digest(arena, &again)));
}
