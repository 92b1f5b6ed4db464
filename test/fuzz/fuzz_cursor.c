/* Cursors: those that cursor_make made are read back, all others are refused. Members: the scope, another scope, two
 * values, and bytes by which the cursor is altered; the whole input is tried as a cursor too. */
#include "base/crypto.h"
#include "fuzz.h"
#include "http/cursor.h"

enum { VALUES = 2 };

static bool reads(struct arena *arena, const char *cursor, struct slice scope, struct slice *values, size_t count)
{
    struct error error;
    error_clear(&error);
    bool read = cursor_read(arena, fuzz_exact(arena, slice_of(cursor)), scope, values, count, &error);
    if (!read) {
        MUST(error.kind == ERROR_MALFORMED);
        fuzz_check_error(arena, &error);
    }
    return read;
}

/* What is read is what was made: the same text comes out. */
static void check_read(struct arena *arena, const char *cursor, struct slice scope, size_t count)
{
    struct slice values[VALUES];
    if (reads(arena, cursor, scope, values, count))
        MUST(strcmp(cursor_make(arena, scope, values, count), cursor) == 0);
}

static void check_base64url(struct arena *arena, struct slice text)
{
    struct slice bytes = base64url_decode(arena, text);
    if (slice_present(bytes))
        MUST(slice_equal(slice_of(base64url_text(arena, bytes)), text));
    MUST(slice_equal(base64url_decode(arena, slice_of(base64url_text(arena, text))), text));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    check_base64url(arena, input);
    struct slice scope = fuzz_take(&input), other = fuzz_take(&input);
    struct slice values[VALUES], read[VALUES];
    for (size_t i = 0; i < VALUES; i++)
        values[i] = fuzz_take(&input);
    if (values[0].len + values[1].len > 600 || memchr(values[0].ptr, 0x1F, values[0].len) != NULL ||
        memchr(values[1].ptr, 0x1F, values[1].len) != NULL)
        return;
    char *cursor = cursor_make(arena, scope, values, VALUES);
    MUST(reads(arena, cursor, scope, read, VALUES));
    MUST(slice_equal(read[0], values[0]) && slice_equal(read[1], values[1]));
    MUST(reads(arena, cursor, other, read, VALUES) == slice_equal(scope, other));
    MUST(!reads(arena, cursor, scope, read, VALUES - 1));
    check_read(arena, arena_text(arena, input), scope, VALUES);
    char *altered = arena_text(arena, slice_of(cursor));
    for (size_t i = 0; i + 1 < input.len; i += 2)
        if (input.ptr[i + 1] != '\0')
            altered[(unsigned char)input.ptr[i] % strlen(altered)] = input.ptr[i + 1];
    MUST(reads(arena, altered, scope, read, VALUES) == (strcmp(altered, cursor) == 0));
}
