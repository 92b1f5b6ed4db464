/*
 * What the supervisor does, as JSON lines on standard error, beside those of the handlers.
 */
#ifndef FLYWHEEL_SUPERVISOR_LOG_H
#define FLYWHEEL_SUPERVISOR_LOG_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* From here on standard output and error go to the end of that file. False with errno set. */
bool log_to_file(const char *path);

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

/* One line about `program` ("supervisor" for itself): `event` is a fixed word that operators search for (docs/logs.md),
 * the rest as for printf. */
__attribute__((format(printf, 4, 5))) void log_event(enum log_level level, const char *event, const char *program,
                                                     const char *format, ...);

/* Writes `text` as a JSON string, quotes included. */
void log_json_string(FILE *out, const char *text);

/* Writes `when` as an RFC 3339 time in UTC into `text` and returns it. */
const char *log_time(time_t when, char text[32]);

#endif
