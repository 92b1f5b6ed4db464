#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct buffer buffer_make(size_t ceiling)
{
    return (struct buffer){.ceiling = ceiling};
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = buffer_make(buffer->ceiling);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity != 0 ? buffer->capacity : 1024;
    while (capacity < needed)
        capacity *= 2;
    if (capacity > buffer->ceiling)
        capacity = buffer->ceiling;
    char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return NULL;
    bool fits = more <= buffer->ceiling && buffer->len <= buffer->ceiling - more;
    if (fits && buffer->len + more > buffer->capacity)
        fits = grow(buffer, buffer->len + more);
    buffer->failed = !fits;
    return fits ? buffer->bytes + buffer->len : NULL;
}

const char *buffer_text(struct buffer *buffer)
{
    char *end = buffer_reserve(buffer, 1);
    if (end == NULL)
        return NULL;
    *end = '\0';
    return buffer->bytes;
}

void buffer_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    char *to = buffer_reserve(buffer, bytes.len);
    if (to == NULL)
        return;
    memcpy(to, bytes.ptr, bytes.len);
    buffer->len += bytes.len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, slice_of(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
    buffer_append(buffer, (struct slice){&c, 1});
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < 0) {
        buffer->failed = true;
    } else if ((size_t)length < sizeof small) {
        buffer_append(buffer, (struct slice){small, (size_t)length});
    } else {
        /* vsnprintf ends what it writes with a NUL, hence one byte more than is kept. */
        char *to = buffer_reserve(buffer, (size_t)length + 1);
        if (to != NULL) {
            vsnprintf(to, (size_t)length + 1, format, again);
            buffer->len += (size_t)length;
        }
    }
    va_end(again);
}
