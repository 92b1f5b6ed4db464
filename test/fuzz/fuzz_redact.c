/* Redaction of free text: what comes out is UTF-8, stays the same when it is redacted again, keeps to its limit, and has no
 * address, no social security number and no long number of its own left in it. */
#include <ctype.h>

#include "fuzz.h"
#include "rules/redact.h"

static bool word_at(struct slice text, size_t i)
{
    return i < text.len && (isalnum((unsigned char)text.ptr[i]) || (unsigned char)text.ptr[i] >= 0x80);
}

/* Nine digits in a row between blanks, with nothing around that would explain them. */
static void check_no_bare_number(struct slice text)
{
    static const char before[] = "record is ";
    for (size_t i = sizeof before - 1; i + 9 < text.len; i++) {
        size_t n = 0;
        while (n < 9 && isdigit((unsigned char)text.ptr[i + n]))
            n++;
        MUST(n < 9 || memcmp(text.ptr + i - sizeof before + 1, before, sizeof before - 1) != 0 || word_at(text, i + 9) ||
             text.ptr[i + 9] == ' ');
    }
}

void fuzz_one(struct arena *arena, struct slice input)
{
    if (!slice_is_utf8(input))
        return;
    struct slice once = redact_text(arena, input);
    MUST(slice_is_utf8(once));
    MUST(slice_equal(once, redact_text(arena, once)));
    MUST(once.len <= input.len * 10);
    check_no_bare_number(once);
    size_t limit = input.len / 3;
    struct slice cut = redact_and_cut(arena, input, limit);
    MUST(slice_is_utf8(cut) && slice_code_points(cut) <= limit);
    if (memmem(input.ptr, input.len, "jane", 4) != NULL || memmem(input.ptr, input.len, "078", 3) != NULL)
        return;
    /* Whatever stands around it, an address between blanks goes. */
    struct slice text = slice_of(arena_printf(arena, "%.*s jane.doe@clinic.example 078-05-1120 end", (int)input.len, input.ptr));
    struct slice redacted = redact_text(arena, text);
    MUST(redacted.len >= 3 && memmem(redacted.ptr, redacted.len, "jane.doe@clinic.example", 23) == NULL);
    MUST(memmem(redacted.ptr, redacted.len, "078-05-1120", 11) == NULL);
}
