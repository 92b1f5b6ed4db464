#include "http/cursor.h"

#include "base/buffer.h"
#include "base/crypto.h"

/* Layout before base64url: hexadecimal digits of a hash over the scope and the values, then each value after a unit
 * separator, which no value of a list can hold. The hash is no secret: it catches cursors that were cut, altered
 * or taken from another list, and whoever forges one sees no more than the list would show anyway. */
enum { DIGITS = 16, SEPARATOR = 0x1F, CURSOR_MAX = 1024, ENCODED_MAX = 2 * CURSOR_MAX };

static struct slice digits_of(struct arena *arena, struct slice scope, struct slice values)
{
    const struct slice parts[] = {scope, values};
    struct sha256 hash = sha256_of_parts(parts, COUNT_OF(parts));
    return (struct slice){hex_text(arena, hash.bytes, DIGITS / 2), DIGITS};
}

char *cursor_make(struct arena *arena, struct slice scope, const struct slice *values, size_t count)
{
    struct buffer joined = buffer_make(CURSOR_MAX), text = buffer_make(CURSOR_MAX);
    for (size_t i = 0; i < count; i++) {
        buffer_append_char(&joined, SEPARATOR);
        buffer_append(&joined, values[i]);
    }
    buffer_append(&text, digits_of(arena, scope, buffer_slice(&joined)));
    buffer_append(&text, buffer_slice(&joined));
    char *cursor = base64url_text(arena, buffer_slice(&text));
    buffer_free(&joined);
    buffer_free(&text);
    return cursor;
}

static bool split(struct arena *arena, struct slice text, struct slice *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text.len == 0 || text.ptr[0] != SEPARATOR)
            return false;
        const char *start = text.ptr + 1;
        const char *end = memchr(start, SEPARATOR, text.len - 1);
        size_t len = end != NULL ? (size_t)(end - start) : text.len - 1;
        values[i] = arena_copy(arena, (struct slice){start, len});
        text = (struct slice){start + len, text.len - 1 - len};
    }
    return text.len == 0;
}

bool cursor_read(struct arena *arena, struct slice cursor, struct slice scope, struct slice *values, size_t count,
                 struct error *error)
{
    struct slice text = cursor.len <= ENCODED_MAX ? base64url_decode(arena, cursor) : SLICE_ABSENT;
    bool ours = slice_present(text) && text.len >= DIGITS;
    if (ours) {
        struct slice joined = {text.ptr + DIGITS, text.len - DIGITS};
        ours = memcmp(text.ptr, digits_of(arena, scope, joined).ptr, DIGITS) == 0 &&
               split(arena, joined, values, count);
    }
    return ours || error_set(error, ERROR_MALFORMED, "bad-cursor",
                             "The cursor does not belong to this list, sort and filters; start again without one.");
}
