/* The pattern signature: which incidents are "the same problem".
 *
 * Appliances compute it and send it; this is the same function, for deriving the check type of old
 * reports and for proving that both sides agree. Host name and severity are not part of it: the
 * same fault on two machines is one pattern.
 *
 * Pure and thread-safe. */
#ifndef RULES_SIGNATURE_H
#define RULES_SIGNATURE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

enum {
    SIGNATURE_MAX = 64,          /* characters of a legal signature */
    SIGNATURE_LENGTH = 16,       /* hexadecimal digits of a computed one */
    SIGNATURE_ERROR_CHARS = 200, /* code points of the error message that count */
};

/* The members that make a signature; absent ones are left out. All must be valid UTF-8. */
struct signature_input {
    struct slice type;
    struct slice check_type;
    struct slice drift_type;
    struct slice service_name;
    struct slice error_message; /* as reported; what varies from run to run is masked here */
};

/* SHA-256, first 16 lower-case hexadecimal digits, of the JSON object {check_type, drift_type,
 * error_pattern, service_name, type}: keys sorted, separators `", "` and `": "`, non-ASCII escaped,
 * absent members left out except error_pattern. In the arena. */
struct slice signature_compute(struct arena *arena, const struct signature_input *input);

/* The error message with time stamps, IPv4 addresses, lower-case UUIDs and 32-character path
 * segments replaced by <TIMESTAMP>, <IP>, <UUID>, /<HASH>/, then its first 200 code points. Absent
 * gives "". */
struct slice signature_error_pattern(struct arena *arena, struct slice message);

/* 1–64 characters of [A-Za-z0-9._:-]. Hand-made signatures such as `print-spooler-restart` are
 * legal. */
bool signature_valid(struct slice signature);

#endif
