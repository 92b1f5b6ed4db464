#include "rules/load_tree.h"

#include <stdlib.h>
#include <yaml.h>

#include "rules/load_members.h"

/* ---- bytes --------------------------------------------------------------------------------------- */

/* libyaml counts characters; this follows them through the text, forward only. */
struct place {
    struct slice text;
    size_t character, byte;
};

static size_t byte_of(struct place *place, size_t character)
{
    while (place->character < character && place->byte < place->text.len) {
        place->byte++;
        while (place->byte < place->text.len && ((unsigned char)place->text.ptr[place->byte] & 0xC0) == 0x80)
            place->byte++;
        place->character++;
    }
    return place->byte;
}

/* ---- building ------------------------------------------------------------------------------------ */

/* A list or mapping whose end has not come yet. */
struct open_node {
    struct tree_node *node;
    struct tree_node *last; /* child */
    size_t children;
    bool is_flow; /* in brackets */
};

struct builder {
    struct loader loader;
    struct place place;
    struct open_node open[TREE_DEPTH];
    size_t depth;
    size_t documents;
    struct tree_node *root;
};

static bool add_node(struct builder *builder, struct tree_node *node)
{
    if (builder->depth == 0) {
        builder->root = node;
        return true;
    }
    struct open_node *parent = &builder->open[builder->depth - 1];
    bool is_name = parent->node->type == TREE_MAPPING && parent->children % 2 == 0;
    if (is_name && node->type != TREE_SCALAR)
        return REFUSE(&builder->loader, "A member's name must be a word (line %u).", node->line);
    if (parent->last == NULL)
        parent->node->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    parent->children++;
    return true;
}

static struct tree_node *make_node(struct builder *builder, enum tree_type type, const yaml_event_t *event)
{
    struct tree_node *node = arena_alloc(builder->loader.arena, sizeof *node);
    node->type = type;
    node->line = (uint32_t)event->start_mark.line + 1;
    node->start = byte_of(&builder->place, event->start_mark.index);
    return node;
}

static bool add_scalar(struct builder *builder, const yaml_event_t *event)
{
    struct tree_node *node = make_node(builder, TREE_SCALAR, event);
    struct slice text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->end = byte_of(&builder->place, event->end_mark.index);
    node->text = arena_copy(builder->loader.arena, text);
    if (memchr(text.ptr, '\0', text.len) != NULL)
        return REFUSE(&builder->loader, "A value holds a NUL character (line %u).", node->line);
    return add_node(builder, node);
}

static bool open_node(struct builder *builder, enum tree_type type, const yaml_event_t *event, bool is_flow)
{
    struct tree_node *node = make_node(builder, type, event);
    if (builder->depth == TREE_DEPTH)
        return REFUSE(&builder->loader, "The rule is nested more than %d levels deep (line %u).", TREE_DEPTH, node->line);
    if (!add_node(builder, node))
        return false;
    builder->open[builder->depth++] = (struct open_node){.node = node, .is_flow = is_flow};
    return true;
}

static int compare_names(const void *left, const void *right)
{
    const struct tree_node *const *a = left, *const *b = right;
    int order = slice_compare((*a)->text, (*b)->text);
    return order != 0 ? order : ((*a)->line > (*b)->line) - ((*a)->line < (*b)->line);
}

/* Sorting keeps a mapping of many members from costing the square of their number. */
static bool names_differ(struct builder *builder, const struct tree_node *mapping)
{
    const struct tree_node **names = arena_array(builder->loader.arena, mapping->count, sizeof(struct tree_node *));
    size_t filled = 0;
    for (const struct tree_node *name = mapping->first; name != NULL; name = name->next->next)
        names[filled++] = name;
    if (filled > 1)
        qsort(names, filled, sizeof(struct tree_node *), compare_names);
    for (size_t i = 1; i < filled; i++)
        if (slice_equal(names[i - 1]->text, names[i]->text))
            return REFUSE(&builder->loader, "The member \"%.*s\" stands twice (line %u).", SHOWN(names[i]->text),
                          names[i]->line);
    return true;
}

static bool close_node(struct builder *builder, const yaml_event_t *event)
{
    if (builder->depth == 0)
        return REFUSE(&builder->loader, "The text is not YAML: an end without a beginning.");
    const struct open_node *closed = &builder->open[--builder->depth];
    struct tree_node *node = closed->node;
    if (closed->is_flow)
        node->end = byte_of(&builder->place, event->end_mark.index);
    else
        node->end = closed->last != NULL ? closed->last->end : node->start;
    node->count = node->type == TREE_MAPPING ? closed->children / 2 : closed->children;
    return node->type != TREE_MAPPING || names_differ(builder, node);
}

/* ---- events -------------------------------------------------------------------------------------- */

static bool is_marked(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    default:
        return false;
    }
}

static bool take_event(struct builder *builder, const yaml_event_t *event)
{
    if (is_marked(event))
        return REFUSE(&builder->loader, "Anchors, aliases and tags are not allowed in a rule (line %zu).",
                      event->start_mark.line + 1);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++builder->documents == 1 || REFUSE(&builder->loader, "A rule must be a single YAML document.");
    case YAML_SCALAR_EVENT:
        return add_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(builder, TREE_LIST, event, event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
    case YAML_MAPPING_START_EVENT:
        return open_node(builder, TREE_MAPPING, event, event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_node(builder, event);
    default:
        return true;
    }
}

static bool take_events(struct builder *builder, yaml_parser_t *parser)
{
    bool good = true, ended = false;
    while (good && !ended) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) != 1)
            return REFUSE(&builder->loader, "The text is not YAML: %s (line %zu).",
                          parser->problem != NULL ? parser->problem : "it cannot be read", parser->problem_mark.line + 1);
        good = take_event(builder, &event);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return good;
}

/* The mark that some editors put before UTF-8; libyaml would take it for a first column. */
static struct slice without_mark(struct slice text)
{
    const struct slice mark = SLICE("\xEF\xBB\xBF");
    bool marked = text.len >= mark.len && memcmp(text.ptr, mark.ptr, mark.len) == 0;
    return marked ? (struct slice){text.ptr + mark.len, text.len - mark.len} : text;
}

bool load_tree(struct arena *arena, struct slice text, const struct tree_node **root, struct error *error)
{
    struct slice yaml = without_mark(text);
    struct builder builder = {.loader = {arena, error}, .place = {.text = yaml}};
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) != 1)
        return error_set(error, ERROR_UNAVAILABLE, "rule-refused", "The rule could not be read: out of memory.");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.ptr, yaml.len);
    bool built = take_events(&builder, &parser);
    yaml_parser_delete(&parser);
    *root = builder.root;
    return built && (builder.root != NULL || REFUSE(&builder.loader, "The text holds no rule."));
}

const struct tree_node *tree_member(const struct tree_node *mapping, const char *name)
{
    for (const struct tree_node *at = mapping->first; at != NULL; at = at->next->next)
        if (slice_is(at->text, name))
            return at->next;
    return NULL;
}
