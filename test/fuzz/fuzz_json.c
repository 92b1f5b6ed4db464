/* JSON documents: json_parse accepts what the grammar of RFC 8259 allows, but for what it says it refuses besides; what it
 * accepts, cJSON reads the same, and json_copy renders so that it comes back the same. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <cjson/cJSON.h>
#include <pcre2.h>

#include "base/compiler.h"
#include "fuzz.h"

/* The grammar, by way of a machine that is not ours. */
static const char GRAMMAR[] =
    "(?(DEFINE)(?<space>[\\x20\\t\\n\\r]*+)"
    "(?<number>-?+(?:0|[1-9][0-9]*+)(?:\\.[0-9]++)?+(?:[eE][-+]?+[0-9]++)?+)"
    "(?<string>\"(?:[^\"\\\\\\x{00}-\\x{1f}]|\\\\(?:[\"\\\\/bfnrt]|u[0-9a-fA-F]{4}))*+\")"
    "(?<member>(?&space)(?&string)(?&space):(?&value))"
    "(?<object>\\{(?:(?&member)(?:,(?&member))*+|(?&space))\\})"
    "(?<array>\\[(?:(?&value)(?:,(?&value))*+|(?&space))\\])"
    "(?<value>(?&space)(?:true|false|null|(?&number)|(?&string)|(?&object)|(?&array))(?&space)))"
    "\\A(?&value)\\z";

/* 1: in the grammar, 0: not, -1: cannot be told. */
static int by_grammar(struct slice text)
{
    static pcre2_code *grammar;
    int code;
    PCRE2_SIZE where;
    if (grammar == NULL)
        grammar = pcre2_compile((PCRE2_SPTR)GRAMMAR, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &where, NULL);
    MUST(grammar != NULL);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(grammar, NULL);
    int result = pcre2_match(grammar, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, NULL);
    pcre2_match_data_free(data);
    bool no = result == PCRE2_ERROR_NOMATCH || (result <= PCRE2_ERROR_UTF8_ERR1 && result >= PCRE2_ERROR_UTF8_ERR21);
    return result >= 0 ? 1 : no ? 0 : -1;
}

/* What is refused although the grammar allows it; see base/json_check.h. */
static bool is_refusal_besides(const char *why)
{
    static const char *const reasons[] = {"\\u0000", "half of a surrogate pair", "deeper nesting", "more values",
                                          "a number of more than 60", "a number that is too large", "the member"};
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (strncmp(why, reasons[i], strlen(reasons[i])) == 0)
            return true;
    return false;
}

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
    int grammatical = by_grammar(input);
    if (document == NULL) {
        MUST(fuzz_is_message(why) && (grammatical != 1 || is_refusal_besides(why)));
        return;
    }
    MUST(grammatical != 0);
    struct slice once = fuzz_render(arena, document);
    const struct json *again = fuzz_parse(arena, once);
    MUST(fuzz_same_json(document, again));
    MUST(slice_equal(once, fuzz_render(arena, again)));
    check_names(document);
    check_as_cjson(input, once);
}
