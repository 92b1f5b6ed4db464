/* JSON documents: what json_parse accepts, cJSON reads the same, and json_copy renders it so that it comes back the same. */
#include <cjson/cJSON.h>

#include "fuzz.h"

static cJSON *reference(struct slice text)
{
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
    MUST(tree != NULL);
    for (; end < text.ptr + text.len; end++)
        MUST(memchr(" \t\r\n", *end, 4) != NULL);
    return tree;
}

static void check_as_cjson(struct slice text, struct slice rendered)
{
    cJSON *read = reference(text), *again = reference(rendered);
    MUST(cJSON_Compare(read, again, 1));
    cJSON_Delete(read);
    cJSON_Delete(again);
}

static void check_names(const struct json *value)
{
    for (const struct json *child = json_first(value); child != NULL; child = json_next(child)) {
        if (json_type_of(value) == JSON_OBJECT)
            MUST(json_member(value, json_name(child)) == child);
        check_names(child);
    }
}

void fuzz_one(struct arena *arena, struct slice input)
{
    char why[160] = "";
    const struct json *document = json_parse(arena, input, why, sizeof why);
    if (document == NULL) {
        MUST(fuzz_is_message(why));
        return;
    }
    struct slice once = fuzz_render(arena, document);
    const struct json *again = fuzz_parse(arena, once);
    MUST(fuzz_same_json(document, again));
    MUST(slice_equal(once, fuzz_render(arena, again)));
    check_names(document);
    check_as_cjson(input, once);
}
