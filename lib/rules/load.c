#include "rules/load.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/compiler.h"
#include "rules/rule_id.h"
#include "rules/scalar.h"

enum { NESTING_LIMIT = 8, COUNTER_LIMIT = 1000000000 };

/* `%.*s` for a slice, cut so that a sentence stays readable. */
#define SHOWN(slice) (int)((slice).len < 80 ? (slice).len : 80), (slice).ptr

struct loader {
    struct arena *arena;
    struct error *error;
    yaml_document_t document;
};

#define REFUSE(loader, ...) error_set((loader)->error, ERROR_INVALID, "rule-refused", __VA_ARGS__)

/* ---- the text as a whole --------------------------------------------------------------------- */

/* What may stand in one event; `*depth` follows the nesting, `*documents` counts. */
static bool check_event(struct loader *loader, const yaml_event_t *event, int *depth,
                        int *documents)
{
    bool anchored = false;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        anchored = true;
        break;
    case YAML_SCALAR_EVENT:
        anchored = event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchored =
            event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
        ++*depth;
        break;
    case YAML_MAPPING_START_EVENT:
        anchored =
            event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
        ++*depth;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        --*depth;
        break;
    case YAML_DOCUMENT_START_EVENT:
        ++*documents;
        break;
    default:
        break;
    }
    if (anchored)
        return REFUSE(loader, "Anchors, aliases and tags are not allowed in a rule (line %zu).",
                      event->start_mark.line + 1);
    if (*depth > NESTING_LIMIT)
        return REFUSE(loader, "The rule is nested more than %d levels deep.", NESTING_LIMIT);
    return *documents <= 1 || REFUSE(loader, "A rule must be a single YAML document.");
}

static bool syntax_error(struct loader *loader, const yaml_parser_t *parser)
{
    return REFUSE(loader, "The text is not YAML: %s (line %zu).",
                  parser->problem != NULL ? parser->problem : "it cannot be read",
                  parser->problem_mark.line + 1);
}

static void set_input(yaml_parser_t *parser, struct slice yaml)
{
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)yaml.ptr, yaml.len);
}

/* A first pass over the events, before any tree is built from them. */
static bool check_events(struct loader *loader, struct slice yaml)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) != 1)
        return REFUSE(loader, "The rule could not be read: out of memory.");
    set_input(&parser, yaml);
    int depth = 0, documents = 0;
    bool good = true, ended = false;
    while (good && !ended) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) != 1) {
            good = syntax_error(loader, &parser);
            break;
        }
        good = check_event(loader, &event, &depth, &documents);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return good && (documents == 1 || REFUSE(loader, "The text holds no rule."));
}

static bool load_document(struct loader *loader, struct slice yaml)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) != 1)
        return REFUSE(loader, "The rule could not be read: out of memory.");
    set_input(&parser, yaml);
    bool loaded =
        yaml_parser_load(&parser, &loader->document) == 1 || syntax_error(loader, &parser);
    yaml_parser_delete(&parser);
    return loaded;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static yaml_node_t *node_at(struct loader *loader, int index)
{
    return yaml_document_get_node(&loader->document, index);
}

static struct slice text_of(const yaml_node_t *node)
{
    return (struct slice){(const char *)node->data.scalar.value, node->data.scalar.length};
}

static bool is_scalar(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE;
}

/* What a scalar is to YAML 1.1; quoted text is always a string. */
static enum scalar_kind kind_of(const yaml_node_t *node)
{
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return plain ? scalar_kind(text_of(node)) : SCALAR_STRING;
}

/* Names of members are strings and stand once. Quadratic, in at most 8,192 bytes. */
static bool check_mapping(struct loader *loader, const yaml_node_t *mapping)
{
    const yaml_node_pair_t *start = mapping->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = start; pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(loader, pair->key);
        if (!is_scalar(key))
            return REFUSE(loader, "A member's name must be a word (line %zu).",
                          key->start_mark.line + 1);
        for (const yaml_node_pair_t *earlier = start; earlier < pair; earlier++)
            if (slice_equal(text_of(key), text_of(node_at(loader, earlier->key))))
                return REFUSE(loader, "The member \"%.*s\" stands twice (line %zu).",
                              SHOWN(text_of(key)), key->start_mark.line + 1);
    }
    return true;
}

