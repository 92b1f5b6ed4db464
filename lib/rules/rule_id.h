/* Choosing the id of a promoted rule.
 *
 * An id is `L1-PROMOTED-` and the first 8 characters of the pattern's signature in upper case,
 * other characters than [A-Z0-9_-] turned into `-`. Eight characters of a hand-made signature
 * collide, so an id is chosen against the partner's other rules: when another signature holds it,
 * the prefix grows to 12, 16, … 48 characters until it is free; when that does not help, or the
 * same signature at another site holds it, `-2`, `-3`, … is appended. A site and signature that
 * have a rule keep its id.
 *
 * Two choices made at the same time must not see the same id as free: take a lock on (partner,
 * rule_id_family) around reading the taken ids, choosing and storing. Ids of different families are
 * never equal.
 *
 * Pure and thread-safe. */
#ifndef RULES_RULE_ID_H
#define RULES_RULE_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

enum { RULE_ID_MIN = 3, RULE_ID_MAX = 64 };

/* A rule the partner has, whatever its status: an archived rule's id is not given to another
 * pattern. */
struct rule_id_taken {
    struct slice rule_id;
    struct slice signature;
    struct slice site_id;
};

/* The id for (site, signature) given the partner's rules. `taken` may hold more than the family,
 * but must hold all whose id starts with rule_id_family. Always succeeds; the result lies in the
 * arena, matches ^[A-Z0-9_-]{3,64}$ and is NUL-terminated. `signature` must be signature_valid. */
struct slice rule_id_choose(struct arena *arena, struct slice signature, struct slice site_id,
                            const struct rule_id_taken *taken, size_t taken_count);

/* The text with which every id that could ever be chosen for this signature, or collide with one,
 * starts: `L1-PROMOTED-` and at most the first 8 characters, less a trailing `-` with digits (so
 * that signature `abc`, whose second site gets …-ABC-2, shares a family with a signature `abc-2`).
 * Compare with starts_with() in SQL, not LIKE: `_` is legal in it. Lies in the arena. */
struct slice rule_id_family(struct arena *arena, struct slice signature);

/* What an appliance accepts as an id: ^[A-Za-z0-9_-]{3,64}$. */
bool rule_id_valid(struct slice rule_id);

#endif
