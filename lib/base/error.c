#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

/* A text that was cut to its room, or that shows a part of another, may hold part of a character: `?` stands for it, so
 * that what is told stays UTF-8. */
static void mend(char *text)
{
    struct slice rest = slice_of(text);
    while (rest.len > 0) {
        size_t length = slice_character(rest);
        if (length == 0)
            text[rest.ptr - text] = '?';
        length += length == 0;
        rest = (struct slice){rest.ptr + length, rest.len - length};
    }
}

void error_fill(struct error *error, enum error_kind kind, const char *slug, const char *format, ...)
{
    error->kind = kind;
    error->slug = slug;
    va_list args;
    va_start(args, format);
    vsnprintf(error->detail, sizeof error->detail, format, args);
    va_end(args);
    mend(error->detail);
}

void error_fill_item(struct error *error, const char *pointer, const char *format, ...)
{
    if (error->item_count == 0)
        error_fill(error, ERROR_INVALID, "invalid",
                   "Some members of the body cannot be accepted; see errors for which and why.");
    if (error->item_count == ERROR_ITEMS)
        return;
    struct error_item *item = &error->items[error->item_count++];
    snprintf(item->pointer, sizeof item->pointer, "%s", pointer);
    va_list args;
    va_start(args, format);
    vsnprintf(item->detail, sizeof item->detail, format, args);
    va_end(args);
    mend(item->pointer);
    mend(item->detail);
}

void error_clear(struct error *error)
{
    error->kind = ERROR_NONE;
    error->slug = NULL;
    error->detail[0] = '\0';
    error->item_count = 0;
    error->rule_id[0] = '\0';
    error->rule_status[0] = '\0';
}
