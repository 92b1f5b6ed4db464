/* What is recognised by its digits: moments, UUIDs, addresses, numbers. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "rules/redact_scan.h"

static const struct found NOTHING = {0, 0};

bool scan_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(const struct scan *scan, const char *at)
{
    return at < scan->end && *at >= '0' && *at <= '9';
}

static size_t digits_at(const struct scan *scan, const char *at)
{
    const char *start = at;
    while (is_digit(scan, at))
        at++;
    return (size_t)(at - start);
}

/* How far `form` fits from `at`: 9 stands for a digit, h for a hexadecimal one, - for a dash, s for a space, dot, or dash, any
 * other character for itself. 0 when it does not. */
static size_t fits(const struct scan *scan, const char *at, const char *form)
{
    const char *start = at;
    for (; *form != '\0'; form++, at++) {
        bool good = at < scan->end;
        if (good && *form == '9')
            good = is_digit(scan, at);
        else if (good && *form == 'h')
            good = isxdigit((unsigned char)*at);
        else if (good && *form == 's')
            good = *at == ' ' || *at == '.' || *at == '-';
        else if (good)
            good = *at == *form;
        if (!good)
            return 0;
    }
    return (size_t)(at - start);
}

/* No letter, digit or sign that would make it part of something longer. */
static bool ends_at(const struct scan *scan, const char *at)
{
    return at >= scan->end || !(isalnum((unsigned char)*at) || (unsigned char)*at >= 0x80);
}

static bool starts_here(const struct scan *scan)
{
    return scan->at == scan->begin || !(isalnum((unsigned char)scan->at[-1]) || (unsigned char)scan->at[-1] >= 0x80);
}

struct found scan_moment(const struct scan *scan)
{
    size_t len = fits(scan, scan->at, "9999-99-99");
    if (len == 0 || !starts_here(scan) || is_digit(scan, scan->at + len))
        return NOTHING;
    const char *at = scan->at + len;
    if (at < scan->end && (*at == 'T' || *at == ' ') && fits(scan, at + 1, "99:99:99") > 0) {
        at += 9;
        if (at < scan->end && (*at == '.' || *at == ',') && is_digit(scan, at + 1))
            at += 1 + digits_at(scan, at + 1);
    }
    return (struct found){(size_t)(at - scan->at), 0};
}

