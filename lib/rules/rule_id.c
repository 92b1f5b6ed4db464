#include "rules/rule_id.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ID_STEM "L1-PROMOTED-"

enum {
    STEM_LENGTH = sizeof ID_STEM - 1,
    FIRST_PREFIX = 8,
    PREFIX_STEP = 4,
    LAST_PREFIX = 48,
};

static char id_char(char c)
{
    bool kept = isalnum((unsigned char)c) || c == '-' || c == '_';
    return (char)(kept ? toupper((unsigned char)c) : '-');
}

/* `L1-PROMOTED-` and at most `prefix` characters of the signature. */
static struct slice stem_and_prefix(struct arena *arena, struct slice signature, size_t prefix)
{
    size_t taken = signature.len < prefix ? signature.len : prefix;
    char *id = arena_alloc(arena, STEM_LENGTH + taken + 1);
    memcpy(id, ID_STEM, STEM_LENGTH);
    for (size_t i = 0; i < taken; i++)
        id[STEM_LENGTH + i] = id_char(signature.ptr[i]);
    return (struct slice){id, STEM_LENGTH + taken};
}

/* `length` less a trailing `-` with or without digits; never down to nothing behind the stem. */
static size_t without_number(const char *id, size_t length)
{
    size_t end = length;
    while (end > STEM_LENGTH && isdigit((unsigned char)id[end - 1]))
        end--;
    return end > STEM_LENGTH + 1 && id[end - 1] == '-' ? end - 1 : length;
}

struct slice rule_id_family(struct arena *arena, struct slice signature)
{
    struct slice family = stem_and_prefix(arena, signature, FIRST_PREFIX);
    size_t shorter = without_number(family.ptr, family.len);
    while (shorter < family.len) {
        family.len = shorter;
        shorter = without_number(family.ptr, family.len);
    }
    return arena_copy(arena, family);
}

static const struct rule_id_taken *holder_of(struct slice id, const struct rule_id_taken *taken,
                                             size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(taken[i].rule_id, id))
            return &taken[i];
    return NULL;
}

/* `base-2`, `base-3`, …: the first that is free. A base that leaves no room for the number is
 * cut. */
static struct slice with_number(struct arena *arena, struct slice base,
                                const struct rule_id_taken *taken, size_t count)
{
    char *id = arena_alloc(arena, RULE_ID_MAX + 1);
    for (size_t number = 2;; number++) {
        char suffix[24];
        size_t length = (size_t)snprintf(suffix, sizeof suffix, "-%zu", number);
        size_t kept = base.len + length > RULE_ID_MAX ? RULE_ID_MAX - length : base.len;
        memcpy(id, base.ptr, kept);
        memcpy(id + kept, suffix, length + 1);
        struct slice candidate = {id, kept + length};
        if (holder_of(candidate, taken, count) == NULL)
            return candidate;
    }
}

struct slice rule_id_choose(struct arena *arena, struct slice signature, struct slice site_id,
                            const struct rule_id_taken *taken, size_t taken_count)
{
    for (size_t i = 0; i < taken_count; i++)
        if (slice_equal(taken[i].signature, signature) && slice_equal(taken[i].site_id, site_id))
            return arena_copy(arena, taken[i].rule_id);
    for (size_t prefix = FIRST_PREFIX;; prefix += PREFIX_STEP) {
        struct slice id = stem_and_prefix(arena, signature, prefix);
        const struct rule_id_taken *holder = holder_of(id, taken, taken_count);
        if (holder == NULL)
            return id;
        bool can_grow = prefix < LAST_PREFIX && prefix < signature.len;
        if (slice_equal(holder->signature, signature) || !can_grow)
            return with_number(arena, id, taken, taken_count);
    }
}

bool rule_id_valid(struct slice rule_id)
{
    if (!slice_present(rule_id) || rule_id.len < RULE_ID_MIN || rule_id.len > RULE_ID_MAX)
        return false;
    for (size_t i = 0; i < rule_id.len; i++) {
        char c = rule_id.ptr[i];
        if (!isalnum((unsigned char)c) && c != '-' && c != '_')
            return false;
    }
    return true;
}
