/* Signatures by Ed25519 (RFC 8032), and the files in which the keys lie. By libsodium.
 *
 * The server signs with one key; appliances verify with one or two, so that a key can be replaced: first the new public
 * key is given to the appliances beside the old one, then the server changes over, then the old one is taken away.
 *
 * Thread-safe after crypto_start (base/crypto.h); a key is only read after it was made. */
#ifndef BASE_SIGNING_H
#define BASE_SIGNING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/crypto.h"
#include "base/slice.h"

enum {
    ED25519_PUBLIC = 32,
    ED25519_SIGNATURE = 64,
    SIGNATURE_KEYS_MAX = 2,
    KEY_TEXT_SIZE = 45, /* the base64 of 32 bytes, and its NUL */
};

/* ---- signing --------------------------------------------------------------------------------------------------- */

struct signing_key;

/* Reads a secret key: a file of one line, the base64 (RFC 4648 section 4) of its 32-byte seed. NULL with a sentence in `why`
 * (`why_size` bytes, never a part of the key) when the file cannot be read, is no regular file, belongs to somebody else
 * than this process's user or root (root itself may read anybody's), is open to its group or others, or holds something else. The caller frees it. */
struct signing_key *signing_key_read(const char *path, char *why, size_t why_size) MUST_USE;

/* Wipes and frees. NULL is allowed. */
void signing_key_free(struct signing_key *key);

/* The ED25519_PUBLIC bytes with which its signatures are verified. */
const unsigned char *signing_key_public(const struct signing_key *key);

void signing_sign(const struct signing_key *key, struct slice bytes, unsigned char signature[ED25519_SIGNATURE]);

/* Makes a new key: the base64 of its seed, for a key's file, and of its public key, for the appliances. The caller wipes
 * the seed. */
void signing_seed_new(char seed_text[KEY_TEXT_SIZE], char public_text[KEY_TEXT_SIZE]);

/* ---- verifying ------------------------------------------------------------------------------------------------- */

struct signature_keys;

/* Reads public keys: a file of one base64 key a line, SIGNATURE_KEYS_MAX at most; blank lines and lines that begin with
 * `#` are passed over. NULL with a sentence in `why` when it is anything else. The caller frees them. */
struct signature_keys *signature_keys_read(const char *path, char *why, size_t why_size) MUST_USE;

/* NULL is allowed. */
void signature_keys_free(struct signature_keys *keys);

/* True when one of the keys made `signature` over `bytes`. */
bool signature_verify(const struct signature_keys *keys, struct slice bytes, struct slice signature) MUST_USE;

#endif
