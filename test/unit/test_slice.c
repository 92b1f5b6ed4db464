#include "unit.h"

static void an_absent_slice_equals_only_an_absent_slice(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE_ABSENT, SLICE_ABSENT));
    assert_false(slice_equal(SLICE_ABSENT, SLICE("")));
    assert_true(slice_equal(SLICE(""), SLICE("")));
    assert_false(slice_is(SLICE_ABSENT, ""));
    assert_true(slice_is(SLICE("a"), "a"));
    assert_false(slice_is(SLICE("a\0b"), "a"));
    assert_false(slice_equal(SLICE("ab"), SLICE("abc")));
}

static void starts_with_looks_at_the_beginning_only(void **state)
{
    (void)state;
    assert_true(slice_starts_with(SLICE("RB-WIN-SEC-001"), "RB-"));
    assert_false(slice_starts_with(SLICE("XRB-"), "RB-"));
    assert_false(slice_starts_with(SLICE("RB"), "RB-"));
    assert_true(slice_starts_with(SLICE("RB"), ""));
}

static void a_prefix_comes_before_what_it_begins(void **state)
{
    (void)state;
    assert_true(slice_compare(SLICE("R-B"), SLICE("R-BB")) < 0);
    assert_true(slice_compare(SLICE("R-BB"), SLICE("R-B")) > 0);
    assert_true(slice_compare(SLICE("R-B"), SLICE("R-a")) < 0);
    assert_true(slice_compare(SLICE("\xFF"), SLICE("a")) > 0);
    assert_int_equal(slice_compare(SLICE("a\0b"), SLICE("a\0b")), 0);
    assert_int_equal(slice_compare(SLICE(""), SLICE("")), 0);
}

static void trim_takes_white_space_of_all_of_unicode(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE("  a b \t\r\n")), "a b");
    assert_slice(slice_trim(SLICE("\u00A0\u2003x\u3000\u2028\u2029\xC2\x85")), "x");
    assert_slice(slice_trim(SLICE("\u1680\u2000\u200A\u202F\u205Fx\u1680")), "x");
    assert_slice(slice_trim(SLICE("\uFEFF\u200B\u2060x")), "x");
    assert_slice(slice_trim(SLICE("é€😀")), "é€😀");
    assert_slice(slice_trim(SLICE("\u00A0\u00E9\u00A0")), "é");
}

static void p12_white_space_only_trims_to_nothing(void **state)
{
    (void)state;
    assert_int_equal(
        slice_trim(SLICE(" \t\n\v\f\r\xC2\x85\u00A0\u1680\u2000\u2001\u2002\u2003\u2004"
                         "\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F"
                         "\u3000\u200B\u2060\uFEFF"))
            .len,
        0);
    assert_int_equal(slice_trim(SLICE("")).len, 0);
}

static void utf8_is_checked_by_rfc_3629(void **state)
{
    (void)state;
    const struct slice good[] = {SLICE(""),
                                 SLICE("a"),
                                 SLICE("\x7F"),
                                 SLICE("\xC2\x80"),
                                 SLICE("\xDF\xBF"),
                                 SLICE("\xE0\xA0\x80"),
                                 SLICE("\xED\x9F\xBF"),
                                 SLICE("\xEE\x80\x80"),
                                 SLICE("\xEF\xBF\xBF"),
                                 SLICE("\xF0\x90\x80\x80"),
                                 SLICE("\xF4\x8F\xBF\xBF"),
                                 SLICE("a\0b")};
    const struct slice bad[] = {SLICE("\x80"),
                                SLICE("\xC0\x80"),
                                SLICE("\xC1\xBF"),
                                SLICE("\xC3"),
                                SLICE("\xC3("),
                                SLICE("\xE0\x80\x80"),
                                SLICE("\xE0\x9F\xBF"),
                                SLICE("\xED\xA0\x80"),
                                SLICE("\xED\xBF\xBF"),
                                SLICE("\xE2\x82"),
                                SLICE("\xF0\x80\x80\x80"),
                                SLICE("\xF0\x8F\xBF\xBF"),
                                SLICE("\xF4\x90\x80\x80"),
                                SLICE("\xF5\x80\x80\x80"),
                                SLICE("\xFF"),
                                SLICE("abc\xF0\x90\x80")};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(slice_is_utf8(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(slice_is_utf8(bad[i]));
}

static void code_points_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(slice_code_points(SLICE("")), 0);
    assert_int_equal(slice_code_points(SLICE("abc")), 3);
    assert_int_equal(slice_code_points(SLICE("é€😀")), 3);
}

static void control_characters_are_seen_wherever_they_stand(void **state)
{
    (void)state;
    const struct slice controls[] = {SLICE("a\x01"),     SLICE("\x1F"),     SLICE("\x7F"),
                                     SLICE("a\xC2\x80"), SLICE("\xC2\x85"), SLICE("\xC2\x9F"),
                                     SLICE("a\0b")};
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        assert_true(slice_has_control(controls[i], false));
        assert_true(slice_has_control(controls[i], true));
    }
    assert_true(slice_has_control(SLICE("a\nb\tc\r"), false));
    assert_false(slice_has_control(SLICE("a\nb\tc\r"), true));
    assert_true(slice_has_control(SLICE("a\u2028b\u2029"), false)); /* line breaks too */
    assert_false(slice_has_control(SLICE("a\u2028b\u2029"), true));
    assert_false(slice_has_control(SLICE("é €😀 \u00A0\u2027\u202A"), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(an_absent_slice_equals_only_an_absent_slice),
        UNIT_TEST(starts_with_looks_at_the_beginning_only),
        UNIT_TEST(a_prefix_comes_before_what_it_begins),
        UNIT_TEST(trim_takes_white_space_of_all_of_unicode),
        UNIT_TEST(p12_white_space_only_trims_to_nothing),
        UNIT_TEST(utf8_is_checked_by_rfc_3629),
        UNIT_TEST(code_points_are_counted_not_bytes),
        UNIT_TEST(control_characters_are_seen_wherever_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
