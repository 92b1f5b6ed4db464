#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "http/problem.h"

enum { ARENA_LIMIT = 256 * 1024 * 1024, RENDER_LIMIT = 64 * 1024 * 1024 };

void fuzz_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: this must hold: %s\n", file, line, condition);
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    MUST(crypto_start());
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    if (arena == NULL)
        arena = arena_new(ARENA_LIMIT);
    fuzz_one(arena, size > 0 ? (struct slice){(const char *)data, size} : SLICE(""));
    arena_reset(arena);
    return 0;
}

struct slice fuzz_take(struct slice *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\0', rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    struct slice member = {rest->ptr, len};
    len += end != NULL;
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return member;
}

struct slice fuzz_take_text(struct slice *rest)
{
    struct slice text = fuzz_take(rest);
    return slice_is(text, "~") || !slice_is_utf8(text) ? SLICE_ABSENT : text;
}

long long fuzz_take_number(struct slice *rest)
{
    char text[32] = "";
    struct slice digits = fuzz_take(rest);
    memcpy(text, digits.ptr, digits.len < sizeof text ? digits.len : sizeof text - 1);
    return strtoll(text, NULL, 10);
}

static void free_exact(void *memory)
{
    free(memory);
}

struct slice fuzz_exact(struct arena *arena, struct slice text)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    MUST(copy != NULL);
    memcpy(copy, text.ptr, text.len);
    arena_on_reset(arena, free_exact, copy);
    return (struct slice){copy, text.len};
}

bool fuzz_is_message(const char *text)
{
    return text[0] != '\0' && slice_is_utf8(slice_of(text));
}

void fuzz_check_error(struct arena *arena, const struct error *error)
{
    MUST(error->kind != ERROR_NONE && error->slug != NULL);
    MUST(fuzz_is_message(error->detail));
    for (size_t i = 0; i < error->item_count; i++) {
        MUST(fuzz_is_message(error->items[i].pointer) && error->items[i].pointer[0] == '/');
        MUST(fuzz_is_message(error->items[i].detail));
    }
    struct http_response response = {.body = buffer_make(RENDER_LIMIT)};
    problem_respond(error, "fuzz", &response);
    MUST(buffer_ok(&response.body) && response.status >= 400);
    (void)fuzz_parse(arena, buffer_slice(&response.body));
    buffer_free(&response.body);
}

const struct json *fuzz_parse(struct arena *arena, struct slice rendered)
{
    char why[160];
    const struct json *document = json_parse(arena, rendered, why, sizeof why);
    if (document == NULL)
        fprintf(stderr, "%s: %.*s\n", why, (int)rendered.len, rendered.ptr);
    MUST(document != NULL);
    return document;
}

static bool same_value(const struct json *a, const struct json *b)
{
    switch (json_type_of(a)) {
    case JSON_BOOL:
        return json_as_bool(a) == json_as_bool(b);
    case JSON_NUMBER:
        return json_as_number(a) == json_as_number(b);
    case JSON_STRING:
        return slice_equal(json_as_string(a), json_as_string(b));
    default:
        return true;
    }
}

bool fuzz_same_json(const struct json *a, const struct json *b)
{
    if (json_type_of(a) != json_type_of(b) || !same_value(a, b))
        return false;
    bool named = json_type_of(a) == JSON_OBJECT;
    for (a = json_first(a), b = json_first(b); a != NULL && b != NULL; a = json_next(a), b = json_next(b))
        if ((named && strcmp(json_name(a), json_name(b)) != 0) || !fuzz_same_json(a, b))
            return false;
    return a == NULL && b == NULL;
}

void fuzz_check_numbers(struct slice json)
{
    bool quoted = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i], before = i > 0 ? json.ptr[i - 1] : ' ';
        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else if ((c == 'e' || c == 'E') && before >= '0' && before <= '9')
            MUST(labs(strtol(json.ptr + i + 1, NULL, 10)) <= 400);
    }
}

struct slice fuzz_render(struct arena *arena, const struct json *document)
{
    struct buffer text = buffer_make(RENDER_LIMIT);
    struct json_writer writer = json_writer_make(&text);
    json_copy(&writer, NULL, document);
    MUST(buffer_ok(&text));
    struct slice rendered = arena_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    fuzz_check_numbers(rendered);
    return rendered;
}

struct slice fuzz_text_of(const struct json *object, const char *name)
{
    const struct json *member = json_member(object, name);
    MUST(json_type_of(member) == JSON_STRING || json_type_of(member) == JSON_NULL);
    return json_as_string(member);
}
