/* The L1 engine: which rule wins, and that the index changes nothing but the cost. */
#include "engine_fixture.h"

/* ---- which rule wins ----------------------------------------------------------------------------- */

#define RULE_FOR(id, more) "id: " id "\nconditions: [{field: f, operator: eq, value: a}]\naction: escalate\n" more

static void p31_priority_decides_then_the_id_whatever_the_order_of_loading(void **state)
{
    struct arena *arena = *state;
    struct rule rules[] = {
        rule_of(arena, RULE_FOR("R-C", "priority: 10\n")), rule_of(arena, RULE_FOR("R-B", "priority: 5\n")),
        rule_of(arena, RULE_FOR("R-A", "priority: 10\n")), rule_of(arena, RULE_FOR("R-BB", "priority: 5\n")),
        rule_of(arena, RULE_FOR("R-0", "priority: 1\nenabled: false\n")),
    };
    for (size_t turn = 0; turn < COUNT_OF(rules); turn++) {
        const struct rule_set *set = set_of(arena, rules, COUNT_OF(rules));
        assert_string_equal(winner(arena, set, "{\"f\":\"a\"}"), "R-B");
        static const char *const order[] = {"R-0", "R-B", "R-BB", "R-A", "R-C"};
        for (size_t i = 0; i < COUNT_OF(rules); i++)
            assert_slice(rule_set_at(set, i)->id, order[i]);
        struct rule first = rules[0];
        memmove(rules, rules + 1, (COUNT_OF(rules) - 1) * sizeof *rules);
        rules[COUNT_OF(rules) - 1] = first;
    }
}

static void a_severity_filter_admits_its_severities_only(void **state)
{
    struct arena *arena = *state;
    struct rule rule = rule_of(arena, RULE_FOR("R-1", "severity_filter: [high, critical]\n"));
    const struct rule_set *set = set_of(arena, &rule, 1);
    assert_string_equal(winner(arena, set, "{\"f\":\"a\",\"severity\":\"critical\"}"), "R-1");
    assert_string_equal(winner(arena, set, "{\"f\":\"a\",\"severity\":\"low\"}"), "-");
    assert_string_equal(winner(arena, set, "{\"f\":\"a\",\"severity\":\"High\"}"), "-");
    assert_string_equal(winner(arena, set, "{\"f\":\"a\",\"severity\":7}"), "-");
    assert_string_equal(winner(arena, set, "{\"f\":\"a\"}"), "-");
}

static void an_id_that_stands_twice_is_refused(void **state)
{
    struct arena *arena = *state;
    struct rule rules[] = {rule_of(arena, RULE_FOR("R-1", "")), rule_of(arena, RULE_FOR("R-2", "")),
                           rule_of(arena, RULE_FOR("R-1", "priority: 3\n"))};
    const struct rule_set *set = NULL;
    struct error error;
    error_clear(&error);
    assert_false(rule_set_new(arena, rules, COUNT_OF(rules), &set, &error));
    assert_slug(&error, "rule-refused");
    assert_null(set);
}

/* Refuses one rule, and notes for which host it was asked. */
struct refusal {
    const char *rule_id;
    char host[32];
};

static bool refuse_one(void *context, const struct rule *rule, struct slice host)
{
    struct refusal *refusal = context;
    snprintf(refusal->host, sizeof refusal->host, "%.*s", (int)host.len, host.ptr);
    return !slice_is(rule->id, refusal->rule_id);
}

static void a_rule_that_cools_down_is_passed_over_for_the_next(void **state)
{
    struct arena *arena = *state;
    struct rule rules[] = {rule_of(arena, RULE_FOR("R-1", "")), rule_of(arena, RULE_FOR("R-2", ""))};
    struct rule_matcher *matcher = rule_matcher_new(set_of(arena, rules, COUNT_OF(rules)));
    static const struct {
        const char *members, *host;
    } hosts[] = {{"\"host_id\":\"h1\",\"hostname\":\"ws1\"", "h1"},
                 {"\"hostname\":\"ws1\"", "ws1"},
                 {"\"host_id\":\"\",\"hostname\":\"ws1\"", "ws1"},
                 {"\"host_id\":17,\"hostname\":\"ws1\"", "17"},
                 {"\"host_id\":[\"h1\"],\"hostname\":true", "unknown"},
                 {"\"host_id\":null", "unknown"}};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct refusal refusal = {.rule_id = "R-1"};
        const char *text = arena_printf(arena, "{\"f\":\"a\",%s}", hosts[i].members);
        const struct rule *rule = rule_match(matcher, incident_of(arena, text), refuse_one, &refusal);
        assert_non_null(rule);
        assert_slice(rule->id, "R-2");
        assert_string_equal(refusal.host, hosts[i].host);
    }
    rule_matcher_free(matcher);
}

