#include "unit.h"

#include "rules/scalar.h"

static void each_is(const char *const *texts, size_t count, enum scalar_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (scalar_kind(slice_of(texts[i])) != kind)
            fail_msg("\"%s\" is kind %d, expected %d", texts[i],
                     (int)scalar_kind(slice_of(texts[i])), (int)kind);
}

static void words_for_nothing_true_and_false_are_known(void **state)
{
    (void)state;
    const char *const nothing[] = {"", "~", "null", "Null", "NULL"};
    const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
    const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
    each_is(nothing, COUNT_OF(nothing), SCALAR_NULL);
    each_is(yes, COUNT_OF(yes), SCALAR_TRUE);
    each_is(no, COUNT_OF(no), SCALAR_FALSE);
}

static void numbers_that_all_readers_agree_on_are_numbers(void **state)
{
    (void)state;
    const char *const numbers[] = {"0",    "7",  "-7",     "+7",      "50",           "0.5", "1.",
                                   "-1.5", ".5", "1.5e+3", "1.5E-10", "123456789012", "0.25"};
    each_is(numbers, COUNT_OF(numbers), SCALAR_NUMBER);
}

static void what_only_some_readers_take_for_a_number_is_disputed(void **state)
{
    (void)state;
    const char *const disputed[] = {
        "1e3",
        "1E3",
        "1.5e3",
        "0x1F",
        "0X1f",
        "0o17",
        "017",
        "00",
        "0b101",
        "1_000",
        "1,000",
        "12:30:45",
        "1:30",
        "-12:30",
        "190:20:30.15",
        "+.5",
        "-.5",
        ".inf",
        "-.inf",
        ".NaN",
        ".Inf",
        "inf",
        "nan",
        "Infinity",
        "-inf",
        "2026-01-02",
        "2026-1-2",
        "2026-01-02T03:04:05Z",
        "2026-01-02 03:04:05",
        "y",
        "Y",
        "n",
        "N",
        "tRue",
        "nO",
        "oFF",
        "nULL",
        "0x1p3",
        "_1",
        "1__0",
        "1e+3",
    };
    each_is(disputed, COUNT_OF(disputed), SCALAR_DISPUTED);
    char digits[400];
    memset(digits, '9', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    assert_int_equal(scalar_kind(slice_of(digits)), SCALAR_DISPUTED);
}

static void names_are_strings_to_everyone(void **state)
{
    (void)state;
    const char *const strings[] = {
        "windows_service",
        "print-spooler-restart",
        "7zip",
        "1password",
        "no_reply",
        "yes!",
        "nope",
        "on_call",
        "10.0.0.1",
        "v1.2",
        "e3",
        "0xZZ",
        "1e",
        "1e+",
        "e",
        "-",
        "--",
        ".",
        "..",
        "_",
        "12:ab",
        "2026-01",
        "2026-01-02x",
        "truely",
        "nullable",
        "nanny",
        "infra",
        "0b2x",
        "abc 12",
        "é",
        "no\u00A0",
    };
    each_is(strings, COUNT_OF(strings), SCALAR_STRING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(words_for_nothing_true_and_false_are_known),
        UNIT_TEST(numbers_that_all_readers_agree_on_are_numbers),
        UNIT_TEST(what_only_some_readers_take_for_a_number_is_disputed),
        UNIT_TEST(names_are_strings_to_everyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
