#include "unit.h"

#include <ctype.h>

#include "rules/rule_id.h"
#include "rules/signature.h"

/* The rules a partner has; ids are added as they are chosen. */
struct partner {
    struct rule_id_taken rules[4000];
    size_t count;
};

static struct slice choose(struct arena *arena, struct partner *partner, const char *site,
                           const char *signature)
{
    struct slice id =
        rule_id_choose(arena, slice_of(signature), slice_of(site), partner->rules, partner->count);
    assert_true(rule_id_valid(id));
    struct slice family = rule_id_family(arena, slice_of(signature));
    if (id.len < family.len || memcmp(id.ptr, family.ptr, family.len) != 0)
        fail_msg("%s is not of the family %s", id.ptr, family.ptr);
    for (size_t i = 0; i < partner->count; i++) {
        struct rule_id_taken *other = &partner->rules[i];
        bool same_pattern = slice_is(other->signature, signature) && slice_is(other->site_id, site);
        assert_int_equal(slice_equal(other->rule_id, id), same_pattern);
        if (same_pattern)
            return id;
    }
    assert_true(partner->count < COUNT_OF(partner->rules));
    partner->rules[partner->count++] = (struct rule_id_taken){
        id, arena_copy(arena, slice_of(signature)), arena_copy(arena, slice_of(site))};
    return id;
}

static struct partner *new_partner(struct arena *arena)
{
    return arena_alloc(arena, sizeof(struct partner));
}

static void the_id_is_the_first_eight_characters_in_upper_case(void **state)
{
    struct partner *partner = new_partner(*state);
    assert_slice(choose(*state, partner, "north-valley-dental", "print-spooler-restart"),
                 "L1-PROMOTED-PRINT-SP");
    assert_slice(choose(*state, partner, "s", "6c4a6b5b711abb80"), "L1-PROMOTED-6C4A6B5B");
    assert_slice(choose(*state, partner, "s", "x"), "L1-PROMOTED-X");
    assert_slice(choose(*state, partner, "s", "a.b:c_d-e"), "L1-PROMOTED-A-B-C_D-");
}

static void p7_another_signature_gets_a_longer_prefix(void **state)
{
    struct partner *partner = new_partner(*state);
    choose(*state, partner, "s", "print-spooler-restart");
    assert_slice(choose(*state, partner, "s", "print-spooler-crash"), "L1-PROMOTED-PRINT-SPOOLE");
    assert_slice(choose(*state, partner, "s", "print-spooler-hang"),
                 "L1-PROMOTED-PRINT-SPOOLER-HA");
    assert_slice(choose(*state, partner, "s", "print-spooler-hard"),
                 "L1-PROMOTED-PRINT-SPOOLER-HARD");
}

static void p7_the_same_signature_at_another_site_gets_a_number(void **state)
{
    struct partner *partner = new_partner(*state);
    assert_slice(choose(*state, partner, "a", "6c4a6b5b711abb80"), "L1-PROMOTED-6C4A6B5B");
    assert_slice(choose(*state, partner, "b", "6c4a6b5b711abb80"), "L1-PROMOTED-6C4A6B5B-2");
    assert_slice(choose(*state, partner, "c", "6c4a6b5b711abb80"), "L1-PROMOTED-6C4A6B5B-3");
}

static void p7_a_row_keeps_its_id_whatever_else_there_is(void **state)
{
    struct partner *partner = new_partner(*state);
    choose(*state, partner, "a", "print-spooler-restart");
    struct slice second = choose(*state, partner, "b", "print-spooler-restart");
    choose(*state, partner, "a", "print-spooler-crash");
    assert_true(slice_equal(choose(*state, partner, "b", "print-spooler-restart"), second));
    assert_slice(choose(*state, partner, "a", "print-spooler-restart"), "L1-PROMOTED-PRINT-SP");
}

static void p7_signatures_that_differ_only_in_case_or_punctuation_get_a_number(void **state)
{
    struct partner *partner = new_partner(*state);
    assert_slice(choose(*state, partner, "s", "disk.full"), "L1-PROMOTED-DISK-FUL");
    assert_slice(choose(*state, partner, "s", "Disk:full"), "L1-PROMOTED-DISK-FULL");
    assert_slice(choose(*state, partner, "s", "disk-full"), "L1-PROMOTED-DISK-FULL-2");
    assert_slice(choose(*state, partner, "s", "DISK.FULL"), "L1-PROMOTED-DISK-FULL-3");
}

static void p7_long_signatures_fall_back_to_a_number_after_48_characters(void **state)
{
    struct partner *partner = new_partner(*state);
    const char *stem = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl"; /* 48 characters */
    for (int i = 0; i < 14; i++) {
        char signature[80];
        snprintf(signature, sizeof signature, "%s-%d", stem, i);
        choose(*state, partner, "s", signature);
    }
    struct rule_id_taken *last = &partner->rules[partner->count - 1];
    assert_slice(last->rule_id, "L1-PROMOTED-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKL-4");
}

