/* The keys that sign rules for appliances, as files beside each other:
 *
 *   rules.key         the seed that signs; what flywheel.conf names as signing_key
 *   rules.key.other   only while keys are exchanged: the seed that will sign next, or did before
 *   rules.pub         the public keys of both, one a line, for appliances
 *
 * An exchange: a next seed is made, and appliances are given the public file with two lines; the seeds change places;
 * when all is well, the other one goes, and its line. Nothing is ever in force that appliances cannot verify.
 *
 * Each file has its name only when it is whole and on the disk. Seeds are readable for their owner alone: the one of the
 * configuration file. Two commands at once wait for each other. */
#ifndef CTL_SIGNING_FILES_H
#define CTL_SIGNING_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"

struct signing_files {
    struct arena *arena;
    const char *key_path; /* of the seed that signs */
    uid_t owner;          /* whom new files belong to, when root makes them */
    gid_t group;
};

/* The public keys, base64. */
struct signing_state {
    const char *signing;
    const char *other; /* NULL while there is one key only */
    const char *public_key_file;
};

/* Each does its step, brings the public file up to date, and says what is so then. On false nothing has changed but
 * what `error` names. */

/* Makes the first seed; one that is there stays. */
bool signing_create(const struct signing_files *files, struct signing_state *state, struct error *error) MUST_USE;
/* Makes a second seed, which does not sign yet. ERROR_CONFLICT when there are two. */
bool signing_next(const struct signing_files *files, struct signing_state *state, struct error *error) MUST_USE;
/* The two seeds change places. ERROR_CONFLICT when there is one only. */
bool signing_switch(const struct signing_files *files, struct signing_state *state, struct error *error) MUST_USE;
/* Removes the seed that does not sign. ERROR_CONFLICT when there is one only. */
bool signing_retire(const struct signing_files *files, struct signing_state *state, struct error *error) MUST_USE;
/* Writes nothing. */
bool signing_show(const struct signing_files *files, struct signing_state *state, struct error *error) MUST_USE;

#endif
