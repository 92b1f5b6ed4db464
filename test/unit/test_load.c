#include "unit.h"

#include "rules/load.h"

#define HEAD "id: L1-TEST-001\nname: Test\n"
#define CONDITION "conditions:\n- {field: check_type, operator: eq, value: firewall}\n"
#define ACTION "action: restore_firewall_baseline\n"

static struct rule loaded(struct arena *arena, const char *yaml)
{
    struct rule rule;
    struct error error;
    error_clear(&error);
    if (!rule_load_yaml(arena, slice_of(yaml), &rule, &error))
        fail_msg("refused: %s\n%s", error.detail, yaml);
    return rule;
}

/* Refused, with a reason that holds `reason`. */
static void refused(struct arena *arena, struct slice yaml, const char *reason)
{
    struct rule rule;
    struct error error;
    error_clear(&error);
    if (rule_load_yaml(arena, yaml, &rule, &error))
        fail_msg("accepted: %.*s", (int)yaml.len, yaml.ptr);
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_slug(&error, "rule-refused");
    if (strstr(error.detail, reason) == NULL)
        fail_msg("reason «%s» does not say «%s»", error.detail, reason);
}

static void a_rule_written_by_hand_is_read(void **state)
{
    struct rule rule =
        loaded(*state, "# made by hand\n" HEAD "conditions:\n"
                       "- field: check_type\n  operator: in\n"
                       "  value: [firewall, 'no', 5, 1.5, true]\n"
                       "- field: drift_detected\n  operator: eq\n  value: yes\n"
                       "- {field: details.count, operator: gt, value: 1.0e+3}\n"
                       "- {field: message, operator: regex, value: '^a+$'}\n" ACTION
                       "action_params: {runbook_id: LIN-FW-001, phases: [remediate]}\n"
                       "hipaa_controls: ['164.312']\nseverity_filter: [high]\n"
                       "enabled: no\npriority: -5\ncooldown_seconds: 0\n"
                       "max_retries: 3\nsource: builtin\nauthor: somebody\n");
    assert_slice(rule.id, "L1-TEST-001");
    assert_int_equal(rule.condition_count, 4);
    const struct rule_value *list = &rule.conditions[0].value;
    assert_int_equal(list->item_count, 5);
    assert_slice(list->items[1].text, "no");
    assert_true(list->items[2].number == 5.0);
    assert_int_equal(list->items[4].type, RULE_BOOL);
    assert_true(rule.conditions[1].value.truth);
    assert_true(rule.conditions[2].value.number == 1000.0);
    assert_slice(rule.action_params.phases.items[0], "remediate");
    assert_slice(rule.severity_filter.items[0], "high");
    assert_false(rule.enabled);
    assert_int_equal(rule.priority, -5);
    assert_int_equal(rule.cooldown_seconds, 0);
    assert_int_equal(rule.max_retries, 3);
}

static void what_is_not_said_is_as_in_a_promoted_rule(void **state)
{
    struct rule rule = loaded(*state, "id: abc\n" CONDITION ACTION);
    assert_true(rule.enabled);
    assert_int_equal(rule.priority, 50);
    assert_int_equal(rule.cooldown_seconds, 300);
    assert_int_equal(rule.max_retries, 1);
    assert_int_equal(rule.severity_filter.count, 0);
    assert_false(slice_present(rule.name));
}

static void p29_a_rule_without_conditions_is_refused(void **state)
{
    refused(*state, SLICE(HEAD ACTION), "no conditions");
    refused(*state, SLICE(HEAD ACTION "conditions: []\n"), "no conditions");
    refused(*state, SLICE(HEAD ACTION "conditions: {}\n"), "no conditions");
    refused(*state, SLICE(HEAD ACTION "conditions:\n"), "no conditions");
}

#define WITH(condition) SLICE(HEAD ACTION "conditions:\n- " condition "\n")

static void p29_an_unknown_operator_is_refused(void **state)
{
    refused(*state, WITH("{field: a, operator: like, value: b}"), "not an operator");
    refused(*state, WITH("{field: a, operator: EQ, value: b}"), "not an operator");
    refused(*state, WITH("{field: a, value: b}"), "no \"operator\"");
    refused(*state, WITH("{field: a, operator: [eq], value: b}"), "must be a string");
}

static void p29_an_invalid_regular_expression_is_refused(void **state)
{
    refused(*state, WITH("{field: a, operator: regex, value: '(a'}"), "regular expression");
    refused(*state, WITH("{field: a, operator: regex, value: '[z-a]'}"), "regular expression");
    refused(*state, WITH("{field: a, operator: regex, value: 5}"), "needs a string");
}