static void p7_a_thousand_sites_with_one_long_signature_still_fit(void **state)
{
    struct partner *partner = new_partner(*state);
    const char *stem = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl";
    for (int i = 0; i < 11; i++) { /* takes every prefix from 8 to 48 */
        char signature[80];
        snprintf(signature, sizeof signature, "%.*s", 8 + 4 * i, stem);
        choose(*state, partner, "s", signature);
    }
    int sites = unit_rounds(1100);
    for (int i = 0; i < sites; i++) {
        char site[24];
        snprintf(site, sizeof site, "site-%d", i);
        choose(*state, partner, site, "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop");
    }
    assert_int_equal((int)partner->count, 11 + sites);
}

static void p7_a_numbered_id_and_a_signature_that_looks_like_one_do_not_meet(void **state)
{
    struct partner *partner = new_partner(*state);
    assert_slice(choose(*state, partner, "a", "abc"), "L1-PROMOTED-ABC");
    assert_slice(choose(*state, partner, "a", "abc-2"), "L1-PROMOTED-ABC-2");
    assert_slice(choose(*state, partner, "b", "abc"), "L1-PROMOTED-ABC-3");
    assert_slice(choose(*state, partner, "b", "abc-2"), "L1-PROMOTED-ABC-2-2");
}

static void ids_that_can_collide_share_a_family(void **state)
{
    const char *const alike[] = {"abc", "abc-2", "abc-2-2", "abc-", "abc-10", "ABC", "abc:7"};
    for (size_t i = 0; i < COUNT_OF(alike); i++)
        assert_slice(rule_id_family(*state, slice_of(alike[i])), "L1-PROMOTED-ABC");
    assert_slice(rule_id_family(*state, SLICE("print-spooler-restart")), "L1-PROMOTED-PRINT-SP");
    assert_slice(rule_id_family(*state, SLICE("6c4a6b5b711abb80")), "L1-PROMOTED-6C4A6B5B");
    assert_slice(rule_id_family(*state, SLICE("abcdefg-1234")), "L1-PROMOTED-ABCDEFG");
    assert_slice(rule_id_family(*state, SLICE("-")), "L1-PROMOTED--");
    assert_slice(rule_id_family(*state, SLICE("-2")), "L1-PROMOTED--2");
    assert_slice(rule_id_family(*state, SLICE("22")), "L1-PROMOTED-22");
}

/* `choose` asserts for each id: legal, of the family, and nobody else's. */
static void p7_random_patterns_never_share_an_id(void **state)
{
    static const char alphabet[] = "ab2-.:_A";
    struct partner *partner = new_partner(*state);
    uint32_t seed = 20261122;
    int rounds = unit_rounds(3000);
    for (int i = 0; i < rounds; i++) {
        char signature[20] = "", site[2] = "a";
        seed = seed * 1664525u + 1013904223u;
        size_t length = 1 + (seed >> 24) % 12;
        for (size_t c = 0; c < length; c++) {
            seed = seed * 1664525u + 1013904223u;
            signature[c] = alphabet[(seed >> 24) % 8];
        }
        site[0] = (char)('a' + (seed >> 16) % 5);
        assert_true(signature_valid(slice_of(signature)));
        choose(*state, partner, site, signature);
    }
    assert_true(partner->count > (size_t)rounds / 2);
}

static void an_appliance_accepts_3_to_64_plain_characters(void **state)
{
    (void)state;
    assert_true(rule_id_valid(SLICE("abc")));
    assert_true(rule_id_valid(SLICE("L1-PROMOTED-PRINT_SP")));
    assert_false(rule_id_valid(SLICE("ab")));
    assert_false(rule_id_valid(SLICE("../x")));
    assert_false(rule_id_valid(SLICE("a b")));
    assert_false(rule_id_valid(SLICE("abc\n")));
    assert_false(rule_id_valid(SLICE("abé")));
    assert_false(rule_id_valid(SLICE_ABSENT));
    char id[65];
    memset(id, 'a', sizeof id);
    assert_true(rule_id_valid((struct slice){id, 64}));
    assert_false(rule_id_valid((struct slice){id, 65}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_id_is_the_first_eight_characters_in_upper_case),
        UNIT_TEST(p7_another_signature_gets_a_longer_prefix),
        UNIT_TEST(p7_the_same_signature_at_another_site_gets_a_number),
        UNIT_TEST(p7_a_row_keeps_its_id_whatever_else_there_is),
        UNIT_TEST(p7_signatures_that_differ_only_in_case_or_punctuation_get_a_number),
        UNIT_TEST(p7_long_signatures_fall_back_to_a_number_after_48_characters),
        UNIT_TEST(p7_a_thousand_sites_with_one_long_signature_still_fit),
        UNIT_TEST(p7_a_numbered_id_and_a_signature_that_looks_like_one_do_not_meet),
        UNIT_TEST(ids_that_can_collide_share_a_family),
        UNIT_TEST(p7_random_patterns_never_share_an_id),
        UNIT_TEST(an_appliance_accepts_3_to_64_plain_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
