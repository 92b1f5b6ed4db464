#include "base/slice.h"

#include <stdint.h>

bool slice_equal(struct slice a, struct slice b)
{
    if (a.ptr == NULL || b.ptr == NULL)
        return a.ptr == b.ptr;
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

int slice_compare(struct slice a, struct slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool slice_is(struct slice s, const char *text)
{
    return s.ptr != NULL && s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

bool slice_starts_with(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.ptr != NULL && s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

/* Length of the sequence that a lead byte announces; 0 for a byte that cannot lead. */
static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if ((lead & 0xF0) == 0xE0)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

/* Decodes the code point at `at`; false when the bytes are not valid UTF-8 (RFC 3629 section 4). */
static bool decode(struct slice s, size_t at, uint32_t *code_point, size_t *length)
{
    static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)s.ptr + at;
    size_t n = sequence_length(bytes[0]);
    if (n == 0 || n > s.len - at)
        return false;
    uint32_t value = bytes[0] & lead_mask[n];
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return false;
        value = (value << 6) | (bytes[i] & 0x3FU);
    }
    *code_point = value;
    *length = n;
    return value >= smallest[n] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

size_t slice_character(struct slice s)
{
    uint32_t code_point;
    size_t length;
    return s.len > 0 && decode(s, 0, &code_point, &length) ? length : 0;
}

bool slice_is_utf8(struct slice s)
{
    uint32_t code_point;
    size_t length;
    for (size_t at = 0; at < s.len; at += length)
        if (!decode(s, at, &code_point, &length))
            return false;
    return true;
}

size_t slice_code_points(struct slice s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return count;
}

/* Unicode property White_Space, and the characters of no width that hide in pasted text. */
static bool is_blank(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           c == 0x180E || (c >= 0x2000 && c <= 0x200D) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x2060 || c == 0x2800 || c == 0x3000 || c == 0x3164 ||
           c == 0xFEFF;
}

struct slice slice_trim(struct slice s)
{
    if (s.ptr == NULL)
        return s;
    size_t begin = 0, end = 0;
    bool started = false;
    for (size_t at = 0; at < s.len;) {
        uint32_t code_point;
        size_t length;
        if (!decode(s, at, &code_point, &length))
            return s;
        if (!is_blank(code_point)) {
            begin = started ? begin : at;
            end = at + length;
            started = true;
        }
        at += length;
    }
    return (struct slice){s.ptr + begin, end - begin};
}

static bool is_control(uint32_t c, bool allow_line_breaks)
{
    if (allow_line_breaks && (c == '\t' || c == '\n' || c == '\r'))
        return false;
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (!allow_line_breaks && (c == 0x2028 || c == 0x2029));
}

bool slice_has_control(struct slice s, bool allow_line_breaks)
{
    uint32_t code_point;
    size_t length;
    for (size_t at = 0; at < s.len; at += length) {
        if (!decode(s, at, &code_point, &length) || is_control(code_point, allow_line_breaks))
            return true;
    }
    return false;
}
