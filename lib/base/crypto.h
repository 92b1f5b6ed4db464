/* Hashes, random values and their text forms, by libsodium.
 *
 * Thread-safe after crypto_start. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/slice.h"

enum { SHA256_SIZE = 32, SECRET_SIZE = 32 };

struct sha256 {
    unsigned char bytes[SHA256_SIZE];
};

/* Must be called once before anything else here; false when the system has no source of randomness. */
bool crypto_start(void) MUST_USE;

/* SHA-256 (FIPS 180-4). */
struct sha256 sha256_of(struct slice bytes);

/* SHA-256 over several parts, each preceded by its length, so that no two lists of parts collide. */
struct sha256 sha256_of_parts(const struct slice *parts, size_t count);

/* Lower-case hexadecimal, in the arena. */
char *hex_text(struct arena *arena, const unsigned char *bytes, size_t size);

/* A hash as PostgreSQL reads a bytea: `\x…`. */
char *bytea_text(struct arena *arena, const struct sha256 *hash);

/* A new random secret of 256 bits with `prefix` before it: what a key, token or cookie is. Base64url,
 * unpadded (RFC 4648 section 5). */
char *secret_text(struct arena *arena, const char *prefix);

/* A random UUID (RFC 9562 version 4). */
char *uuid_text(struct arena *arena);

/* True when `text` has the form of a UUID, upper or lower case. */
bool is_uuid(struct slice text);

/* Equal bytes, in time that does not depend on where they differ. */
bool secret_equal(struct slice a, struct slice b);

/* Seals bytes so that only who has the key can read them, and nobody can change them unnoticed (XSalsa20-Poly1305, a new
 * nonce each time). Base64url, in the arena. */
char *secret_seal(struct arena *arena, const struct sha256 *key, struct slice bytes);

/* What was sealed; absent with another key, or when it was changed. */
struct slice secret_open(struct arena *arena, const struct sha256 *key, struct slice sealed);

/* Base64url without padding (RFC 4648 section 5), both ways; decoding gives the absent slice for anything else. */
char *base64url_text(struct arena *arena, struct slice bytes);
struct slice base64url_decode(struct arena *arena, struct slice text);

/* The same for base64 with padding (RFC 4648 section 4). */
char *base64_text(struct arena *arena, struct slice bytes);
struct slice base64_decode(struct arena *arena, struct slice text);

/* Argon2id (RFC 9106) with libsodium's interactive limits: 64 MiB and two passes, about 0.1 s. The text holds
 * salt and parameters. NULL when memory is short. */
char *password_hash(struct arena *arena, struct slice password);
bool password_verify(const char *hash, struct slice password);

#endif