static bool check_nodes(struct loader *loader)
{
    const yaml_node_t *node = loader->document.nodes.start;
    for (; node < loader->document.nodes.top; node++) {
        if (node->type == YAML_MAPPING_NODE && !check_mapping(loader, node))
            return false;
        if (node->type == YAML_SCALAR_NODE &&
            memchr(node->data.scalar.value, '\0', node->data.scalar.length) != NULL)
            return REFUSE(loader, "A value holds a NUL character (line %zu).",
                          node->start_mark.line + 1);
    }
    return true;
}

/* The member's node, or NULL. */
static yaml_node_t *member(struct loader *loader, const yaml_node_t *mapping, const char *name)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    for (; pair < mapping->data.mapping.pairs.top; pair++)
        if (slice_is(text_of(node_at(loader, pair->key)), name))
            return node_at(loader, pair->value);
    return NULL;
}

/* ---- typed members --------------------------------------------------------------------------- */

static bool disputed(struct loader *loader, const char *name, const yaml_node_t *node)
{
    return REFUSE(loader, "\"%s\": readers disagree on what %.*s is; put it in quotes (line %zu).",
                  name, SHOWN(text_of(node)), node->start_mark.line + 1);
}

static bool take_text(struct loader *loader, const yaml_node_t *node, const char *name,
                      struct slice *text)
{
    if (!is_scalar(node))
        return REFUSE(loader, "\"%s\" must be a string.", name);
    if (kind_of(node) == SCALAR_DISPUTED)
        return disputed(loader, name, node);
    if (kind_of(node) != SCALAR_STRING)
        return REFUSE(loader, "\"%s\" must be a string; put %.*s in quotes (line %zu).", name,
                      SHOWN(text_of(node)), node->start_mark.line + 1);
    *text = arena_copy(loader->arena, text_of(node));
    return true;
}

static bool load_text(struct loader *loader, const yaml_node_t *mapping, const char *name,
                      struct slice *text)
{
    const yaml_node_t *node = member(loader, mapping, name);
    return node == NULL || take_text(loader, node, name, text);
}

static bool load_flag(struct loader *loader, const yaml_node_t *mapping, const char *name,
                      bool *flag)
{
    const yaml_node_t *node = member(loader, mapping, name);
    if (node == NULL)
        return true;
    enum scalar_kind kind = is_scalar(node) ? kind_of(node) : SCALAR_STRING;
    if (kind != SCALAR_TRUE && kind != SCALAR_FALSE)
        return REFUSE(loader, "\"%s\" must be true or false.", name);
    *flag = kind == SCALAR_TRUE;
    return true;
}

static bool take_number(struct loader *loader, const yaml_node_t *node, const char *name,
                        double *number)
{
    *number = strtod((const char *)node->data.scalar.value, NULL);
    return isfinite(*number) || REFUSE(loader, "\"%s\" is too large a number.", name);
}

static bool load_count(struct loader *loader, const yaml_node_t *mapping, const char *name,
                       int32_t least, int32_t *count)
{
    const yaml_node_t *node = member(loader, mapping, name);
    if (node == NULL)
        return true;
    double number = NAN;
    if (is_scalar(node) && kind_of(node) == SCALAR_NUMBER &&
        !take_number(loader, node, name, &number))
        return false;
    if (!(number >= least && number <= COUNTER_LIMIT) || number != trunc(number))
        return REFUSE(loader, "\"%s\" must be a whole number from %d to %d.", name, (int)least,
                      COUNTER_LIMIT);
    *count = (int32_t)number;
    return true;
}

