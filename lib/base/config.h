/* Configuration files: `key = value` lines; `#` starts a comment line; blank lines are skipped.
 *
 * Loaded once at start and then only read, so every thread may read it. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct config;

/* Reads a file. Returns NULL with a sentence in `why` (`why_size` bytes): the file cannot be read, is over
 * 64 KiB, or has a line that is neither empty, a comment nor `key = value`, or a key twice.
 * The caller frees it with config_free. */
struct config *config_load(const char *path, char *why, size_t why_size) MUST_USE;

void config_free(struct config *config);

/* The value of a key, or `otherwise` when the file has none. Lives as long as `config`. */
const char *config_get(const struct config *config, const char *key, const char *otherwise);

/* A whole number from `lowest` to `highest`; `otherwise` when absent. False when it is something else. */
bool config_get_number(const struct config *config, const char *key, long lowest, long highest, long otherwise,
                       long *value) MUST_USE;

/* False when the file is open to everybody on the machine. */
bool config_is_private(const struct config *config);

#endif
