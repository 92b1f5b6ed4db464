/* The words of flywheel-agent. Each gives the process's exit status: COMMAND_DONE, COMMAND_FAILED with the reason on
 * standard error, COMMAND_USAGE when it was called wrongly. */
#ifndef APPLIANCE_COMMANDS_H
#define APPLIANCE_COMMANDS_H

#include <stdbool.h>

#include "settings.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

struct match_options {
    const char *rules;    /* the folder; not NULL */
    const char *state;    /* the state file, NULL for none */
    bool without_cooldown;
};

/* Incidents as JSON lines on standard input; which rule acts on each, on standard output (match.c). */
int command_match(const struct match_options *options);

/* Executions as JSON lines on standard input: counted, and queued for being sent (record.c). */
int command_record(const struct settings *settings);

/* One cycle with the server (sync.c), and one after the other for ever (run.c). */
int command_sync(const struct settings *settings);
int command_run(const struct settings *settings);

/* Where the agent stands, as one JSON object on standard output (status.c). */
int command_status(const struct settings *settings);

#endif