static bool load_names(struct loader *loader, const yaml_node_t *mapping, const char *name,
                       struct rule_names *names)
{
    const yaml_node_t *node = member(loader, mapping, name);
    if (node == NULL)
        return true;
    if (node->type != YAML_SEQUENCE_NODE)
        return REFUSE(loader, "\"%s\" must be a list of strings.", name);
    const yaml_node_item_t *item = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - item);
    struct slice *items = arena_array(loader->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++)
        if (!take_text(loader, node_at(loader, item[i]), name, &items[i]))
            return false;
    *names = (struct rule_names){items, count};
    return true;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static bool load_scalar(struct loader *loader, const yaml_node_t *node, struct rule_value *value)
{
    switch (kind_of(node)) {
    case SCALAR_STRING:
        *value = (struct rule_value){.type = RULE_STRING,
                                     .text = arena_copy(loader->arena, text_of(node))};
        return true;
    case SCALAR_TRUE:
    case SCALAR_FALSE:
        *value = (struct rule_value){.type = RULE_BOOL, .truth = kind_of(node) == SCALAR_TRUE};
        return true;
    case SCALAR_NUMBER:
        *value = (struct rule_value){.type = RULE_NUMBER};
        return take_number(loader, node, "value", &value->number);
    case SCALAR_DISPUTED:
        return disputed(loader, "value", node);
    case SCALAR_NULL:
        break;
    }
    return REFUSE(loader, "A condition has no \"value\" (line %zu).", node->start_mark.line + 1);
}

static bool load_list(struct loader *loader, const yaml_node_t *node, struct rule_value *value)
{
    const yaml_node_item_t *item = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - item);
    struct rule_value *items = arena_array(loader->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *element = node_at(loader, item[i]);
        if (!is_scalar(element))
            return REFUSE(loader,
                          "A list of values must hold strings, numbers and booleans only "
                          "(line %zu).",
                          element->start_mark.line + 1);
        if (!load_scalar(loader, element, &items[i]))
            return false;
    }
    *value = (struct rule_value){.type = RULE_LIST, .items = items, .item_count = count};
    return true;
}

static bool check_regex(struct loader *loader, struct slice pattern)
{
    int code = 0;
    PCRE2_SIZE where = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, PCRE2_UTF, &code, &where, NULL);
    if (compiled != NULL) {
        pcre2_code_free(compiled);
        return true;
    }
    char reason[120] = "";
    pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
    return REFUSE(loader, "The regular expression \"%.*s\" is invalid: %s.", SHOWN(pattern),
                  reason);
}

/* The types of value that an operator can work with. */
static bool check_operand(struct loader *loader, const struct rule_condition *condition)
{
    const char *name = rule_operator_name(condition->op);
    enum rule_value_type type = condition->value.type;
    switch (condition->op) {
    case RULE_IN:
    case RULE_NOT_IN:
        return type == RULE_LIST || REFUSE(loader, "\"%s\" needs a list as its value.", name);
    case RULE_EXISTS:
        return type == RULE_BOOL ||
               REFUSE(loader, "\"%s\" needs true or false as its value.", name);
    case RULE_REGEX:
        if (type != RULE_STRING)
            return REFUSE(loader, "\"%s\" needs a string as its value.", name);
        return check_regex(loader, condition->value.text);
    case RULE_GT:
    case RULE_LT:
        return type == RULE_NUMBER || type == RULE_STRING ||
               REFUSE(loader, "\"%s\" needs a number as its value.", name);
    default:
        return type != RULE_LIST || REFUSE(loader, "\"%s\" cannot have a list as its value.", name);
    }
}

static bool load_condition(struct loader *loader, const yaml_node_t *node,
                           struct rule_condition *condition)
{
    struct slice op = SLICE_ABSENT;
    if (node->type != YAML_MAPPING_NODE)
        return REFUSE(loader,
                      "A condition must have the members field, operator and value "
                      "(line %zu).",
                      node->start_mark.line + 1);
    if (!load_text(loader, node, "field", &condition->field) ||
        !load_text(loader, node, "operator", &op))
        return false;
    if (!slice_present(condition->field) || condition->field.len == 0)
        return REFUSE(loader, "A condition has no \"field\" (line %zu).",
                      node->start_mark.line + 1);
    if (!slice_present(op))
        return REFUSE(loader, "A condition has no \"operator\" (line %zu).",
                      node->start_mark.line + 1);
    if (!rule_operator_find(op, &condition->op))
        return REFUSE(loader, "\"%.*s\" is not an operator (line %zu).", SHOWN(op),
                      node->start_mark.line + 1);
    const yaml_node_t *value = member(loader, node, "value");
    bool loaded;
    if (value != NULL && value->type == YAML_SCALAR_NODE)
        loaded = load_scalar(loader, value, &condition->value);
    else if (value != NULL && value->type == YAML_SEQUENCE_NODE)
        loaded = load_list(loader, value, &condition->value);
    else
        loaded = REFUSE(loader, "A condition's \"value\" must be a string, number, boolean or list (line %zu).",
                        node->start_mark.line + 1);
    return loaded && check_operand(loader, condition);
}

