/* Moments: microseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.
 *
 * Pure and thread-safe, but for timestamp_now. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/slice.h"

/* Now, by the system's clock. */
int64_t timestamp_now(void);

/* Reads a date and time by RFC 3339 section 5.6, and what appliances send besides: a space for the `T`, no
 * offset (then UTC), an offset whose `+` a query string turned into a space, up to 9 digits of fraction. False
 * for anything else, for dates that do not exist, and for moments outside 1970–2200. */
bool timestamp_parse(struct slice text, int64_t *microseconds) MUST_USE;

/* `2026-01-02T03:04:05.678901Z`, in the arena. */
char *timestamp_text(struct arena *arena, int64_t microseconds);

#endif
