/* Matching: which rule wins is what asking every rule in turn says, and a second time the same.
 *
 * The input is a file of rules, a NUL byte, and incidents separated by NUL bytes. Text after a NUL that is no JSON is passed
 * over. */
#include "fuzz.h"
#include "rules/condition.h"
#include "rules/load.h"
#include "rules/rule_set.h"

enum { INCIDENTS = 8 };

static bool severity_fits(const struct rule *rule, const struct json *incident)
{
    struct slice severity = json_as_string(json_member(incident, "severity"));
    for (size_t i = 0; i < rule->severity_filter.count; i++)
        if (slice_equal(rule->severity_filter.items[i], severity))
            return true;
    return rule->severity_filter.count == 0;
}

static bool matches(struct arena *arena, const struct rule *rule, const struct json *incident,
                    struct regex_scratch *scratch)
{
    bool holds = rule->enabled && json_type_of(incident) == JSON_OBJECT && severity_fits(rule, incident);
    for (size_t i = 0; i < rule->condition_count && holds; i++) {
        struct condition condition;
        struct error error;
        MUST(condition_compile(arena, &rule->conditions[i], &condition, &error));
        holds = condition_holds(&condition, field_value(incident, rule->conditions[i].field), scratch);
    }
    return holds;
}

/* Lets no rule act that was asked about before: the next of those that match must be asked then. */
struct claims {
    struct arena *arena;
    const struct rule_set *set;
    const struct json *incident;
    struct regex_scratch *scratch;
    size_t next; /* place of the rule that is asked about next, or of one before it */
};

static bool refuse(void *context, const struct rule *rule, struct slice host)
{
    struct claims *claims = context;
    MUST(slice_present(host) && host.len > 0);
    while (claims->next < rule_set_count(claims->set) &&
           !matches(claims->arena, rule_set_at(claims->set, claims->next), claims->incident, claims->scratch))
        claims->next++;
    MUST(claims->next < rule_set_count(claims->set) && rule_set_at(claims->set, claims->next) == rule);
    claims->next++;
    return false;
}

static void check_incident(struct claims *claims, struct rule_matcher *matcher)
{
    const struct rule *first = NULL;
    for (size_t i = 0; i < rule_set_count(claims->set) && first == NULL; i++)
        if (matches(claims->arena, rule_set_at(claims->set, i), claims->incident, claims->scratch))
            first = rule_set_at(claims->set, i);
    MUST(rule_match(matcher, claims->incident, NULL, NULL) == first);
    claims->next = 0;
    MUST(rule_match(matcher, claims->incident, refuse, claims) == NULL);
    for (; claims->next < rule_set_count(claims->set); claims->next++)
        MUST(!matches(claims->arena, rule_set_at(claims->set, claims->next), claims->incident, claims->scratch));
    MUST(rule_match(matcher, claims->incident, NULL, NULL) == first);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    const struct rule *rules = NULL;
    const struct rule_set *set = NULL;
    size_t count = 0;
    char why[160];
    struct error error;
    error_clear(&error);
    if (!rule_load_file(arena, fuzz_take(&input), &rules, &count, &error))
        return;
    MUST(rule_set_new(arena, rules, count, &set, &error) && rule_set_count(set) == count);
    struct claims claims = {.arena = arena, .set = set, .scratch = regex_scratch_new()};
    struct rule_matcher *matcher = rule_matcher_new(set);
    for (int i = 0; i < INCIDENTS && input.len > 0; i++) {
        claims.incident = json_parse(arena, fuzz_take(&input), why, sizeof why);
        if (claims.incident != NULL)
            check_incident(&claims, matcher);
    }
    rule_matcher_free(matcher);
    regex_scratch_free(claims.scratch);
}
