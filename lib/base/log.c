#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

enum { LINE_CEILING = 8192 };

static const char *const LEVELS[] = {"debug", "info", "warning", "error"};

/* The process's configuration, set once before threads start. */
static struct {
    const char *program;
    enum log_level lowest;
} log_config = {"flywheel", LOG_INFO};

void log_start(const char *program, enum log_level lowest)
{
    log_config.program = program;
    log_config.lowest = lowest;
}

bool log_level_by_name(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < COUNT_OF(LEVELS); i++) {
        if (strcmp(name, LEVELS[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void open_line(struct json_writer *line, enum log_level level)
{
    char time_text[40];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time_text + n, sizeof time_text - n, ".%03ldZ", now.tv_nsec / 1000000);
    json_open_object(line, NULL);
    json_text(line, "time", time_text);
    json_text(line, "level", LEVELS[level]);
    json_text(line, "program", log_config.program);
}

static void write_line(struct json_writer *line, struct buffer *text)
{
    json_writer_end(line);
    buffer_append_char(text, '\n');
    if (buffer_ok(text)) {
        ssize_t written = write(STDERR_FILENO, text->bytes, text->len);
        (void)written; /* nowhere left to complain */
    }
    buffer_free(text);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (level < log_config.lowest)
        return;
    char message[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct buffer text = buffer_make(LINE_CEILING);
    struct json_writer line = json_writer_make(&text);
    open_line(&line, level);
    json_text(&line, "event", event);
    json_text(&line, "message", message);
    write_line(&line, &text);
}

void log_request(const struct log_request *request)
{
    enum log_level level = request->status >= 500 ? LOG_ERROR : LOG_INFO;
    if (level < log_config.lowest)
        return;
    struct buffer text = buffer_make(LINE_CEILING);
    struct json_writer line = json_writer_make(&text);
    open_line(&line, level);
    json_text(&line, "event", "request");
    json_text(&line, "request_id", request->request_id);
    json_text(&line, "endpoint", request->operation);
    json_text(&line, "method", request->method);
    json_text(&line, "partner", request->partner);
    json_text(&line, "caller", request->actor);
    json_integer(&line, "status", request->status);
    if (request->problem != NULL)
        json_text(&line, "problem", request->problem);
    json_integer(&line, "duration_us", (int64_t)request->duration_us);
    json_integer(&line, "bytes", (int64_t)request->bytes);
    write_line(&line, &text);
}
