/* Cursors: where a page of a list ended, as an opaque text for the caller.
 *
 * A cursor holds the sort values and the id of the last row, and the list it belongs to; used with another list,
 * sort or filter it is refused, since the page it would give has no meaning.
 *
 * Thread-safe. */
#ifndef HTTP_CURSOR_H
#define HTTP_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

/* Joins the values into a cursor for the list named by `scope` (list, sort and filters in one text). */
char *cursor_make(struct arena *arena, struct slice scope, const struct slice *values, size_t count);

/* Takes a cursor apart into exactly `count` values; ERROR_MALFORMED when it is not one of this scope. */
bool cursor_read(struct arena *arena, struct slice cursor, struct slice scope, struct slice *values, size_t count,
                 struct error *error) MUST_USE;

#endif
