/* Many random rules, written as YAML and as JSON and read back: as one rule, as a file, and as a file that lists several.
 *
 * With `--dump`, prints each as one line of JSON, {"yaml": text, "rule": …}, so that readers other
 * than ours can be asked too (yaml_readers.py). */
#include "unit.h"

#include "base/buffer.h"
#include "base/json.h"
#include "rules/load.h"
#include "rules/render.h"
#include "rules/rule_copy.h"
#include "rules_fixture.h"

enum { RULES = 3000, ROUND_TRIPS = 100000, LISTED = 5 };

struct source {
    struct arena *arena;
    uint64_t seed;
};

/* xorshift64*: the same rules on every run. */
static unsigned roll(struct source *source, unsigned sides)
{
    source->seed ^= source->seed >> 12;
    source->seed ^= source->seed << 25;
    source->seed ^= source->seed >> 27;
    return (unsigned)((source->seed * 2685821657736338717ULL) >> 33) % sides;
}

static const char *const pieces[] = {
    "a",        "Z",      "7",          " ",        "  ",     "\n",     "\r\n",      "\t",
    ": ",       " #",     "#",          "- ",       "? ",     "\"",     "'",         "\\",
    "\\n",      "{",      "}",          "[",        "]",      ",",      "&",         "*",
    "!",        "|",      ">",          "%",        "@",      "`",      "---",       "...",
    "no",       "yes",    "on",         "true",     "null",   "~",      "1e3",       "0x1F",
    "12:30:45", "1_000",  "2026-01-02", ".5",       "é",      "ß",      "修复",      "😀",
    "\u00A0",   "\u2003", "\u2028",     "\xC2\x85", "\uFEFF", "\uFFFD", "\uFFFE",    "\U0001F9E8",
    "\x01",     "\x1B",   "\x7F",       "<<",       "=",      "${x}",   "</script>", "%s%n",
    "e\u0301",  "\u202E", "\u200D",      "id: x",    "rules:", "\n- id: x\n", "\n...\n", "\n---\n",
    "!!str ",   "&a ",    "*a",         "%YAML",    "|2-\n",  "\xC2\xA0", "\u2029",  "\uD7FF\uE000",
};