/* ---- the index ----------------------------------------------------------------------------------- */

static int random_below(uint64_t *seed, int bound)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (int)((*seed >> 33) % (uint64_t)bound);
}

/* Few different ones, so that they meet. */
static const char *random_scalar(struct arena *arena, uint64_t *seed, bool yaml)
{
    switch (random_below(seed, 5)) {
    case 0:
        return arena_printf(arena, "%d", random_below(seed, 3));
    case 1:
        return random_below(seed, 2) != 0 ? "true" : "false";
    case 2:
        return arena_printf(arena, yaml ? "'%d'" : "\"%d\"", random_below(seed, 3));
    default:
        return arena_printf(arena, yaml ? "'%c'" : "\"%c\"", 'a' + random_below(seed, 4));
    }
}

static const char *random_condition(struct arena *arena, uint64_t *seed)
{
    static const char *const fields[] = {"a", "b", "c", "d.e", "d.f", "d.g.h", "d", "severity"};
    static const char *const operators[] = {"eq", "eq", "eq", "in", "in", "ne", "not_in", "exists", "contains", "gt", "lt", "regex"};
    const char *field = fields[random_below(seed, COUNT_OF(fields))];
    const char *op = operators[random_below(seed, COUNT_OF(operators))];
    const char *value = random_scalar(arena, seed, true);
    if (strcmp(op, "in") == 0 || strcmp(op, "not_in") == 0)
        value = arena_printf(arena, "[%s, %s, %s]", value, random_scalar(arena, seed, true), value);
    else if (strcmp(op, "exists") == 0)
        value = random_below(seed, 2) != 0 ? "true" : "false";
    else if (strcmp(op, "gt") == 0 || strcmp(op, "lt") == 0)
        value = random_below(seed, 2) != 0 ? "1" : "'0.5'";
    else if (strcmp(op, "regex") == 0)
        value = random_below(seed, 2) != 0 ? "'^[ab]$'" : "'[01]'";
    return arena_printf(arena, "- {field: %s, operator: %s, value: %s}\n", field, op, value);
}

static const char *random_rule(struct arena *arena, uint64_t *seed, int number)
{
    const char *conditions = "";
    for (int i = random_below(seed, 3); i >= 0; i--)
        conditions = arena_printf(arena, "%s%s", conditions, random_condition(arena, seed));
    return arena_printf(arena, "id: R-%03d\npriority: %d\nenabled: %s\naction: escalate\n%sconditions:\n%s", number,
                        random_below(seed, 5), random_below(seed, 8) != 0 ? "true" : "false",
                        random_below(seed, 4) != 0 ? "" : "severity_filter: [a, b]\n", conditions);
}

static const char *random_incident(struct arena *arena, uint64_t *seed)
{
    static const char *const names[] = {"a", "b", "c", "severity"};
    const char *text = "{";
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (random_below(seed, 4) != 0)
            text = arena_printf(arena, "%s\"%s\":%s,", text, names[i], random_scalar(arena, seed, false));
    if (random_below(seed, 4) != 0)
        text = arena_printf(arena, "%s\"d\":{\"e\":%s,\"f\":null,\"g\":{\"h\":[%s]}},", text,
                            random_scalar(arena, seed, false), random_scalar(arena, seed, false));
    return arena_printf(arena, "%s\"z\":[%s]}", text, random_scalar(arena, seed, false));
}

static bool severity_fits(const struct rule *rule, const struct json *incident)
{
    struct slice severity = json_as_string(json_member(incident, "severity"));
    for (size_t i = 0; i < rule->severity_filter.count; i++)
        if (slice_equal(rule->severity_filter.items[i], severity))
            return true;
    return rule->severity_filter.count == 0;
}

