/* What the unit tests share: cmocka in the order it wants, an arena per test, slices compared as
 * text. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* Every test of a group finds its arena in `*state`. */
static inline int unit_setup(void **state)
{
    *state = arena_new((size_t)64 * 1024 * 1024);
    return 0;
}

static inline int unit_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* How often to repeat something: a twentieth of the usual where each instruction is watched (test/suites/valgrind). */
static inline int unit_rounds(int usual)
{
    return getenv("FLYWHEEL_FEW_ROUNDS") != NULL ? usual / 20 : usual;
}

#define UNIT_TEST(function) cmocka_unit_test_setup_teardown(function, unit_setup, unit_teardown)

static inline void unit_assert_slice(struct slice actual, const char *expected, const char *file,
                                     int line)
{
    if (!slice_is(actual, expected)) {
        print_error("got      «%.*s» (%zu bytes)\nexpected «%s»\n", (int)actual.len,
                    actual.ptr != NULL ? actual.ptr : "(absent)", actual.len, expected);
        _fail(file, line);
    }
}

#define assert_slice(actual, expected) unit_assert_slice(actual, expected, __FILE__, __LINE__)

/* The error that a refused call left behind. */
static inline void unit_assert_slug(const struct error *error, const char *slug, const char *file,
                                    int line)
{
    if (error->slug == NULL || strcmp(error->slug, slug) != 0) {
        print_error("got slug %s: %s\nexpected %s\n", error->slug != NULL ? error->slug : "(none)",
                    error->detail, slug);
        _fail(file, line);
    }
}

#define assert_slug(error, slug) unit_assert_slug(error, slug, __FILE__, __LINE__)

#endif
