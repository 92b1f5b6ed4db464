/* Rules that are exchanged while many threads match. Run by the suite `threads` with the thread sanitizer too. */
#include "engine_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "rules/rule_engine.h"

enum { READERS = 6 };

/* A set with one rule that matches `{"f":"a"}` and whose priority tells the sets apart. */
static const struct rule_set *numbered_set(struct arena *arena, int number)
{
    struct rule *rule = arena_alloc(arena, sizeof *rule);
    *rule = rule_of(arena, arena_printf(arena,
                                        "id: R-%d\npriority: %d\nconditions: [{field: f, operator: eq, value: a}]\n"
                                        "action: escalate\n",
                                        number + 100, number));
    return set_of(arena, rule, 1);
}

static struct arena *own_arena(void)
{
    return arena_new((size_t)16 * 1024 * 1024);
}

static struct rule_engine *engine_with(int number)
{
    struct arena *arena = own_arena();
    return rule_engine_new(arena, numbered_set(arena, number));
}

static void swap(struct rule_engine *engine, int number)
{
    struct arena *arena = own_arena();
    rule_engine_swap(engine, arena, numbered_set(arena, number));
}

static int priority_in(const struct rule_set *set)
{
    return rule_set_at(set, 0)->priority;
}

static void note(void *freed)
{
    *(bool *)freed = true;
}

static void a_set_stays_until_its_last_holder_has_released_it(void **state)
{
    (void)state;
    bool freed = false;
    struct arena *arena = own_arena();
    const struct rule_set *first = numbered_set(arena, 1);
    arena_on_reset(arena, note, &freed);
    struct rule_engine *engine = rule_engine_new(arena, first);
    assert_ptr_equal(rule_engine_acquire(engine), first);
    assert_ptr_equal(rule_engine_acquire(engine), first);
    assert_true(rule_engine_is_current(engine, first));
    swap(engine, 2);
    swap(engine, 3);
    assert_false(rule_engine_is_current(engine, first));
    const struct rule_set *third = rule_engine_acquire(engine);
    assert_int_equal(priority_in(third), 3);
    assert_int_equal(priority_in(first), 1);
    rule_engine_release(engine, first);
    assert_false(freed);
    rule_engine_release(engine, first);
    assert_true(freed);
    rule_engine_release(engine, third);
    assert_true(rule_engine_is_current(engine, third));
    rule_engine_free(engine);
}

static void a_set_that_nobody_holds_goes_when_another_comes(void **state)
{
    (void)state;
    bool freed = false;
    struct arena *arena = own_arena();
    const struct rule_set *first = numbered_set(arena, 1);
    arena_on_reset(arena, note, &freed);
    struct rule_engine *engine = rule_engine_new(arena, first);
    rule_engine_release(engine, rule_engine_acquire(engine));
    assert_false(freed);
    swap(engine, 2);
    assert_true(freed);
    rule_engine_free(engine);
    rule_engine_free(NULL);
}

/* ---- many threads -------------------------------------------------------------------------------- */

struct readers {
    struct rule_engine *engine;
    const struct json *incident;
    atomic_bool stop;
    atomic_int matched, wrong;
};

/* Matches with the rules in force; no exchange may be seen going back, or in the middle. */
static void *read_on(void *context)
{
    struct readers *readers = context;
    int seen = 0;
    while (!atomic_load(&readers->stop)) {
        const struct rule_set *set = rule_engine_acquire(readers->engine);
        struct rule_matcher *matcher = rule_matcher_new(set);
        do {
            const struct rule *rule = rule_match(matcher, readers->incident, NULL, NULL);
            bool right = rule != NULL && rule->priority == priority_in(set) && rule->priority >= seen;
            atomic_fetch_add(right ? &readers->matched : &readers->wrong, 1);
        } while (rule_engine_is_current(readers->engine, set) && !atomic_load(&readers->stop));
        seen = priority_in(set);
        rule_matcher_free(matcher);
        rule_engine_release(readers->engine, set);
    }
    return NULL;
}

static void threads_match_while_rules_are_exchanged(void **state)
{
    struct readers readers = {.engine = engine_with(0), .incident = incident_of(*state, "{\"f\":\"a\"}")};
    pthread_t threads[READERS];
    int swaps = unit_rounds(400);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers), 0);
    for (int i = 1; i <= swaps; i++)
        swap(readers.engine, i);
    while (atomic_load(&readers.matched) + atomic_load(&readers.wrong) < READERS)
        sched_yield();
    atomic_store(&readers.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&readers.wrong), 0);
    const struct rule_set *last = rule_engine_acquire(readers.engine);
    assert_int_equal(priority_in(last), swaps);
    rule_engine_release(readers.engine, last);
    rule_engine_free(readers.engine);
}

/* ---- one claim ----------------------------------------------------------------------------------- */

struct race {
    const struct rule_set *set;
    const struct json *incident;
    atomic_bool started, claimed;
    atomic_int first, second;
};

/* As an appliance's cooldown: whoever comes first has it. */
static bool claim_first(void *context, const struct rule *rule, struct slice host)
{
    struct race *race = context;
    (void)host;
    return !slice_is(rule->id, "R-1") || !atomic_exchange(&race->claimed, true);
}

static void *take_part(void *context)
{
    struct race *race = context;
    struct rule_matcher *matcher = rule_matcher_new(race->set);
    while (!atomic_load(&race->started))
        sched_yield();
    const struct rule *rule = rule_match(matcher, race->incident, claim_first, race);
    if (rule != NULL)
        atomic_fetch_add(slice_is(rule->id, "R-1") ? &race->first : &race->second, 1);
    rule_matcher_free(matcher);
    return NULL;
}

static void p31_two_incidents_at_once_do_not_both_pass_the_cooldown(void **state)
{
    struct rule rules[] = {
        rule_of(*state, "id: R-1\nconditions: [{field: f, operator: eq, value: a}]\naction: escalate\n"),
        rule_of(*state, "id: R-2\nconditions: [{field: f, operator: eq, value: a}]\naction: escalate\n")};
    const struct rule_set *set = set_of(*state, rules, COUNT_OF(rules));
    const struct json *incident = incident_of(*state, "{\"f\":\"a\",\"host_id\":\"h\"}");
    for (int round = 0; round < unit_rounds(100); round++) {
        struct race race = {.set = set, .incident = incident};
        pthread_t threads[READERS];
        for (int i = 0; i < READERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, take_part, &race), 0);
        atomic_store(&race.started, true);
        for (int i = 0; i < READERS; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(atomic_load(&race.first), 1);
        assert_int_equal(atomic_load(&race.second), READERS - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_set_stays_until_its_last_holder_has_released_it),
        UNIT_TEST(a_set_that_nobody_holds_goes_when_another_comes),
        UNIT_TEST(threads_match_while_rules_are_exchanged),
        UNIT_TEST(p31_two_incidents_at_once_do_not_both_pass_the_cooldown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
