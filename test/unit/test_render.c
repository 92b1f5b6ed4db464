#include "unit.h"

#include "rules/load.h"
#include "rules/number.h"
#include "rules/render.h"
#include "rules_fixture.h"

static struct rule story_rule(struct arena *arena)
{
    struct rule_evidence evidence = spooler_evidence();
    struct rule rule;
    struct error error;
    error_clear(&error);
    assert_true(rule_generate(arena, &evidence, &rule, &error));
    return rule;
}

static struct slice yaml_of(struct arena *arena, const struct rule *rule)
{
    struct slice yaml = SLICE_ABSENT;
    struct error error;
    error_clear(&error);
    if (!rule_to_yaml(arena, rule, &yaml, &error))
        fail_msg("refused: %s", error.detail);
    return yaml;
}

static void the_storys_rule_as_yaml(void **state)
{
    struct rule rule = story_rule(*state);
    assert_slice(yaml_of(*state, &rule),
                 "id: \"L1-PROMOTED-PRINT-SP\"\n"
                 "name: \"Print Spooler Auto-Restart\"\n"
                 "description: \"Promoted from L2 with 93% success rate over 15 occurrences\"\n"
                 "conditions:\n"
                 "- field: \"check_type\"\n"
                 "  operator: \"eq\"\n"
                 "  value: \"windows_service\"\n"
                 "action: \"run_windows_runbook\"\n"
                 "action_params:\n"
                 "  runbook_id: \"RB-WIN-SERVICES-001\"\n"
                 "  phases:\n"
                 "  - \"remediate\"\n"
                 "  - \"verify\"\n"
                 "hipaa_controls:\n"
                 "- \"164.308(a)(5)(ii)(B)\"\n"
                 "- \"164.312(b)\"\n"
                 "enabled: true\n"
                 "priority: 50\n"
                 "cooldown_seconds: 300\n"
                 "max_retries: 1\n"
                 "source: \"promoted\"\n");
}

static void the_storys_rule_as_json(void **state)
{
    struct rule rule = story_rule(*state);
    assert_slice(rule_to_json(*state, &rule),
                 "{\"id\":\"L1-PROMOTED-PRINT-SP\",\"name\":\"Print Spooler Auto-Restart\","
                 "\"description\":\"Promoted from L2 with 93% success rate over 15 occurrences\","
                 "\"conditions\":[{\"field\":\"check_type\",\"operator\":\"eq\","
                 "\"value\":\"windows_service\"}],\"action\":\"run_windows_runbook\","
                 "\"action_params\":{\"runbook_id\":\"RB-WIN-SERVICES-001\","
                 "\"phases\":[\"remediate\",\"verify\"]},"
                 "\"hipaa_controls\":[\"164.308(a)(5)(ii)(B)\",\"164.312(b)\"],\"enabled\":true,"
                 "\"priority\":50,\"cooldown_seconds\":300,\"max_retries\":1,"
                 "\"source\":\"promoted\"}");
}

/* The digest was made once with `printf %s '…' | sha256sum`. */
static void the_storys_rule_as_canonical_json_and_its_digest(void **state)
{
    struct rule rule = story_rule(*state);
    assert_slice(rule_canonical_json(*state, &rule),
                 "{\"action\":\"run_windows_runbook\",\"action_params\":{\"phases\":[\"remediate\","
                 "\"verify\"],\"runbook_id\":\"RB-WIN-SERVICES-001\"},\"conditions\":[{\"field\":"
                 "\"check_type\",\"operator\":\"eq\",\"value\":\"windows_service\"}],"
                 "\"cooldown_seconds\":300,\"max_retries\":1,\"priority\":50,"
                 "\"severity_filter\":[]}");
    assert_slice(rule_digest(*state, &rule),
                 "4d7b8293bdb22f4e42d0b69da902dc6c31f7baa5503faf6c107dfc2cb0f427dc");
}

