#include "unit.h"

#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/json.h"

static const struct json *parse(struct arena *arena, struct slice text)
{
    char why[200] = "";
    return json_parse(arena, text, why, sizeof why);
}

/* Parses, writes it out again, and gives that text. */
static struct slice rewritten(struct arena *arena, struct slice text)
{
    const struct json *document = parse(arena, text);
    assert_non_null(document);
    struct buffer out = buffer_make((size_t)8 * 1024 * 1024);
    struct json_writer writer = json_writer_make(&out);
    json_copy(&writer, NULL, document);
    json_writer_end(&writer);
    assert_true(buffer_ok(&out));
    struct slice copy = arena_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return copy;
}

static void what_json_forbids_is_refused(void **state)
{
    const struct slice bad[] = {SLICE(""),
                                SLICE(" "),
                                SLICE("{}x"),
                                SLICE("{} {}"),
                                SLICE("[1,]"),
                                SLICE("[,1]"),
                                SLICE("{\"a\":1,}"),
                                SLICE("{\"a\"}"),
                                SLICE("{a:1}"),
                                SLICE("{'a':1}"),
                                SLICE("{1:1}"),
                                SLICE("[1 2]"),
                                SLICE("[1"),
                                SLICE("{\"a\":1"),
                                SLICE("]"),
                                SLICE("{]"),
                                SLICE("[}"),
                                SLICE("01"),
                                SLICE("-01"),
                                SLICE("+1"),
                                SLICE("-"),
                                SLICE("1."),
                                SLICE(".5"),
                                SLICE("1e"),
                                SLICE("1e+"),
                                SLICE("0x1F"),
                                SLICE("1_000"),
                                SLICE("NaN"),
                                SLICE("Infinity"),
                                SLICE("-Infinity"),
                                SLICE("1e999"),
                                SLICE("-1e999"),
                                SLICE("True"),
                                SLICE("nul"),
                                SLICE("truex"),
                                SLICE("\""),
                                SLICE("\"a"),
                                SLICE("\"\\\""),
                                SLICE("\"\\x41\""),
                                SLICE("\"\\u12\""),
                                SLICE("\"\\u12G4\""),
                                SLICE("\"\n\""),
                                SLICE("\"\t\""),
                                SLICE("\"\x01\""),
                                SLICE("\"\0\""),
                                SLICE("\"\\u0000\""),
                                SLICE("\"\\ud800\""),
                                SLICE("\"\\ud800x\""),
                                SLICE("\"\\ud800\\u0041\""),
                                SLICE("\"\\udc00\""),
                                SLICE("\"\\ud800\\ud800\""),
                                SLICE("\"\xFF\""),
                                SLICE("\"\xC0\x80\""),
                                SLICE("\"\xED\xA0\x80\""),
                                SLICE("\xEF\xBB\xBF{}"),
                                SLICE("// c\n1"),
                                SLICE("/**/1"),
                                SLICE("[1]\0"),
                                SLICE("{\"a\":\f1}"),
                                SLICE("{\"a\" \"b\"}"),
                                SLICE("undefined"),
                                SLICE_ABSENT};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char why[200] = "";
        if (json_parse(*state, bad[i], why, sizeof why) != NULL)
            fail_msg("accepted: %.*s", (int)bad[i].len, bad[i].ptr);
        assert_true(strlen(why) > 5);
    }
}

static void what_json_allows_is_read(void **state)
{
    const char *good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "1e3",
        "1E-3",
        "1.5e+10",
        "\"\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "\r\n\t{ \"a\" : [ ] }\n",
        "\"\\u0041\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\ud83d\\ude00\"",
        "\"é€😀\"",
        "\"\x7F\"",
        "[[[[1]]]]",
        "{\"\":1}",
    };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (parse(*state, slice_of(good[i])) == NULL)
            fail_msg("refused: %s", good[i]);
}

static void the_reason_names_the_byte(void **state)
{
    char why[200] = "";
    assert_null(json_parse(*state, SLICE("{\"a\":01}"), why, sizeof why));
    assert_string_equal(why, "a number with a leading zero at byte 5");
    assert_null(json_parse(*state, SLICE("{\"a\":1} x"), why, sizeof why));
    assert_string_equal(why, "more text after the value at byte 8");
    char little[8];
    assert_null(json_parse(*state, SLICE("{\"a\":1} x"), little, sizeof little));
    assert_int_equal(strlen(little), 7);
}

static void a_text_needs_no_nul_behind_it(void **state)
{
    char *exact = malloc(7); /* the address sanitizer watches its end */
    memcpy(exact, "{\"a\":1}", 7);
    const struct json *document = parse(*state, (struct slice){exact, 7});
    int64_t value = 0;
    assert_true(json_as_integer(json_member(document, "a"), &value));
    free(exact);
    char *number = malloc(3);
    memcpy(number, "123", 3);
    assert_true(json_as_integer(parse(*state, (struct slice){number, 3}), &value));
    assert_int_equal(value, 123);
    free(number);
}

