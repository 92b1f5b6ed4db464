/* A match allocates nothing: every call of the allocator is counted. */
#include "engine_fixture.h"

static size_t allocations;

#if defined(__SANITIZE_ADDRESS__)

/* Of the sanitizer's own allocator; gcc does not install its header. */
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *memory, size_t size),
                                              void (*freed)(const volatile void *memory));

static void count_one(const volatile void *memory, size_t size)
{
    (void)memory, (void)size;
    allocations++;
}

static void ignore_one(const volatile void *memory)
{
    (void)memory;
}

static int watch(void **state)
{
    (void)state;
    return __sanitizer_install_malloc_and_free_hooks(count_one, ignore_one) > 0 ? 0 : -1;
}

#else

/* glibc's own names for what these stand in front of. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

void free(void *memory)
{
    __libc_free(memory);
}

static int watch(void **state)
{
    (void)state;
    return 0;
}

#endif

static const char *const YAML[] = {
    "id: R-1\npriority: 1\nconditions: [{field: check_type, operator: eq, value: disk}, {field: count, operator: gt, value: 5}]\n"
    "action: escalate\n",
    "id: R-2\npriority: 2\nconditions: [{field: d.e, operator: in, value: [a, 1, true]}]\nseverity_filter: [high]\n"
    "action: escalate\n",
    "id: R-3\npriority: 3\nconditions: [{field: m, operator: regex, value: '^(a|b)+(c+)$'}]\naction: escalate\n",
    "id: R-4\npriority: 4\nconditions: [{field: count, operator: regex, value: '^4.5$'}, {field: l, operator: contains, value: x}]\n"
    "action: escalate\n",
};

static const struct {
    const char *incident, *rule;
} CASES[] = {
    {"{\"check_type\":\"disk\",\"count\":\"6e0\"}", "R-1"},
    {"{\"check_type\":\"disk\",\"count\":5}", "-"},
    {"{\"d\":{\"e\":1},\"severity\":\"high\",\"m\":\"abababac\"}", "R-2"},
    {"{\"d\":{\"e\":\"1\"},\"severity\":\"high\",\"m\":\"ababababababccccc\"}", "R-3"},
    {"{\"count\":4.5,\"l\":[1,\"x\"]}", "R-4"},
    {"{\"m\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad\"}", "-"},
    {"{}", "-"},
};

static bool let(void *context, const struct rule *rule, struct slice host)
{
    (void)context, (void)rule, (void)host;
    return true;
}

/* Under valgrind its allocator is the one that is called (test/suites/valgrind sets that variable). */
static void leave_it_to_valgrind(void)
{
    size_t before = allocations;
    arena_free(arena_new(1));
    if (allocations == before && getenv("FLYWHEEL_FEW_ROUNDS") != NULL)
        skip();
}

static void a_match_allocates_nothing(void **state)
{
    leave_it_to_valgrind();
    struct rule rules[COUNT_OF(YAML)];
    const struct json *incidents[COUNT_OF(CASES)];
    for (size_t i = 0; i < COUNT_OF(YAML); i++)
        rules[i] = rule_of(*state, YAML[i]);
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        incidents[i] = incident_of(*state, CASES[i].incident);
    struct rule_matcher *matcher = rule_matcher_new(set_of(*state, rules, COUNT_OF(rules)));
    size_t before = 0;
    for (int round = 0; round < 50; round++) {
        if (round == 1) /* by then the regular expressions have the memory that they need */
            before = allocations;
        for (size_t i = 0; i < COUNT_OF(CASES); i++) {
            const struct rule *rule = rule_match(matcher, incidents[i], let, NULL);
            if (rule != NULL ? !slice_is(rule->id, CASES[i].rule) : CASES[i].rule[0] != '-')
                fail_msg("%s: not %s", CASES[i].incident, CASES[i].rule);
        }
    }
    assert_int_equal(allocations, before);
    rule_matcher_free(matcher);
}

static void the_count_does_count(void **state)
{
    leave_it_to_valgrind();
    size_t before = allocations;
    (void)incident_of(*state, "{\"a\":1}");
    assert_true(allocations > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_match_allocates_nothing),
        UNIT_TEST(the_count_does_count),
    };
    return cmocka_run_group_tests(tests, watch, NULL);
}
