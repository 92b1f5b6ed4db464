/* Moments: what timestamp_parse accepts comes back from its own text, and is the moment that the C library computes. */
#include <stdio.h>
#include <time.h>

#include "base/timestamp.h"
#include "fuzz.h"

/* Seconds of the offset behind `2026-01-02T03:04:05`; false for texts that go on in another way. */
static bool offset_of(struct arena *arena, struct slice text, int64_t *offset)
{
    int hours = 0, minutes = 0;
    const char *rest = arena_text(arena, text) + 19;
    *offset = 0;
    if (text.len == 20 && (*rest == 'Z' || *rest == 'z'))
        return true;
    if (text.len != 25 || sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
        return false;
    *offset = (hours * 60 + minutes) * 60 * (*rest == '-' ? -1 : 1);
    return true;
}

/* By timegm, for texts without a fraction. */
static void check_by_timegm(struct arena *arena, struct slice text, int64_t microseconds)
{
    struct tm fields = {0};
    int second = 0;
    int64_t offset;
    if (text.len < 20 || text.ptr[19] == '.' || text.ptr[19] == ',' || !offset_of(arena, text, &offset))
        return;
    MUST(sscanf(arena_text(arena, text), "%4d-%2d-%2d%*c%2d:%2d:%2d", &fields.tm_year, &fields.tm_mon, &fields.tm_mday,
                &fields.tm_hour, &fields.tm_min, &second) == 6);
    fields.tm_year -= 1900;
    fields.tm_mon--;
    fields.tm_sec = second;
    int day = fields.tm_mday;
    time_t expected = timegm(&fields);
    MUST(microseconds == ((int64_t)expected - offset) * 1000000);
    MUST(second == 60 || fields.tm_mday == day);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    int64_t moment, again;
    if (!timestamp_parse(input, &moment))
        return;
    check_by_timegm(arena, input, moment);
    const char *text = timestamp_text(arena, moment);
    MUST(strlen(text) == strlen("2026-01-02T03:04:05.678901Z"));
    MUST(timestamp_parse(fuzz_exact(arena, slice_of(text)), &again) && again == moment);
    struct slice utc = slice_of(arena_printf(arena, "%.19sZ", text));
    MUST(timestamp_parse(utc, &again) && again == moment - moment % 1000000);
    check_by_timegm(arena, utc, again);
}