static void operators_get_the_kind_of_value_they_need(void **state)
{
    refused(*state, WITH("{field: a, operator: in, value: b}"), "needs a list");
    refused(*state, WITH("{field: a, operator: not_in, value: {b: c}}"),
            "must be a string, number");
    refused(*state, WITH("{field: a, operator: in, value: [[b]]}"),
            "strings, numbers and booleans");
    refused(*state, WITH("{field: a, operator: in, value: [{b: c}]}"), "strings, numbers");
    refused(*state, WITH("{field: a, operator: in, value: [b, null]}"), "no \"value\"");
    refused(*state, WITH("{field: a, operator: eq, value: [b]}"), "cannot have a list");
    refused(*state, WITH("{field: a, operator: eq, value: {b: c}}"), "must be a string, number");
    refused(*state, WITH("{field: a, operator: eq, value: }"), "no \"value\"");
    refused(*state, WITH("{field: a, operator: eq}"), "no \"value\"");
    refused(*state, WITH("{field: a, operator: exists, value: maybe}"), "true or false");
    refused(*state, WITH("{field: a, operator: gt, value: true}"), "needs a number");
    refused(*state, WITH("{field: , operator: eq, value: b}"), "must be a string");
    refused(*state, WITH("{field: '', operator: eq, value: b}"), "no \"field\"");
    refused(*state, WITH("{operator: eq, value: b}"), "no \"field\"");
    refused(*state, WITH("firewall"), "field, operator and value");
}

static void p30_values_that_readers_disagree_on_must_be_quoted(void **state)
{
    refused(*state, WITH("{field: a, operator: eq, value: 007}"), "readers disagree");
    refused(*state, WITH("{field: a, operator: eq, value: 1e3}"), "readers disagree");
    refused(*state, WITH("{field: a, operator: eq, value: 2026-01-02}"), "readers disagree");
    refused(*state, WITH("{field: a, operator: eq, value: 0x1F}"), "readers disagree");
    struct rule rule =
        loaded(*state, HEAD ACTION "conditions:\n- {field: a, operator: eq, value: '007'}\n");
    assert_int_equal(rule.conditions[0].value.type, RULE_STRING);
    assert_slice(rule.conditions[0].value.text, "007");
}

static void p9_an_action_outside_the_list_is_refused(void **state)
{
    refused(*state, SLICE(HEAD CONDITION "action: rm_rf\n"), "\"action\" must be one of");
    refused(*state, SLICE(HEAD CONDITION), "\"action\" must be one of");
    refused(*state, SLICE(HEAD CONDITION "action: [escalate]\n"), "must be a string");
    refused(*state, SLICE(HEAD CONDITION ACTION "action_params: 5\n"), "must be a mapping");
    loaded(*state, HEAD CONDITION "action: escalate\n");
}

static void a_bad_id_is_refused(void **state)
{
    refused(*state, SLICE(CONDITION ACTION), "\"id\" must");
    refused(*state, SLICE("id: ab\n" CONDITION ACTION), "\"id\" must");
    refused(*state, SLICE("id: ../etc\n" CONDITION ACTION), "\"id\" must");
    refused(*state, SLICE("id: 12345\n" CONDITION ACTION), "must be a string");
    refused(*state, SLICE("id: [abc]\n" CONDITION ACTION), "must be a string");
}

static void p25_a_rules_list_does_not_pass_as_a_rule(void **state)
{
    refused(*state, SLICE("rules:\n- id: abc\n"), "not one rule");
    refused(*state, SLICE(HEAD CONDITION ACTION "rules: []\n"), "not one rule");
    refused(*state, SLICE("- id: abc\n"), "mapping of members");
    refused(*state, SLICE(HEAD CONDITION ACTION "\"ru\\x6ces\": []\n"), "not one rule");
}

static void a_member_twice_is_refused(void **state)
{
    refused(*state, SLICE(HEAD CONDITION ACTION "id: other\n"), "stands twice");
    refused(*state, SLICE(HEAD CONDITION ACTION CONDITION), "stands twice");
    refused(*state, WITH("{field: a, field: b, operator: eq, value: c}"), "stands twice");
    refused(*state, SLICE(HEAD CONDITION ACTION "\"i\\x64\": other\n"), "stands twice");
}

static void members_of_another_type_are_refused(void **state)
{
    refused(*state, SLICE(HEAD CONDITION ACTION "enabled: maybe\n"), "true or false");
    refused(*state, SLICE(HEAD CONDITION ACTION "enabled: 1\n"), "true or false");
    refused(*state, SLICE(HEAD CONDITION ACTION "priority: high\n"), "whole number");
    refused(*state, SLICE(HEAD CONDITION ACTION "priority: '50'\n"), "whole number");
    refused(*state, SLICE(HEAD CONDITION ACTION "priority: 1.5\n"), "whole number");
    refused(*state, SLICE(HEAD CONDITION ACTION "cooldown_seconds: -1\n"), "whole number");
    refused(*state, SLICE(HEAD CONDITION ACTION "max_retries: 99999999999\n"), "whole number");
    refused(*state, SLICE(HEAD CONDITION ACTION "severity_filter: high\n"), "list of strings");
    refused(*state, SLICE(HEAD CONDITION ACTION "hipaa_controls: [164.312]\n"), "must be a string");
    refused(*state, SLICE(HEAD CONDITION ACTION "description: {a: b}\n"), "must be a string");
    refused(*state, SLICE(HEAD CONDITION ACTION "[a]: b\n"), "must be a word");
}