struct found scan_uuid(const struct scan *scan)
{
    size_t len = fits(scan, scan->at, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
    return len > 0 && starts_here(scan) && ends_at(scan, scan->at + len) ? (struct found){len, 0} : NOTHING;
}

struct found scan_sid(const struct scan *scan)
{
    size_t len = fits(scan, scan->at, "S-1-5-21-9");
    if (len == 0 || !starts_here(scan))
        return NOTHING;
    const char *at = scan->at + len;
    while (is_digit(scan, at) || (at < scan->end && *at == '-' && is_digit(scan, at + 1)))
        at++;
    return (struct found){0, (size_t)(at - scan->at)};
}

/* ---- addresses ---------------------------------------------------------------------------------------------- */

/* Private, loopback, link-local, and those that name no machine. */
static bool is_private_v4(const unsigned part[4])
{
    return part[0] == 10 || part[0] == 127 || part[0] == 0 || part[0] >= 224 || (part[0] == 192 && part[1] == 168) ||
           (part[0] == 172 && part[1] >= 16 && part[1] < 32) || (part[0] == 169 && part[1] == 254);
}

static struct found dotted_quad(const struct scan *scan)
{
    unsigned part[4] = {0};
    const char *at = scan->at;
    for (int i = 0; i < 4; i++) {
        size_t len = digits_at(scan, at);
        if (len < 1 || len > 3)
            return NOTHING;
        for (size_t d = 0; d < len; d++)
            part[i] = part[i] * 10 + (unsigned)(at[d] - '0');
        at += len;
        if (part[i] > 255 || (i < 3 && (at >= scan->end || *at++ != '.')))
            return NOTHING;
    }
    bool goes_on = at + 1 < scan->end && *at == '.' && is_digit(scan, at + 1);
    if (goes_on || !ends_at(scan, at))
        return NOTHING;
    size_t len = (size_t)(at - scan->at);
    return is_private_v4(part) ? (struct found){len, 0} : (struct found){0, len};
}

/* Colons and hexadecimal groups: an IPv6 address has seven colons, or two in a row. A time and a MAC address have neither. */
static struct found colon_groups(const struct scan *scan)
{
    enum { LONGEST = 39 };
    const char *at = scan->at;
    size_t colons = 0, group = 0, digits = 0;
    bool doubled = false;
    while (at < scan->end && at - scan->at <= LONGEST && (isxdigit((unsigned char)*at) || *at == ':')) {
        doubled |= *at == ':' && at + 1 < scan->end && at[1] == ':';
        colons += *at == ':';
        digits += is_digit(scan, at);
        group = *at == ':' ? 0 : group + 1;
        if (group > 4)
            return NOTHING;
        at++;
    }
    size_t len = (size_t)(at - scan->at);
    if (len > LONGEST || !ends_at(scan, at) || digits == 0 || colons < 2 || colons > 7 || (!doubled && colons != 7))
        return NOTHING;
    bool is_private = strncasecmp(scan->at, "fe80:", 5) == 0 || strncasecmp(scan->at, "fd", 2) == 0 ||
                      strncasecmp(scan->at, "fc", 2) == 0 || *scan->at == ':';
    return is_private ? (struct found){len, 0} : (struct found){0, len};
}

struct found scan_address(const struct scan *scan)
{
    if (!starts_here(scan) || (scan->at > scan->begin && (scan->at[-1] == '.' || scan->at[-1] == ':')))
        return NOTHING;
    struct found found = dotted_quad(scan);
    return found.keep + found.len > 0 ? found : colon_groups(scan);
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

static size_t grouped_number(const struct scan *scan)
{
    static const char *const forms[] = {
        "999-99-9999",          "999 99 9999",           "9999-9999-9999-9999", "9999 9999 9999 9999",
        "999s999s9999",         "(999) 999s9999",        "(999)999s9999",       "1s999s999s9999",
        "+1s999s999s9999",      "+1 (999) 999s9999",     "1 (999) 999s9999",    "+1999s999s9999",
        "999999-999999-999999-999999-999999-999999-999999-999999", /* a disk's recovery key */
    };
    size_t longest = 0;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        size_t len = fits(scan, scan->at, forms[i]);
        if (len > longest && ends_at(scan, scan->at + len))
            longest = len;
    }
    return longest;
}

/* `+` and 8 digits or more, in groups or not. */
static size_t international_number(const struct scan *scan)
{
    if (*scan->at != '+' || !is_digit(scan, scan->at + 1))
        return 0;
    const char *at = scan->at + 1, *last = at;
    size_t digits = 0;
    for (; at < scan->end; at++) {
        if (is_digit(scan, at)) {
            digits++;
            last = at + 1;
        } else if (memchr(" -()./", *at, 6) == NULL || !is_digit(scan, at + 1)) {
            break;
        }
    }
    return digits >= 8 && ends_at(scan, last) ? (size_t)(last - scan->at) : 0;
}

/* 20261122, 202611221030 or 20261122103000 of these decades: part of a file's name, not a person's number. */
static bool is_compact_moment(const char *at, size_t len)
{
    if (len != 8 && len != 12 && len != 14)
        return false;
    int year = (at[0] - '0') * 1000 + (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
    int month = (at[4] - '0') * 10 + (at[5] - '0'), day = (at[6] - '0') * 10 + (at[7] - '0');
    return year >= 2015 && year <= 2039 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool is_one_of(struct slice word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == word.len && strncasecmp(words[i], word.ptr, word.len) == 0)
            return true;
    return false;
}

/* Behind a word that says that a code or an amount follows. */
static bool is_announced(const struct scan *scan)
{
    static const char *const words[] = {"code",  "error",  "errno", "status", "hresult", "exit",  "result", "returned",
                                        "event", "pid",    "size",  "offset", "sector",  "block", "inode",  "build"};
    const struct slice word = scan->previous;
    if (!slice_present(word) || !is_one_of(word, words, COUNT_OF(words)))
        return false;
    const char *at = word.ptr + word.len;
    for (; at < scan->at; at++)
        if (memchr(" :=#('\"-", *at, 8) == NULL)
            return false;
    return true;
}

/* Followed by what it is an amount of. */
static bool has_unit(const struct scan *scan, const char *at)
{
    static const char *const units[] = {"bytes", "byte", "B",  "KB", "MB", "GB",      "KiB",  "MiB",   "GiB",
                                        "ms",    "s",    "us", "ns", "sec", "seconds", "rows", "files", "blocks"};
    if (at < scan->end && *at == ' ')
        at++;
    const char *start = at;
    while (at < scan->end && isalpha((unsigned char)*at))
        at++;
    return is_one_of((struct slice){start, (size_t)(at - start)}, units, COUNT_OF(units));
}

/* Windows' error codes, as it prints them: negative, and of one family. */
static bool is_hresult(const struct scan *scan, size_t len)
{
    return len == 10 && scan->at > scan->begin && scan->at[-1] == '-' && fits(scan, scan->at, "2147") > 0;
}

struct found scan_number(const struct scan *scan)
{
    enum { SHORTEST = 7, LONGEST_CODE = 10 };
    const char first = *scan->at;
    if (!starts_here(scan) || !(is_digit(scan, scan->at) || first == '(' || first == '+'))
        return NOTHING;
    size_t len = grouped_number(scan);
    if (len == 0)
        len = international_number(scan);
    if (len > 0)
        return (struct found){0, len};
    len = digits_at(scan, scan->at);
    if (len < SHORTEST || !ends_at(scan, scan->at + len))
        return NOTHING;
    bool is_fraction = scan->at - scan->begin >= 2 && (scan->at[-1] == '.' || scan->at[-1] == ',') &&
                       scan->at[-2] >= '0' && scan->at[-2] <= '9';
    if (is_fraction || is_compact_moment(scan->at, len) || is_hresult(scan, len) || has_unit(scan, scan->at + len) ||
        (len <= LONGEST_CODE && is_announced(scan)))
        return (struct found){len, 0};
    return (struct found){0, len};
}
