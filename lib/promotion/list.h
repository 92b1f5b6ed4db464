/* What all lists have in common: pages by keyset, and totals.
 *
 * A page is asked for by the sort values of the last row of the page before (the keyset), not by an offset:
 * rows that come and go in between neither repeat nor hide others, and page 1,000 costs what page 1 does. */
#ifndef PROMOTION_LIST_H
#define PROMOTION_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"
#include "db/database.h"

enum { KEYS_MAX = 4, TOTAL_EXACT_MAX = 10000 };

/* Values that come before and after all others of their type: where the first page of a list starts. */
#define BIGINT_FIRST "-9223372036854775808"
#define BIGINT_LAST "9223372036854775807"
#define FIRST_UUID "00000000-0000-0000-0000-000000000000"
#define LAST_UUID "ffffffff-ffff-ffff-ffff-ffffffffffff"

/* Which page: at most `limit` rows after the row with these sort values; `after_count` 0 for the first page. */
struct page {
    unsigned limit;
    size_t after_count;
    struct slice after[KEYS_MAX];
};

/* A page as it came. Rows beyond `count` are not part of it: one more is read to know whether there is more. */
struct list {
    const struct db_rows *rows;
    size_t count;
    bool more;
    long total; /* of all matches */
    bool total_is_exact; /* false: there are more than TOTAL_EXACT_MAX */
};

/* Takes a list from the rows of a page (asked for with limit + 1) and of its count (one number, asked for up to
 * TOTAL_EXACT_MAX + 1). */
struct list list_make(const struct db_rows *rows, const struct db_rows *total, const struct page *page);

/* limit + 1, as a statement wants it. */
const char *list_limit(struct arena *arena, const struct page *page);

/* The i-th sort value to start after; `otherwise` on the first page: a value that precedes all. */
const char *list_after(struct arena *arena, const struct page *page, size_t i, const char *otherwise);

/* A pattern for ILIKE that finds `text` anywhere, its own `%`, `_` and `\` taken literally; NULL when absent. */
const char *list_like(struct arena *arena, struct slice text);

#endif
