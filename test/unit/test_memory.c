#include "unit.h"

#include "base/buffer.h"

static void arena_memory_is_zeroed_and_aligned_for_anything(void **state)
{
    for (size_t size = 1; size < 300; size += 7) {
        unsigned char *bytes = arena_alloc(*state, size);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xAA, size);
    }
}

static void arena_memory_is_zeroed_again_after_a_reset(void **state)
{
    memset(arena_alloc(*state, 4096), 0xAA, 4096);
    arena_reset(*state);
    assert_int_equal(arena_used(*state), 0);
    const unsigned char *bytes = arena_alloc(*state, 4096);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(bytes[i], 0);
}

static void arena_serves_more_than_its_first_block(void **state)
{
    char *first = arena_alloc(*state, 1000);
    memset(first, 'a', 1000);
    char *large = arena_alloc(*state, (size_t)1024 * 1024);
    memset(large, 'b', (size_t)1024 * 1024);
    char *small = arena_alloc(*state, 10);
    memset(small, 'c', 10);
    assert_int_equal(first[999], 'a');
    assert_int_equal(large[1024 * 1024 - 1], 'b');
    assert_true(arena_used(*state) >= 1000 + 1024 * 1024 + 10);
}

static void arena_copies_end_with_a_nul_and_keep_absence(void **state)
{
    struct slice part = {"abcdef", 3};
    assert_string_equal(arena_text(*state, part), "abc");
    assert_null(arena_text(*state, SLICE_ABSENT));
    struct slice copy = arena_copy(*state, part);
    assert_int_equal(copy.len, 3);
    assert_int_equal(copy.ptr[3], '\0');
    assert_ptr_not_equal(copy.ptr, part.ptr);
    assert_false(slice_present(arena_copy(*state, SLICE_ABSENT)));
    assert_true(slice_present(arena_copy(*state, SLICE(""))));
    assert_string_equal(arena_printf(*state, "%s-%d", "x", 42), "x-42");
}

static char cleaned[8];

static void note(void *object)
{
    size_t length = strlen(cleaned);
    cleaned[length] = *(const char *)object;
    cleaned[length + 1] = '\0';
}

static void arena_cleans_up_newest_first_and_once(void **state)
{
    static char a = 'a', b = 'b', c = 'c';
    cleaned[0] = '\0';
    arena_on_reset(*state, note, &a);
    arena_on_reset(*state, note, &b);
    arena_reset(*state);
    assert_string_equal(cleaned, "ba");
    arena_on_reset(*state, note, &c);
    arena_reset(*state);
    arena_reset(*state);
    assert_string_equal(cleaned, "bac");
}

static void an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    struct buffer buffer = buffer_make(10);
    assert_true(buffer_ok(&buffer));
    assert_slice(buffer_slice(&buffer), "");
    buffer_free(&buffer);
}

static void a_buffer_grows_up_to_its_ceiling_and_not_beyond(void **state)
{
    (void)state;
    struct buffer buffer = buffer_make(10);
    buffer_append(&buffer, SLICE("01234"));
    buffer_append_text(&buffer, "5678");
    buffer_append_char(&buffer, '9');
    assert_true(buffer_ok(&buffer));
    assert_slice(buffer_slice(&buffer), "0123456789");
    buffer_append_char(&buffer, 'x');
    assert_false(buffer_ok(&buffer));
    assert_int_equal(buffer.len, 10);
    buffer_clear(&buffer);
    assert_true(buffer_ok(&buffer));
    buffer_append_format(&buffer, "%d/%s", 7, "a");
    assert_slice(buffer_slice(&buffer), "7/a");
    buffer_free(&buffer);
}

static void a_failed_buffer_ignores_what_would_fit_again(void **state)
{
    (void)state;
    struct buffer buffer = buffer_make(10);
    buffer_append_text(&buffer, "0123");
    buffer_append_text(&buffer, "too long by far");
    buffer_append_text(&buffer, "4");
    assert_false(buffer_ok(&buffer));
    assert_slice(buffer_slice(&buffer), "0123");
    assert_null(buffer_reserve(&buffer, 1));
    buffer_free(&buffer);
}

static void a_formatted_append_that_does_not_fit_fails_whole(void **state)
{
    (void)state;
    struct buffer buffer = buffer_make(8);
    buffer_append_format(&buffer, "%s", "123456789");
    assert_false(buffer_ok(&buffer));
    assert_int_equal(buffer.len, 0);
    buffer_free(&buffer);
}

static void a_buffer_takes_megabytes(void **state)
{
    (void)state;
    struct buffer buffer = buffer_make((size_t)4 * 1024 * 1024);
    for (int i = 0; i < 100000; i++)
        buffer_append_format(&buffer, "%06d ", i);
    assert_true(buffer_ok(&buffer));
    assert_int_equal(buffer.len, 700000);
    assert_memory_equal(buffer.bytes + 699993, "099999 ", 7);
    char *room = buffer_reserve(&buffer, 3);
    memcpy(room, "end", 3);
    buffer.len += 3;
    assert_int_equal(buffer_slice(&buffer).len, 700003);
    buffer_free(&buffer);
}

static void an_error_collects_wrong_members_and_drops_none_silently(void **state)
{
    (void)state;
    struct error error;
    error_clear(&error);
    assert_false(error_add(&error, "/reason", "must not be %s", "blank"));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_int_equal(error.item_count, 1);
    assert_string_equal(error.items[0].pointer, "/reason");
    assert_string_equal(error.items[0].detail, "must not be blank");
    for (int i = 0; i < 40; i++)
        assert_false(error_add(&error, "/x", "no"));
    assert_int_equal(error.item_count, ERROR_ITEMS);
    assert_false(error_set(&error, ERROR_CONFLICT, "rule-exists", "%s", "There is a rule."));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_string_equal(error.slug, "rule-exists");
    error_clear(&error);
    assert_int_equal(error.kind, ERROR_NONE);
    assert_int_equal(error.item_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(arena_memory_is_zeroed_and_aligned_for_anything),
        UNIT_TEST(arena_memory_is_zeroed_again_after_a_reset),
        UNIT_TEST(arena_serves_more_than_its_first_block),
        UNIT_TEST(arena_copies_end_with_a_nul_and_keep_absence),
        UNIT_TEST(arena_cleans_up_newest_first_and_once),
        UNIT_TEST(an_empty_buffer_is_an_empty_string),
        UNIT_TEST(a_buffer_grows_up_to_its_ceiling_and_not_beyond),
        UNIT_TEST(a_failed_buffer_ignores_what_would_fit_again),
        UNIT_TEST(a_formatted_append_that_does_not_fit_fails_whole),
        UNIT_TEST(a_buffer_takes_megabytes),
        UNIT_TEST(an_error_collects_wrong_members_and_drops_none_silently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
