/* The rules in force, exchanged while threads match with them.
 *
 * An engine holds the current set. Who matches acquires it, matches as long as it likes, and releases it; who has loaded
 * other rules swaps them in. A set stays, with the arena that it lies in, until its last holder has released it, so that a
 * rule a match returned is good until then. Nobody waits for anybody longer than it takes to count.
 *
 *     const struct rule_set *set = rule_engine_acquire(engine);
 *     struct rule_matcher *matcher = rule_matcher_new(set);
 *     while (rule_engine_is_current(engine, set) && …)
 *         rule_match(matcher, incident, claim, context);
 *     rule_matcher_free(matcher);
 *     rule_engine_release(engine, set);
 *
 * Thread-safe, but for new and free. */
#ifndef RULES_RULE_ENGINE_H
#define RULES_RULE_ENGINE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "rules/rule_set.h"

struct rule_engine;

/* An engine with these rules. `set` and all it needs lie in `arena`, which the engine takes over. */
struct rule_engine *rule_engine_new(struct arena *arena, const struct rule_set *set) MUST_USE;

/* Every set must have been released. NULL is allowed. */
void rule_engine_free(struct rule_engine *engine);

/* Puts other rules in force. */
void rule_engine_swap(struct rule_engine *engine, struct arena *arena, const struct rule_set *set);

/* The rules in force; they stay until they are released. */
const struct rule_set *rule_engine_acquire(struct rule_engine *engine) MUST_USE;
void rule_engine_release(struct rule_engine *engine, const struct rule_set *set);

/* Whether a set that was acquired is still in force. One read: cheap enough for every incident. */
bool rule_engine_is_current(const struct rule_engine *engine, const struct rule_set *set);

#endif
