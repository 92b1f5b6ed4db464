#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { CAPACITY_FIRST = 64 * 1024 };

struct lines lines_make(int file)
{
    struct lines lines = {.file = file, .bytes = malloc(CAPACITY_FIRST), .capacity = CAPACITY_FIRST};
    if (lines.bytes == NULL)
        abort();
    return lines;
}

void lines_free(struct lines *lines)
{
    free(lines->bytes);
    lines->bytes = NULL;
}

/* What is left of the line that is too long, if its end has arrived. */
static enum line_kind finish_skipping(struct lines *lines, const char *feed)
{
    bool over = feed != NULL || (lines->ended && lines->skipping);
    lines->begin = feed != NULL ? (size_t)(feed - lines->bytes) + 1 : lines->end;
    lines->skipping = !over;
    return over ? LINE_TOO_LONG : LINE_NONE;
}

enum line_kind lines_next(struct lines *lines, struct slice *line)
{
    const char *start = lines->bytes + lines->begin;
    size_t length = lines->end - lines->begin;
    const char *feed = memchr(start, '\n', length);
    if (lines->skipping || (feed == NULL ? length : (size_t)(feed - start)) > LINE_LIMIT)
        return finish_skipping(lines, feed);
    if (feed == NULL && (!lines->ended || length == 0))
        return LINE_NONE;
    *line = (struct slice){start, feed != NULL ? (size_t)(feed - start) : length};
    lines->begin += line->len + (feed != NULL);
    return LINE_TEXT;
}

/* Moves what is left to the front, and grows when that fills everything. */
static void make_room(struct lines *lines)
{
    size_t length = lines->end - lines->begin;
    memmove(lines->bytes, lines->bytes + lines->begin, length);
    lines->begin = 0;
    lines->end = length;
    if (length < lines->capacity)
        return;
    char *grown = realloc(lines->bytes, 2 * lines->capacity);
    if (grown == NULL)
        abort();
    lines->bytes = grown;
    lines->capacity *= 2;
}

bool lines_read(struct lines *lines)
{
    make_room(lines);
    ssize_t got;
    do
        got = read(lines->file, lines->bytes + lines->end, lines->capacity - lines->end);
    while (got < 0 && errno == EINTR);
    lines->failed = got < 0;
    lines->ended = got <= 0;
    lines->end += got > 0 ? (size_t)got : 0;
    return got > 0;
}

bool lines_waiting(const struct lines *lines)
{
    struct pollfd wait = {.fd = lines->file, .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}
