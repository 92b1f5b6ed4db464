#include "http/endpoint.h"

#include "base/json.h"

/* Matches `path` against a template with at most one `{id}`, which takes one non-empty segment. */
static bool path_fits(const char *template, struct slice path, struct slice *id)
{
    const char *hole = strstr(template, "{id}");
    if (hole == NULL)
        return slice_is(path, template);
    size_t before = (size_t)(hole - template);
    const char *after = hole + strlen("{id}");
    size_t after_len = strlen(after);
    if (!slice_present(path) || path.len <= before + after_len || memcmp(path.ptr, template, before) != 0 ||
        memcmp(path.ptr + path.len - after_len, after, after_len) != 0)
        return false;
    *id = (struct slice){path.ptr + before, path.len - before - after_len};
    return memchr(id->ptr, '/', id->len) == NULL;
}

const struct endpoint *endpoint_find(const struct endpoint *table, size_t count, struct slice method, struct slice path,
                                     struct slice *id, struct buffer *allow)
{
    *id = SLICE_ABSENT;
    for (size_t i = 0; i < count; i++) {
        /* Without any path (a person at a shell), a program with one endpoint knows what is meant. */
        bool only = !slice_present(path) && count == 1;
        if (!only && !path_fits(table[i].path, path, id))
            continue;
        if (slice_is(method, table[i].method))
            return &table[i];
        buffer_append_format(allow, "%s%s", allow->len > 0 ? ", " : "", table[i].method);
        if (strcmp(table[i].method, "GET") == 0)
            buffer_append_text(allow, ", HEAD");
    }
    return NULL;
}

static const char *type_name(enum input_type type)
{
    static const char *const names[] = {
        [INPUT_NAME] = "name",       [INPUT_PROSE] = "prose",     [INPUT_SECRET] = "secret",
        [INPUT_INTEGER] = "integer", [INPUT_BOOLEAN] = "boolean", [INPUT_CHOICE] = "choice",
        [INPUT_CHOICES] = "choices",
    };
    return names[type];
}

static void describe_inputs(struct json_writer *json, const char *name, const struct input *table, size_t count)
{
    json_open_array(json, name);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", table[i].name);
        json_text(json, "type", type_name(table[i].type));
        json_bool(json, "required", table[i].required);
        json_integer(json, "lowest", table[i].lowest);
        json_integer(json, "highest", table[i].highest);
        if (table[i].choices != NULL) {
            json_open_array(json, "choices");
            for (size_t c = 0; table[i].choices[c] != NULL; c++)
                json_text(json, NULL, table[i].choices[c]);
            json_close(json);
        }
        json_close(json);
    }
    json_close(json);
}

void endpoint_describe(const struct endpoint *table, size_t count, struct buffer *out)
{
    static const char *const access_names[] = {
        [ACCESS_PUBLIC] = "public", [ACCESS_READ] = "read",       [ACCESS_DECIDE] = "decide", [ACCESS_ADMIN] = "admin",
        [ACCESS_USER] = "user",     [ACCESS_SESSION] = "session", [ACCESS_AGENT] = "agent",
    };
    static const char *const body_names[] = {[BODY_NONE] = "none", [BODY_CLOSED] = "closed", [BODY_OPEN] = "open"};
    struct json_writer json = json_writer_make(out);
    json_open_array(&json, NULL);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json, NULL);
        json_text(&json, "operation", table[i].operation);
        json_text(&json, "method", table[i].method);
        json_text(&json, "path", table[i].path);
        json_text(&json, "access", access_names[table[i].access]);
        json_text(&json, "body", body_names[table[i].body]);
        json_integer(&json, "body_limit", (int64_t)table[i].body_limit);
        describe_inputs(&json, "query", table[i].query, table[i].query_count);
        describe_inputs(&json, "members", table[i].members, table[i].member_count);
        json_close(&json);
    }
    json_writer_end(&json);
}