/* Every rule asked in turn, condition by condition, along the field's path. */
static const char *winner_one_by_one(struct arena *arena, const struct rule_set *set, const char *text)
{
    const struct json *incident = incident_of(arena, text);
    for (size_t i = 0; i < rule_set_count(set); i++) {
        const struct rule *rule = rule_set_at(set, i);
        bool holds = rule->enabled && severity_fits(rule, incident);
        for (size_t k = 0; k < rule->condition_count && holds; k++)
            holds = holds_alone(arena, &rule->conditions[k], incident);
        if (holds)
            return arena_text(arena, rule->id);
    }
    return "-";
}

static void the_index_finds_what_asking_every_rule_finds(void **state)
{
    uint64_t seed = 20261122;
    int matched = 0, rounds = unit_rounds(400);
    for (int round = 0; round < rounds; round++) {
        struct arena *arena = arena_new((size_t)256 * 1024 * 1024);
        struct rule rules[30];
        for (int i = 0; i < (int)COUNT_OF(rules); i++)
            rules[i] = rule_of(arena, random_rule(arena, &seed, i));
        const struct rule_set *set = set_of(arena, rules, COUNT_OF(rules));
        struct rule_matcher *matcher = rule_matcher_new(set); /* one for all: an incident leaves nothing behind */
        for (int i = 0; i < 10; i++) {
            const char *text = random_incident(arena, &seed);
            const struct rule *rule = rule_match(matcher, incident_of(arena, text), NULL, NULL);
            const char *found = rule != NULL ? arena_text(arena, rule->id) : "-";
            assert_string_equal(found, winner_one_by_one(arena, set, text));
            matched += rule != NULL;
        }
        rule_matcher_free(matcher);
        arena_free(arena);
    }
    (void)state;
    assert_in_range(matched, rounds, 10 * rounds - 1);
}

static void what_is_no_object_has_no_rule(void **state)
{
    struct arena *arena = *state;
    struct rule rule = rule_of(arena, "id: R-1\nconditions: [{field: a, operator: exists, value: false}]\naction: escalate\n");
    const struct rule_set *set = set_of(arena, &rule, 1);
    assert_string_equal(winner(arena, set, "{}"), "R-1");
    assert_string_equal(winner(arena, set, "[]"), "-");
    assert_string_equal(winner(arena, set, "null"), "-");
    assert_string_equal(winner(arena, set_of(arena, NULL, 0), "{}"), "-");
}

static void rules_that_cannot_match_are_not_tried(void **state)
{
    struct arena *arena = *state;
    enum { RULES = 1000 };
    struct rule *rules = arena_array(arena, RULES, sizeof *rules);
    for (int i = 0; i < RULES; i++)
        rules[i] = rule_of(arena, arena_printf(arena,
                                               "id: R-%04d\naction: escalate\nconditions:\n"
                                               "- {field: drift_detected, operator: eq, value: true}\n"
                                               "- {field: check_type, operator: eq, value: check_%d}\n"
                                               "- {field: platform, operator: in, value: [windows, linux]}\n",
                                               i, i / 2));
    struct rule_matcher *matcher = rule_matcher_new(set_of(arena, rules, RULES));
    const struct rule *rule = rule_match(
        matcher, incident_of(arena, "{\"drift_detected\":true,\"check_type\":\"check_7\",\"platform\":\"linux\"}"), NULL, NULL);
    assert_non_null(rule);
    assert_slice(rule->id, "R-0014");
    assert_int_equal(rule_matcher_tried(matcher), 1);
    assert_null(rule_match(matcher, incident_of(arena, "{\"drift_detected\":false,\"check_type\":\"check_7\"}"), NULL, NULL));
    assert_int_equal(rule_matcher_tried(matcher), 3);
    rule_matcher_free(matcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(p31_priority_decides_then_the_id_whatever_the_order_of_loading),
        UNIT_TEST(a_severity_filter_admits_its_severities_only),
        UNIT_TEST(an_id_that_stands_twice_is_refused),
        UNIT_TEST(a_rule_that_cools_down_is_passed_over_for_the_next),
        UNIT_TEST(the_index_finds_what_asking_every_rule_finds),
        UNIT_TEST(what_is_no_object_has_no_rule),
        UNIT_TEST(rules_that_cannot_match_are_not_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
