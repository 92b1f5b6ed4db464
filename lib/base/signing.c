#include "base/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(ED25519_PUBLIC == crypto_sign_PUBLICKEYBYTES, "libsodium's public keys have another size");
_Static_assert(ED25519_SIGNATURE == crypto_sign_BYTES, "libsodium's signatures have another size");

_Static_assert(ED25519_PUBLIC == crypto_sign_SEEDBYTES, "libsodium's seeds are not as long as its public keys");
_Static_assert(KEY_TEXT_SIZE == sodium_base64_ENCODED_LEN(ED25519_PUBLIC, sodium_base64_VARIANT_ORIGINAL),
               "the text of a key has another length");

enum { FILE_CEILING = 4096 };

struct signing_key {
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    unsigned char public[ED25519_PUBLIC];
};

struct signature_keys {
    size_t count;
    unsigned char public[SIGNATURE_KEYS_MAX][ED25519_PUBLIC];
};

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* NULL: a secret may be read from it; else why not. */
static const char *why_unsafe(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    uid_t own = geteuid();
    if (own != 0 && status->st_uid != 0 && status->st_uid != own)
        return "it belongs to another user; chown it to the user of this program or to root";
    if ((status->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return "others than its owner may use it; chmod 600 it, and replace the key if somebody may have read it";
    return NULL;
}

/* The whole text of a small file, whose length it returns; -1 with a reason. */
static ssize_t read_text(const char *path, bool is_secret, char text[FILE_CEILING], char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        snprintf(why, why_size, "cannot open the key file %s: %s", path, strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    const char *unsafe = is_secret ? why_unsafe(&status) : S_ISREG(status.st_mode) ? NULL : "it is not a regular file";
    ssize_t length = unsafe == NULL ? read(fd, text, FILE_CEILING) : -1;
    int failure = errno;
    close(fd);
    if (length >= 0 && length < FILE_CEILING)
        return length;
    snprintf(why, why_size, "cannot use the key file %s: %s", path,
             unsafe != NULL ? unsafe : length < 0 ? strerrordesc_np(failure) : "it is too large to be one");
    return -1;
}

/* The next line, less white space at its ends. */
static struct slice take_line(struct slice *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct slice line = {rest->ptr, end != NULL ? (size_t)(end - rest->ptr) : rest->len};
    size_t taken = line.len + (end != NULL);
    *rest = (struct slice){rest->ptr + taken, rest->len - taken};
    while (line.len > 0 && memchr(" \t\r", line.ptr[line.len - 1], 3) != NULL)
        line.len--;
    while (line.len > 0 && memchr(" \t\r", line.ptr[0], 3) != NULL)
        line = (struct slice){line.ptr + 1, line.len - 1};
    return line;
}

/* The 32 bytes of a seed or public key from their base64. */
static bool key_bytes(struct slice line, unsigned char bytes[ED25519_PUBLIC])
{
    size_t length;
    const char *end;
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.ptr[i] > 0x7F) /* libsodium takes some of these for digits */
            return false;
    return line.len == KEY_TEXT_SIZE - 1 &&
           sodium_base642bin(bytes, ED25519_PUBLIC, line.ptr, line.len, NULL, &length, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           length == ED25519_PUBLIC && end == line.ptr + line.len;
}

/* ---- signing --------------------------------------------------------------------------------------------------- */

static struct signing_key *key_of_text(struct slice text)
{
    unsigned char seed[ED25519_PUBLIC];
    struct slice line = take_line(&text), rest = take_line(&text);
    struct signing_key *key = NULL;
    if (key_bytes(line, seed) && rest.len == 0 && text.len == 0 && (key = sodium_malloc(sizeof *key)) != NULL)
        crypto_sign_seed_keypair(key->public, key->secret, seed);
    sodium_memzero(seed, sizeof seed);
    return key;
}

struct signing_key *signing_key_read(const char *path, char *why, size_t why_size)
{
    char text[FILE_CEILING];
    ssize_t length = read_text(path, true, text, why, why_size);
    if (length < 0)
        return NULL;
    struct signing_key *key = key_of_text((struct slice){text, (size_t)length});
    sodium_memzero(text, sizeof text);
    if (key == NULL)
        snprintf(why, why_size, "cannot use the key file %s: it must hold one line, a key as 44 characters of base64", path);
    return key;
}

void signing_key_free(struct signing_key *key)
{
    sodium_free(key);
}

const unsigned char *signing_key_public(const struct signing_key *key)
{
    return key->public;
}

void signing_sign(const struct signing_key *key, struct slice bytes, unsigned char signature[ED25519_SIGNATURE])
{
    crypto_sign_detached(signature, NULL, (const unsigned char *)bytes.ptr, bytes.len, key->secret);
}

static void key_text(char text[KEY_TEXT_SIZE], const unsigned char bytes[ED25519_PUBLIC])
{
    sodium_bin2base64(text, KEY_TEXT_SIZE, bytes, ED25519_PUBLIC, sodium_base64_VARIANT_ORIGINAL);
}

void signing_seed_new(char seed_text[KEY_TEXT_SIZE], char public_text[KEY_TEXT_SIZE])
{
    unsigned char seed[ED25519_PUBLIC];
    struct signing_key key;
    randombytes_buf(seed, sizeof seed);
    crypto_sign_seed_keypair(key.public, key.secret, seed);
    key_text(seed_text, seed);
    key_text(public_text, key.public);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(&key, sizeof key);
}

/* ---- verifying ------------------------------------------------------------------------------------------------- */

/* False when a line is no key, there are too many, or none. */
static bool take_keys(struct slice text, struct signature_keys *keys)
{
    while (text.len > 0) {
        struct slice line = take_line(&text);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (keys->count == SIGNATURE_KEYS_MAX || !key_bytes(line, keys->public[keys->count++]))
            return false;
    }
    return keys->count > 0;
}

struct signature_keys *signature_keys_read(const char *path, char *why, size_t why_size)
{
    char text[FILE_CEILING];
    ssize_t length = read_text(path, false, text, why, why_size);
    if (length < 0)
        return NULL;
    struct signature_keys *keys = calloc(1, sizeof *keys);
    if (keys != NULL && take_keys((struct slice){text, (size_t)length}, keys))
        return keys;
    free(keys);
    snprintf(why, why_size, "cannot use the key file %s: it must hold one or two public keys, each a line of 44 characters of "
             "base64", path);
    return NULL;
}

void signature_keys_free(struct signature_keys *keys)
{
    free(keys);
}

bool signature_verify(const struct signature_keys *keys, struct slice bytes, struct slice signature)
{
    if (signature.len != ED25519_SIGNATURE)
        return false;
    for (size_t i = 0; i < keys->count; i++)
        if (crypto_sign_verify_detached((const unsigned char *)signature.ptr, (const unsigned char *)bytes.ptr, bytes.len,
                                        keys->public[i]) == 0)
            return true;
    return false;
}
