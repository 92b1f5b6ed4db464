/* Lines from a file descriptor, as they come: a line is there as soon as it has arrived, whatever follows it.
 *
 * A line has at most LINE_LIMIT bytes; of a longer one only that it was there is told, and reading goes on behind it. The
 * last line needs no line feed. */
#ifndef APPLIANCE_LINES_H
#define APPLIANCE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

enum { LINE_LIMIT = 1024 * 1024 };

struct lines {
    int file;
    char *bytes; /* owned */
    size_t begin, end, capacity;
    bool skipping; /* inside a line that is too long */
    bool ended, failed;
};

enum line_kind { LINE_NONE, LINE_TEXT, LINE_TOO_LONG };

struct lines lines_make(int file);
void lines_free(struct lines *lines);

/* The next line among what has been read, without its line feed; borrowed until lines_read. LINE_NONE: read more, or
 * the input has ended. */
enum line_kind lines_next(struct lines *lines, struct slice *line);

/* Reads what is there, waiting for it when there is nothing. False at the end of the input, which lines_next may still
 * have a line of; `failed` tells an error from an end. */
bool lines_read(struct lines *lines) MUST_USE;

/* Whether reading would not wait. */
bool lines_waiting(const struct lines *lines);

#endif
