#include "rules/operand.h"

struct operand operand_of_value(struct arena *arena, const struct rule_value *value)
{
    struct operand operand = {.type = value->type};
    switch (value->type) {
    case RULE_STRING:
        operand.text = arena_copy(arena, value->text);
        break;
    case RULE_NUMBER:
        operand.number = value->number;
        break;
    case RULE_BOOL:
        operand.truth = value->truth;
        break;
    case RULE_LIST: {
        struct operand *items = arena_array(arena, value->item_count, sizeof *items);
        for (size_t i = 0; i < value->item_count; i++)
            items[i] = operand_of_value(arena, &value->items[i]);
        operand.list.items = items;
        operand.list.count = value->item_count;
        break;
    }
    }
    return operand;
}

bool operand_of_json(const struct json *json, struct operand *operand)
{
    switch (json_type_of(json)) {
    case JSON_STRING:
        *operand = (struct operand){.type = RULE_STRING, .text = json_as_string(json)};
        return true;
    case JSON_NUMBER:
        *operand = (struct operand){.type = RULE_NUMBER, .number = json_as_number(json)};
        return true;
    case JSON_BOOL:
        *operand = (struct operand){.type = RULE_BOOL, .truth = json_as_bool(json)};
        return true;
    default:
        return false;
    }
}

bool operand_equal(const struct operand *a, const struct operand *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case RULE_STRING:
        return a->text.len == b->text.len && memcmp(a->text.ptr, b->text.ptr, a->text.len) == 0;
    case RULE_NUMBER:
        return a->number == b->number;
    case RULE_BOOL:
        return a->truth == b->truth;
    case RULE_LIST:
        break;
    }
    return false;
}

/* Multiplication by an odd number near 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4). */
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 32;
}

uint64_t text_hash(uint64_t seed, struct slice text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    uint64_t hash = seed, word;
    for (; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = hash_word(hash, word);
    }
    word = text.len;
    for (; at < end; at++)
        word = word << 8 | (unsigned char)*at;
    return hash_word(hash, word);
}

uint64_t operand_hash(uint64_t seed, const struct operand *operand)
{
    uint64_t hash = seed << 2 | operand->type, bits;
    if (operand->type == RULE_STRING)
        return text_hash(hash, operand->text);
    if (operand->type == RULE_BOOL)
        return hash_word(hash, operand->truth);
    double number = operand->number == 0.0 ? 0.0 : operand->number; /* both zeros are equal */
    memcpy(&bits, &number, sizeof bits);
    return hash_word(hash, bits);
}