static void the_digest_follows_what_a_rule_does_and_not_its_name(void **state)
{
    struct rule rule = story_rule(*state);
    struct slice digest = rule_digest(*state, &rule);
    struct rule renamed = rule;
    renamed.name = SLICE("Other");
    renamed.description = SLICE("Other");
    renamed.id = SLICE("L1-PROMOTED-OTHER");
    renamed.enabled = false;
    assert_true(slice_equal(rule_digest(*state, &renamed), digest));
    struct rule changed = rule;
    changed.priority = 51;
    assert_false(slice_equal(rule_digest(*state, &changed), digest));
    changed = rule;
    changed.cooldown_seconds = 301;
    assert_false(slice_equal(rule_digest(*state, &changed), digest));
    changed = rule;
    changed.max_retries = 2;
    assert_false(slice_equal(rule_digest(*state, &changed), digest));
    changed = rule;
    changed.action_params.runbook_id = SLICE("RB-WIN-SERVICES-002");
    assert_false(slice_equal(rule_digest(*state, &changed), digest));
    changed = rule;
    struct slice critical = SLICE("critical");
    changed.severity_filter = (struct rule_names){&critical, 1};
    assert_false(slice_equal(rule_digest(*state, &changed), digest));
    struct rule_condition condition = rule.conditions[0];
    condition.value.text = SLICE("print_spooler");
    changed = rule;
    changed.conditions = &condition;
    assert_false(slice_equal(rule_digest(*state, &changed), digest));
}

