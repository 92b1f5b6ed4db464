#include "base/json_check.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_LIMIT = 60 /* characters; cJSON cuts a number at 63 */ };

struct checker {
    const char *start;
    const char *at;
    const char *end;
    unsigned depth_left;
    size_t values_left;
    struct json_census *census;
    struct json_flaw *flaw;
};

static bool refuse(struct checker *checker, const char *at, const char *reason)
{
    *checker->flaw = (struct json_flaw){(size_t)(at - checker->start), reason};
    return false;
}

static bool at_char(const struct checker *checker, char c)
{
    return checker->at < checker->end && *checker->at == c;
}

static bool at_digit(const struct checker *checker)
{
    return checker->at < checker->end && *checker->at >= '0' && *checker->at <= '9';
}

static void skip_space(struct checker *checker)
{
    while (at_char(checker, ' ') || at_char(checker, '\t') || at_char(checker, '\n') ||
           at_char(checker, '\r'))
        checker->at++;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits behind `\u`, with `at` on the first of them; -1 when they are not four. */
static long take_hex4(struct checker *checker)
{
    if (checker->end - checker->at < 4)
        return -1;
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(*checker->at++);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool check_unicode_escape(struct checker *checker, const char *escape)
{
    long unit = take_hex4(checker);
    if (unit < 0)
        return refuse(checker, escape, "\\u without four hexadecimal digits");
    if (unit == 0)
        return refuse(checker, escape, "\\u0000, which text cannot hold");
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    if (unit > 0xDBFF || checker->end - checker->at < 2 || memcmp(checker->at, "\\u", 2) != 0)
        return refuse(checker, escape, "half of a surrogate pair");
    checker->at += 2;
    long low = take_hex4(checker);
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse(checker, escape, "half of a surrogate pair");
    return true;
}

static bool check_escape(struct checker *checker)
{
    const char *escape = checker->at++;
    if (checker->at == checker->end)
        return refuse(checker, escape, "a string that does not end");
    char kind = *checker->at++;
    if (kind == 'u')
        return check_unicode_escape(checker, escape);
    if (memchr("\"\\/bfnrt", kind, 8) == NULL)
        return refuse(checker, escape, "an unknown escape");
    return true;
}

static bool check_string(struct checker *checker)
{
    const char *start = checker->at++;
    while (checker->at < checker->end) {
        unsigned char c = (unsigned char)*checker->at;
        if (c == '"') {
            checker->at++;
            return true;
        }
        if (c < 0x20)
            return refuse(checker, checker->at, "a control character that must be escaped");
        if (c != '\\')
            checker->at++;
        else if (!check_escape(checker))
            return false;
    }
    return refuse(checker, start, "a string that does not end");
}

/* Remembers numbers that a double would print differently, so that they can be copied as they
 * were. */
static bool note_number(struct checker *checker, struct slice text)
{
    struct json_census *census = checker->census;
    size_t ordinal = census->numbers++;
    size_t digits = 0;
    bool integer = true;
    for (size_t i = 0; i < text.len; i++) {
        digits += isdigit((unsigned char)text.ptr[i]) != 0;
        integer = integer && (isdigit((unsigned char)text.ptr[i]) || text.ptr[i] == '-');
    }
    if (integer && digits <= 15 && !slice_is(text, "-0"))
        return true;
    if (census->exact_count == census->exact_capacity) {
        size_t capacity = census->exact_capacity == 0 ? 16 : census->exact_capacity * 2;
        struct json_number_text *grown = realloc(census->exact, capacity * sizeof *grown);
        if (grown == NULL)
            return refuse(checker, text.ptr, "more numbers than memory holds");
        census->exact = grown;
        census->exact_capacity = capacity;
    }
    census->exact[census->exact_count++] = (struct json_number_text){ordinal, text};
    return true;
}

static bool take_digits(struct checker *checker)
{
    const char *first = checker->at;
    while (at_digit(checker))
        checker->at++;
    return checker->at > first;
}

/* number = [ "-" ] int [ frac ] [ exp ], RFC 8259 section 6. */
static bool check_number(struct checker *checker)
{
    const char *start = checker->at;
    if (at_char(checker, '-'))
        checker->at++;
    if (at_char(checker, '0')) {
        checker->at++;
        if (at_digit(checker))
            return refuse(checker, start, "a number with a leading zero");
    } else if (!take_digits(checker)) {
        return refuse(checker, start, "a number without digits");
    }
    if (at_char(checker, '.')) {
        checker->at++;
        if (!take_digits(checker))
            return refuse(checker, start, "a number without digits after its point");
    }
    if (at_char(checker, 'e') || at_char(checker, 'E')) {
        checker->at++;
        if (at_char(checker, '+') || at_char(checker, '-'))
            checker->at++;
        if (!take_digits(checker))
            return refuse(checker, start, "a number without digits in its exponent");
    }
    size_t length = (size_t)(checker->at - start);
    char copy[NUMBER_LIMIT + 1] = {0};
    if (length > NUMBER_LIMIT)
        return refuse(checker, start, "a number of more than 60 characters");
    memcpy(copy, start, length);
    if (!isfinite(strtod(copy, NULL)))
        return refuse(checker, start, "a number that is too large");
    return note_number(checker, (struct slice){start, length});
}

static bool check_word(struct checker *checker, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(checker->end - checker->at) < length || memcmp(checker->at, word, length) != 0)
        return refuse(checker, checker->at, "something that is no JSON value");
    checker->at += length;
    return true;
}

static bool check_value(struct checker *checker);

static bool check_member(struct checker *checker)
{
    if (!at_char(checker, '"'))
        return refuse(checker, checker->at, "no member name where one must be");
    if (!check_string(checker))
        return false;
    skip_space(checker);
    if (!at_char(checker, ':'))
        return refuse(checker, checker->at, "no colon after a member name");
    checker->at++;
    return check_value(checker);
}

/* An object or array, from its opening to its closing bracket. */
static bool check_container(struct checker *checker, char closer,
                            bool (*check_element)(struct checker *))
{
    if (checker->depth_left == 0)
        return refuse(checker, checker->at, "deeper nesting than is allowed");
    checker->depth_left--;
    checker->at++;
    skip_space(checker);
    if (!at_char(checker, closer)) {
        for (;;) {
            skip_space(checker);
            if (!check_element(checker))
                return false;
            skip_space(checker);
            if (!at_char(checker, ','))
                break;
            checker->at++;
        }
        if (!at_char(checker, closer))
            return refuse(checker, checker->at, "neither a comma nor the closing bracket");
    }
    checker->at++;
    checker->depth_left++;
    return true;
}

static bool check_value(struct checker *checker)
{
    skip_space(checker);
    if (checker->at == checker->end)
        return refuse(checker, checker->at, "the end where a value must be");
    if (checker->values_left == 0)
        return refuse(checker, checker->at, "more values than are allowed");
    checker->values_left--;
    checker->census->values++;
    switch (*checker->at) {
    case '{':
        return check_container(checker, '}', check_member);
    case '[':
        return check_container(checker, ']', check_value);
    case '"':
        return check_string(checker);
    case 't':
        return check_word(checker, "true");
    case 'f':
        return check_word(checker, "false");
    case 'n':
        return check_word(checker, "null");
    default:
        return check_number(checker);
    }
}

bool json_check(struct slice text, unsigned depth_limit, size_t value_limit,
                struct json_census *census, struct json_flaw *flaw)
{
    *census = (struct json_census){0};
    *flaw = (struct json_flaw){0};
    struct checker checker = {
        .start = text.ptr,
        .at = text.ptr,
        .end = text.ptr + text.len,
        .depth_left = depth_limit,
        .values_left = value_limit,
        .census = census,
        .flaw = flaw,
    };
    if (!slice_is_utf8(text))
        return refuse(&checker, text.ptr, "text that is not UTF-8");
    if (!check_value(&checker))
        return false;
    skip_space(&checker);
    if (checker.at != checker.end)
        return refuse(&checker, checker.at, "more text after the value");
    return true;
}
