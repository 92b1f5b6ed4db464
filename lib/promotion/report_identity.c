#include "promotion/report_identity.h"

bool report_is_own_name(struct slice name, struct slice own, const char *what, struct error *error)
{
    return name.len == 0 || slice_equal(name, own) ||
           error_set(error, ERROR_FORBIDDEN, "foreign-appliance",
                     "This token belongs to another %s than is named here; let each appliance speak with its own token.", what);
}

static bool is_own(const struct json *value, struct slice own, const char *pointer, const char *what,
                   struct error *error)
{
    enum json_type type = json_type_of(value);
    if (type != JSON_ABSENT && type != JSON_NULL && type != JSON_STRING)
        return error_add(error, pointer, "must be a string, not %s", json_type_name(type));
    return report_is_own_name(json_as_string(value), own, what, error);
}

bool report_is_callers_own(const struct principal *caller, const struct json *object, struct error *error)
{
    return is_own(json_member(object, "site_id"), caller->site_id, "/site_id", "site", error) &&
           is_own(json_member(object, "appliance_id"), caller->appliance_id, "/appliance_id", "appliance", error);
}

/* Bytes of the first `limit` code points. */
static size_t bytes_of(struct slice text, size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] & 0xC0) != 0x80 && ++count > limit)
            return i;
    return text.len;
}

struct slice report_text(struct arena *arena, const struct json *value, size_t limit)
{
    struct slice text = json_as_string(value);
    if (!slice_present(text))
        return SLICE_ABSENT;
    text.len = bytes_of(text, limit);
    text = slice_trim(text);
    if (text.len == 0)
        return SLICE_ABSENT;
    char *clean = arena_text(arena, text);
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)clean[i] < 0x20 && clean[i] != '\n' && clean[i] != '\t') || clean[i] == 0x7F)
            clean[i] = ' ';
    return (struct slice){clean, text.len};
}

struct slice report_word(const struct json *value)
{
    struct slice word = json_as_string(value);
    if (word.len < 1 || word.len > 64)
        return SLICE_ABSENT;
    for (size_t i = 0; i < word.len; i++)
        if (memchr("abcdefghijklmnopqrstuvwxyz0123456789_.-", word.ptr[i], 39) == NULL)
            return SLICE_ABSENT;
    return word;
}

bool report_fits(size_t count, const struct buffer *rows, struct error *error)
{
    enum { ELEMENTS_MAX = 50000 };
    return (count <= ELEMENTS_MAX && rows->len < rows->ceiling && buffer_ok(rows)) ||
           error_set(error, ERROR_TOO_LARGE, "too-large",
                     "The report has more elements than are taken at once; send at most %d of them.", ELEMENTS_MAX / 10);
}
