/* Pattern signatures. Members: type, check type, drift type, service name, what stands before and after an address in
 * the error message. */
#include "fuzz.h"
#include "rules/signature.h"

static struct slice message(struct arena *arena, struct slice before, const char *varying, struct slice after)
{
    return slice_of(arena_printf(arena, "%.*s %s %.*s", (int)before.len, before.ptr, varying, (int)after.len, after.ptr));
}

static bool made_of(struct slice text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr(characters, text.ptr[i], strlen(characters)) == NULL)
            return false;
    return true;
}

static void check_valid(struct slice text)
{
    bool legal = text.len >= 1 && text.len <= SIGNATURE_MAX &&
                 made_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");
    MUST(signature_valid(text) == legal);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    check_valid(input);
    struct signature_input incident = {.error_message = SLICE_ABSENT};
    incident.type = fuzz_take_text(&input);
    incident.check_type = fuzz_take_text(&input);
    incident.drift_type = fuzz_take_text(&input);
    incident.service_name = fuzz_take_text(&input);
    struct slice before = fuzz_take_text(&input), after = fuzz_take_text(&input);
    struct slice pattern = signature_error_pattern(arena, before);
    MUST(slice_is_utf8(pattern) && slice_code_points(pattern) <= SIGNATURE_ERROR_CHARS);
    if (before.len > 4096 || after.len > 4096)
        return;
    /* Two reports of one fault that differ in what varies have one signature. */
    incident.error_message = message(arena, before, "10.1.2.3", after);
    struct slice one = signature_compute(arena, &incident);
    incident.error_message = message(arena, before, "192.168.100.200", after);
    MUST(slice_equal(one, signature_compute(arena, &incident)));
    MUST(one.len == SIGNATURE_LENGTH && made_of(one, "0123456789abcdef") && signature_valid(one));
}
