/* Files of rules: one, or a list; and that one thing wrong refuses the whole file with its reason. */
#include "unit.h"

#include "base/buffer.h"
#include "rules/load.h"

#define CONDITION "conditions: [{field: check_type, operator: eq, value: firewall}]"
#define BODY ", " CONDITION ", action: escalate}"
#define RULE(id) "{id: " id BODY

static const struct rule *loaded(struct arena *arena, struct slice yaml, size_t expected)
{
    const struct rule *rules = NULL;
    size_t count = 0;
    struct error error;
    error_clear(&error);
    if (!rule_load_file(arena, yaml, &rules, &count, &error))
        fail_msg("refused: %s\n%.300s", error.detail, yaml.ptr);
    assert_int_equal(count, expected);
    return rules;
}

/* Refused, with a reason that holds `reason`, and nothing returned. */
static void refused(struct arena *arena, struct slice yaml, const char *reason)
{
    const struct rule *rules = (const struct rule *)arena;
    size_t count = 7;
    struct error error;
    error_clear(&error);
    if (rule_load_file(arena, yaml, &rules, &count, &error))
        fail_msg("accepted: %.300s", yaml.ptr);
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_slug(&error, "rule-refused");
    assert_null(rules);
    assert_int_equal(count, 0);
    if (strstr(error.detail, reason) == NULL)
        fail_msg("reason «%s» does not say «%s»", error.detail, reason);
}

static void a_file_holds_one_rule_or_a_list_of_them(void **state)
{
    assert_slice(loaded(*state, SLICE(RULE("abc")), 1)[0].id, "abc");
    const struct rule *rules = loaded(*state, SLICE("# the site's own\nversion: 3\nrules:\n- " RULE("R-2") "\n- " RULE("R-1") "\n"), 2);
    assert_slice(rules[0].id, "R-2");
    assert_slice(rules[1].id, "R-1");
    assert_int_equal(rules[1].priority, 50);
    loaded(*state, SLICE("rules: [" RULE("R-1") ", " RULE("R-2") ", " RULE("R-3") "]"), 3);
}

static void a_file_without_a_rule_is_refused(void **state)
{
    refused(*state, SLICE_ABSENT, "bytes");
    refused(*state, SLICE(""), "no rule");
    refused(*state, SLICE("# nothing\n"), "no rule");
    refused(*state, SLICE("rules: []\n"), "one rule or more");
    refused(*state, SLICE("rules:\n"), "one rule or more");
    refused(*state, SLICE("rules: {id: abc}\n"), "one rule or more");
    refused(*state, SLICE("- " RULE("abc")), "mapping of members");
    refused(*state, SLICE("rules: [abc]\n"), "mapping of members");
}

