/* Moments: what timestamp_parse accepts comes back from its own text, and is the moment that the C library computes. */
#include <stdio.h>
#include <time.h>

#include "base/timestamp.h"
#include "fuzz.h"

/* By timegm, for texts in UTC. */
static void check_by_timegm(struct arena *arena, struct slice text, int64_t microseconds)
{
    struct tm fields = {0};
    int second = 0;
    if (text.len != 20 || (text.ptr[19] != 'Z' && text.ptr[19] != 'z'))
        return;
    MUST(sscanf(arena_text(arena, text), "%4d-%2d-%2d%*c%2d:%2d:%2d", &fields.tm_year, &fields.tm_mon, &fields.tm_mday,
                &fields.tm_hour, &fields.tm_min, &second) == 6);
    fields.tm_year -= 1900;
    fields.tm_mon--;
    fields.tm_sec = second;
    int day = fields.tm_mday;
    time_t expected = timegm(&fields);
    MUST(microseconds == (int64_t)expected * 1000000);
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
