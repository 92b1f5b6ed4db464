/* What the server signs of a delivery, and an appliance verifies: which rules, for whom, until when.
 *
 * The text is canonical JSON (RFC 8785), so that the same manifest always has the same bytes:
 *
 *     {"appliance_id":…,"expires_at":…,"full":…,"issued_at":…,"removed":[…],"revision":…,
 *      "rules":[{"digest":…,"rule_id":…,"version":…},…],"since_revision":…,"site_id":…}
 *
 * A signature is over the bytes that were sent; who verifies never writes the text again to compare.
 *
 * Pure and thread-safe. */
#ifndef RULES_MANIFEST_H
#define RULES_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

enum {
    MANIFEST_NO_REVISION = -1,
    MANIFEST_CEILING = 8 * 1024 * 1024, /* bytes of its text: some 50,000 rules */
};
#define MANIFEST_LIFETIME_US (INT64_C(48) * 3600 * 1000000)

/* A rule to be installed; `digest` is the SHA-256 of the bytes of its YAML, in 64 lower-case hex digits. */
struct manifest_rule {
    struct slice rule_id;
    int64_t version;
    struct slice digest;
};

struct rule_manifest {
    struct slice appliance_id, site_id;
    int64_t revision;       /* the site's, that the appliance has reached when it has applied this */
    bool full;              /* these are all rules; whatever else was promoted is to go */
    int64_t since_revision; /* the revision that was asked with: a delta is good for who stands there, and for nobody else.
                               MANIFEST_NO_REVISION when full, and from a server that does not say */
    int64_t issued_at, expires_at; /* microseconds since 1970 */
    const struct manifest_rule *rules;
    size_t rule_count;
    const struct slice *removed; /* ids of rules to be removed */
    size_t removed_count;
};

/* The canonical text, in the arena; absent when it would be longer than MANIFEST_CEILING. */
struct slice manifest_to_json(struct arena *arena, const struct rule_manifest *manifest);

/* Reads a text whose signature was verified. Members that it does not know are passed over. False with ERROR_INVALID and a
 * sentence when it is no JSON object, a member is missing or is not what it must be, a rule's id is none that appliances
 * accept (rules/rule_id.h), or one is there twice, in whichever list. What `out` refers to lies in the arena. */
bool manifest_parse(struct arena *arena, struct slice bytes, struct rule_manifest *out, struct error *error) MUST_USE;

#endif
