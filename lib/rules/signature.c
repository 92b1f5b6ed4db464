#include "rules/signature.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <sodium.h>
#include <string.h>

#include "base/buffer.h"
#include "base/compiler.h"

/* Code points of an error message that are looked at. A mask stands for at most 36 characters, so
 * the first 200 of the masked message come from far fewer than these. */
enum { MESSAGE_CHARS = 16 * 1024 };
enum { JSON_CEILING = 8 * 1024 * 1024 };

/* What differs from one occurrence to the next, in the order in which it is masked. */
static const struct {
    const char *pattern;
    const char *mask;
} masks[] = {
    {"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}", "<TIMESTAMP>"},
    {"[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}", "<IP>"},
    {"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}", "<UUID>"},
    {"/[a-z0-9]{32}/", "/<HASH>/"},
};

/* `text` with every match of `pattern` replaced. The patterns are fixed and bounded, so neither
 * compiling nor matching can fail but for memory; the text then stays as it is. */
static struct slice mask_all(struct arena *arena, struct slice text, const char *pattern,
                             const char *mask)
{
    int code = 0;
    PCRE2_SIZE where = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &code, &where, NULL);
    if (compiled == NULL)
        return text;
    PCRE2_SIZE length = text.len + 1; /* every mask is shorter than what it stands for */
    char *masked = arena_alloc(arena, length);
    int count =
        pcre2_substitute(compiled, (PCRE2_SPTR)text.ptr, text.len, 0,
                         PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_LITERAL, NULL, NULL,
                         (PCRE2_SPTR)mask, PCRE2_ZERO_TERMINATED, (PCRE2_UCHAR *)masked, &length);
    pcre2_code_free(compiled);
    return count >= 0 ? (struct slice){masked, length} : text;
}

/* The first `count` code points of valid UTF-8. */
static struct slice first_code_points(struct slice text, size_t count)
{
    size_t at = 0;
    while (at < text.len) {
        bool starts = ((unsigned char)text.ptr[at] & 0xC0) != 0x80;
        if (starts && count-- == 0)
            break;
        at++;
    }
    return (struct slice){text.ptr, at};
}

struct slice signature_error_pattern(struct arena *arena, struct slice message)
{
    if (!slice_present(message) || message.len == 0)
        return SLICE("");
    struct slice text = first_code_points(message, MESSAGE_CHARS);
    for (size_t i = 0; i < COUNT_OF(masks); i++)
        text = mask_all(arena, text, masks[i].pattern, masks[i].mask);
    return arena_copy(arena, first_code_points(text, SIGNATURE_ERROR_CHARS));
}

/* ---- the JSON object ------------------------------------------------------------------------- */

/* Next code point of valid UTF-8; moves `*at` behind it. */
static unsigned next_code_point(struct slice text, size_t *at)
{
    unsigned char lead = (unsigned char)text.ptr[(*at)++];
    if (lead < 0x80)
        return lead;
    unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    unsigned point = lead & (0x3Fu >> more);
    while (more-- > 0 && *at < text.len)
        point = point << 6 | ((unsigned char)text.ptr[(*at)++] & 0x3Fu);
    return point;
}

/* As Python's json module does, whose text the appliances hash: DEL is escaped too. */
static void append_code_point(struct buffer *out, unsigned point)
{
    static const char escapes[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (point == '"' || point == '\\')
        buffer_append_format(out, "\\%c", (char)point);
    else if (point < 0x20 && escapes[point] != 0)
        buffer_append_format(out, "\\%c", escapes[point]);
    else if (point >= 0x20 && point < 0x7F)
        buffer_append_char(out, (char)point);
    else if (point < 0x10000)
        buffer_append_format(out, "\\u%04x", point);
    else
        buffer_append_format(out, "\\u%04x\\u%04x", 0xD800 + ((point - 0x10000) >> 10),
                             0xDC00 + ((point - 0x10000) & 0x3FF));
}

static void append_member(struct buffer *out, const char *name, struct slice value)
{
    if (!slice_present(value))
        return;
    buffer_append_format(out, "%s\"%s\": \"", out->len > 1 ? ", " : "", name);
    for (size_t at = 0; at < value.len;)
        append_code_point(out, next_code_point(value, &at));
    buffer_append_char(out, '"');
}

struct slice signature_compute(struct arena *arena, const struct signature_input *input)
{
    struct buffer json = buffer_make(JSON_CEILING);
    buffer_append_char(&json, '{');
    append_member(&json, "check_type", input->check_type);
    append_member(&json, "drift_type", input->drift_type);
    append_member(&json, "error_pattern", signature_error_pattern(arena, input->error_message));
    append_member(&json, "service_name", input->service_name);
    append_member(&json, "type", input->type);
    buffer_append_char(&json, '}');
    unsigned char hash[crypto_hash_sha256_BYTES];
    struct slice text = buffer_slice(&json);
    crypto_hash_sha256(hash, (const unsigned char *)text.ptr, text.len);
    buffer_free(&json);
    char *hex = arena_alloc(arena, SIGNATURE_LENGTH + 1);
    sodium_bin2hex(hex, SIGNATURE_LENGTH + 1, hash, SIGNATURE_LENGTH / 2);
    return (struct slice){hex, SIGNATURE_LENGTH};
}

bool signature_valid(struct slice signature)
{
    if (!slice_present(signature) || signature.len < 1 || signature.len > SIGNATURE_MAX)
        return false;
    for (size_t i = 0; i < signature.len; i++) {
        char c = signature.ptr[i];
        if (!isalnum((unsigned char)c) && (c == '\0' || strchr("._:-", c) == NULL))
            return false;
    }
    return true;
}
