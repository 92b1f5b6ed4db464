#include "promotion/list.h"

#include <string.h>

struct list list_make(const struct db_rows *rows, const struct db_rows *total, const struct page *page)
{
    size_t read = db_count(rows);
    long matches = (long)db_integer(total, 0, 0);
    bool exact = matches <= TOTAL_EXACT_MAX;
    return (struct list){
        .rows = rows,
        .count = read < page->limit ? read : page->limit,
        .more = read > page->limit,
        .total = exact ? matches : TOTAL_EXACT_MAX,
        .total_is_exact = exact,
    };
}

const char *list_limit(struct arena *arena, const struct page *page)
{
    return arena_printf(arena, "%u", page->limit + 1);
}

const char *list_after(struct arena *arena, const struct page *page, size_t i, const char *otherwise)
{
    return i < page->after_count ? arena_text(arena, page->after[i]) : otherwise;
}

const char *list_like(struct arena *arena, struct slice text)
{
    if (!slice_present(text))
        return NULL;
    char *pattern = arena_alloc(arena, text.len * 2 + 3);
    size_t len = 0;
    pattern[len++] = '%';
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("%_\\", text.ptr[i]) != NULL)
            pattern[len++] = '\\';
        pattern[len++] = text.ptr[i];
    }
    pattern[len] = '%';
    return pattern;
}
