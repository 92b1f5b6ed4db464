#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_check.h"

/* `struct json` is never defined: a pointer to one is a pointer to cJSON's node. */
static const cJSON *node_of(const struct json *value)
{
    return (const cJSON *)(const void *)value;
}

static const struct json *json_of(const cJSON *node)
{
    return (const struct json *)(const void *)node;
}

static void delete_tree(void *tree)
{
    cJSON_Delete(tree);
}

static void explain(char *why, size_t why_size, const char *reason, size_t offset)
{
    snprintf(why, why_size, "%s at byte %zu", reason, offset);
}

/* ---- duplicate members ----------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorting keeps an object of many members from costing the square of their number. */
static const char *find_duplicate(const cJSON *object)
{
    size_t count = json_count(json_of(object));
    if (count < 2)
        return NULL;
    const char *few[16];
    const char **names = count <= COUNT_OF(few) ? few : malloc(count * sizeof *names);
    if (names == NULL)
        return object->child->string; /* out of memory: refusing is the safe side */
    size_t filled = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next)
        names[filled++] = member->string;
    qsort(names, filled, sizeof *names, compare_names);
    const char *duplicate = NULL;
    for (size_t i = 1; i < filled && duplicate == NULL; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            duplicate = names[i];
    if (names != few)
        free(names);
    return duplicate;
}

/* ---- numbers as they were written ------------------------------------------------------------ */

struct survey {
    const struct json_census *census;
    size_t numbers;  /* met so far */
    size_t restored; /* of census->exact */
    const char *duplicate;
};

static bool has_exponent(struct slice number)
{
    return memchr(number.ptr, 'e', number.len) != NULL || memchr(number.ptr, 'E', number.len) != NULL;
}

/* cJSON keeps a double only. Where that would print differently, the node carries the number's own
 * text in valuestring, which cJSON leaves NULL for numbers and frees with the node. */
static bool restore_text(struct survey *survey, cJSON *number)
{
    size_t ordinal = survey->numbers++;
    if (survey->restored == survey->census->exact_count ||
        survey->census->exact[survey->restored].ordinal != ordinal)
        return true;
    struct slice text = survey->census->exact[survey->restored++].text;
    /* Too small for a double, or zero in spite of its exponent: PostgreSQL's numeric has no room for `1e-20000`. */
    if (number->valuedouble == 0.0 && has_exponent(text))
        return true;
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    number->valuestring = copy;
    return true;
}

/* Visits the tree in document order; the check has bounded its depth. */
static bool survey_tree(struct survey *survey, cJSON *node)
{
    if (cJSON_IsNumber(node))
        return restore_text(survey, node);
    if (cJSON_IsObject(node)) {
        survey->duplicate = find_duplicate(node);
        if (survey->duplicate != NULL)
            return false;
    }
    for (cJSON *child = node->child; child != NULL; child = child->next)
        if (!survey_tree(survey, child))
            return false;
    return true;
}

/* Bytes of a name that a sentence shows: whole characters, 60 at most. */
static int shown_of(const char *name)
{
    struct slice rest = slice_of(name);
    size_t shown = 0, length = slice_character(rest);
    for (; length > 0 && shown + length <= 60; length = slice_character(rest)) {
        shown += length;
        rest = (struct slice){rest.ptr + length, rest.len - length};
    }
    return (int)shown;
}

static const struct json *adopt(struct arena *arena, cJSON *tree, const struct json_census *census,
                                char *why, size_t why_size)
{
    struct survey survey = {.census = census};
    if (!survey_tree(&survey, tree)) {
        if (survey.duplicate != NULL)
            snprintf(why, why_size, "the member \"%.*s\" twice in one object",
                     shown_of(survey.duplicate), survey.duplicate);
        else
            snprintf(why, why_size, "more than memory holds");
        cJSON_Delete(tree);
        return NULL;
    }
    arena_on_reset(arena, delete_tree, tree);
    return json_of(tree);
}

