#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signing.h"

/* The seed and keys of RFC 8032, section 7.1, test 2. */
static const char SEED[] = "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=\n";
static const char PUBLIC[] = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";

static char folder[] = "/tmp/flywheel-signing-XXXXXX";
static char path[64];

static const char *write_file(const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static struct signing_key *read_key(const char *text, mode_t mode, char *why, size_t size)
{
    *why = '\0';
    return signing_key_read(write_file(text, mode), why, size);
}

static struct signature_keys *read_public(const char *text)
{
    char why[300] = "";
    struct signature_keys *keys = signature_keys_read(write_file(text, 0644), why, sizeof why);
    assert_true((keys == NULL) == (why[0] != '\0'));
    return keys;
}

static struct slice signature_of(const unsigned char bytes[ED25519_SIGNATURE])
{
    return (struct slice){(const char *)bytes, ED25519_SIGNATURE};
}

static void a_key_signs_as_the_standard_says(void **state)
{
    char why[300];
    struct signing_key *key = read_key(SEED, 0600, why, sizeof why);
    assert_non_null(key);
    unsigned char signature[ED25519_SIGNATURE];
    signing_sign(key, SLICE("\x72"), signature);
    assert_string_equal(hex_text(*state, signature, sizeof signature),
                        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_string_equal(base64_text(*state, (struct slice){(const char *)signing_key_public(key), ED25519_PUBLIC}), PUBLIC);
    signing_key_free(key);
}

static void P41_a_key_that_others_may_read_is_refused(void **state)
{
    (void)state;
    char why[300];
    const mode_t open_modes[] = {0640, 0660, 0604, 0644, 0666, 0610, 0601, 0620};
    for (size_t i = 0; i < COUNT_OF(open_modes); i++) {
        assert_null(read_key(SEED, open_modes[i], why, sizeof why));
        assert_non_null(strstr(why, "chmod 600"));
        assert_non_null(strstr(why, path));
    }
    const mode_t own_modes[] = {0600, 0400};
    for (size_t i = 0; i < COUNT_OF(own_modes); i++) {
        struct signing_key *key = read_key(SEED, own_modes[i], why, sizeof why);
        assert_non_null(key);
        signing_key_free(key);
    }
}

static void root_reads_the_key_of_the_servers_user_and_that_user_not_roots(void **state)
{
    (void)state;
    char why[300];
    if (geteuid() != 0)
        skip();
    write_file(SEED, 0600);
    assert_int_equal(chown(path, 65534, 65534), 0);
    struct signing_key *key = signing_key_read(path, why, sizeof why);
    assert_non_null(key);
    signing_key_free(key);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    key = signing_key_read(path, why, sizeof why);
    assert_int_equal(seteuid(0), 0);
    assert_null(key);
    assert_non_null(strstr(why, "Permission denied"));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    char why[300];
    assert_null(signing_key_read("/nowhere/key", why, sizeof why));
    assert_non_null(strstr(why, "/nowhere/key"));
    assert_null(signing_key_read(folder, why, sizeof why));
    assert_non_null(strstr(why, "regular"));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(signing_key_read(path, why, sizeof why)); /* at once: nobody writes into it */
    assert_null(signature_keys_read(path, why, sizeof why));
    assert_non_null(strstr(why, "regular"));
}

static void a_key_is_one_line_of_base64(void **state)
{
    char why[300];
    const char *const good[] = {"TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=",
                                "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=\r\n",
                                " TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs= \n\n"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct signing_key *key = read_key(good[i], 0600, why, sizeof why);
        assert_non_null(key);
        signing_key_free(key);
    }
    const char *const bad[] = {"",
                               "\n",
                               "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs",
                               "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvt=",
                               "TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs=",
                               "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pg==",
                               "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=\nTM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=\n",
                               "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=\n\n\n#",
                               "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                               "-----BEGIN PRIVATE KEY-----\n"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(read_key(bad[i], 0600, why, sizeof why));
        assert_non_null(strstr(why, "44 characters"));
        assert_null(strstr(why, "TM0Imyj"));
    }
    char *large = memset(arena_alloc(*state, 10000), 'A', 9999);
    assert_null(read_key(large, 0600, why, sizeof why));
    assert_non_null(strstr(why, "too large"));
}

static void a_signature_is_verified_by_its_key_and_over_its_bytes_only(void **state)
{
    char why[300], seed[KEY_TEXT_SIZE], public[KEY_TEXT_SIZE], text[300];
    struct signing_key *key = read_key(SEED, 0600, why, sizeof why);
    unsigned char signature[ED25519_SIGNATURE];
    signing_sign(key, SLICE("bytes"), signature);
    struct signature_keys *own = read_public(PUBLIC);
    assert_true(signature_verify(own, SLICE("bytes"), signature_of(signature)));
    assert_false(signature_verify(own, SLICE("bytez"), signature_of(signature)));
    assert_false(signature_verify(own, SLICE("byte"), signature_of(signature)));
    assert_false(signature_verify(own, SLICE("bytes"), (struct slice){(const char *)signature, ED25519_SIGNATURE - 1}));
    assert_false(signature_verify(own, SLICE("bytes"), SLICE_ABSENT));
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 1;
        assert_false(signature_verify(own, SLICE("bytes"), signature_of(signature)));
        signature[i] ^= 1;
    }
    signing_seed_new(seed, public);
    struct signature_keys *other = read_public(public);
    assert_false(signature_verify(other, SLICE("bytes"), signature_of(signature)));
    snprintf(text, sizeof text, "# the new one\n%s\n\n  %s\r\n", public, PUBLIC);
    struct signature_keys *both = read_public(text); /* while a key is replaced */
    assert_true(signature_verify(both, SLICE("bytes"), signature_of(signature)));
    signature_keys_free(own);
    signature_keys_free(other);
    signature_keys_free(both);
    signing_key_free(key);
    (void)state;
}

static void a_file_of_public_keys_holds_one_or_two(void **state)
{
    const char *key = PUBLIC;
    const char *const bad[] = {"", "# none\n\n", "not a key\n", arena_printf(*state, "%s\n%s\n%s\n", key, key, key),
                               arena_printf(*state, "%s %s\n", key, key), arena_printf(*state, "%s\nrest\n", key),
                               arena_printf(*state, "%.43s\n", key)};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_null(read_public(bad[i]));
    signature_keys_free(read_public(arena_printf(*state, "%s\n%s", key, key)));
    char why[300];
    assert_null(signature_keys_read("/nowhere/key", why, sizeof why));
}

static void a_new_key_is_another_each_time_and_works(void **state)
{
    (void)state;
    char why[300], seed[KEY_TEXT_SIZE], public[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE];
    signing_seed_new(again, public);
    signing_seed_new(seed, public);
    assert_string_not_equal(seed, again);
    struct signing_key *key = read_key(seed, 0600, why, sizeof why);
    struct signature_keys *keys = read_public(public);
    unsigned char signature[ED25519_SIGNATURE];
    signing_sign(key, SLICE(""), signature);
    assert_true(signature_verify(keys, SLICE(""), signature_of(signature)));
    signing_key_free(key);
    signature_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_key_signs_as_the_standard_says),
        UNIT_TEST(P41_a_key_that_others_may_read_is_refused),
        UNIT_TEST(root_reads_the_key_of_the_servers_user_and_that_user_not_roots),
        UNIT_TEST(what_is_no_file_is_refused),
        UNIT_TEST(a_key_is_one_line_of_base64),
        UNIT_TEST(a_signature_is_verified_by_its_key_and_over_its_bytes_only),
        UNIT_TEST(a_file_of_public_keys_holds_one_or_two),
        UNIT_TEST(a_new_key_is_another_each_time_and_works),
    };
    if (!crypto_start() || mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/key", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
