/* Mending of JSON: a document that needs none stays as it is, mending twice is mending once, and inside of strings nothing is
 * left to mend. */
#include "base/compiler.h"
#include "fuzz.h"

/* The reasons for which json_parse refuses what has not been mended. */
static const char *const MENDED[] = {"\\u0000", "half of a surrogate pair", "a control character that must be escaped"};

void fuzz_one(struct arena *arena, struct slice input)
{
    char why[160];
    struct slice mended = json_mend(arena, input);
    MUST(mended.len <= 3 * input.len);
    MUST(slice_equal(json_mend(arena, fuzz_exact(arena, mended)), mended));
    if (json_parse(arena, input, why, sizeof why) != NULL)
        MUST(slice_equal(mended, input));
    if (json_parse(arena, fuzz_exact(arena, mended), why, sizeof why) == NULL)
        for (size_t i = 0; i < COUNT_OF(MENDED); i++)
            MUST(strncmp(why, MENDED[i], strlen(MENDED[i])) != 0);
    /* Any text, put into quotes, becomes a string, unless it has quotes and backslashes of its own. */
    if (memchr(input.ptr, '"', input.len) != NULL || memchr(input.ptr, '\\', input.len) != NULL)
        return;
    struct slice quoted = slice_of(arena_printf(arena, "\"%.*s\"", (int)input.len, input.ptr));
    MUST(json_type_of(fuzz_parse(arena, json_mend(arena, quoted))) == JSON_STRING);
}
