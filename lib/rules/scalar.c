#include "rules/scalar.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

enum {
    LONGEST_NUMBER = 120 /* characters; what is longer and made of digits is disputed anyway */
};

/* Words by the spellings that PyYAML and YAML 1.1 know; other mixtures of case are disputed. */
static const struct {
    const char *word;
    enum scalar_kind kind;
} words[] = {
    {"null", SCALAR_NULL}, {"true", SCALAR_TRUE},  {"yes", SCALAR_TRUE},
    {"on", SCALAR_TRUE},   {"no", SCALAR_FALSE},   {"false", SCALAR_FALSE},
    {"off", SCALAR_FALSE}, {"y", SCALAR_DISPUTED}, {"n", SCALAR_DISPUTED},
};

static bool usual_case(struct slice text)
{
    bool lower = true, upper = true, rest_lower = true;
    for (size_t i = 0; i < text.len; i++) {
        bool is_lower = islower((unsigned char)text.ptr[i]) != 0;
        lower = lower && is_lower;
        upper = upper && !is_lower;
        rest_lower = rest_lower && (i == 0 || is_lower);
    }
    return lower || upper || rest_lower;
}

static bool find_word(struct slice text, enum scalar_kind *kind)
{
    if (text.len == 0 || slice_is(text, "~")) {
        *kind = SCALAR_NULL;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strlen(words[i].word) == text.len &&
            strncasecmp(words[i].word, text.ptr, text.len) == 0) {
            *kind = usual_case(text) ? words[i].kind : SCALAR_DISPUTED;
            return true;
        }
    return false;
}

static size_t skip_digits(const char *text, size_t from)
{
    while (isdigit((unsigned char)text[from]))
        from++;
    return from;
}

/* A number to YAML 1.1, YAML 1.2 and PyYAML alike: no leading zeros, a sign in the exponent, a
 * point before an exponent, no sign before a bare point. `text` ends with a NUL. */
static bool agreed_number(const char *text)
{
    size_t start = text[0] == '-' || text[0] == '+' ? 1 : 0;
    size_t at = skip_digits(text, start);
    size_t whole = at - start;
    if (whole > 1 && text[start] == '0')
        return false;
    if (text[at] == '\0')
        return whole > 0;
    if (text[at] != '.' || (whole == 0 && start > 0))
        return false;
    size_t point = at++;
    at = skip_digits(text, at);
    if (whole == 0 && at == point + 1)
        return false;
    if (text[at] == 'e' || text[at] == 'E') {
        if (text[at + 1] != '+' && text[at + 1] != '-')
            return false;
        size_t exponent = at + 2;
        at = skip_digits(text, exponent);
        if (at == exponent)
            return false;
    }
    return text[at] == '\0';
}

static bool only_of(const char *text, const char *set)
{
    return text[0] != '\0' && text[strspn(text, set)] == '\0';
}

/* A number in some notation that a YAML reader or a language's own conversion takes: octal, binary,
 * hexadecimal, exponents, infinities, digits grouped by `_` or `,`, base 60. `text` ends with a
 * NUL. */
static bool disputed_number(const char *text)
{
    char digits[LONGEST_NUMBER + 1];
    size_t length = 0;
    for (const char *c = text; *c != '\0'; c++)
        if (*c != '_' && *c != ',')
            digits[length++] = *c;
    digits[length] = '\0';
    if (length == 0)
        return false;
    char *end = NULL;
    (void)strtod(digits, &end);
    if (*end == '\0')
        return true;
    const char *bare = digits + (digits[0] == '-' || digits[0] == '+');
    if (strcasecmp(bare, ".inf") == 0 || strcasecmp(bare, ".nan") == 0)
        return true;
    if (bare[0] == '0' && bare[1] != '\0' && strchr("bBoO", bare[1]) != NULL)
        return only_of(bare + 2, "01234567");
    return isdigit((unsigned char)bare[0]) && strchr(bare, ':') != NULL &&
           only_of(bare, "0123456789:.");
}

/* `2026-01-02`, alone or followed by a time. */
static bool looks_like_date(const char *text)
{
    size_t year = skip_digits(text, 0);
    if (year != 4 || text[year] != '-')
        return false;
    size_t month = skip_digits(text, year + 1);
    if (month == year + 1 || month > year + 3 || text[month] != '-')
        return false;
    size_t day = skip_digits(text, month + 1);
    if (day == month + 1 || day > month + 3)
        return false;
    return text[day] == '\0' || strchr("Tt \t", text[day]) != NULL;
}

enum scalar_kind scalar_kind(struct slice text)
{
    enum scalar_kind kind = SCALAR_STRING;
    if (find_word(text, &kind))
        return kind;
    char copy[LONGEST_NUMBER + 1];
    if (text.len > LONGEST_NUMBER) {
        size_t digits = 0;
        while (digits < text.len && strchr("0123456789_.,+-eE", text.ptr[digits]) != NULL &&
               text.ptr[digits] != '\0')
            digits++;
        return digits == text.len ? SCALAR_DISPUTED : SCALAR_STRING;
    }
    if (memchr(text.ptr, '\0', text.len) != NULL)
        return SCALAR_STRING;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (agreed_number(copy))
        return SCALAR_NUMBER;
    return disputed_number(copy) || looks_like_date(copy) ? SCALAR_DISPUTED : SCALAR_STRING;
}
