/* The L1 engine: which operators hold for what, which rule wins, and that the index changes nothing but the cost. */
#include "unit.h"

#include <stdlib.h>

#include "rules/load.h"
#include "rules/rule_set.h"

static const struct json *incident(struct arena *arena, const char *text)
{
    char why[200];
    const struct json *json = json_parse(arena, slice_of(text), why, sizeof why);
    if (json == NULL)
        fail_msg("%s: %s", text, why);
    return json;
}

static struct rule rule_of(struct arena *arena, const char *yaml)
{
    struct rule rule;
    struct error error;
    error_clear(&error);
    if (!rule_load_yaml(arena, slice_of(yaml), &rule, &error))
        fail_msg("refused: %s\n%s", error.detail, yaml);
    return rule;
}

static const struct rule_set *set_of(struct arena *arena, const struct rule *rules, size_t count)
{
    const struct rule_set *set = NULL;
    struct error error;
    error_clear(&error);
    if (!rule_set_new(arena, rules, count, &set, &error))
        fail_msg("refused: %s", error.detail);
    return set;
}

/* The id of the rule that acts, or "-". */
static const char *winner(struct arena *arena, const struct rule_set *set, const char *text)
{
    struct rule_matcher *matcher = rule_matcher_new(set);
    const struct rule *rule = rule_match(matcher, incident(arena, text), NULL, NULL);
    rule_matcher_free(matcher);
    return rule != NULL ? arena_text(arena, rule->id) : "-";
}

/* ---- operators ----------------------------------------------------------------------------------- */

struct vector {
    const char *condition; /* flow YAML of one condition on the field `f` */
    const char *value;     /* JSON of the incident's member `f`; NULL: not there */
    bool holds;
};

static const struct vector VECTORS[] = {
    {"operator: eq, value: a", "\"a\"", true},
    {"operator: eq, value: a", "\"A\"", false},
    {"operator: eq, value: a", "[\"a\"]", false},
    {"operator: eq, value: '7'", "7", false},
    {"operator: eq, value: 7", "\"7\"", false},
    {"operator: eq, value: '007'", "\"7\"", false},
    {"operator: eq, value: 7", "7.0", true},
    {"operator: eq, value: 0", "-0", true},
    {"operator: eq, value: 1", "true", false},
    {"operator: eq, value: true", "1", false},
    {"operator: eq, value: true", "\"true\"", false},
    {"operator: eq, value: 'true'", "true", false},
    {"operator: eq, value: true", "true", true},
    {"operator: eq, value: a", "null", false},
    {"operator: eq, value: a", NULL, false},
    {"operator: ne, value: a", "\"b\"", true},
    {"operator: ne, value: a", "\"a\"", false},
    {"operator: ne, value: a", "7", true},
    {"operator: ne, value: a", "null", false},
    {"operator: ne, value: a", NULL, false},
    {"operator: contains, value: ool", "\"spooler\"", true},
    {"operator: contains, value: OOL", "\"spooler\"", false},
    {"operator: contains, value: ''", "\"\"", true},
    {"operator: contains, value: 7", "\"a7\"", false},
    {"operator: contains, value: a", "[\"b\",\"a\"]", true},
    {"operator: contains, value: a", "[\"ab\"]", false},
    {"operator: contains, value: 7", "[7.0]", true},
    {"operator: contains, value: a", "{\"a\":1}", false},
    {"operator: contains, value: a", "[]", false},
    {"operator: regex, value: '^sp.*r$'", "\"spooler\"", true},
    {"operator: regex, value: 'poo'", "\"spooler\"", true},
    {"operator: regex, value: '^poo'", "\"spooler\"", false},
    {"operator: regex, value: '^4[0-9]$'", "42", true},
    {"operator: regex, value: '^0.5$'", "0.5", true},
    {"operator: regex, value: '.'", "true", false},
    {"operator: regex, value: '^.$'", "\"\\u00e4\"", true},
    {"operator: gt, value: 5", "6", true},
    {"operator: gt, value: 5", "5", false},
    {"operator: gt, value: 5", "\"6\"", true},
    {"operator: gt, value: '5'", "6", true},
    {"operator: gt, value: 5", "\"6e0\"", true},
    {"operator: gt, value: 5", "\"+.6E+1\"", true},
    {"operator: gt, value: 5", "\"6 \"", false},
    {"operator: gt, value: 5", "\"0x6\"", false},
    {"operator: gt, value: 5", "\"inf\"", false},
    {"operator: gt, value: 5", "\"\"", false},
    {"operator: gt, value: 5", "\".\"", false},
    {"operator: gt, value: 5", "\"6e\"", false},
    {"operator: gt, value: many", "6", false},
    {"operator: gt, value: 0", "true", false},
    {"operator: lt, value: 5", "4.9", true},
    {"operator: lt, value: 5", "5", false},
    {"operator: lt, value: 5", "\"x\"", false},
    {"operator: lt, value: 5", "null", false},
    {"operator: in, value: [a, 7, true]", "\"a\"", true},
    {"operator: in, value: [a, 7, true]", "7", true},
    {"operator: in, value: [a, 7, true]", "true", true},
    {"operator: in, value: [a, 7, true]", "\"7\"", false},
    {"operator: in, value: []", "\"a\"", false},
    {"operator: in, value: [a]", NULL, false},
    {"operator: not_in, value: [a, 7]", "\"b\"", true},
    {"operator: not_in, value: [a, 7]", "\"a\"", false},
    {"operator: not_in, value: []", "\"a\"", true},
    {"operator: not_in, value: [a]", "null", false},
    {"operator: not_in, value: [a]", NULL, false},
    {"operator: exists, value: true", "0", true},
    {"operator: exists, value: true", "null", false},
    {"operator: exists, value: true", NULL, false},
    {"operator: exists, value: false", NULL, true},
    {"operator: exists, value: false", "null", true},
    {"operator: exists, value: false", "\"\"", false},
};

