/* UTF-8, white space and control characters, against PCRE2's idea of them. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "fuzz.h"

/* Whether a pattern is found; -1 when the text is not UTF-8. */
static int found(const char *pattern, pcre2_code **compiled, struct slice text)
{
    int code;
    PCRE2_SIZE where;
    if (*compiled == NULL)
        *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code, &where, NULL);
    MUST(*compiled != NULL);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(*compiled, NULL);
    int result = pcre2_match(*compiled, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, NULL);
    pcre2_match_data_free(data);
    return result >= 0 ? 1 : result == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

void fuzz_one(struct arena *arena, struct slice input)
{
    static pcre2_code *any, *control, *inner_control, *edge, *points;
    bool valid = found("", &any, input) >= 0;
    MUST(slice_is_utf8(input) == valid);
    if (!valid) {
        MUST(slice_has_control(input, true));
        return;
    }
    MUST(slice_has_control(input, false) == (found("[\\p{Cc}\\x{2028}\\x{2029}]", &control, input) == 1));
    MUST(slice_has_control(input, true) == (found("[^\\P{Cc}\\t\\n\\r]", &inner_control, input) == 1));
    struct slice trimmed = slice_trim(input);
    MUST(trimmed.ptr >= input.ptr && trimmed.ptr + trimmed.len <= input.ptr + input.len && slice_is_utf8(trimmed));
    MUST(found("\\A[\\p{Xps}\\x{85}\\x{200B}\\x{2060}\\x{FEFF}]|[\\p{Xps}\\x{85}\\x{200B}\\x{2060}\\x{FEFF}]\\z", &edge,
               trimmed) == 0);
    struct slice again = slice_trim(fuzz_exact(arena, trimmed));
    MUST(slice_equal(again, trimmed));
    if (input.len < 1000)
        MUST(found(arena_printf(arena, "(?s)\\A.{%zu}\\z", slice_code_points(input)), &points, input) == 1);
    pcre2_code_free(points);
    points = NULL;
}
