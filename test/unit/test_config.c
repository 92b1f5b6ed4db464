#include "unit.h"

#include <unistd.h>

#include "base/config.h"

static const char *path(struct arena *arena)
{
    const char *folder = getenv("TMPDIR");
    return arena_printf(arena, "%s/flywheel-test-config.%d", folder != NULL ? folder : "/tmp",
                        (int)getpid());
}

/* Loads a file of this text; NULL with a reason in `why`. */
static struct config *load(struct arena *arena, struct slice text, char *why, size_t why_size)
{
    FILE *file = fopen(path(arena), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
    struct config *config = config_load(path(arena), why, why_size);
    unlink(path(arena));
    return config;
}

static void keys_have_the_values_of_their_lines(void **state)
{
    char why[200] = "";
    struct config *config = load(
        *state,
        SLICE("# comment\n\n  threads = 8  \ndatabase_read = host=/run user=a\nempty =\nlast=x"),
        why, sizeof why);
    assert_non_null(config);
    long threads = 0;
    assert_true(config_get_number(config, "threads", 1, 64, 4, &threads));
    assert_int_equal(threads, 8);
    assert_string_equal(config_get(config, "database_read", ""), "host=/run user=a");
    assert_string_equal(config_get(config, "last", ""), "x");
    assert_string_equal(config_get(config, "none", "otherwise"), "otherwise");
    assert_null(config_get(config, "none", NULL));
    assert_true(config_get_number(config, "none", 1, 64, 4, &threads));
    assert_int_equal(threads, 4);
    config_free(config);
}

static void a_number_that_is_none_or_out_of_bounds_is_refused(void **state)
{
    char why[200] = "";
    const struct slice bad[] = {SLICE("n = x"),   SLICE("n = 5x"),
                                SLICE("n = 0"),   SLICE("n = 65"),
                                SLICE("n = 1.5"), SLICE("n = 99999999999999999999")};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct config *config = load(*state, bad[i], why, sizeof why);
        long number = 0;
        assert_non_null(config);
        assert_false(config_get_number(config, "n", 1, 64, 4, &number));
        config_free(config);
    }
}

static void a_file_with_a_bad_line_is_refused_with_a_reason(void **state)
{
    const struct slice bad[] = {SLICE("threads 8\n"), SLICE("= 8\n"), SLICE("a = 1\na = 2\n")};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char why[200] = "";
        assert_null(load(*state, bad[i], why, sizeof why));
        assert_true(strlen(why) > 10);
    }
    char why[200] = "";
    assert_null(config_load("/nonexistent/flywheel.conf", why, sizeof why));
    assert_non_null(strstr(why, "/nonexistent/flywheel.conf"));
}

static void p41_the_reason_does_not_repeat_the_line(void **state)
{
    char why[200] = "";
    assert_null(load(*state, SLICE("threads = 4\npassword very-secret-word\n"), why, sizeof why));
    assert_null(strstr(why, "very-secret-word"));
}

static void a_file_over_64_kib_is_refused(void **state)
{
    char why[200] = "";
    char *text = arena_alloc(*state, 70000);
    memset(text, '#', 70000);
    assert_null(load(*state, (struct slice){text, 70000}, why, sizeof why));
    assert_true(strlen(why) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(keys_have_the_values_of_their_lines),
        UNIT_TEST(a_number_that_is_none_or_out_of_bounds_is_refused),
        UNIT_TEST(a_file_with_a_bad_line_is_refused_with_a_reason),
        UNIT_TEST(p41_the_reason_does_not_repeat_the_line),
        UNIT_TEST(a_file_over_64_kib_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