static void p30_operators_hold_as_they_are_defined(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        const struct vector *v = &VECTORS[i];
        struct rule rule = rule_of(arena, arena_printf(arena, "id: R-1\nconditions: [{field: f, %s}]\naction: escalate\n",
                                                       v->condition));
        const struct rule_set *set = set_of(arena, &rule, 1);
        const char *text = v->value != NULL ? arena_printf(arena, "{\"f\":%s}", v->value) : "{\"g\":1}";
        bool holds = strcmp(winner(arena, set, text), "R-1") == 0;
        if (holds != v->holds)
            fail_msg("{field: f, %s} on %s: %s", v->condition, text, holds ? "holds" : "does not hold");
    }
}

static void a_field_is_a_path_through_objects(void **state)
{
    struct arena *arena = *state;
    struct rule rule = rule_of(arena, "id: R-1\nconditions: [{field: details.service, operator: eq, value: a}]\n"
                                      "action: escalate\n");
    const struct rule_set *set = set_of(arena, &rule, 1);
    assert_string_equal(winner(arena, set, "{\"details\":{\"service\":\"a\"}}"), "R-1");
    assert_string_equal(winner(arena, set, "{\"details.service\":\"a\"}"), "-");
    assert_string_equal(winner(arena, set, "{\"details\":[{\"service\":\"a\"}]}"), "-");
    assert_string_equal(winner(arena, set, "{\"details\":\"a\",\"service\":\"a\"}"), "-");
    assert_string_equal(winner(arena, set, "{\"details\":{\"Service\":\"a\"}}"), "-");
    assert_string_equal(winner(arena, set, "[{\"details\":{\"service\":\"a\"}}]"), "-");
}

static void p29_a_regular_expression_ends_in_bounded_steps(void **state)
{
    struct arena *arena = *state;
    struct rule rule = rule_of(arena, "id: R-1\nconditions: [{field: f, operator: regex, value: '^(a+)+$'}]\n"
                                      "action: escalate\n");
    const struct rule_set *set = set_of(arena, &rule, 1);
    struct buffer text = buffer_make(100000);
    buffer_append_text(&text, "{\"f\":\"");
    for (int i = 0; i < 50000; i++)
        buffer_append_char(&text, 'a');
    buffer_append_text(&text, "!\"}");
    assert_string_equal(winner(arena, set, arena_text(arena, buffer_slice(&text))), "-");
    buffer_free(&text);
    assert_string_equal(winner(arena, set, "{\"f\":\"aaa\"}"), "R-1");
}

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
                 {"\"host_id\":null", "unknown"}};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct refusal refusal = {.rule_id = "R-1"};
        const char *text = arena_printf(arena, "{\"f\":\"a\",%s}", hosts[i].members);
        const struct rule *rule = rule_match(matcher, incident(arena, text), refuse_one, &refusal);
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

static const char *random_scalar(struct arena *arena, uint64_t *seed, bool yaml)
{
    switch (random_below(seed, 4)) {
    case 0:
        return arena_printf(arena, "%d", random_below(seed, 3));
    case 1:
        return random_below(seed, 2) != 0 ? "true" : "false";
    default:
        return arena_printf(arena, yaml ? "'%c'" : "\"%c\"", 'a' + random_below(seed, 4));
    }
}

