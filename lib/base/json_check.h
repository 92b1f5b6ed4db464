/* The grammar of RFC 8259, checked before cJSON sees a text.
 *
 * For base/json.c only. Pure and thread-safe. */
#ifndef BASE_JSON_CHECK_H
#define BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

/* Where the check stopped, and why; `reason` is static text that completes "… at byte N". */
struct json_flaw {
    size_t offset;
    const char *reason;
};

/* A number whose text says more than a double of at most 15 digits prints back. */
struct json_number_text {
    size_t ordinal; /* how many numbers precede it in the document */
    struct slice text;
};

/* What a checked text holds, in document order. */
struct json_census {
    size_t values;
    size_t numbers;
    struct json_number_text *exact; /* owned; free() it */
    size_t exact_count;
    size_t exact_capacity;
};

/* One JSON value of at most `depth_limit` nested containers and `value_limit` values, in valid
 * UTF-8, and white space around it. Beyond the grammar, refuses what a consumer could read in two
 * ways: `\u0000`, lone surrogates, numbers outside a double's range. Fills `census` (to be freed in
 * either case). */
MUST_USE bool json_check(struct slice text, unsigned depth_limit, size_t value_limit,
                         struct json_census *census, struct json_flaw *flaw);

#endif
