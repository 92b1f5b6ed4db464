/*
 * SHA-256 (FIPS 180-4), to name staged copies by their content and to tell versions apart.
 */
#ifndef FLYWHEEL_SUPERVISOR_DIGEST_H
#define FLYWHEEL_SUPERVISOR_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* 64 lower-case hex digits and the final zero; an empty string means "none". */
struct digest {
    char hex[65];
};

struct digest_context {
    uint32_t state[8];
    uint64_t length; /* bytes taken in so far */
    unsigned char block[64];
};

/* Begins a digest. */
void digest_begin(struct digest_context *context);

/* Takes in `length` bytes at `data`. */
void digest_add(struct digest_context *context, const void *data, size_t length);

/* Ends the digest; the context must be begun again before it is used again. */
struct digest digest_end(struct digest_context *context);

#endif
