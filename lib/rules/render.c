#include "rules/render.h"

#include <sodium.h>
#include <yaml.h>

#include "base/buffer.h"
#include "rules/number.h"

enum { JSON_LIMIT = 64 * 1024 /* bytes; a rule is at most a few hundred */ };

/* ---- YAML ------------------------------------------------------------------------------------ */

/* Emits events until one fails; then does nothing more. */
struct yaml_out {
    yaml_emitter_t emitter;
    bool ok;
};

static void emit(struct yaml_out *out, yaml_event_t *event, int made)
{
    /* yaml_emitter_emit takes the event over, also when it fails */
    out->ok = out->ok && made == 1 && yaml_emitter_emit(&out->emitter, event) == 1;
}

static void put_scalar(struct yaml_out *out, struct slice text, yaml_scalar_style_t style)
{
    if (!out->ok)
        return;
    yaml_event_t event;
    bool plain = style == YAML_PLAIN_SCALAR_STYLE;
    int made = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text.ptr,
                                            (int)text.len, plain, !plain, style);
    emit(out, &event, made);
}

static void put_plain(struct yaml_out *out, const char *text)
{
    put_scalar(out, slice_of(text), YAML_PLAIN_SCALAR_STYLE);
}

/* Strings are always double-quoted: the one style that every reader takes literally. */
static void put_string(struct yaml_out *out, struct slice text)
{
    put_scalar(out, slice_present(text) ? text : SLICE(""), YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void put_number(struct yaml_out *out, double value)
{
    char text[NUMBER_TEXT_SIZE];
    put_scalar(out, number_yaml_text(text, value), YAML_PLAIN_SCALAR_STYLE);
}

static void put_integer(struct yaml_out *out, const char *name, int32_t value)
{
    put_plain(out, name);
    put_number(out, value);
}

static void put_member(struct yaml_out *out, const char *name, struct slice value)
{
    put_plain(out, name);
    put_string(out, value);
}

static void open_mapping(struct yaml_out *out)
{
    if (!out->ok)
        return;
    yaml_event_t event;
    int made = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    emit(out, &event, made);
}

static void close_mapping(struct yaml_out *out)
{
    if (!out->ok)
        return;
    yaml_event_t event;
    emit(out, &event, yaml_mapping_end_event_initialize(&event));
}

static void open_list(struct yaml_out *out, yaml_sequence_style_t style)
{
    if (!out->ok)
        return;
    yaml_event_t event;
    emit(out, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
}

static void close_list(struct yaml_out *out)
{
    if (!out->ok)
        return;
    yaml_event_t event;
    emit(out, &event, yaml_sequence_end_event_initialize(&event));
}

static void put_names(struct yaml_out *out, const char *name, struct rule_names names)
{
    put_plain(out, name);
    open_list(out, names.count > 0 ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE);
    for (size_t i = 0; i < names.count; i++)
        put_string(out, names.items[i]);
    close_list(out);
}

static void put_value(struct yaml_out *out, const struct rule_value *value)
{
    switch (value->type) {
    case RULE_STRING:
        put_string(out, value->text);
        break;
    case RULE_NUMBER:
        put_number(out, value->number);
        break;
    case RULE_BOOL:
        put_plain(out, value->truth ? "true" : "false");
        break;
    case RULE_LIST:
        open_list(out, YAML_FLOW_SEQUENCE_STYLE);
        for (size_t i = 0; i < value->item_count; i++)
            put_value(out, &value->items[i]);
        close_list(out);
        break;
    }
}

static void put_conditions(struct yaml_out *out, const struct rule *rule)
{
    put_plain(out, "conditions");
    open_list(out, YAML_BLOCK_SEQUENCE_STYLE);
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct rule_condition *condition = &rule->conditions[i];
        open_mapping(out);
        put_member(out, "field", condition->field);
        put_member(out, "operator", slice_of(rule_operator_name(condition->op)));
        put_plain(out, "value");
        put_value(out, &condition->value);
        close_mapping(out);
    }
    close_list(out);
}

static void put_action_params(struct yaml_out *out, const struct rule_action_params *params)
{
    put_plain(out, "action_params");
    open_mapping(out);
    if (slice_present(params->runbook_id))
        put_member(out, "runbook_id", params->runbook_id);
    put_names(out, "phases", params->phases);
    close_mapping(out);
}

static void put_rule(struct yaml_out *out, const struct rule *rule)
{
    open_mapping(out);
    put_member(out, "id", rule->id);
    put_member(out, "name", rule->name);
    put_member(out, "description", rule->description);
    put_conditions(out, rule);
    put_member(out, "action", rule->action);
    put_action_params(out, &rule->action_params);
    put_names(out, "hipaa_controls", rule->hipaa_controls);
    if (rule->severity_filter.count > 0)
        put_names(out, "severity_filter", rule->severity_filter);
    put_plain(out, "enabled");
    put_plain(out, rule->enabled ? "true" : "false");
    put_integer(out, "priority", rule->priority);
    put_integer(out, "cooldown_seconds", rule->cooldown_seconds);
    put_integer(out, "max_retries", rule->max_retries);
    put_member(out, "source", rule->source);
    close_mapping(out);
}

static int append_yaml(void *buffer, unsigned char *bytes, size_t size)
{
    buffer_append(buffer, (struct slice){(const char *)bytes, size});
    return buffer_ok(buffer);
}

static void put_document(struct yaml_out *out, const struct rule *rule)
{
    yaml_event_t event;
    emit(out, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    if (out->ok)
        emit(out, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    put_rule(out, rule);
    if (out->ok)
        emit(out, &event, yaml_document_end_event_initialize(&event, 1));
    if (out->ok)
        emit(out, &event, yaml_stream_end_event_initialize(&event));
    out->ok = out->ok && yaml_emitter_flush(&out->emitter) == 1;
}

bool rule_to_yaml(struct arena *arena, const struct rule *rule, struct slice *yaml,
                  struct error *error)
{
    struct yaml_out out = {.ok = true};
    if (yaml_emitter_initialize(&out.emitter) != 1)
        return error_set(error, ERROR_INTERNAL, "rule-render", "The rule could not be written.");
    struct buffer text = buffer_make(RULE_YAML_LIMIT);
    yaml_emitter_set_output(&out.emitter, append_yaml, &text);
    yaml_emitter_set_unicode(&out.emitter, 1);
    yaml_emitter_set_width(&out.emitter, -1); /* no folding: a line per member */
    put_document(&out, rule);
    yaml_emitter_delete(&out.emitter);
    bool too_large = !buffer_ok(&text);
    if (out.ok && !too_large)
        *yaml = arena_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    if (too_large)
        return error_set(error, ERROR_INVALID, "rule-too-large",
                         "The rule would take more than %d bytes, which appliances do not accept; "
                         "a shorter name makes it fit.",
                         RULE_YAML_LIMIT);
    if (!out.ok)
        return error_set(error, ERROR_INTERNAL, "rule-render", "The rule could not be written.");
    return true;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void write_names(struct json_writer *writer, const char *name, struct rule_names names)
{
    json_open_array(writer, name);
    for (size_t i = 0; i < names.count; i++)
        json_string(writer, NULL, names.items[i]);
    json_close(writer);
}

static void write_value(struct json_writer *writer, const char *name,
                        const struct rule_value *value)
{
    char number[NUMBER_TEXT_SIZE];
    switch (value->type) {
    case RULE_STRING:
        json_string(writer, name, value->text);
        break;
    case RULE_NUMBER:
        json_number(writer, name, number_text(number, value->number));
        break;
    case RULE_BOOL:
        json_bool(writer, name, value->truth);
        break;
    case RULE_LIST:
        json_open_array(writer, name);
        for (size_t i = 0; i < value->item_count; i++)
            write_value(writer, NULL, &value->items[i]);
        json_close(writer);
        break;
    }
}

/* `field` < `operator` < `value`: the order of the YAML is also the canonical one. */
static void write_conditions(struct json_writer *writer, const struct rule *rule)
{
    json_open_array(writer, "conditions");
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct rule_condition *condition = &rule->conditions[i];
        json_open_object(writer, NULL);
        json_string(writer, "field", condition->field);
        json_text(writer, "operator", rule_operator_name(condition->op));
        write_value(writer, "value", &condition->value);
        json_close(writer);
    }
    json_close(writer);
}

void rule_write_action_params(struct json_writer *writer, const char *name, const struct rule *rule)
{
    json_open_object(writer, name);
    if (slice_present(rule->action_params.runbook_id))
        json_string(writer, "runbook_id", rule->action_params.runbook_id);
    write_names(writer, "phases", rule->action_params.phases);
    json_close(writer);
}

void rule_write_json(struct json_writer *writer, const char *name, const struct rule *rule)
{
    json_open_object(writer, name);
    json_string(writer, "id", rule->id);
    json_string(writer, "name", rule->name);
    json_string(writer, "description", rule->description);
    write_conditions(writer, rule);
    json_string(writer, "action", rule->action);
    rule_write_action_params(writer, "action_params", rule);
    write_names(writer, "hipaa_controls", rule->hipaa_controls);
    if (rule->severity_filter.count > 0)
        write_names(writer, "severity_filter", rule->severity_filter);
    json_bool(writer, "enabled", rule->enabled);
    json_integer(writer, "priority", rule->priority);
    json_integer(writer, "cooldown_seconds", rule->cooldown_seconds);
    json_integer(writer, "max_retries", rule->max_retries);
    json_string(writer, "source", rule->source);
    json_close(writer);
}

/* Members in the order that RFC 8785 section 3.2.3 gives; all names are ASCII. */
static void write_canonical(struct json_writer *writer, const struct rule *rule)
{
    json_open_object(writer, NULL);
    json_string(writer, "action", rule->action);
    json_open_object(writer, "action_params");
    write_names(writer, "phases", rule->action_params.phases);
    if (slice_present(rule->action_params.runbook_id))
        json_string(writer, "runbook_id", rule->action_params.runbook_id);
    json_close(writer);
    write_conditions(writer, rule);
    json_integer(writer, "cooldown_seconds", rule->cooldown_seconds);
    json_integer(writer, "max_retries", rule->max_retries);
    json_integer(writer, "priority", rule->priority);
    write_names(writer, "severity_filter", rule->severity_filter);
    json_close(writer);
}

/* Copies a finished document into the arena; absent when it outgrew JSON_LIMIT. */
static struct slice keep(struct arena *arena, struct buffer *text)
{
    struct slice kept = buffer_ok(text) ? arena_copy(arena, buffer_slice(text)) : SLICE_ABSENT;
    buffer_free(text);
    return kept;
}

struct slice rule_to_json(struct arena *arena, const struct rule *rule)
{
    struct buffer text = buffer_make(JSON_LIMIT);
    struct json_writer writer = json_writer_make(&text);
    rule_write_json(&writer, NULL, rule);
    return keep(arena, &text);
}

struct slice rule_canonical_json(struct arena *arena, const struct rule *rule)
{
    struct buffer text = buffer_make(JSON_LIMIT);
    struct json_writer writer = json_writer_make(&text);
    write_canonical(&writer, rule);
    return keep(arena, &text);
}

/* ---- digests --------------------------------------------------------------------------------- */

struct slice bytes_digest(struct arena *arena, struct slice bytes)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)bytes.ptr, bytes.len);
    char *hex = arena_alloc(arena, RULE_DIGEST_LENGTH + 1);
    sodium_bin2hex(hex, RULE_DIGEST_LENGTH + 1, hash, sizeof hash);
    return (struct slice){hex, RULE_DIGEST_LENGTH};
}

struct slice rule_digest(struct arena *arena, const struct rule *rule)
{
    return bytes_digest(arena, rule_canonical_json(arena, rule));
}
