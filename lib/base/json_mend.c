#include <stdlib.h>

#include "base/json.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* A text being mended: `at` moves over what came, `to` over what is kept. */
struct mender {
    const char *at;
    const char *end;
    char *to;
};

static void put(struct mender *mender, const char *bytes, size_t count)
{
    memcpy(mender->to, bytes, count);
    mender->to += count;
}

static void keep(struct mender *mender, size_t count)
{
    put(mender, mender->at, count);
    mender->at += count;
}

static struct slice rest(const struct mender *mender)
{
    return (struct slice){mender->at, (size_t)(mender->end - mender->at)};
}

/* The code unit of `\u` and four digits at the start of `text`; -1 when there is none. */
static long code_unit(struct slice text)
{
    char digits[5] = "", *end;
    if (text.len < 6 || text.ptr[0] != '\\' || text.ptr[1] != 'u')
        return -1;
    memcpy(digits, text.ptr + 2, 4);
    if (strspn(digits, "0123456789abcdefABCDEF") != 4)
        return -1;
    return strtol(digits, &end, 16);
}

static bool is_high(long unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(long unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static void mend_escape(struct mender *mender)
{
    struct slice text = rest(mender);
    long unit = code_unit(text);
    if (is_high(unit) && is_low(code_unit((struct slice){text.ptr + 6, text.len - 6}))) {
        keep(mender, 12);
    } else if (unit == 0 || is_high(unit) || is_low(unit)) {
        mender->at += 6;
        put(mender, REPLACEMENT, 3);
    } else {
        keep(mender, text.len < 2 ? text.len : 2);
    }
}

static void mend_character(struct mender *mender)
{
    size_t length = slice_character(rest(mender));
    if (length == 0) {
        mender->at++;
        put(mender, REPLACEMENT, 3);
    } else if ((unsigned char)*mender->at < 0x20) {
        mender->at++;
        put(mender, " ", 1);
    } else {
        keep(mender, length);
    }
}

/* From an opening quote to behind the closing one. */
static void mend_string(struct mender *mender)
{
    keep(mender, 1);
    while (mender->at < mender->end && *mender->at != '"') {
        if (*mender->at == '\\')
            mend_escape(mender);
        else
            mend_character(mender);
    }
    if (mender->at < mender->end)
        keep(mender, 1);
}

/* A word that JavaScript and Python write for what is no number; false when there is none here. */
static bool mend_word(struct mender *mender)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!slice_starts_with(rest(mender), words[i]))
            continue;
        put(mender, "\"", 1);
        keep(mender, strlen(words[i]));
        put(mender, "\"", 1);
        return true;
    }
    return false;
}

struct slice json_mend(struct arena *arena, struct slice text)
{
    /* One byte becomes at most three. */
    char *mended = arena_array(arena, text.len + 1, 3);
    struct mender mender = {text.ptr, text.ptr + text.len, mended};
    while (mender.at < mender.end) {
        if (*mender.at == '"')
            mend_string(&mender);
        else if (!mend_word(&mender))
            keep(&mender, 1);
    }
    return (struct slice){mended, (size_t)(mender.to - mended)};
}
