#include "complaints.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "tell.h"

static uint64_t mark_of(const char *path, const char *reason)
{
    const struct slice parts[] = {slice_of(path), slice_of(reason)};
    struct sha256 hash = sha256_of_parts(parts, COUNT_OF(parts));
    uint64_t mark;
    memcpy(&mark, hash.bytes, sizeof mark);
    return mark;
}

static bool holds(const struct complaint_list *list, uint64_t mark)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->marks[i] == mark)
            return true;
    return false;
}

static void add(struct complaint_list *list, uint64_t mark)
{
    if (list->count == list->capacity) {
        list->capacity = 2 * list->capacity + 16;
        uint64_t *grown = reallocarray(list->marks, list->capacity, sizeof *grown);
        if (grown == NULL)
            abort();
        list->marks = grown;
    }
    list->marks[list->count++] = mark;
}

void complain(void *context, const char *path, const char *reason)
{
    struct complaints *complaints = context;
    uint64_t mark = mark_of(path, reason);
    if (!holds(&complaints->before, mark) && !holds(&complaints->now, mark))
        tell("%s: %s", path, reason);
    add(&complaints->now, mark);
}

void complaints_end_round(struct complaints *complaints)
{
    struct complaint_list used = complaints->before;
    complaints->before = complaints->now;
    complaints->now = used;
    complaints->now.count = 0;
}

void complaints_free(struct complaints *complaints)
{
    free(complaints->before.marks);
    free(complaints->now.marks);
    *complaints = (struct complaints){0};
}
