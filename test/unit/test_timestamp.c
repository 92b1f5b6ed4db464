#include "unit.h"

#include "base/timestamp.h"

static void moments_are_read_as_rfc_3339_and_as_agents_write_them(void **state)
{
    static const struct {
        const char *text;
        const char *utc;
    } cases[] = {
        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"},
        {"2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000Z"},
        {"2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901Z"},
        {"2026-01-02T03:04:05.678901234+00:00", "2026-01-02T03:04:05.678901Z"},
        {"2026-01-02T03:04:05.5-01:30", "2026-01-02T04:34:05.500000Z"},
        {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"},
        {"2026-01-02 03:04:05", "2026-01-02T03:04:05.000000Z"},
        {"2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        {"2199-12-31T23:59:59Z", "2199-12-31T23:59:59.000000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t moment = -1;
        if (!timestamp_parse(slice_of(cases[i].text), &moment))
            fail_msg("refused: %s", cases[i].text);
        assert_string_equal(timestamp_text(*state, moment), cases[i].utc);
    }
}

static void p22_a_plus_that_became_a_space_is_still_an_offset(void **state)
{
    int64_t moment = -1;
    assert_true(timestamp_parse(SLICE("2026-01-02T03:04:05.123456 00:00"), &moment));
    assert_string_equal(timestamp_text(*state, moment), "2026-01-02T03:04:05.123456Z");
}

static void what_is_no_moment_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "",
        "yesterday",
        "2026-01-02",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T00:60:00Z",
        "2026-01-02T00:00:61Z",
        "2026-01-02T00:00Z",
        "2026-01-02T00:00:00+24:00",
        "2026-01-02T00:00:00+0",
        "2026-01-02T00:00:00Zx",
        "1969-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "2026-01-02T00:00:00.Z",
        "26-01-02T00:00:00Z",
        "+2026-01-02T00:00:00Z",
        "2026-1-2T00:00:00Z",
        "infinity",
        "2026-01-02T00:00:00.1234567890Z",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t moment = 0;
        if (timestamp_parse(slice_of(bad[i]), &moment))
            fail_msg("accepted: %s", bad[i]);
    }
    int64_t moment = 0;
    assert_false(timestamp_parse(SLICE_ABSENT, &moment));
}

static void every_day_of_two_centuries_comes_back(void **state)
{
    const int64_t day = (int64_t)86400 * 1000000;
    for (int64_t moment = 0; moment < 84000 * day; moment += day) {
        int64_t back = -1;
        assert_true(timestamp_parse(slice_of(timestamp_text(*state, moment)), &back));
        assert_true(back == moment);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(moments_are_read_as_rfc_3339_and_as_agents_write_them),
        UNIT_TEST(p22_a_plus_that_became_a_space_is_still_an_offset),
        UNIT_TEST(what_is_no_moment_is_refused),
        UNIT_TEST(every_day_of_two_centuries_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
