#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

bool log_to_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool done = dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
    close(fd);
    return done;
}

void log_json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c >= 0x7f)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

const char *log_time(time_t when, char text[32])
{
    struct tm parts;
    gmtime_r(&when, &parts);
    (void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

void log_event(enum log_level level, const char *event, const char *program, const char *format, ...)
{
    static const char *const levels[] = {[LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error"};
    char message[512], when[32], line[1200] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);

    FILE *out = fmemopen(line, sizeof line - 1, "w");
    if (out == NULL)
        return;
    fprintf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"source\":\"supervisor\",\"program\":",
            log_time(time(NULL), when), levels[level]);
    log_json_string(out, program);
    fprintf(out, ",\"event\":\"%s\"", event);
    fputs(",\"message\":", out);
    log_json_string(out, message);
    fputs("}\n", out);
    long length = ftell(out);
    fclose(out);
    /* One write, so that lines of different processes do not mix; a full disk must not stop us. */
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
        return;
}
