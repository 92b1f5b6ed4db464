/* When API keys were last used, to the minute.
 *
 * Noted apart from the request, by a thread and a login of its own: a handler whose role may only read stays unable to
 * write, and where writing fails (on a standby, for instance) requests do not. At most one note a minute and key.
 *
 * key_usage_note is thread-safe. */
#ifndef PROMOTION_KEY_USAGE_H
#define PROMOTION_KEY_USAGE_H

#include "base/compiler.h"
#include "base/slice.h"

struct key_usage;

/* Starts the thread. `conninfo` is that of a login that may call note_key_use, and must outlive it. NULL when there is
 * no thread to be had: then nothing is noted. */
struct key_usage *key_usage_start(const char *conninfo) MUST_USE;

/* Remembers that the key (its id, a UUID) was used just now. Cheap; never waits for the database. Allows NULL. */
void key_usage_note(struct key_usage *usage, struct slice key_id);

/* Writes what is left and ends the thread. Allows NULL. */
void key_usage_stop(struct key_usage *usage);

#endif
