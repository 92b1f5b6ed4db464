/* Log lines: one JSON object a line on file descriptor 2, each written by one write(2), so that lines
 * of several threads and processes never mix.
 *
 * Never give a log function a key, a cookie, a password, a note or a reason: nothing here could tell.
 *
 * Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Sets the program's name for every line, and the lowest level that is written. Call once, before
 * threads start. */
void log_start(const char *program, enum log_level lowest);

/* Level by name ("debug", "info", "warning", "error"); false when there is no such level. */
bool log_level_by_name(const char *name, enum log_level *level);

/* {"time","level","program","event","message"}: `event` is a fixed word that operators search for. */
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

/* What is written of one request. Text members may be NULL. */
struct log_request {
    const char *request_id;
    const char *operation; /* the OpenAPI operation, "none" when no endpoint matched */
    const char *method;
    const char *partner; /* slug or id of the caller's partner */
    const char *actor;   /* kind of caller: user, key, appliance */
    const char *problem; /* slug of the problem document, for answers that are one */
    int status;
    uint64_t duration_us;
    uint64_t bytes;
};

void log_request(const struct log_request *request);

#endif