/* Each of these stands second in a list whose other rules are good. */
static void p29_one_bad_rule_refuses_the_whole_file(void **state)
{
    static const struct {
        const char *rule, *reason;
    } bad[] = {
        {RULE("R-1"), "R-1 stands twice"},
        {"{id: R-2, action: escalate}", "no conditions"},
        {"{id: R-2, action: escalate, conditions: []}", "no conditions"},
        {"{id: R-2, action: escalate, conditions: [{field: a, operator: like, value: b}]}", "not an operator"},
        {"{id: R-2, action: escalate, conditions: [{field: a, operator: in, value: b}]}", "needs a list"},
        {"{id: R-2, action: escalate, conditions: [{field: a, operator: not_in, value: 1}]}", "needs a list"},
        {"{id: R-2, action: escalate, conditions: [{field: a, operator: regex, value: '(a'}]}", "regular expression"},
        {"{id: R-2, action: escalate, conditions: [{field: a, operator: eq, value: 007}]}", "readers disagree"},
        {"{id: R-2, action: rm_rf, " CONDITION "}", "\"action\" must be one of"},
        {"{id: ../x, action: escalate, " CONDITION "}", "\"id\" must"},
        {"{action: escalate, " CONDITION "}", "\"id\" must"},
        {"{id: R-2, priority: high" BODY, "whole number"},
        {"{id: R-2, severity_filter: high" BODY, "list of strings"},
        {"{id: R-2, id: R-3" BODY, "stands twice"},
        {"!x {id: R-2" BODY, "tags"},
        {"*a", "aliases"},
        {"{id: R-2, x: [[[[[[[[[[1]]]]]]]]]]" BODY, "levels deep"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refused(*state, slice_of(arena_printf(*state, "rules:\n- " RULE("R-1") "\n- %s\n- " RULE("R-9") "\n", bad[i].rule)),
                bad[i].reason);
}

static void a_refusal_says_which_rule_of_the_list_it_is(void **state)
{
    refused(*state, SLICE("rules:\n- " RULE("R-1") "\n\n- {id: R-2, action: escalate}\n"),
            "Rule 2 of the list (line 4): The rule has no conditions");
}

static void p25_a_rules_list_smuggles_nothing(void **state)
{
    refused(*state, SLICE("id: abc\n" CONDITION "\naction: escalate\nrules: [" RULE("abd") "]\n"), "must not stand beside");
    refused(*state, SLICE("rules: [" RULE("abd") "]\nconditions: []\n"), "must not stand beside");
    refused(*state, SLICE("rules: [" RULE("abd") "]\naction: escalate\n"), "must not stand beside");
    refused(*state, SLICE("rules:\n- rules: [" RULE("abd") "]\n"), "not one rule");
    refused(*state, SLICE("rules:\n- {id: abc, rules: []" BODY "\n"), "not one rule");
    refused(*state, SLICE("rules: [" RULE("abc") "]\n\"ru\\x6ces\": [" RULE("abd") "]\n"), "stands twice");
    refused(*state, SLICE("rules: [" RULE("abc") "]\n---\nrules: [" RULE("abd") "]\n"), "single YAML document");
}

/* ---- sizes --------------------------------------------------------------------------------------- */

/* A rule of exactly `size` bytes, filled with `filler` in its description. */
static const char *sized_rule(struct arena *arena, const char *id, size_t size, const char *filler)
{
    const char *head = arena_printf(arena, "{id: %s" , id), *tail = ", description: \"";
    struct buffer text = buffer_make(100000);
    buffer_append_text(&text, head);
    buffer_append_text(&text, tail);
    size_t rest = strlen("\"" BODY);
    while (text.len + strlen(filler) + rest <= size)
        buffer_append_text(&text, filler);
    while (text.len + rest < size)
        buffer_append_char(&text, 'x');
    buffer_append_text(&text, "\"" BODY);
    const char *rule = arena_text(arena, buffer_slice(&text));
    buffer_free(&text);
    assert_int_equal(strlen(rule), size);
    return rule;
}

static void a_rule_is_measured_by_its_own_bytes(void **state)
{
    static const char *const fillers[] = {"a", "é", "€", "😀", "\\n", "\r\n"};
    for (size_t i = 0; i < COUNT_OF(fillers); i++) {
        const char *most = sized_rule(*state, "R-1", RULE_YAML_LIMIT, fillers[i]);
        const char *more = sized_rule(*state, "R-2", RULE_YAML_LIMIT + 1, fillers[i]);
        loaded(*state, slice_of(arena_printf(*state, "# é\r\n%s", most)), 1);
        refused(*state, slice_of(more), "this one has 8193");
        loaded(*state, slice_of(arena_printf(*state, "# €\r\nrules:\r\n- %s # é\n- " RULE("R-9"), most)), 2);
        refused(*state, slice_of(arena_printf(*state, "rules: # €\r\n- " RULE("R-9") "\r\n- %s\n", more)), "this one has 8193");
        refused(*state, slice_of(arena_printf(*state, "rules:\n- %s\n- %s\n", most, more)), "Rule 2 of the list (line");
    }
}

static void comments_around_a_rule_are_not_its_own(void **state)
{
    char *comment = arena_alloc(*state, 10000);
    memset(comment, '#', 9999);
    const char *block = "id: R-1\naction: escalate\n%s\nconditions:\n- field: a\n  operator: eq\n  value: b\n%s\n";
    loaded(*state, slice_of(arena_printf(*state, "%s\n" RULE("R-1") "\n%s\n", comment, comment)), 1);
    loaded(*state, slice_of(arena_printf(*state, block, "", comment)), 1);
    refused(*state, slice_of(arena_printf(*state, block, comment, "")), "at most 8192 bytes");
    loaded(*state, slice_of(arena_printf(*state, "rules:\n- id: R-1\n  action: escalate\n  " CONDITION "\n%s\n- " RULE("R-2"), comment)), 2);
}

static void a_file_has_at_most_a_mebibyte(void **state)
{
    struct buffer text = buffer_make((size_t)2 * RULE_FILE_LIMIT);
    buffer_append_text(&text, "rules:\n");
    size_t rules = 0;
    for (char rule[200]; rules < 2000; rules++) {
        snprintf(rule, sizeof rule, "- {id: R-%05zu%s\n", rules, BODY);
        buffer_append_text(&text, rule);
    }
    while (text.len < RULE_FILE_LIMIT)
        buffer_append_char(&text, text.len % 100 == 0 ? '\n' : '#');
    loaded(*state, buffer_slice(&text), rules);
    buffer_append_char(&text, '\n');
    refused(*state, buffer_slice(&text), "1048576 bytes");
    buffer_free(&text);
}

/* ---- hostile texts ------------------------------------------------------------------------------- */

static struct slice repeated(struct arena *arena, const char *head, const char *piece)
{
    size_t size = (size_t)unit_rounds(RULE_FILE_LIMIT), at = strlen(head);
    char *text = arena_alloc(arena, size);
    memcpy(text, head, at);
    for (; at + strlen(piece) <= size; at += strlen(piece))
        memcpy(text + at, piece, strlen(piece));
    return (struct slice){text, at};
}

static void a_mebibyte_of_anything_is_refused_soon(void **state)
{
    static const char *const texts[][2] = {
        {"", "["},          {"", "{"},          {"", "- "},        {"", "? "},         {"", "a: "},
        {"", "\""},         {"", "&a "},        {"", "!"},         {"", "%"},          {"", "\t"},
        {"", "\n"},         {"", "---\n"},      {"", "|\n"},       {"", ">\n \n"},     {"rules: [", "a,"},
        {"rules:\n", "-\n"}, {"rules: [", "{},"}, {"rules: [", "[[]],"}, {"x: [", "1,"}, {"", "\xEF\xBB\xBF"},
        {"x: |\n", " a\n"}, {"x: \"", "\\u00e9"}, {"x: '", "''"},   {"", "\xC3"},       {"", "a\r"},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct arena *arena = arena_new((size_t)8 * 1024 * 1024);
        refused(arena, repeated(arena, texts[i][0], texts[i][1]), "");
        arena_free(arena);
    }
    (void)state;
}

static void a_mapping_of_very_many_members_is_refused_soon(void **state)
{
    struct buffer text = buffer_make((size_t)unit_rounds(RULE_FILE_LIMIT));
    for (int i = 0; buffer_ok(&text); i++)
        buffer_append_format(&text, "m%d: 1\n", i);
    text.failed = false;
    refused(*state, buffer_slice(&text), "at most 8192 bytes");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_file_holds_one_rule_or_a_list_of_them),
        UNIT_TEST(a_file_without_a_rule_is_refused),
        UNIT_TEST(p29_one_bad_rule_refuses_the_whole_file),
        UNIT_TEST(a_refusal_says_which_rule_of_the_list_it_is),
        UNIT_TEST(p25_a_rules_list_smuggles_nothing),
        UNIT_TEST(a_rule_is_measured_by_its_own_bytes),
        UNIT_TEST(comments_around_a_rule_are_not_its_own),
        UNIT_TEST(a_file_has_at_most_a_mebibyte),
        UNIT_TEST(a_mebibyte_of_anything_is_refused_soon),
        UNIT_TEST(a_mapping_of_very_many_members_is_refused_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
