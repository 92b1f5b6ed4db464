#include "unit.h"

#include "base/json.h"

#define BYTES(literal) {literal, sizeof(literal) - 1}
#define BROKEN "\xEF\xBF\xBD"

static void good_json_comes_back_byte_for_byte(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[1, -2.5e3, true, null, \"a\"]",
        "{\"a\\\"b\\\\\": \"\\u00e9 \\ud83d\\ude00 \\n / é 😀 NaN Infinity\"}",
        "  {\"NaN\" : [\"-Infinity\"]}\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_slice(json_mend(*state, slice_of(texts[i])), texts[i]);
}

static void what_writers_get_wrong_is_mended(void **state)
{
    static const struct {
        struct slice text;
        const char *mended;
    } cases[] = {
        {BYTES("\"a\\u0000b\""), "\"a" BROKEN "b\""},
        {BYTES("\"\\ud800\""), "\"" BROKEN "\""},
        {BYTES("\"\\udc00\\ud83d\\ude00\""), "\"" BROKEN "\\ud83d\\ude00\""},
        {BYTES("\"\\ud83d\\u0041\""), "\"" BROKEN "\\u0041\""},
        {BYTES("\"a\xFF" "b\""), "\"a" BROKEN "b\""},
        {BYTES("\"\xC3\""), "\"" BROKEN "\""},
        {BYTES("\"\x01\n\""), "\"  \""},
        {BYTES("\"\0\""), "\" \""},
        {BYTES("[NaN,Infinity,-Infinity]"), "[\"NaN\",\"Infinity\",\"-Infinity\"]"},
    };
    char why[100];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_null(json_parse(*state, cases[i].text, why, sizeof why));
        assert_slice(json_mend(*state, cases[i].text), cases[i].mended);
        assert_non_null(json_parse(*state, slice_of(cases[i].mended), why, sizeof why));
    }
}

static void what_is_no_json_stays_none(void **state)
{
    static const char *const texts[] = {"", "{", "\"abc", "\"abc\\", "\"\\u12", "{\"a\":1,}", "\\", "nan", "\"\\u00zz\""};
    char why[100];
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_null(json_parse(*state, json_mend(*state, slice_of(texts[i])), why, sizeof why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(good_json_comes_back_byte_for_byte),
        UNIT_TEST(what_writers_get_wrong_is_mended),
        UNIT_TEST(what_is_no_json_stays_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
