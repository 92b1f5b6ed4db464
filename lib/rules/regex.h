/* Regular expressions of rules: PCRE2 with Unicode, and an end to every search.
 *
 * A search spends a budget: every item of the expression that is tried and every byte that is passed over costs, and an
 * expression with back-references costs more, the longer the text is. A search that has spent its budget, REGEX_STEPS and
 * REGEX_STEPS_PER_BYTE for each byte of the text, or that needs more than REGEX_HEAP_KIB of memory, has not found
 * anything. `^(a+)+$` therefore costs some milliseconds at the worst, whoever wrote the text.
 *
 * A compiled expression is immutable: any number of threads may search with it, each with a scratch of its own. */
#ifndef RULES_REGEX_H
#define RULES_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/slice.h"

enum { REGEX_STEPS = 100000, REGEX_STEPS_PER_BYTE = 32, REGEX_HEAP_KIB = 1024, REGEX_REASON_SIZE = 120 };

struct regex;

/* Compiles `pattern` (valid UTF-8) into the arena. NULL with a clause in `why` when it is invalid. */
const struct regex *regex_compile(struct arena *arena, struct slice pattern, char why[REGEX_REASON_SIZE]) MUST_USE;

/* Whether regex_compile would succeed; nothing is kept. */
bool regex_is_valid(struct slice pattern, char why[REGEX_REASON_SIZE]) MUST_USE;

/* What one thread needs to search. After the first searches, a search allocates nothing. */
struct regex_scratch;
struct regex_scratch *regex_scratch_new(void) MUST_USE;
void regex_scratch_free(struct regex_scratch *scratch);

/* Whether the expression has a match anywhere in `text` (valid UTF-8). */
bool regex_finds(const struct regex *regex, struct slice text, struct regex_scratch *scratch);

#endif
