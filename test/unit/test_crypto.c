#include "unit.h"

#include "base/crypto.h"

static void sha_256_has_its_golden_values(void **state)
{
    struct sha256 hash = sha256_of(SLICE("abc"));
    assert_string_equal(hex_text(*state, hash.bytes, SHA256_SIZE),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(bytea_text(*state, &hash),
                        "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void lists_of_parts_that_read_alike_have_different_hashes(void **state)
{
    (void)state;
    const struct slice ab_c[] = {SLICE("ab"), SLICE("c")}, a_bc[] = {SLICE("a"), SLICE("bc")};
    const struct slice abc[] = {SLICE("abc"), SLICE("")};
    struct sha256 one = sha256_of_parts(ab_c, 2), two = sha256_of_parts(a_bc, 2),
                  three = sha256_of_parts(abc, 2);
    assert_memory_not_equal(one.bytes, two.bytes, SHA256_SIZE);
    assert_memory_not_equal(one.bytes, three.bytes, SHA256_SIZE);
    struct sha256 again = sha256_of_parts(ab_c, 2);
    assert_memory_equal(one.bytes, again.bytes, SHA256_SIZE);
}

static void secrets_are_long_and_never_alike(void **state)
{
    struct slice seen[200];
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        seen[i] = slice_of(secret_text(*state, "fwk_"));
        assert_true(slice_starts_with(seen[i], "fwk_"));
        assert_int_equal(seen[i].len, 4 + 43); /* 256 bits in base64url */
        for (size_t before = 0; before < i; before++)
            assert_false(slice_equal(seen[i], seen[before]));
    }
}

static void uuids_are_of_version_4_and_recognised(void **state)
{
    struct slice uuid = slice_of(uuid_text(*state));
    assert_true(is_uuid(uuid));
    assert_int_equal(uuid.ptr[14], '4');
    assert_non_null(strchr("89ab", uuid.ptr[19]));
    assert_true(is_uuid(SLICE("00000000-0000-4000-8000-00000000ABCD")));
    const struct slice bad[] = {SLICE(""),
                                SLICE_ABSENT,
                                SLICE("00000000-0000-4000-8000-00000000000"),
                                SLICE("00000000-0000-4000-8000-0000000000000"),
                                SLICE("00000000x0000-4000-8000-000000000000"),
                                SLICE("0000000g-0000-4000-8000-000000000000"),
                                SLICE("{0000000-0000-4000-8000-00000000000}")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(is_uuid(bad[i]));
}

static void secrets_are_compared_whole(void **state)
{
    (void)state;
    assert_true(secret_equal(SLICE("abc"), SLICE("abc")));
    assert_false(secret_equal(SLICE("abc"), SLICE("abd")));
    assert_false(secret_equal(SLICE("abc"), SLICE("ab")));
    assert_false(secret_equal(SLICE("abc"), SLICE("")));
    assert_false(secret_equal(SLICE_ABSENT, SLICE("")));
}

static void base64url_comes_back_and_rejects_the_rest(void **state)
{
    const struct slice texts[] = {SLICE(""), SLICE("a"), SLICE("ab"), SLICE("abc"),
                                  SLICE("\xFF\xFE\0\x01")};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_true(slice_equal(
            base64url_decode(*state, slice_of(base64url_text(*state, texts[i]))), texts[i]));
    assert_string_equal(base64url_text(*state, SLICE("\xFB\xFF")), "-_8");
    const struct slice bad[] = {SLICE("a"),   SLICE("a+b/"), SLICE("YQ=="),
                                SLICE("Y Q"), SLICE("YQ\n"), SLICE("é")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(slice_present(base64url_decode(*state, bad[i])));
}

static void base64_comes_back_and_rejects_the_rest(void **state)
{
    const struct slice texts[] = {SLICE(""), SLICE("a"), SLICE("ab"), SLICE("abc"), SLICE("\xFF\xFE\0\x01")};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_true(slice_equal(base64_decode(*state, slice_of(base64_text(*state, texts[i]))), texts[i]));
    assert_string_equal(base64_text(*state, SLICE("\xFB\xFF")), "+/8=");
    const struct slice bad[] = {SLICE("YQ"),   SLICE("YQ="),   SLICE("YR=="), SLICE("-_8="), SLICE("YQ==\n"),
                                SLICE("Y Q="), SLICE("YQ==="), SLICE("="),    SLICE_ABSENT,  SLICE("\xC3\xA9==")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(slice_present(base64_decode(*state, bad[i])));
}

static void a_password_is_verified_by_its_argon2id_hash_only(void **state)
{
    char *hash = password_hash(*state, SLICE("correct horse"));
    assert_true(slice_starts_with(slice_of(hash), "$argon2id$"));
    assert_null(strstr(hash, "horse"));
    assert_true(password_verify(hash, SLICE("correct horse")));
    assert_false(password_verify(hash, SLICE("correct horsf")));
    assert_false(password_verify(hash, SLICE("")));
    assert_false(password_verify("", SLICE("")));
    assert_false(password_verify("$argon2id$broken", SLICE("x")));
    assert_string_not_equal(password_hash(*state, SLICE("correct horse")), hash);
}

static void what_is_sealed_opens_with_its_key_only(void **state)
{
    struct sha256 key = sha256_of(SLICE("a key")), other = sha256_of(SLICE("another key"));
    const struct slice texts[] = {SLICE(""), SLICE("fwk_secret"), SLICE("\xFF\0\x01")};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char *sealed = secret_seal(*state, &key, texts[i]);
        assert_true(slice_equal(secret_open(*state, &key, slice_of(sealed)), texts[i]));
        assert_false(slice_present(secret_open(*state, &other, slice_of(sealed))));
        assert_null(strstr(sealed, "secret"));
        assert_string_not_equal(secret_seal(*state, &key, texts[i]), sealed); /* another nonce */
        sealed[3] = sealed[3] == 'A' ? 'B' : 'A';
        assert_false(slice_present(secret_open(*state, &key, slice_of(sealed))));
    }
    const struct slice bad[] = {SLICE(""), SLICE("AAAA"), SLICE("not base64url!"), SLICE_ABSENT};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(slice_present(secret_open(*state, &key, bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(sha_256_has_its_golden_values),
        UNIT_TEST(lists_of_parts_that_read_alike_have_different_hashes),
        UNIT_TEST(secrets_are_long_and_never_alike),
        UNIT_TEST(uuids_are_of_version_4_and_recognised),
        UNIT_TEST(secrets_are_compared_whole),
        UNIT_TEST(base64url_comes_back_and_rejects_the_rest),
        UNIT_TEST(base64_comes_back_and_rejects_the_rest),
        UNIT_TEST(what_is_sealed_opens_with_its_key_only),
        UNIT_TEST(a_password_is_verified_by_its_argon2id_hash_only),
    };
    if (!crypto_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
