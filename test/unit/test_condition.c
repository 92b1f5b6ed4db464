/* Which operators hold for what, and that every search of a regular expression ends. */
#include "engine_fixture.h"

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
    {"operator: eq, value: 9007199254740993", "9007199254740992", true},
    {"operator: eq, value: 0.1", "1e-1", true},
    {"operator: eq, value: ''", "\"\"", true},
    {"operator: eq, value: ''", "null", false},
    {"operator: eq, value: a", "{\"a\":\"a\"}", false},
    {"operator: ne, value: a", "\"b\"", true},
    {"operator: ne, value: a", "[\"a\"]", true},
    {"operator: ne, value: 7", "\"7\"", true},
    {"operator: ne, value: true", "1", true},
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
    {"operator: contains, value: a", "[[\"a\"]]", false},
    {"operator: contains, value: '7'", "[7]", false},
    {"operator: contains, value: 1", "[true]", false},
    {"operator: contains, value: true", "[0, true]", true},
    {"operator: contains, value: 7", "7", false},
    {"operator: contains, value: a", "null", false},
    {"operator: contains, value: 7", "[7.0]", true},
    {"operator: contains, value: a", "{\"a\":1}", false},
    {"operator: contains, value: a", "[]", false},
    {"operator: regex, value: '^sp.*r$'", "\"spooler\"", true},
    {"operator: regex, value: 'poo'", "\"spooler\"", true},
    {"operator: regex, value: '^poo'", "\"spooler\"", false},
    {"operator: regex, value: '^4[0-9]$'", "42", true},
    {"operator: regex, value: '^0.5$'", "0.5", true},
    {"operator: regex, value: '^1$'", "1.0", true},
    {"operator: regex, value: ''", "\"\"", true},
    {"operator: regex, value: 'a'", "[\"a\"]", false},
    {"operator: regex, value: 'a'", "null", false},
    {"operator: regex, value: '(?i)SPOOL'", "\"spooler\"", true},
    {"operator: regex, value: '^b'", "\"a\\nb\"", false},
    {"operator: regex, value: '.'", "true", false},
    {"operator: regex, value: '^.$'", "\"\\u00e4\"", true},
    {"operator: gt, value: 5", "6", true},
    {"operator: gt, value: 5", "5", false},
    {"operator: gt, value: 5", "\"6\"", true},
    {"operator: gt, value: '5'", "6", true},
    {"operator: gt, value: 5", "\"6e0\"", true},
    {"operator: gt, value: 5", "\"+.6E+1\"", true},
    {"operator: gt, value: 5", "\"6 \"", false},
    {"operator: gt, value: 5", "\" 6\"", false},
    {"operator: gt, value: 5", "\"6.\"", true},
    {"operator: gt, value: 5", "\"-6\"", false},
    {"operator: gt, value: 5", "\"+-6\"", false},
    {"operator: gt, value: 5", "\"6e+\"", false},
    {"operator: gt, value: 5", "\"6e1.5\"", false},
    {"operator: gt, value: 5", "\"6,0\"", false},
    {"operator: gt, value: 5", "\"6_0\"", false},
    {"operator: gt, value: 5", "\"\u0666\"", false},
    {"operator: gt, value: 5", "\"NaN\"", false},
    {"operator: gt, value: 5", "\"e6\"", false},
    {"operator: gt, value: 5", "\"1e999\"", true},
    {"operator: gt, value: 5", "\"60000000000000000000000000000000000000000000000000000000000000000000000000\"", true},
    {"operator: gt, value: 5", "[6]", false},
    {"operator: gt, value: 5", NULL, false},
    {"operator: gt, value: '5 '", "6", false},
    {"operator: gt, value: '.5'", "\"5e-1\"", false},
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
    {"operator: in, value: ['7', 'true']", "true", false},
    {"operator: in, value: [a]", "[\"a\"]", false},
    {"operator: not_in, value: [7]", "\"7\"", true},
    {"operator: not_in, value: [a]", "[\"a\"]", true},
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
        if (holds != v->holds || holds != holds_alone(arena, &rule.conditions[0], incident_of(arena, text)))
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

/* ---- regular expressions ------------------------------------------------------------------------- */

/* Searches in a text of `count` letters a and an exclamation mark. */
static bool finds(struct arena *arena, const char *pattern, size_t count)
{
    char why[REGEX_REASON_SIZE] = "";
    const struct regex *regex = regex_compile(arena, slice_of(pattern), why);
    if (regex == NULL)
        fail_msg("%s: %s", pattern, why);
    char *text = arena_alloc(arena, count + 2);
    memset(text, 'a', count);
    text[count] = '!';
    struct regex_scratch *scratch = regex_scratch_new();
    bool found = regex_finds(regex, slice_of(text), scratch);
    regex_scratch_free(scratch);
    return found;
}

/* Each of these would take minutes, or longer than anybody lives, without a bound. */
static void p29_catastrophic_backtracking_ends(void **state)
{
    static const char *const patterns[] = {
        "^(a+)+$",      "(a+)+$",          "^(a|a)*$",          "(a|aa)+$",       "(.*a){25}$",     "[a-m]+[n-z]",
        "\\w++\\d",     "(a+)\\1+$",       "(?i)(a+)\\1+$",    "(?=(a*))\\1b",   "((a*)*)*b",      "(?R)?a*b",
        "(?:a?){25}b",  "a*?a*?a*?a*?a*?b", "(?<=(a))(a+)+\\d", "(a(?1)?)+\\d",  "(?>(a+)+)+\\d", "(?:a|(?R)b)+c",
    };
    static const size_t lengths[] = {30, 1000, 100000};
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        for (size_t k = 0; k < COUNT_OF(lengths); k++)
            assert_false(finds(*state, patterns[i], (size_t)unit_rounds((int)lengths[k])));
}

static void a_long_text_alone_does_not_exhaust_the_budget(void **state)
{
    static const char *const patterns[] = {"!$", "^a+!$", "a{3}!", "^(?:aa?)+!$", "(a)\\1!", "[^a]", ".!", "(?i)A!"};
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        if (!finds(*state, patterns[i], 2000))
            fail_msg("%s is not found", patterns[i]);
}

static void p29_an_expression_that_pcre2_refuses_is_invalid(void **state)
{
    static const char *const patterns[] = {"(", "[z-a]", "*", "a{2,1}", "\\", "(?<n>a)(?<n>b)", "\\p{Nothing}", "(?z)", "\\C"};
    char why[REGEX_REASON_SIZE];
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        why[0] = '\0';
        assert_false(regex_is_valid(slice_of(patterns[i]), why));
        assert_true(strlen(why) > 0);
        assert_null(regex_compile(*state, slice_of(patterns[i]), why));
    }
    assert_true(regex_is_valid(SLICE("\\p{L}+\\b(?:x|y)*"), why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(p30_operators_hold_as_they_are_defined),
        UNIT_TEST(a_field_is_a_path_through_objects),
        UNIT_TEST(p29_catastrophic_backtracking_ends),
        UNIT_TEST(a_long_text_alone_does_not_exhaust_the_budget),
        UNIT_TEST(p29_an_expression_that_pcre2_refuses_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
