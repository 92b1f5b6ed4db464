/* The agent's configuration: a file of `key = value` lines (base/config.h).
 *
 *   server             http://… or https://…, without the path
 *   site_id            the site and …
 *   appliance_id       … the appliance as the server knows them
 *   token_file         a file with the appliance's token; only its owner should be able to read it
 *   rules_dir          the folder of the rules; what the server sends goes into its folder promoted/
 *   state_file         the agent's SQLite file
 *   server_public_key  a file with the one or two public keys that sign rules
 *   poll_seconds       how often `run` asks the server, 1 to 86400; 60 unless said
 *   timeout_seconds    how long one request to the server may take, 1 to 600; 60 unless said
 *   ca_file            certificates to trust instead of the system's
 *   queue_limit        executions that wait for being sent at most, 1 to 1000000; 10000 unless said
 *   queue_days         days that an execution waits at most, 1 to 3650; 30 unless said */
#ifndef APPLIANCE_SETTINGS_H
#define APPLIANCE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/config.h"

enum { PATH_LIMIT = 4096 }; /* bytes of a path with its NUL, as the system has it */

struct settings {
    const char *server, *site_id, *appliance_id, *token_file, *rules_dir, *state_file, *server_public_key;
    const char *ca_file;            /* NULL: the system's certificates */
    char promoted_dir[PATH_LIMIT]; /* rules_dir/promoted */
    long poll_seconds, timeout_seconds, queue_limit, queue_days;
    struct config *config; /* what the texts above lie in */
};

/* Reads the file and checks that every member is there and makes sense; whether files and folders that it names exist
 * shows when they are used. False with a sentence in `why`. To be given back by settings_free in either case. */
bool settings_read(struct settings *settings, const char *path, char *why, size_t why_size) MUST_USE;
void settings_free(struct settings *settings);

#endif