static struct slice random_text(struct source *source, unsigned longest)
{
    struct buffer text = buffer_make(4096);
    unsigned count = roll(source, longest + 1);
    for (unsigned i = 0; i < count; i++)
        buffer_append_text(&text, pieces[roll(source, COUNT_OF(pieces))]);
    struct slice copy = arena_copy(source->arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static struct rule_value random_scalar(struct source *source)
{
    static const double numbers[] = {0,
                                     1,
                                     -7,
                                     50,
                                     0.5,
                                     -2.25,
                                     1e21,
                                     1e-7,
                                     123456.789,
                                     5e-324,
                                     1.7976931348623157e308,
                                     9007199254740993.0,
                                     0.1};
    switch (roll(source, 3)) {
    case 0:
        return (struct rule_value){.type = RULE_BOOL, .truth = roll(source, 2) == 1};
    case 1:
        return (struct rule_value){.type = RULE_NUMBER,
                                   .number = numbers[roll(source, COUNT_OF(numbers))]};
    default:
        return (struct rule_value){.type = RULE_STRING, .text = random_text(source, 6)};
    }
}

static struct rule_value random_value(struct source *source, enum rule_operator op)
{
    static const char *const expressions[] = {"^a+$", "(no|1e3)", "\\d{1,3}\\.", "[\"'#]", "😀+"};
    switch (op) {
    case RULE_IN:
    case RULE_NOT_IN: {
        size_t count = roll(source, 4);
        struct rule_value *items = arena_array(source->arena, count, sizeof *items);
        for (size_t i = 0; i < count; i++)
            items[i] = random_scalar(source);
        return (struct rule_value){.type = RULE_LIST, .items = items, .item_count = count};
    }
    case RULE_EXISTS:
        return (struct rule_value){.type = RULE_BOOL, .truth = roll(source, 2) == 1};
    case RULE_REGEX:
        return (struct rule_value){.type = RULE_STRING,
                                   .text =
                                       slice_of(expressions[roll(source, COUNT_OF(expressions))])};
    case RULE_GT:
    case RULE_LT:
        return (struct rule_value){.type = RULE_NUMBER, .number = roll(source, 1000) / 8.0};
    default:
        return random_scalar(source);
    }
}

static struct rule_names random_names(struct source *source)
{
    size_t count = roll(source, 4);
    struct slice *items = arena_array(source->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = random_text(source, 5);
    return (struct rule_names){items, count};
}

static struct rule random_rule(struct source *source, int number)
{
    static const char *const actions[] = {"run_windows_runbook", "escalate", "renew_certificate"};
    size_t count = 1 + roll(source, 3);
    struct rule_condition *conditions = arena_array(source->arena, count, sizeof *conditions);
    for (size_t i = 0; i < count; i++) {
        conditions[i].field = slice_of(arena_printf(source->arena, "f%u.%.*s", roll(source, 9),
                                                    (int)random_text(source, 2).len, "abcdefgh"));
        conditions[i].op = (enum rule_operator)roll(source, RULE_OPERATOR_COUNT);
        conditions[i].value = random_value(source, conditions[i].op);
    }
    return (struct rule){
        .id = slice_of(arena_printf(source->arena, "%04d-%u", number, roll(source, 100000))),
        .name = random_text(source, 20),
        .description = random_text(source, 40),
        .conditions = conditions,
        .condition_count = count,
        .action = slice_of(actions[roll(source, COUNT_OF(actions))]),
        .action_params = {.runbook_id =
                              roll(source, 4) == 0 ? SLICE_ABSENT : random_text(source, 4),
                          .phases = random_names(source)},
        .hipaa_controls = random_names(source),
        .severity_filter = random_names(source),
        .enabled = roll(source, 2) == 1,
        .priority = (int32_t)roll(source, 2000) - 1000,
        .cooldown_seconds = (int32_t)roll(source, 100000),
        .max_retries = (int32_t)roll(source, 10),
        .source = random_text(source, 3),
    };
}

static struct slice yaml_of(struct arena *arena, const struct rule *rule)
{
    struct slice yaml = SLICE_ABSENT;
    struct error error;
    error_clear(&error);
    if (!rule_to_yaml(arena, rule, &yaml, &error))
        fail_msg("%s refused: %s", rule->id.ptr, error.detail);
    return yaml;
}

static void check_again(const struct rule *rule, const struct rule *back, struct slice yaml)
{
    if (!rule_equal(rule, back))
        fail_msg("the rule %s changed:\n%s", rule->id.ptr, yaml.ptr);
}

/* As a file, written again, and by its digest. */
static void check_thoroughly(struct arena *arena, const struct rule *rule, struct slice yaml)
{
    const struct rule *back = NULL;
    size_t count = 0;
    struct error error;
    error_clear(&error);
    if (!rule_load_file(arena, yaml, &back, &count, &error))
        fail_msg("the rule %s: %s\n%s", rule->id.ptr, error.detail, yaml.ptr);
    assert_int_equal(count, 1);
    check_again(rule, back, yaml);
    assert_true(slice_equal(yaml, yaml_of(arena, back)));
    assert_true(slice_equal(rule_digest(arena, rule), rule_digest(arena, back)));
}

static void p11_random_rules_come_back_from_yaml_member_for_member(void **state)
{
    struct source source = {*state, 20261122};
    for (int i = 0; i < unit_rounds(ROUND_TRIPS); i++) {
        struct rule rule = random_rule(&source, i), back;
        struct error error;
        error_clear(&error);
        struct slice yaml = yaml_of(*state, &rule);
        if (!rule_load_yaml(*state, yaml, &back, &error))
            fail_msg("rule %d: %s\n%s", i, error.detail, yaml.ptr);
        check_again(&rule, &back, yaml);
        if (i % 10 == 0)
            check_thoroughly(*state, &rule, yaml);
        arena_reset(*state);
    }
}

/* The YAML of a rule as an element of a list: each line further in, the first after a dash. */
static void append_element(struct buffer *list, struct slice yaml)
{
    for (size_t i = 0; i < yaml.len; i++) {
        if (i == 0 || yaml.ptr[i - 1] == '\n')
            buffer_append_text(list, i == 0 ? "- " : "  ");
        buffer_append_char(list, yaml.ptr[i]);
    }
}

static void p11_random_rules_come_back_from_a_list_of_several(void **state)
{
    struct source source = {*state, 99};
    for (int round = 0; round < unit_rounds(RULES); round++) {
        struct rule rules[LISTED];
        struct buffer list = buffer_make((size_t)LISTED * 2 * RULE_YAML_LIMIT);
        buffer_append_text(&list, "rules:\n");
        for (int i = 0; i < LISTED; i++) {
            rules[i] = random_rule(&source, i);
            append_element(&list, yaml_of(*state, &rules[i]));
        }
        const struct rule *back = NULL;
        size_t count = 0;
        struct error error;
        error_clear(&error);
        if (!rule_load_file(*state, buffer_slice(&list), &back, &count, &error))
            fail_msg("round %d: %s\n%.*s", round, error.detail, (int)list.len, list.bytes);
        assert_int_equal(count, LISTED);
        for (int i = 0; i < LISTED; i++)
            check_again(&rules[i], &back[i], buffer_slice(&list));
        buffer_free(&list);
        arena_reset(*state);
    }
}

static void a_copy_says_the_same_without_what_it_was_made_of(void **state)
{
    struct source source = {*state, 5};
    for (int i = 0; i < unit_rounds(RULES); i++) {
        struct arena *kept = arena_new((size_t)1024 * 1024);
        struct rule rule = random_rule(&source, i), copy = rule_copy(kept, &rule);
        assert_true(rule_equal(&rule, &copy));
        struct slice yaml = yaml_of(kept, &rule);
        arena_reset(*state);
        assert_true(slice_equal(yaml, yaml_of(kept, &copy)));
        assert_int_equal(copy.name.ptr[copy.name.len], '\0');
        arena_free(kept);
    }
}

static void p10_yaml_and_json_of_a_rule_agree_in_id_and_name(void **state)
{
    struct source source = {*state, 42};
    for (int i = 0; i < unit_rounds(RULES); i++) {
        struct rule rule = random_rule(&source, i);
        char why[200] = "";
        const struct json *json = json_parse(*state, rule_to_json(*state, &rule), why, sizeof why);
        if (json == NULL)
            fail_msg("rule %d: %s", i, why);
        assert_true(slice_equal(json_as_string(json_member(json, "id")), rule.id));
        assert_true(slice_equal(json_as_string(json_member(json, "name")), rule.name));
        assert_true(
            slice_equal(json_as_string(json_member(json, "description")), rule.description));
        assert_int_equal(json_count(json_member(json, "conditions")), rule.condition_count);
        assert_non_null(json_parse(*state, rule_canonical_json(*state, &rule), why, sizeof why));
        arena_reset(*state);
    }
}

static void generated_rules_pass_the_engines_own_checks(void **state)
{
    struct source source = {*state, 7};
    int made = 0;
    for (int i = 0; i < unit_rounds(RULES); i++) {
        struct rule_evidence evidence = spooler_evidence();
        struct rule rule, back;
        struct error error;
        error_clear(&error);
        evidence.custom_name = random_text(&source, 30);
        evidence.check_type = random_text(&source, 3);
        evidence.success_rate = roll(&source, 1001) / 1000.0;
        evidence.total_occurrences = roll(&source, 1000000);
        if (rule_generate(*state, &evidence, &rule, &error)) {
            made++;
            if (!rule_load_yaml(*state, yaml_of(*state, &rule), &back, &error))
                fail_msg("rule %d: %s", i, error.detail);
            assert_true(rule_equal(&rule, &back));
            assert_int_equal(back.conditions[0].value.type, RULE_STRING);
        }
        arena_reset(*state);
    }
    assert_in_range(made, unit_rounds(RULES) / 30, unit_rounds(RULES));
}

static int dump(void)
{
    struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
    struct source source = {arena, 20261122};
    for (int i = 0; i < unit_rounds(RULES); i++) {
        struct rule rule = random_rule(&source, i);
        struct slice yaml;
        struct error error;
        struct buffer line = buffer_make((size_t)1024 * 1024);
        struct json_writer writer = json_writer_make(&line);
        if (!rule_to_yaml(arena, &rule, &yaml, &error))
            return 1;
        json_open_object(&writer, NULL);
        json_string(&writer, "yaml", yaml);
        rule_write_json(&writer, "rule", &rule);
        json_string(&writer, "canonical", rule_canonical_json(arena, &rule));
        json_writer_end(&writer);
        printf("%.*s\n", (int)line.len, line.bytes);
        buffer_free(&line);
        arena_reset(arena);
    }
    arena_free(arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--dump") == 0)
        return dump();
    const struct CMUnitTest tests[] = {
        UNIT_TEST(p11_random_rules_come_back_from_yaml_member_for_member),
        UNIT_TEST(p11_random_rules_come_back_from_a_list_of_several),
        UNIT_TEST(a_copy_says_the_same_without_what_it_was_made_of),
        UNIT_TEST(p10_yaml_and_json_of_a_rule_agree_in_id_and_name),
        UNIT_TEST(generated_rules_pass_the_engines_own_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
