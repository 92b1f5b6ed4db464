/* Files of rules: every rule that loads keeps to what rules may say, and comes back the same from its own YAML. */
#include "fuzz.h"
#include "rules/load.h"
#include "rules/render.h"
#include "rules/rule_copy.h"
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

static void check_round_trip(struct arena *arena, const struct rule *rule)
{
    struct rule said = with_texts(*rule), copy = rule_copy(arena, rule);
    const struct rule *again = NULL;
    size_t count = 0;
    struct slice yaml;
    struct error error;
    error_clear(&error);
    MUST(rule_equal(rule, &copy));
    if (!rule_to_yaml(arena, &said, &yaml, &error)) {
        MUST(strcmp(error.slug, "rule-too-large") == 0);
        return;
    }
    MUST(rule_load_file(arena, fuzz_exact(arena, yaml), &again, &count, &error));
    MUST(count == 1 && rule_equal(&said, again));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    const struct rule *rules = NULL;
    struct rule single;
    size_t count = 0;
    struct error error;
    error_clear(&error);
    bool loaded = rule_load_file(arena, input, &rules, &count, &error);
    if (!loaded) {
        MUST(rules == NULL && count == 0 && error.kind == ERROR_INVALID && strcmp(error.slug, "rule-refused") == 0);
        fuzz_check_error(arena, &error);
    }
    for (size_t i = 0; i < count; i++) {
        MUST(rule_id_valid(rules[i].id) && rule_action_known(rules[i].action) && rules[i].condition_count > 0);
        for (size_t k = 0; k < i; k++)
            MUST(!slice_equal(rules[i].id, rules[k].id));
        check_round_trip(arena, &rules[i]);
    }
    error_clear(&error);
    if (rule_load_yaml(arena, input, &single, &error)) /* what one rule says, it says as a file too */
        MUST(loaded && count == 1 && rule_equal(&single, rules));
}