const struct json *json_parse(struct arena *arena, struct slice text, char *why, size_t why_size)
{
    struct slice checked = slice_present(text) ? text : SLICE("");
    struct json_census census;
    struct json_flaw flaw;
    if (!json_check(checked, JSON_PARSE_DEPTH, JSON_PARSE_VALUES, &census, &flaw)) {
        free(census.exact);
        explain(why, why_size, flaw.reason, flaw.offset);
        return NULL;
    }
    const char *end = checked.ptr;
    cJSON *tree = cJSON_ParseWithLengthOpts(checked.ptr, checked.len, &end, 0);
    const struct json *document = NULL;
    if (tree == NULL)
        explain(why, why_size, "something unreadable", (size_t)(end - checked.ptr));
    else
        document = adopt(arena, tree, &census, why, why_size);
    free(census.exact);
    return document;
}

/* ---- looking --------------------------------------------------------------------------------- */

enum json_type json_type_of(const struct json *value)
{
    if (value == NULL)
        return JSON_ABSENT;
    switch (node_of(value)->type & 0xFF) {
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_ABSENT] = "nothing",   [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean",
        [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object",
    };
    return (unsigned)type < COUNT_OF(names) ? names[type] : "nothing";
}

const struct json *json_member(const struct json *object, const char *name)
{
    if (json_type_of(object) != JSON_OBJECT)
        return NULL;
    return json_of(cJSON_GetObjectItemCaseSensitive(node_of(object), name));
}

const struct json *json_first(const struct json *container)
{
    enum json_type type = json_type_of(container);
    return type == JSON_OBJECT || type == JSON_ARRAY ? json_of(node_of(container)->child) : NULL;
}

const struct json *json_next(const struct json *value)
{
    return value != NULL ? json_of(node_of(value)->next) : NULL;
}

size_t json_count(const struct json *container)
{
    size_t count = 0;
    for (const struct json *child = json_first(container); child != NULL; child = json_next(child))
        count++;
    return count;
}

const char *json_name(const struct json *member)
{
    return member != NULL ? node_of(member)->string : NULL;
}

struct slice json_as_string(const struct json *value)
{
    return json_type_of(value) == JSON_STRING ? slice_of(node_of(value)->valuestring)
                                              : SLICE_ABSENT;
}

bool json_as_bool(const struct json *value)
{
    return value != NULL && cJSON_IsTrue(node_of(value));
}

double json_as_number(const struct json *value)
{
    return json_type_of(value) == JSON_NUMBER ? node_of(value)->valuedouble : 0.0;
}

bool json_as_integer(const struct json *value, int64_t *integer)
{
    double number = json_as_number(value);
    if (json_type_of(value) != JSON_NUMBER || number != trunc(number) ||
        fabs(number) > 9007199254740991.0)
        return false;
    *integer = (int64_t)number;
    return true;
}

/* ---- copying --------------------------------------------------------------------------------- */

static void copy_number(struct json_writer *writer, const char *name, const struct json *value)
{
    int64_t integer = 0;
    const char *text = node_of(value)->valuestring;
    if (text != NULL)
        json_number(writer, name, slice_of(text));
    else if (json_as_integer(value, &integer))
        json_integer(writer, name, integer);
}

static void copy_children(struct json_writer *writer, const struct json *container)
{
    for (const struct json *child = json_first(container); child != NULL; child = json_next(child))
        json_copy(writer, json_name(child), child);
    json_close(writer);
}

void json_copy(struct json_writer *writer, const char *name, const struct json *value)
{
    switch (json_type_of(value)) {
    case JSON_BOOL:
        json_bool(writer, name, json_as_bool(value));
        break;
    case JSON_NUMBER:
        copy_number(writer, name, value);
        break;
    case JSON_STRING:
        json_string(writer, name, json_as_string(value));
        break;
    case JSON_ARRAY:
        json_open_array(writer, name);
        copy_children(writer, value);
        break;
    case JSON_OBJECT:
        json_open_object(writer, name);
        copy_children(writer, value);
        break;
    case JSON_NULL:
    case JSON_ABSENT:
        json_null(writer, name);
        break;
    }
}