static void a_rule_over_8192_bytes_is_refused(void **state)
{
    struct slice rule = SLICE(HEAD CONDITION ACTION "# ");
    char *text = arena_alloc(*state, RULE_YAML_LIMIT + 1);
    memset(text, 'x', RULE_YAML_LIMIT + 1);
    memcpy(text, rule.ptr, rule.len);
    struct rule out;
    struct error error;
    error_clear(&error);
    assert_true(rule_load_yaml(*state, (struct slice){text, RULE_YAML_LIMIT}, &out, &error));
    refused(*state, (struct slice){text, RULE_YAML_LIMIT + 1}, "8192 bytes");
}

static void what_is_not_one_plain_yaml_document_is_refused(void **state)
{
    refused(*state, SLICE_ABSENT, "bytes");
    refused(*state, SLICE(""), "no rule");
    refused(*state, SLICE("# nothing\n"), "no rule");
    refused(*state, SLICE("abc"), "mapping of members");
    refused(*state, SLICE(HEAD CONDITION ACTION "---\nid: x\n"), "single YAML document");
    refused(*state, SLICE(HEAD CONDITION ACTION "x: &a 1\n"), "Anchors");
    refused(*state, SLICE(HEAD CONDITION ACTION "x: &a [*a]\n"), "Anchors");
    refused(*state, SLICE(HEAD CONDITION "action: !!python/object:os.system x\n"), "tags");
    refused(*state, SLICE(HEAD CONDITION ACTION "x: \"a\n"), "not YAML");
    refused(*state, SLICE(HEAD CONDITION ACTION "\tx: 1\n"), "not YAML");
    refused(*state, SLICE(HEAD CONDITION ACTION "x: \xFF\n"), "not YAML");
    refused(*state, SLICE(HEAD CONDITION ACTION "description: \"a\\0b\"\n"), "NUL");
    refused(*state, SLICE(HEAD CONDITION ACTION "x: [[[[[[[[[[1]]]]]]]]]]\n"), "levels deep");
}

/* As editors on Windows write it. */
static void a_byte_order_mark_and_line_ends_of_two_do_no_harm(void **state)
{
    struct rule rule = loaded(*state, "\xEF\xBB\xBFid: L1-TEST-001\r\nname: Test\r\nconditions:\r\n"
                                      "- {field: check_type, operator: eq, value: firewall}\r\n" ACTION);
    assert_slice(rule.name, "Test");
    assert_slice(rule.conditions[0].value.text, "firewall");
    refused(*state, SLICE("\xEF\xBB\xBF"), "no rule");
    refused(*state, SLICE(HEAD CONDITION ACTION "\xEF\xBB\xBFx: 1\n\xEF\xBB"), "not YAML");
}

static void a_text_of_brackets_only_is_refused_quickly(void **state)
{
    char *text = arena_alloc(*state, RULE_YAML_LIMIT);
    memset(text, '[', RULE_YAML_LIMIT);
    refused(*state, (struct slice){text, RULE_YAML_LIMIT}, "");
    memset(text, '{', RULE_YAML_LIMIT);
    refused(*state, (struct slice){text, RULE_YAML_LIMIT}, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_rule_written_by_hand_is_read),
        UNIT_TEST(what_is_not_said_is_as_in_a_promoted_rule),
        UNIT_TEST(p29_a_rule_without_conditions_is_refused),
        UNIT_TEST(p29_an_unknown_operator_is_refused),
        UNIT_TEST(p29_an_invalid_regular_expression_is_refused),
        UNIT_TEST(operators_get_the_kind_of_value_they_need),
        UNIT_TEST(p30_values_that_readers_disagree_on_must_be_quoted),
        UNIT_TEST(p9_an_action_outside_the_list_is_refused),
        UNIT_TEST(a_bad_id_is_refused),
        UNIT_TEST(p25_a_rules_list_does_not_pass_as_a_rule),
        UNIT_TEST(a_member_twice_is_refused),
        UNIT_TEST(members_of_another_type_are_refused),
        UNIT_TEST(a_rule_over_8192_bytes_is_refused),
        UNIT_TEST(what_is_not_one_plain_yaml_document_is_refused),
        UNIT_TEST(a_byte_order_mark_and_line_ends_of_two_do_no_harm),
        UNIT_TEST(a_text_of_brackets_only_is_refused_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
