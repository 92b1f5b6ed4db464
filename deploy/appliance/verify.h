/* Whether an answer with rules may be believed.
 *
 * Nothing of an answer counts that the signature does not cover: the rules' text must have the signed digest, and the lists
 * beside it must be the signed ones, neither more nor less. An answer that fails one check is refused as a whole.
 *
 * Pure: no clock, no file, no network. */
#ifndef APPLIANCE_VERIFY_H
#define APPLIANCE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/signing.h"
#include "base/slice.h"
#include "rules/manifest.h"

/* What an answer must agree with. */
struct expected_delivery {
    const struct signature_keys *keys;
    const char *appliance_id, *site_id;
    int64_t installed; /* the revision this appliance is at; MANIFEST_NO_REVISION: at none */
    int64_t asked;     /* the revision it asked with; MANIFEST_NO_REVISION: with none */
    int64_t now;       /* microseconds since 1970 */
};

/* The text of one rule, verified, and its pattern, which is not signed: it decides where executions are counted only. */
struct delivered_rule {
    struct slice yaml;
    struct slice pattern_signature; /* absent when it is none */
};

/* An answer that was verified. */
struct delivery {
    struct rule_manifest manifest;
    const struct delivered_rule *rules; /* of each of manifest.rules, in their order */
};

/* Reads and verifies the body of an answer. On false `error` says in a sentence why it is refused, and `out` is undefined.
 * What `out` refers to lies in the arena or in `body`. */
bool delivery_verify(struct arena *arena, struct slice body, const struct expected_delivery *expected, struct delivery *out,
                     struct error *error) MUST_USE;

#endif
