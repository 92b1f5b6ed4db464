#include "base/timestamp.h"

#include <time.h>

enum { MICRO = 1000000, MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S };
static const int64_t END_S = INT64_C(7289654400); /* 2201-01-01T00:00:00Z */

int64_t timestamp_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MICRO + now.tv_nsec / 1000;
}

/* Takes exactly `digits` decimal digits off the front. */
static bool take_number(struct slice *rest, size_t digits, int *number)
{
    if (rest->len < digits)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
            return false;
        *number = *number * 10 + (rest->ptr[i] - '0');
    }
    *rest = (struct slice){rest->ptr + digits, rest->len - digits};
    return true;
}

static bool take_one_of(struct slice *rest, const char *characters)
{
    if (rest->len == 0 || strchr(characters, rest->ptr[0]) == NULL || rest->ptr[0] == '\0')
        return false;
    *rest = (struct slice){rest->ptr + 1, rest->len - 1};
    return true;
}

static bool take_fraction(struct slice *rest, int64_t *microseconds)
{
    *microseconds = 0;
    if (!take_one_of(rest, ".,"))
        return true;
    int64_t unit = MICRO / 10;
    size_t digits = 0;
    for (int digit; digits < 9 && take_number(rest, 1, &digit); digits++, unit /= 10)
        *microseconds += digit * unit;
    return digits > 0;
}

static bool take_offset(struct slice *rest, int64_t *seconds)
{
    *seconds = 0;
    if (rest->len == 0 || take_one_of(rest, "Zz"))
        return rest->len == 0;
    bool negative = rest->ptr[0] == '-';
    int hours, minutes;
    if (!take_one_of(rest, "+- ") || !take_number(rest, 2, &hours))
        return false;
    take_one_of(rest, ":");
    if (!take_number(rest, 2, &minutes) || rest->len != 0 || hours > 23 || minutes > 59)
        return false;
    int64_t ahead = (int64_t)hours * HOUR_S + (int64_t)minutes * MINUTE_S;
    *seconds = negative ? -ahead : ahead;
    return true;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar; false when there is no such day. */
static bool days_of(int year, int month, int day, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && leap))
        return false;
    int before = year - 1;
    int64_t total = (int64_t)before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (int m = 1; m < month; m++)
        total += lengths[m - 1] + (m == 2 && leap);
    *days = total + day - 1;
    return true;
}

bool timestamp_parse(struct slice text, int64_t *microseconds)
{
    int year, month, day, hour, minute, second;
    int64_t days, fraction, offset;
    if (!slice_present(text) || !take_number(&text, 4, &year) || !take_one_of(&text, "-") ||
        !take_number(&text, 2, &month) || !take_one_of(&text, "-") || !take_number(&text, 2, &day) ||
        !take_one_of(&text, "Tt ") || !take_number(&text, 2, &hour) || !take_one_of(&text, ":") ||
        !take_number(&text, 2, &minute) || !take_one_of(&text, ":") || !take_number(&text, 2, &second) ||
        !take_fraction(&text, &fraction) || !take_offset(&text, &offset))
        return false;
    if (!days_of(year, month, day, &days) || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds = days * DAY_S + (int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S + second - offset;
    *microseconds = seconds * MICRO + fraction;
    /* An offset, or a leap second, may lead out of the years that the date lies in. */
    return seconds >= 0 && seconds < END_S;
}

char *timestamp_text(struct arena *arena, int64_t microseconds)
{
    time_t seconds = (time_t)(microseconds / MICRO);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                        utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(microseconds % MICRO));
}