static bool load_conditions(struct loader *loader, const yaml_node_t *root, struct rule *rule)
{
    const yaml_node_t *node = member(loader, root, "conditions");
    if (node == NULL || node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.top == node->data.sequence.items.start)
        return REFUSE(loader, "The rule has no conditions, so it would match every incident.");
    const yaml_node_item_t *item = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - item);
    struct rule_condition *conditions = arena_array(loader->arena, count, sizeof *conditions);
    for (size_t i = 0; i < count; i++)
        if (!load_condition(loader, node_at(loader, item[i]), &conditions[i]))
            return false;
    rule->conditions = conditions;
    rule->condition_count = count;
    return true;
}

/* ---- the rule -------------------------------------------------------------------------------- */

static bool load_action(struct loader *loader, const yaml_node_t *root, struct rule *rule)
{
    if (!load_text(loader, root, "action", &rule->action))
        return false;
    if (!rule_action_known(rule->action))
        return REFUSE(loader, "\"action\" must be one of %s.", rule_actions_text());
    const yaml_node_t *params = member(loader, root, "action_params");
    if (params == NULL)
        return true;
    if (params->type != YAML_MAPPING_NODE)
        return REFUSE(loader, "\"action_params\" must be a mapping.");
    return load_text(loader, params, "runbook_id", &rule->action_params.runbook_id) &&
           load_names(loader, params, "phases", &rule->action_params.phases);
}

static bool load_rule(struct loader *loader, struct rule *rule)
{
    const yaml_node_t *root = yaml_document_get_root_node(&loader->document);
    if (root == NULL || root->type != YAML_MAPPING_NODE)
        return REFUSE(loader, "A rule must be a mapping of members.");
    if (!check_nodes(loader))
        return false;
    if (member(loader, root, "rules") != NULL)
        return REFUSE(loader, "A list of rules (\"rules\") is not one rule.");
    *rule = (struct rule){
        .enabled = true,
        .priority = RULE_PRIORITY,
        .cooldown_seconds = RULE_COOLDOWN_SECONDS,
        .max_retries = RULE_MAX_RETRIES,
    };
    if (!load_text(loader, root, "id", &rule->id))
        return false;
    if (!rule_id_valid(rule->id))
        return REFUSE(loader, "\"id\" must have 3 to 64 characters of A-Z, a-z, 0-9, _ and -.");
    return load_text(loader, root, "name", &rule->name) &&
           load_text(loader, root, "description", &rule->description) &&
           load_conditions(loader, root, rule) && load_action(loader, root, rule) &&
           load_names(loader, root, "hipaa_controls", &rule->hipaa_controls) &&
           load_names(loader, root, "severity_filter", &rule->severity_filter) &&
           load_flag(loader, root, "enabled", &rule->enabled) &&
           load_count(loader, root, "priority", -COUNTER_LIMIT, &rule->priority) &&
           load_count(loader, root, "cooldown_seconds", 0, &rule->cooldown_seconds) &&
           load_count(loader, root, "max_retries", 0, &rule->max_retries) &&
           load_text(loader, root, "source", &rule->source);
}

bool rule_load_yaml(struct arena *arena, struct slice yaml, struct rule *out, struct error *error)
{
    struct loader loader = {.arena = arena, .error = error};
    if (!slice_present(yaml) || yaml.len > RULE_YAML_LIMIT)
        return REFUSE(&loader, "A rule must have at most %d bytes.", RULE_YAML_LIMIT);
    if (!check_events(&loader, yaml) || !load_document(&loader, yaml))
        return false;
    bool loaded = load_rule(&loader, out);
    yaml_document_delete(&loader.document);
    return loaded;
}