static void bytes_digest_is_sha_256(void **state)
{
    assert_slice(bytes_digest(*state, SLICE("")),
                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_slice(bytes_digest(*state, SLICE("abc")),
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void p11_hostile_names_come_back_identical(void **state)
{
    char longest[201 * 4 + 1];
    for (size_t i = 0; i < 200; i++)
        memcpy(longest + i * 4, i % 2 == 0 ? "😀" : "\"\\\"\\", 5);
    const struct slice names[] = {SLICE("a: b # \"c\"\n- d"),
                                  SLICE("no"),
                                  SLICE("1e3"),
                                  SLICE("Größe – 修复 😀"),
                                  SLICE("'"),
                                  SLICE("\""),
                                  SLICE("\\"),
                                  SLICE("\\n"),
                                  SLICE("- x"),
                                  SLICE("? x"),
                                  SLICE("{a: b}"),
                                  SLICE("[x]"),
                                  SLICE("&a"),
                                  SLICE("*a"),
                                  SLICE("!tag"),
                                  SLICE("%YAML 1.1"),
                                  SLICE("---"),
                                  SLICE("..."),
                                  SLICE("a\r\nb"),
                                  SLICE("a\tb"),
                                  SLICE(" lead and trail "),
                                  SLICE("a\n\n\nb\n"),
                                  SLICE("~"),
                                  SLICE("null"),
                                  SLICE("2026-01-02"),
                                  SLICE("12:30:45"),
                                  SLICE("0x1F"),
                                  SLICE("#"),
                                  SLICE("|"),
                                  SLICE(">"),
                                  SLICE("@x"),
                                  SLICE("`x`"),
                                  SLICE("<<"),
                                  SLICE("="),
                                  SLICE("${x}"),
                                  SLICE("\xC2\x85"),
                                  SLICE("\u2028\u2029"),
                                  SLICE("\uFEFFx"),
                                  SLICE("\uFFFE"),
                                  SLICE("\x01\x1F\x7F"),
                                  SLICE("\U0010FFFF"),
                                  slice_of(longest)};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct rule rule = story_rule(*state), back;
        struct error error;
        error_clear(&error);
        rule.name = names[i];
        rule.description = names[i];
        if (!rule_load_yaml(*state, yaml_of(*state, &rule), &back, &error))
            fail_msg("name %zu: %s", i, error.detail);
        assert_true(slice_equal(back.name, names[i]));
        assert_true(rule_equal(&back, &rule));
    }
}

static void p11_a_name_cannot_add_a_member(void **state)
{
    struct rule rule = story_rule(*state), back;
    struct error error;
    error_clear(&error);
    rule.name = SLICE("x\"\naction: \"escalate\"\nenabled: false\n#");
    struct slice yaml = yaml_of(*state, &rule);
    assert_true(rule_load_yaml(*state, yaml, &back, &error));
    assert_slice(back.action, "run_windows_runbook");
    assert_true(back.enabled);
    assert_null(strstr(yaml.ptr, "\naction: \"escalate\""));
}

static void p10_the_id_in_the_yaml_is_the_rules_id(void **state)
{
    const char *const ids[] = {
        "L1-PROMOTED-PRINT-SP", "L1-PROMOTED-12345678", "L1-PROMOTED-NO", "123", "1e3", "true"};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct rule rule = story_rule(*state), back;
        struct error error;
        error_clear(&error);
        rule.id = slice_of(ids[i]);
        assert_true(rule_load_yaml(*state, yaml_of(*state, &rule), &back, &error));
        assert_slice(back.id, ids[i]);
        char expected[100];
        snprintf(expected, sizeof expected, "{\"id\":\"%s\",", ids[i]);
        assert_memory_equal(rule_to_json(*state, &rule).ptr, expected, strlen(expected));
    }
}

static void a_rule_over_8192_bytes_is_refused(void **state)
{
    struct rule rule = story_rule(*state);
    size_t others = yaml_of(*state, &rule).len - rule.description.len;
    char *text = arena_alloc(*state, RULE_YAML_LIMIT + 1);
    memset(text, 'x', RULE_YAML_LIMIT);
    rule.description = (struct slice){text, RULE_YAML_LIMIT - others};
    assert_int_equal(yaml_of(*state, &rule).len, RULE_YAML_LIMIT);
    rule.description.len++;
    struct slice yaml = SLICE_ABSENT;
    struct error error;
    error_clear(&error);
    assert_false(rule_to_yaml(*state, &rule, &yaml, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_slug(&error, "rule-too-large");
}

static void the_longest_name_of_escapes_still_fits(void **state)
{
    struct rule rule = story_rule(*state);
    char name[200 * 4 + 1];
    for (size_t i = 0; i < 200; i++)
        memcpy(name + i * 4, "😀", 5);
    rule.name = slice_of(name);
    assert_true(yaml_of(*state, &rule).len < RULE_YAML_LIMIT);
}

static void a_severity_filter_is_written_where_there_is_one(void **state)
{
    const struct slice severities[] = {SLICE("high"), SLICE("critical")};
    struct rule rule = story_rule(*state);
    assert_null(strstr(yaml_of(*state, &rule).ptr, "severity_filter"));
    assert_null(strstr(rule_to_json(*state, &rule).ptr, "severity_filter"));
    rule.severity_filter = (struct rule_names){severities, 2};
    assert_non_null(strstr(yaml_of(*state, &rule).ptr,
                           "\nseverity_filter:\n- \"high\"\n- \"critical\"\nenabled: true\n"));
    assert_non_null(strstr(rule_to_json(*state, &rule).ptr,
                           "\"severity_filter\":[\"high\",\"critical\"],\"enabled\":true"));
}

/* Golden values of RFC 8785 appendix B and of ECMAScript's Number::toString. */
static void numbers_are_printed_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-50, "-50"},
        {0.5, "0.5"},
        {-1.25, "-1.25"},
        {100, "100"},
        {0.1, "0.1"},
        {1e20, "100000000000000000000"},
        {999999999999999900000.0, "999999999999999900000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {0.000001, "0.000001"},
        {1e-7, "1e-7"},
        {1.2345e-7, "1.2345e-7"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740992.0, "9007199254740992"},
        {295147905179352830000.0, "295147905179352830000"},
        {333333333.33333329, "333333333.3333333"},
        {123456.789, "123456.789"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[NUMBER_TEXT_SIZE];
        assert_slice(number_text(text, cases[i].number), cases[i].text);
    }
    char text[NUMBER_TEXT_SIZE];
    assert_slice(number_yaml_text(text, 1e21), "1.0e+21");
    assert_slice(number_yaml_text(text, -1e-7), "-1.0e-7");
    assert_slice(number_yaml_text(text, 1.5e300), "1.5e+300");
    assert_slice(number_yaml_text(text, 50), "50");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_storys_rule_as_yaml),
        UNIT_TEST(the_storys_rule_as_json),
        UNIT_TEST(the_storys_rule_as_canonical_json_and_its_digest),
        UNIT_TEST(the_digest_follows_what_a_rule_does_and_not_its_name),
        UNIT_TEST(bytes_digest_is_sha_256),
        UNIT_TEST(p11_hostile_names_come_back_identical),
        UNIT_TEST(p11_a_name_cannot_add_a_member),
        UNIT_TEST(p10_the_id_in_the_yaml_is_the_rules_id),
        UNIT_TEST(a_rule_over_8192_bytes_is_refused),
        UNIT_TEST(the_longest_name_of_escapes_still_fits),
        UNIT_TEST(a_severity_filter_is_written_where_there_is_one),
        UNIT_TEST(numbers_are_printed_as_ecmascript_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
