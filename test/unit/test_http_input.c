#include "unit.h"

#include "http/cursor.h"
#include "http/endpoint.h"
#include "http/input.h"

static const char *const SORTS[] = {"rate", "-rate", NULL};

static const struct input QUERY[] = {
    {.name = "limit", .type = INPUT_INTEGER, .lowest = 1, .highest = 200},
    {.name = "q", .type = INPUT_NAME, .lowest = 1, .highest = 10},
    {.name = "sort", .type = INPUT_CHOICE, .choices = SORTS},
};

static const char *const SCOPES[] = {"read", "decide", "admin", NULL};

static const struct input BODY[] = {
    {.name = "reason", .type = INPUT_PROSE, .required = true, .lowest = 1, .highest = 20},
    {.name = "deploy", .type = INPUT_BOOLEAN},
    {.name = "count", .type = INPUT_INTEGER, .lowest = -5, .highest = 5},
    {.name = "scopes", .type = INPUT_CHOICES, .lowest = 1, .highest = 2, .choices = SCOPES},
};

static bool read_query(struct arena *arena, struct slice query, struct inputs *inputs,
                       struct error *error)
{
    *inputs = (struct inputs){.query = QUERY, .query_count = COUNT_OF(QUERY)};
    error_clear(error);
    return input_query(arena, query, inputs, error);
}

static bool read_body(struct arena *arena, struct slice body, struct inputs *inputs,
                      struct error *error)
{
    *inputs = (struct inputs){.body = BODY, .body_count = COUNT_OF(BODY)};
    error_clear(error);
    return input_body(arena, body, inputs, error);
}

static void a_query_is_decoded_and_typed(void **state)
{
    struct inputs inputs;
    struct error error;
    assert_true(read_query(*state, SLICE("limit=7&q=+a%20%C3%A9+&sort=-rate"), &inputs, &error));
    assert_int_equal(query_integer(&inputs, "limit", 50), 7);
    assert_slice(query_text(&inputs, "q"), "a é");
    assert_slice(query_text(&inputs, "sort"), "-rate");
    assert_true(read_query(*state, SLICE(""), &inputs, &error));
    assert_int_equal(query_integer(&inputs, "limit", 50), 50);
    assert_false(slice_present(query_text(&inputs, "q")));
    assert_true(read_query(*state, SLICE_ABSENT, &inputs, &error));
}

static void p33_a_query_that_is_not_as_declared_is_malformed(void **state)
{
    const char *const bad[] = {
        "limit=0",         "limit=201",
        "limit=",          "limit=1e2",
        "limit=%35x",      "limit=99999999999999999999999",
        "limit=5&limit=5", "sort=rate%20desc",
        "sort=",           "q=12345678901",
        "q=%00",           "q=%FF",
        "q=%zz",           "q=%",
        "q=a%0Ab",         "unknown=1",
        "LIMIT=5",         "q",
        "limit=-0x1",      "limit=1;limit=2",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct inputs inputs;
        struct error error;
        if (read_query(*state, slice_of(bad[i]), &inputs, &error))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(error.kind, ERROR_MALFORMED);
    }
}

static void a_body_is_typed_and_closed(void **state)
{
    struct inputs inputs;
    struct error error;
    assert_true(read_body(*state, SLICE("{\"reason\":\" a\\nb \",\"deploy\":false,\"count\":-5}"),
                          &inputs, &error));
    assert_slice(body_text(&inputs, "reason"), "a\nb");
    assert_false(body_bool(&inputs, "deploy", true));
    assert_true(read_body(*state, SLICE("{\"reason\":\"x\"}"), &inputs, &error));
    assert_true(body_bool(&inputs, "deploy", true));
}

