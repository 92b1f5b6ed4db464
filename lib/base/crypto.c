#include "base/crypto.h"

#include <ctype.h>
#include <sodium.h>

_Static_assert(SHA256_SIZE == crypto_hash_sha256_BYTES, "libsodium's SHA-256 has another size");
_Static_assert(SHA256_SIZE == crypto_secretbox_KEYBYTES, "a hash is no key of libsodium's secretbox");

bool crypto_start(void)
{
    return sodium_init() >= 0;
}

struct sha256 sha256_of(struct slice bytes)
{
    struct sha256 hash;
    crypto_hash_sha256(hash.bytes, (const unsigned char *)bytes.ptr, bytes.len);
    return hash;
}

struct sha256 sha256_of_parts(const struct slice *parts, size_t count)
{
    struct sha256 hash;
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        uint64_t length = parts[i].len;
        crypto_hash_sha256_update(&state, (const unsigned char *)&length, sizeof length);
        crypto_hash_sha256_update(&state, (const unsigned char *)parts[i].ptr, parts[i].len);
    }
    crypto_hash_sha256_final(&state, hash.bytes);
    return hash;
}

char *hex_text(struct arena *arena, const unsigned char *bytes, size_t size)
{
    char *text = arena_alloc(arena, size * 2 + 1);
    return sodium_bin2hex(text, size * 2 + 1, bytes, size);
}

char *bytea_text(struct arena *arena, const struct sha256 *hash)
{
    char *text = arena_alloc(arena, 2 + SHA256_SIZE * 2 + 1);
    text[0] = '\\';
    text[1] = 'x';
    sodium_bin2hex(text + 2, SHA256_SIZE * 2 + 1, hash->bytes, SHA256_SIZE);
    return text;
}

char *secret_text(struct arena *arena, const char *prefix)
{
    unsigned char random[SECRET_SIZE];
    randombytes_buf(random, sizeof random);
    char *text = base64url_text(arena, (struct slice){(const char *)random, sizeof random});
    sodium_memzero(random, sizeof random);
    return arena_printf(arena, "%s%s", prefix, text);
}

char *uuid_text(struct arena *arena)
{
    unsigned char random[16];
    randombytes_buf(random, sizeof random);
    random[6] = (unsigned char)((random[6] & 0x0F) | 0x40);
    random[8] = (unsigned char)((random[8] & 0x3F) | 0x80);
    const char *hex = hex_text(arena, random, sizeof random);
    return arena_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool is_uuid(struct slice text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.ptr[i] != '-' : !isxdigit((unsigned char)text.ptr[i]))
            return false;
    }
    return true;
}

bool secret_equal(struct slice a, struct slice b)
{
    return a.len == b.len && a.len > 0 && sodium_memcmp(a.ptr, b.ptr, a.len) == 0;
}

static char *encode(struct arena *arena, struct slice bytes, int variant)
{
    size_t size = sodium_base64_encoded_len(bytes.len, variant);
    char *text = arena_alloc(arena, size);
    return sodium_bin2base64(text, size, (const unsigned char *)bytes.ptr, bytes.len, variant);
}

/* libsodium takes some bytes above 0x7F for digits. */
static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] > 0x7F)
            return false;
    return true;
}

static struct slice decode(struct arena *arena, struct slice text, int variant)
{
    if (!slice_present(text) || !is_ascii(text))
        return SLICE_ABSENT;
    unsigned char *bytes = arena_alloc(arena, text.len + 1);
    size_t length;
    const char *end;
    int failed = sodium_base642bin(bytes, text.len, text.ptr, text.len, NULL, &length, &end, variant);
    if (failed != 0 || end != text.ptr + text.len)
        return SLICE_ABSENT;
    return (struct slice){(const char *)bytes, length};
}

char *base64url_text(struct arena *arena, struct slice bytes)
{
    return encode(arena, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

struct slice base64url_decode(struct arena *arena, struct slice text)
{
    return decode(arena, text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

char *base64_text(struct arena *arena, struct slice bytes)
{
    return encode(arena, bytes, sodium_base64_VARIANT_ORIGINAL);
}

struct slice base64_decode(struct arena *arena, struct slice text)
{
    return decode(arena, text, sodium_base64_VARIANT_ORIGINAL);
}

char *secret_seal(struct arena *arena, const struct sha256 *key, struct slice bytes)
{
    size_t size = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + bytes.len;
    unsigned char *box = arena_alloc(arena, size);
    randombytes_buf(box, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, (const unsigned char *)bytes.ptr, bytes.len, box, key->bytes);
    return base64url_text(arena, (struct slice){(const char *)box, size});
}

struct slice secret_open(struct arena *arena, const struct sha256 *key, struct slice sealed)
{
    size_t around = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    struct slice box = base64url_decode(arena, sealed);
    if (!slice_present(box) || box.len < around)
        return SLICE_ABSENT;
    const unsigned char *nonce = (const unsigned char *)box.ptr;
    unsigned char *bytes = arena_alloc(arena, box.len - around + 1);
    int failed = crypto_secretbox_open_easy(bytes, nonce + crypto_secretbox_NONCEBYTES,
                                            box.len - crypto_secretbox_NONCEBYTES, nonce, key->bytes);
    return failed == 0 ? (struct slice){(const char *)bytes, box.len - around} : SLICE_ABSENT;
}

char *password_hash(struct arena *arena, struct slice password)
{
    char *hash = arena_alloc(arena, crypto_pwhash_STRBYTES);
    int failed = crypto_pwhash_str(hash, password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                   crypto_pwhash_MEMLIMIT_INTERACTIVE);
    return failed == 0 ? hash : NULL;
}

bool password_verify(const char *hash, struct slice password)
{
    return crypto_pwhash_str_verify(hash, password.ptr, password.len) == 0;
}