static const char *random_rule(struct arena *arena, uint64_t *seed, int number)
{
    static const char *const fields[] = {"a", "b", "c", "d.e", "d.f", "d.g.h", "d"};
    static const char *const operators[] = {"eq", "eq", "eq", "ne", "in", "not_in", "exists", "contains"};
    const char *conditions = "";
    for (int i = random_below(seed, 3); i >= 0; i--) {
        const char *op = operators[random_below(seed, COUNT_OF(operators))];
        const char *one = random_scalar(arena, seed, true), *value = one;
        if (strstr(op, "in") != NULL && strcmp(op, "contains") != 0)
            value = arena_printf(arena, "[%s, %s, %s]", one, random_scalar(arena, seed, true), one);
        else if (strcmp(op, "exists") == 0)
            value = random_below(seed, 2) != 0 ? "true" : "false";
        conditions = arena_printf(arena, "%s- {field: %s, operator: %s, value: %s}\n", conditions,
                                  fields[random_below(seed, COUNT_OF(fields))], op, value);
    }
    return arena_printf(arena, "id: R-%03d\npriority: %d\nenabled: %s\naction: escalate\nconditions:\n%s", number,
                        random_below(seed, 5), random_below(seed, 8) != 0 ? "true" : "false", conditions);
}

static const char *random_incident(struct arena *arena, uint64_t *seed)
{
    const char *text = "{";
    for (const char *name = "abc"; *name != '\0'; name++)
        if (random_below(seed, 4) != 0)
            text = arena_printf(arena, "%s\"%c\":%s,", text, *name, random_scalar(arena, seed, false));
    if (random_below(seed, 4) != 0)
        text = arena_printf(arena, "%s\"d\":{\"e\":%s,\"f\":null,\"g\":{\"h\":%s}},", text,
                            random_scalar(arena, seed, false), random_scalar(arena, seed, false));
    return arena_printf(arena, "%s\"z\":[%s]}", text, random_scalar(arena, seed, false));
}

/* What a set with one rule says is not helped by the index: the first rule in order that matches alone is the winner. */
static const char *winner_one_by_one(struct arena *arena, const struct rule_set *set, const char *text)
{
    for (size_t i = 0; i < rule_set_count(set); i++)
        if (strcmp(winner(arena, set_of(arena, rule_set_at(set, i), 1), text), "-") != 0)
            return arena_text(arena, rule_set_at(set, i)->id);
    return "-";
}

static void the_index_finds_what_trying_every_rule_finds(void **state)
{
    uint64_t seed = 20261122;
    int matched = 0, rounds = unit_rounds(100);
    for (int round = 0; round < rounds; round++) {
        struct arena *arena = arena_new((size_t)256 * 1024 * 1024);
        struct rule rules[30];
        for (int i = 0; i < (int)COUNT_OF(rules); i++)
            rules[i] = rule_of(arena, random_rule(arena, &seed, i));
        const struct rule_set *set = set_of(arena, rules, COUNT_OF(rules));
        for (int i = 0; i < 3; i++) {
            const char *text = random_incident(arena, &seed);
            const char *found = winner(arena, set, text);
            assert_string_equal(found, winner_one_by_one(arena, set, text));
            matched += strcmp(found, "-") != 0;
        }
        arena_free(arena);
    }
    (void)state;
    assert_true(matched > rounds);
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
        matcher, incident(arena, "{\"drift_detected\":true,\"check_type\":\"check_7\",\"platform\":\"linux\"}"), NULL, NULL);
    assert_non_null(rule);
    assert_slice(rule->id, "R-0014");
    assert_int_equal(rule_matcher_tried(matcher), 1);
    assert_null(rule_match(matcher, incident(arena, "{\"drift_detected\":false,\"check_type\":\"check_7\"}"), NULL, NULL));
    assert_int_equal(rule_matcher_tried(matcher), 3);
    rule_matcher_free(matcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(p30_operators_hold_as_they_are_defined),
        UNIT_TEST(a_field_is_a_path_through_objects),
        UNIT_TEST(p29_a_regular_expression_ends_in_bounded_steps),
        UNIT_TEST(p31_priority_decides_then_the_id_whatever_the_order_of_loading),
        UNIT_TEST(a_severity_filter_admits_its_severities_only),
        UNIT_TEST(an_id_that_stands_twice_is_refused),
        UNIT_TEST(a_rule_that_cools_down_is_passed_over_for_the_next),
        UNIT_TEST(the_index_finds_what_trying_every_rule_finds),
        UNIT_TEST(rules_that_cannot_match_are_not_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
