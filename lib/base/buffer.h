/* A growing string of bytes with a named ceiling.
 *
 * For building answers and documents. Once an append does not fit under the ceiling (or memory is
 * short), the buffer is `failed`: later appends do nothing, and whoever finishes the document looks at
 * buffer_ok once instead of after every append.
 *
 * One thread at a time. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

struct buffer {
    char *bytes; /* owned; NULL until the first append */
    size_t len;
    size_t capacity;
    size_t ceiling;
    bool failed;
};

/* An empty buffer that never holds more than `ceiling` bytes. */
struct buffer buffer_make(size_t ceiling);

/* Frees the bytes; the buffer may be used again, empty. */
void buffer_free(struct buffer *buffer);

/* Forgets the content and a failure, keeps the memory. */
void buffer_clear(struct buffer *buffer);

void buffer_append(struct buffer *buffer, struct slice bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Makes room for `more` bytes behind `len` and returns where to write them, or NULL on failure.
 * The caller adds what it wrote to `len`. */
char *buffer_reserve(struct buffer *buffer, size_t more);

/* The content as a NUL-terminated text, without copying it; valid until the next append. NULL on failure. */
const char *buffer_text(struct buffer *buffer);

static inline bool buffer_ok(const struct buffer *buffer)
{
    return !buffer->failed;
}

/* The content; valid until the next append. Never absent. */
static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->bytes != NULL ? buffer->bytes : "", buffer->len};
}

#endif
