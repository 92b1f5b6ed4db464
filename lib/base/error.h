/* What went wrong, in terms of the domain; one place (http/problem.c) turns it into an HTTP answer.
 *
 * `detail` is one sentence that tells the person what to do. It may repeat names that the caller sent,
 * never secrets, and it never blames. `slug` names the kind of problem for programs. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum error_kind {
    ERROR_NONE,
    ERROR_MALFORMED,       /* 400: cannot be understood: bad parameter, bad JSON */
    ERROR_UNAUTHENTICATED, /* 401 */
    ERROR_FORBIDDEN,       /* 403 */
    ERROR_NOT_FOUND,       /* 404 */
    ERROR_METHOD,          /* 405 */
    ERROR_CONFLICT,        /* 409: understood, but the state of things forbids it */
    ERROR_TOO_LARGE,       /* 413 */
    ERROR_MEDIA_TYPE,      /* 415 */
    ERROR_INVALID,         /* 422: understood, but a value is not acceptable */
    ERROR_TOO_MANY,        /* 429 */
    ERROR_INTERNAL,        /* 500: our fault; details are in the log only */
    ERROR_UNAVAILABLE,     /* 503: the database is away or busy; trying again later makes sense */
};

enum { ERROR_DETAIL_SIZE = 512, ERROR_ITEMS = 16, ERROR_POINTER_SIZE = 128, ERROR_ITEM_SIZE = 200 };

/* One wrong member of a body: RFC 6901 pointer and what is asked for. */
struct error_item {
    char pointer[ERROR_POINTER_SIZE];
    char detail[ERROR_ITEM_SIZE];
};

struct error {
    enum error_kind kind;
    const char *slug; /* static text, e.g. "rule-exists" */
    char detail[ERROR_DETAIL_SIZE];
    struct error_item items[ERROR_ITEMS]; /* for ERROR_INVALID */
    size_t item_count;
    /* Set with a conflict that another rule causes, else empty: so that programs need not read prose. */
    char rule_id[80];
    char rule_status[16];
    char retry_after[16]; /* seconds to wait, in digits, where that is known; else empty */
};

/* Fills `error`. Text that does not fit is cut. */
void error_fill(struct error *error, enum error_kind kind, const char *slug, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Adds a wrong member to an error and makes it ERROR_INVALID. Members beyond ERROR_ITEMS are dropped: a
 * person mends the first ones first. */
void error_fill_item(struct error *error, const char *pointer, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same, and false, so that a function can end with `return error_set(…)`. Macros, so that compilers and analysers see
 * that what comes after a refusal is not reached. */
#define error_set(...) (error_fill(__VA_ARGS__), false)
#define error_add(...) (error_fill_item(__VA_ARGS__), false)

void error_clear(struct error *error);

#endif
