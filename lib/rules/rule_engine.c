#include "rules/rule_engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Rules that are in force, or were and are still held. */
struct generation {
    const struct rule_set *set;
    struct arena *arena;
    size_t holders; /* being in force counts as one */
    struct generation *older;
};

struct rule_engine {
    pthread_mutex_t lock; /* over the generations; never held while memory is freed */
    struct generation *newest;
    _Atomic(const struct rule_set *) current;
};

static struct generation *generation_new(struct arena *arena, const struct rule_set *set)
{
    struct generation *generation = malloc(sizeof *generation);
    if (generation == NULL)
        abort();
    *generation = (struct generation){.set = set, .arena = arena, .holders = 1};
    return generation;
}

static void generation_free(struct generation *generation)
{
    if (generation == NULL)
        return;
    arena_free(generation->arena);
    free(generation);
}

struct rule_engine *rule_engine_new(struct arena *arena, const struct rule_set *set)
{
    struct rule_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL || pthread_mutex_init(&engine->lock, NULL) != 0)
        abort();
    engine->newest = generation_new(arena, set);
    atomic_init(&engine->current, set);
    return engine;
}

void rule_engine_free(struct rule_engine *engine)
{
    if (engine == NULL)
        return;
    while (engine->newest != NULL) {
        struct generation *generation = engine->newest;
        engine->newest = generation->older;
        generation_free(generation);
    }
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

/* One holder less; the generation itself when it was the last, taken out. */
static struct generation *let_go(struct rule_engine *engine, const struct rule_set *set)
{
    struct generation **at = &engine->newest;
    while ((*at)->set != set)
        at = &(*at)->older;
    struct generation *generation = *at;
    if (--generation->holders > 0)
        return NULL;
    *at = generation->older;
    return generation;
}

void rule_engine_swap(struct rule_engine *engine, struct arena *arena, const struct rule_set *set)
{
    struct generation *generation = generation_new(arena, set);
    pthread_mutex_lock(&engine->lock);
    struct generation *before = engine->newest;
    generation->older = before;
    engine->newest = generation;
    atomic_store(&engine->current, set);
    struct generation *unused = let_go(engine, before->set);
    pthread_mutex_unlock(&engine->lock);
    generation_free(unused);
}

const struct rule_set *rule_engine_acquire(struct rule_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct generation *generation = engine->newest;
    generation->holders++;
    pthread_mutex_unlock(&engine->lock);
    return generation->set;
}

void rule_engine_release(struct rule_engine *engine, const struct rule_set *set)
{
    pthread_mutex_lock(&engine->lock);
    struct generation *unused = let_go(engine, set);
    pthread_mutex_unlock(&engine->lock);
    generation_free(unused);
}

bool rule_engine_is_current(const struct rule_engine *engine, const struct rule_set *set)
{
    return atomic_load_explicit(&engine->current, memory_order_acquire) == set;
}