static void every_wrong_member_is_pointed_at(void **state)
{
    struct inputs inputs;
    struct error error;
    assert_false(read_body(*state,
                           SLICE("{\"reason\":\"\u3000\",\"deploy\":1,\"count\":6,\"a/b~c\":1}"),
                           &inputs, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_int_equal(error.item_count, 4);
    bool escaped = false; /* RFC 6901: ~ is ~0 and / is ~1 */
    for (size_t i = 0; i < error.item_count; i++)
        escaped = escaped || strcmp(error.items[i].pointer, "/a~1b~0c") == 0;
    assert_true(escaped);
}

static void p12_a_missing_blank_or_wrong_reason_is_invalid(void **state)
{
    const char *const bad[] = {"{}",
                               "{\"reason\":\"\"}",
                               "{\"reason\":\" \\t\\n\"}",
                               "{\"reason\":null}",
                               "{\"reason\":5}",
                               "{\"reason\":[\"x\"]}",
                               "{\"reason\":\"a\\u0007\"}",
                               "{\"reason\":\"123456789012345678901\"}",
                               "{\"Reason\":\"x\"}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct inputs inputs;
        struct error error;
        if (read_body(*state, slice_of(bad[i]), &inputs, &error))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error.items[error.item_count - 1].pointer[0] == '/' ? "/" : "", "/");
    }
}

static void choices_come_in_the_order_of_their_declaration(void **state)
{
    static const struct {
        const char *body, *joined;
    } good[] = {
        {"{\"reason\":\"x\",\"scopes\":[\"admin\",\"read\"]}", "read,admin"},
        {"{\"reason\":\"x\",\"scopes\":[\"decide\"]}", "decide"},
        {"{\"reason\":\"x\",\"scopes\":null}", ""},
        {"{\"reason\":\"x\"}", ""},
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct inputs inputs;
        struct error error;
        assert_true(read_body(*state, slice_of(good[i].body), &inputs, &error));
        assert_string_equal(body_choices(&inputs, *state, "scopes"), good[i].joined);
    }
}

static void other_lists_than_of_some_choices_are_invalid(void **state)
{
    static const struct {
        const char *list, *why;
    } bad[] = {
        {"[]", "from 1 to 2"},
        {"[\"read\",\"decide\",\"admin\"]", "from 1 to 2"},
        {"[\"read\",\"read\"]", "read twice"},
        {"[\"Read\"]", "one of read, decide, admin"},
        {"[1]", "one of read, decide, admin"},
        {"[[\"read\"]]", "one of read, decide, admin"},
        {"[null]", "one of read, decide, admin"},
        {"\"read\"", "must be a list"},
        {"{\"read\":true}", "must be a list"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct inputs inputs;
        struct error error;
        char *body = arena_printf(*state, "{\"reason\":\"x\",\"scopes\":%s}", bad[i].list);
        assert_false(read_body(*state, slice_of(body), &inputs, &error));
        assert_string_equal(error.items[0].pointer, "/scopes");
        if (strstr(error.items[0].detail, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].list, error.items[0].detail);
    }
}

static void choices_are_described(void **state)
{
    (void)state;
    static const struct endpoint table[] = {{.operation = "x", .method = "POST", .path = "/x", .access = ACCESS_ADMIN,
                                             .members = BODY, .member_count = COUNT_OF(BODY)}};
    struct buffer text = buffer_make(4096);
    endpoint_describe(table, 1, &text);
    assert_non_null(strstr(buffer_text(&text), "\"name\":\"scopes\",\"type\":\"choices\",\"required\":false,\"lowest\":1,"
                                               "\"highest\":2,\"choices\":[\"read\",\"decide\",\"admin\"]"));
    assert_non_null(strstr(buffer_text(&text), "\"access\":\"admin\""));
    buffer_free(&text);
}

static void a_body_that_is_no_json_object_is_refused(void **state)
{
    const char *const bad[] = {"[]", "5", "nonsense", "{\"reason\":\"a\",\"reason\":\"b\"}",
                               "{\"reason\":\"x\"} x"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct inputs inputs;
        struct error error;
        assert_false(read_body(*state, slice_of(bad[i]), &inputs, &error));
    }
}

static void form_decoding_refuses_what_is_no_text(void **state)
{
    assert_slice(form_decode(*state, SLICE("a+b%2Bc%26")), "a b+c&");
    assert_slice(form_decode(*state, SLICE("%e2%82%AC")), "€");
    const struct slice bad[] = {SLICE("%"),   SLICE("%4"),     SLICE("%g1"),
                                SLICE("%00"), SLICE("%C0%80"), SLICE("a\xFF")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(slice_present(form_decode(*state, bad[i])));
}

static void a_cursor_comes_back_for_its_own_list_only(void **state)
{
    const struct slice keys[] = {SLICE("0.93"), SLICE("15"), SLICE("8a1e")};
    struct slice back[3];
    struct error error;
    struct slice cursor = slice_of(cursor_make(*state, SLICE("candidates sort=rate"), keys, 3));
    assert_true(cursor_read(*state, cursor, SLICE("candidates sort=rate"), back, 3, &error));
    for (size_t i = 0; i < 3; i++)
        assert_true(slice_equal(back[i], keys[i]));
    assert_false(cursor_read(*state, cursor, SLICE("candidates sort=seen"), back, 3, &error));
    assert_int_equal(error.kind, ERROR_MALFORMED);
    assert_false(cursor_read(*state, cursor, SLICE("candidates sort=rate"), back, 2, &error));
    assert_false(cursor_read(*state, SLICE("abc"), SLICE("candidates sort=rate"), back, 3, &error));
    assert_false(cursor_read(*state, SLICE(""), SLICE("candidates sort=rate"), back, 3, &error));
}

static void a_path_finds_its_endpoint_and_a_wrong_method_the_allowed_ones(void **state)
{
    (void)state;
    static const struct endpoint table[] = {
        {.method = "GET", .path = "/api/things"},
        {.method = "GET", .path = "/api/things/{id}"},
        {.method = "POST", .path = "/api/things/{id}/approve"},
    };
    struct slice id;
    struct buffer allow = buffer_make(200);
    assert_ptr_equal(endpoint_find(table, 3, SLICE("GET"), SLICE("/api/things"), &id, &allow),
                     &table[0]);
    assert_ptr_equal(endpoint_find(table, 3, SLICE("GET"), SLICE("/api/things/7"), &id, &allow),
                     &table[1]);
    assert_slice(id, "7");
    assert_ptr_equal(
        endpoint_find(table, 3, SLICE("POST"), SLICE("/api/things/a-b/approve"), &id, &allow),
        &table[2]);
    assert_slice(id, "a-b");
    const char *const nowhere[] = {
        "/api/things/", "/api/things/a/b", "/api/thing", "/api/things//approve", "/", ""};
    for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
        assert_null(endpoint_find(table, 3, SLICE("GET"), slice_of(nowhere[i]), &id, &allow));
        assert_int_equal(allow.len, 0);
    }
    assert_null(endpoint_find(table, 3, SLICE("DELETE"), SLICE("/api/things/7"), &id, &allow));
    assert_slice(buffer_slice(&allow), "GET, HEAD");
    buffer_free(&allow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_query_is_decoded_and_typed),
        UNIT_TEST(p33_a_query_that_is_not_as_declared_is_malformed),
        UNIT_TEST(a_body_is_typed_and_closed),
        UNIT_TEST(every_wrong_member_is_pointed_at),
        UNIT_TEST(p12_a_missing_blank_or_wrong_reason_is_invalid),
        UNIT_TEST(choices_come_in_the_order_of_their_declaration),
        UNIT_TEST(other_lists_than_of_some_choices_are_invalid),
        UNIT_TEST(choices_are_described),
        UNIT_TEST(a_body_that_is_no_json_object_is_refused),
        UNIT_TEST(form_decoding_refuses_what_is_no_text),
        UNIT_TEST(a_cursor_comes_back_for_its_own_list_only),
        UNIT_TEST(a_path_finds_its_endpoint_and_a_wrong_method_the_allowed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