static void a_member_twice_is_refused_however_it_is_spelled(void **state)
{
    char why[200] = "";
    assert_null(json_parse(*state, SLICE("{\"a\":1,\"b\":2,\"a\":3}"), why, sizeof why));
    assert_string_equal(why, "the member \"a\" twice in one object");
    assert_null(parse(*state, SLICE("{\"a\":1,\"\\u0061\":3}")));
    assert_null(parse(*state, SLICE("[{\"x\":{\"a\":1,\"a\":1}}]")));
    assert_null(parse(*state, SLICE("{\"\":1,\"\":1}")));
    assert_non_null(parse(*state, SLICE("{\"a\":1,\"A\":1}")));
    assert_non_null(parse(*state, SLICE("[{\"a\":1},{\"a\":1}]")));
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct slice object_of(struct arena *arena, int members, bool repeat_first)
{
    struct buffer text = buffer_make((size_t)8 * 1024 * 1024);
    buffer_append_char(&text, '{');
    for (int i = 0; i < members; i++)
        buffer_append_format(&text, "%s\"k%d\":%d", i == 0 ? "" : ",", i, i);
    buffer_append_text(&text, repeat_first ? ",\"k0\":1}" : "}");
    struct slice copy = arena_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static void a_hundred_thousand_members_cost_no_quadratic_time(void **state)
{
    int members = unit_rounds(100000);
    double before = seconds_now();
    const struct json *document = parse(*state, object_of(*state, members, false));
    assert_non_null(document);
    assert_int_equal((int)json_count(document), members);
    assert_null(parse(*state, object_of(*state, members, true)));
    assert_true(seconds_now() - before < 3.0); /* the square would be minutes */
}

static struct slice nested(struct arena *arena, size_t depth)
{
    char *text = arena_alloc(arena, depth * 2 + 1);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return (struct slice){text, depth * 2};
}

static void nesting_has_a_limit(void **state)
{
    assert_non_null(parse(*state, nested(*state, JSON_PARSE_DEPTH)));
    assert_null(parse(*state, nested(*state, JSON_PARSE_DEPTH + 1)));
    assert_null(parse(*state, nested(*state, 1000000)));
}

static void the_number_of_values_has_a_limit(void **state)
{
    size_t length = (size_t)JSON_PARSE_VALUES * 2 + 2;
    char *text = arena_alloc(*state, length);
    memset(text, '1', length);
    for (size_t i = 0; i < length; i += 2)
        text[i] = i == 0 ? '[' : ',';
    text[length - 1] = ']';
    assert_null(parse(*state, (struct slice){text, length}));
}

static void members_are_found_by_exact_name(void **state)
{
    const struct json *object = parse(*state, SLICE("{\"Name\":\"x\",\"list\":[1,\"b\",null]}"));
    assert_null(json_member(object, "name"));
    assert_slice(json_as_string(json_member(object, "Name")), "x");
    const struct json *list = json_member(object, "list");
    assert_int_equal(json_count(list), 3);
    assert_string_equal(json_name(list), "list");
    assert_int_equal(json_type_of(json_first(list)), JSON_NUMBER);
    assert_int_equal(json_type_of(json_next(json_next(json_first(list)))), JSON_NULL);
    assert_null(json_next(json_next(json_next(json_first(list)))));
    assert_null(json_member(list, "0"));
}

static void readers_of_another_type_give_nothing(void **state)
{
    const struct json *text = parse(*state, SLICE("\"1\""));
    const struct json *one = parse(*state, SLICE("1"));
    int64_t value = 7;
    assert_false(json_as_integer(text, &value));
    assert_false(json_as_integer(NULL, &value));
    assert_int_equal(value, 7);
    assert_false(json_as_bool(one));
    assert_false(slice_present(json_as_string(one)));
    assert_false(slice_present(json_as_string(NULL)));
    assert_null(json_first(text));
    assert_null(json_next(NULL));
    assert_int_equal(json_type_of(NULL), JSON_ABSENT);
    assert_string_equal(json_type_name(json_type_of(text)), "a string");
}

static void p18_integers_are_exact_or_refused(void **state)
{
    static const struct {
        const char *text;
        bool integer;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-5", true, -5},
        {"2147483648", true, 2147483648},
        {"9007199254740991", true, 9007199254740991},
        {"9007199254740993", false, 0},
        {"1.0", true, 1},
        {"1e2", true, 100},
        {"1.5", false, 0},
        {"1e300", false, 0},
        {"-9007199254740992", false, 0},
        {"true", false, 0},
        {"\"5\"", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 0;
        assert_int_equal(json_as_integer(parse(*state, slice_of(cases[i].text)), &value),
                         cases[i].integer);
        assert_true(value == cases[i].value);
    }
}

static void a_copy_keeps_the_digits_of_every_number(void **state)
{
    const char *text = "{\"a\":9007199254740993,\"b\":1.10,\"c\":[1,1e3,-0,12345678901234567890],"
                       "\"d\":{\"e\":0.1,\"f\":true,\"g\":null,\"h\":\"x\"}}";
    assert_slice(rewritten(*state, slice_of(text)), text);
}

static void a_copy_keeps_text_and_escapes_only_what_must_be(void **state)
{
    assert_slice(
        rewritten(*state, SLICE("\"\\u0041\\/\\u00e9\\ud83d\\ude00\\u0001\\u001f\\n\\\"\\\\\"")),
        "\"A/é😀\\u0001\\u001f\\n\\\"\\\\\"");
    assert_slice(rewritten(*state, SLICE(" [ ] ")), "[]");
}

static void a_copy_of_the_deepest_document_fits_a_writer(void **state)
{
    struct slice deep = nested(*state, JSON_PARSE_DEPTH);
    assert_true(slice_equal(rewritten(*state, deep), deep));
}

static void the_writer_sets_commas_names_and_brackets(void **state)
{
    (void)state;
    struct buffer out = buffer_make(1000);
    struct json_writer writer = json_writer_make(&out);
    json_open_object(&writer, NULL);
    json_text(&writer, "a", "x\"y");
    json_integer(&writer, "b", INT64_MIN);
    json_open_array(&writer, "c");
    json_bool(&writer, NULL, true);
    json_null(&writer, NULL);
    json_open_object(&writer, NULL);
    json_close(&writer);
    json_close(&writer);
    json_text(&writer, "d", NULL);
    json_string(&writer, "e", SLICE_ABSENT);
    json_string(&writer, "f", SLICE(""));
    json_raw(&writer, "g", SLICE("{\"h\": 1}"));
    json_raw(&writer, "i", SLICE_ABSENT);
    json_open_array(&writer, "j");
    json_writer_end(&writer);
    assert_slice(buffer_slice(&out),
                 "{\"a\":\"x\\\"y\",\"b\":-9223372036854775808,\"c\":[true,null,{}],\"d\":null,"
                 "\"e\":null,\"f\":\"\",\"g\":{\"h\": 1},\"i\":null,\"j\":[]}");
    buffer_free(&out);
}

static void p35_what_the_database_leaves_null_is_written_as_null(void **state)
{
    (void)state;
    struct buffer out = buffer_make(1000);
    struct json_writer writer = json_writer_make(&out);
    json_open_array(&writer, NULL);
    json_number(&writer, NULL, SLICE("0.93"));
    json_number(&writer, NULL, SLICE("-1e-05"));
    json_number(&writer, NULL, SLICE("NaN"));
    json_number(&writer, NULL, SLICE("-Infinity"));
    json_number(&writer, NULL, SLICE(""));
    json_number(&writer, NULL, SLICE_ABSENT);
    json_pg_bool(&writer, NULL, SLICE("t"));
    json_pg_bool(&writer, NULL, SLICE("f"));
    json_pg_bool(&writer, NULL, SLICE_ABSENT);
    json_pg_time(&writer, NULL, SLICE("2026-01-02 03:04:05.678+00"));
    json_pg_time(&writer, NULL, SLICE("2026-01-02 03:04:05+00"));
    json_pg_time(&writer, NULL, SLICE("infinity"));
    json_pg_time(&writer, NULL, SLICE_ABSENT);
    json_writer_end(&writer);
    assert_slice(buffer_slice(&out),
                 "[0.93,-1e-05,null,null,null,null,true,false,null,\"2026-01-02T03:04:05.678Z\","
                 "\"2026-01-02T03:04:05Z\",null,null]");
    buffer_free(&out);
}

static void a_writer_too_deep_or_too_full_fails_its_buffer(void **state)
{
    (void)state;
    struct buffer out = buffer_make(1000);
    struct json_writer writer = json_writer_make(&out);
    for (int i = 0; i < JSON_DEPTH + 1; i++)
        json_open_array(&writer, NULL);
    assert_false(buffer_ok(&out));
    json_writer_end(&writer);
    buffer_free(&out);
    struct buffer small = buffer_make(5);
    writer = json_writer_make(&small);
    json_text(&writer, NULL, "longer than five");
    assert_false(buffer_ok(&small));
    buffer_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(what_json_forbids_is_refused),
        UNIT_TEST(what_json_allows_is_read),
        UNIT_TEST(the_reason_names_the_byte),
        UNIT_TEST(a_text_needs_no_nul_behind_it),
        UNIT_TEST(a_member_twice_is_refused_however_it_is_spelled),
        UNIT_TEST(a_hundred_thousand_members_cost_no_quadratic_time),
        UNIT_TEST(nesting_has_a_limit),
        UNIT_TEST(the_number_of_values_has_a_limit),
        UNIT_TEST(members_are_found_by_exact_name),
        UNIT_TEST(readers_of_another_type_give_nothing),
        UNIT_TEST(p18_integers_are_exact_or_refused),
        UNIT_TEST(a_copy_keeps_the_digits_of_every_number),
        UNIT_TEST(a_copy_keeps_text_and_escapes_only_what_must_be),
        UNIT_TEST(a_copy_of_the_deepest_document_fits_a_writer),
        UNIT_TEST(the_writer_sets_commas_names_and_brackets),
        UNIT_TEST(p35_what_the_database_leaves_null_is_written_as_null),
        UNIT_TEST(a_writer_too_deep_or_too_full_fails_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
