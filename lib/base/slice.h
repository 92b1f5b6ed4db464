/* A string by pointer and length.
 *
 * Slices borrow: whoever made the bytes owns them (usually the request's arena or a database result
 * that lives as long). `ptr == NULL` means "absent" (SQL NULL, a JSON member that was not sent);
 * an empty string has a non-NULL `ptr` and `len == 0`. Not necessarily NUL-terminated.
 *
 * All functions are pure and thread-safe. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE_ABSENT ((struct slice){NULL, 0})
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

/* The slice of a NUL-terminated string; NULL gives the absent slice. */
static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) : 0};
}

static inline bool slice_present(struct slice s)
{
    return s.ptr != NULL;
}

/* Equal bytes. An absent slice equals only an absent slice. */
bool slice_equal(struct slice a, struct slice b);

/* The order of the bytes, as memcmp has it; a prefix comes first. Neither may be absent. */
int slice_compare(struct slice a, struct slice b);

/* Equal to a NUL-terminated string. An absent slice equals nothing. */
bool slice_is(struct slice s, const char *text);

bool slice_starts_with(struct slice s, const char *prefix);

/* `s` without leading and trailing white space, Unicode's included (property White_Space, e.g.
 * U+00A0, U+2003, U+3000) and the zero-width U+200B, U+2060 and U+FEFF, which no reader can see.
 * `s` must be valid UTF-8. */
struct slice slice_trim(struct slice s);

/* Length in bytes of the valid UTF-8 character at the start of `s`; 0 when there is none. */
size_t slice_character(struct slice s);

/* Valid UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool slice_is_utf8(struct slice s);

/* Number of Unicode code points of valid UTF-8. */
size_t slice_code_points(struct slice s);

/* Holds a control character (C0, DEL or C1; U+2028 and U+2029 count too). With `allow_line_breaks`,
 * tab, line feed and carriage return are let through. `s` must be valid UTF-8. */
bool slice_has_control(struct slice s, bool allow_line_breaks);

#endif
