#include "rules/redact.h"

#include <ctype.h>
#include <string.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "rules/redact_scan.h"

/* Where what is to be replaced lies: `keep` bytes from here stay, the next `len` go. Nothing found: both 0. With `len` 0 the
 * kept bytes are copied as they are, whatever is in them. */
static const struct found NOTHING = {0, 0};

/* The recognisers, in the order in which they are tried where a word, or one of their special characters, begins. */
static const struct {
    struct found (*find)(const struct scan *scan);
    const char *mask;
} recognisers[] = {
    {scan_private_key, "<SECRET>"}, {scan_moment, NULL},           {scan_uuid, NULL},         {scan_url_login, "<SECRET>"},
    {scan_email, "<EMAIL>"},        {scan_known_secret, "<SECRET>"}, {scan_bearer, "<SECRET>"}, {scan_secret_value, "<SECRET>"},
    {scan_user_value, "<USER>"},    {scan_personal_value, "<PERSONAL>"}, {scan_user_in_path, "<USER>"}, {scan_sid, "<SID>"},
    {scan_address, "<IP>"},         {scan_number, "<NUMBER>"},     {scan_random_word, "<SECRET>"},
};

static struct found find(const struct scan *scan, const char **mask)
{
    for (size_t i = 0; i < COUNT_OF(recognisers); i++) {
        struct found found = recognisers[i].find(scan);
        *mask = recognisers[i].mask;
        if (found.keep + found.len > 0)
            return found;
    }
    return NOTHING;
}

/* Whether something may begin here: behind a word character only where the signs of paths and URLs stand. */
static bool may_begin(const struct scan *scan)
{
    char c = *scan->at;
    if (scan_is_word(c))
        return scan->at == scan->begin || !scan_is_word(scan->at[-1]) || scan->at[-1] == '_';
    return c == '/' || c == '\\' || c == ':' || c == '-' || c == '+' || c == '(';
}

/* Bytes up to the next place where something may begin, at least one. */
static size_t step(const struct scan *scan)
{
    const char *at = scan->at + 1;
    if (scan_is_word(*scan->at) && *scan->at != '_')
        while (at < scan->end && scan_is_word(*at) && at[-1] != '_')
            at++;
    return (size_t)(at - scan->at);
}

/* One pass over the text; the text itself when nothing was found. */
static struct slice redact_once(struct arena *arena, struct slice text)
{
    struct scan scan = {text.ptr, text.ptr, text.ptr + text.len, SLICE_ABSENT};
    /* A mask has ten characters at most and stands for at least one. */
    struct buffer out = buffer_make(text.len * 10 + 1);
    const char *copied = text.ptr, *mask = NULL;
    while (scan.at < scan.end) {
        struct found found = may_begin(&scan) ? find(&scan, &mask) : NOTHING;
        if (found.len > 0) {
            buffer_append(&out, (struct slice){copied, (size_t)(scan.at + found.keep - copied)});
            buffer_append_text(&out, mask);
            copied = scan.at + found.keep + found.len;
            scan.previous = SLICE_ABSENT;
        }
        size_t ahead = found.keep + found.len;
        if (ahead == 0) {
            ahead = step(&scan);
            if (isalpha((unsigned char)*scan.at))
                scan.previous = (struct slice){scan.at, ahead};
        }
        scan.at += ahead;
    }
    if (copied == text.ptr) {
        buffer_free(&out);
        return text;
    }
    buffer_append(&out, (struct slice){copied, (size_t)(scan.end - copied)});
    struct slice redacted = arena_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return redacted;
}

/* A mask ends what stood before it, and so may bring out something more: until there is nothing left. */
struct slice redact_text(struct arena *arena, struct slice text)
{
    enum { PASSES = 8 };
    for (int pass = 0; pass < PASSES; pass++) {
        struct slice next = redact_once(arena, text);
        if (next.ptr == text.ptr || slice_equal(next, text))
            break;
        text = next;
    }
    return text;
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

/* A text that was cut ends with the last whole word, when that is near: half an address is not recognised. */
static size_t whole_words(struct slice text, size_t len)
{
    enum { NEAR = 512 };
    if (len == text.len)
        return len;
    for (size_t i = len; i > 0 && len - i < NEAR; i--)
        if (text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '\n')
            return i;
    return len;
}

struct slice redact_and_cut(struct arena *arena, struct slice text, size_t limit)
{
    enum { MARGIN = 4 }; /* masks are mostly shorter than what they stand for */
    if (!slice_present(text))
        return text;
    text.len = whole_words(text, bytes_of(text, limit * MARGIN));
    struct slice redacted = redact_text(arena, text);
    redacted.len = bytes_of(redacted, limit);
    return redacted;
}
