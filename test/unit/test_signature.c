#include "unit.h"

#include "rules/signature.h"

static struct slice of_type(struct arena *arena, const char *type, const char *check_type)
{
    return signature_compute(arena, &(struct signature_input){.type = slice_of(type),
                                                              .check_type = slice_of(check_type)});
}

static void golden_signatures_are_those_of_the_agents(void **state)
{
    assert_slice(of_type(*state, "firewall", "firewall"), "6c4a6b5b711abb80");
    assert_slice(of_type(*state, "unknown", NULL), "351f08c087c2dcac");
    assert_slice(
        signature_compute(*state, &(struct signature_input){.type = SLICE("backup"),
                                                            .check_type = SLICE("backup"),
                                                            .service_name = SLICE("restic")}),
        "81d182c83a7a19f7");
}

/* Values made once with Python's json.dumps(…, sort_keys=True) and hashlib. */
static void text_is_escaped_as_python_does(void **state)
{
    assert_slice(
        signature_compute(
            *state, &(struct signature_input){.type = SLICE("é€😀"),
                                              .drift_type = SLICE("a\"b\\c\n\t\b\f\r\x01\x7F/"),
                                              .service_name = SLICE("")}),
        "7bf8c8139be285d4");
}

static void an_absent_member_is_left_out_and_an_empty_one_is_not(void **state)
{
    struct signature_input absent = {.type = SLICE("x")};
    struct signature_input empty = {.type = SLICE("x"), .service_name = SLICE("")};
    assert_false(
        slice_equal(signature_compute(*state, &absent), signature_compute(*state, &empty)));
    struct signature_input no_error = {.type = SLICE("x"), .error_message = SLICE("")};
    assert_true(
        slice_equal(signature_compute(*state, &absent), signature_compute(*state, &no_error)));
}

static void what_varies_from_run_to_run_is_masked(void **state)
{
    assert_slice(signature_error_pattern(*state, SLICE("at 2026-01-02T03:04:05.678Z: x")),
                 "at <TIMESTAMP>.678Z: x");
    assert_slice(signature_error_pattern(*state, SLICE("2026-01-02 03:04:05 2026-01-02 03:04:06")),
                 "<TIMESTAMP> <TIMESTAMP>");
    assert_slice(signature_error_pattern(*state, SLICE("host 10.0.0.1:80 or 192.168.100.200")),
                 "host <IP>:80 or <IP>");
    assert_slice(signature_error_pattern(*state, SLICE("id 123e4567-e89b-12d3-a456-426614174000!")),
                 "id <UUID>!");
    assert_slice(signature_error_pattern(*state, SLICE("id 123E4567-E89B-12D3-A456-426614174000!")),
                 "id 123E4567-E89B-12D3-A456-426614174000!");
    assert_slice(
        signature_error_pattern(*state, SLICE("/nix/store/0123456789abcdefghijklmnopqrstuv/bin/x")),
        "/nix/store/<HASH>/bin/x");
    assert_slice(signature_error_pattern(*state, SLICE_ABSENT), "");
}

static void the_pattern_is_cut_after_200_characters_not_bytes(void **state)
{
    char message[1201];
    for (size_t i = 0; i < 300; i++)
        memcpy(message + i * 4, "😀", 4);
    message[1200] = '\0';
    struct slice cut = signature_error_pattern(*state, slice_of(message));
    assert_int_equal(slice_code_points(cut), 200);
    assert_true(slice_is_utf8(cut));
    char longer[60 * 10 + 1] = "";
    for (size_t i = 0; i < 60; i++)
        memcpy(longer + i * 10, "10.20.30.4", 11);
    /* masking comes before cutting */
    assert_int_equal(signature_error_pattern(*state, slice_of(longer)).len, 200);
}

static void a_message_of_megabytes_is_masked_quickly(void **state)
{
    size_t length = (size_t)4 * 1024 * 1024;
    char *message = arena_alloc(*state, length + 1);
    memset(message, '1', length);
    assert_int_equal(signature_error_pattern(*state, (struct slice){message, length}).len, 200);
}

static void p19_host_and_severity_are_no_part_of_a_signature(void **state)
{
    /* The same fault reported by two hosts: nothing that differs has a place in the input. */
    struct signature_input one = {.type = SLICE("backup"), .error_message = SLICE("10.0.0.1: no")};
    struct signature_input two = {.type = SLICE("backup"), .error_message = SLICE("10.9.8.7: no")};
    assert_true(slice_equal(signature_compute(*state, &one), signature_compute(*state, &two)));
}

static void p19_signatures_of_64_characters_are_legal_and_65_are_not(void **state)
{
    (void)state;
    char signature[65];
    memset(signature, 'a', sizeof signature);
    assert_true(signature_valid((struct slice){signature, 64}));
    assert_false(signature_valid((struct slice){signature, 65}));
}

static void a_signature_has_plain_characters_only(void **state)
{
    (void)state;
    assert_true(signature_valid(SLICE("6c4a6b5b711abb80")));
    assert_true(signature_valid(SLICE("print-spooler-restart")));
    assert_true(signature_valid(SLICE("A.b_c:d-9")));
    const struct slice bad[] = {SLICE(""),    SLICE_ABSENT, SLICE("a b"),
                                SLICE("a/b"), SLICE("a\n"), SLICE("a\0b"),
                                SLICE("é"),   SLICE("a'b"), SLICE("a%")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(signature_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(golden_signatures_are_those_of_the_agents),
        UNIT_TEST(text_is_escaped_as_python_does),
        UNIT_TEST(an_absent_member_is_left_out_and_an_empty_one_is_not),
        UNIT_TEST(what_varies_from_run_to_run_is_masked),
        UNIT_TEST(the_pattern_is_cut_after_200_characters_not_bytes),
        UNIT_TEST(a_message_of_megabytes_is_masked_quickly),
        UNIT_TEST(p19_host_and_severity_are_no_part_of_a_signature),
        UNIT_TEST(p19_signatures_of_64_characters_are_legal_and_65_are_not),
        UNIT_TEST(a_signature_has_plain_characters_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
