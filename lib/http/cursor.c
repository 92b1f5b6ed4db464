#include "http/cursor.h"

#include "base/buffer.h"
#include "base/crypto.h"

/* Layout before base64url: 8 hexadecimal digits of the scope's hash, then each value after a unit
 * separator, which no value of a list can hold. */
enum { SCOPE_DIGITS = 8, SEPARATOR = 0x1F, CURSOR_MAX = 1024 };

static struct slice scope_digits(struct arena *arena, struct slice scope)
{
    struct sha256 hash = sha256_of(scope);
    return (struct slice){hex_text(arena, hash.bytes, SCOPE_DIGITS / 2), SCOPE_DIGITS};
}

char *cursor_make(struct arena *arena, struct slice scope, const struct slice *values, size_t count)
{
    struct buffer text = buffer_make(CURSOR_MAX);
    buffer_append(&text, scope_digits(arena, scope));
    for (size_t i = 0; i < count; i++) {
        buffer_append_char(&text, SEPARATOR);
        buffer_append(&text, values[i]);
    }
    char *cursor = base64url_text(arena, buffer_slice(&text));
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
    struct slice text = cursor.len <= CURSOR_MAX * 2 ? base64url_decode(arena, cursor) : SLICE_ABSENT;
    struct slice digits = scope_digits(arena, scope);
    bool ours = slice_present(text) && text.len >= SCOPE_DIGITS && slice_is_utf8(text) &&
                memchr(text.ptr, '\0', text.len) == NULL && memcmp(text.ptr, digits.ptr, SCOPE_DIGITS) == 0;
    if (ours)
        ours = split(arena, (struct slice){text.ptr + SCOPE_DIGITS, text.len - SCOPE_DIGITS}, values, count);
    return ours || error_set(error, ERROR_MALFORMED, "bad-cursor",
                             "The cursor does not belong to this list, sort and filters; start again without one.");
}
