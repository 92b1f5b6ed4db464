#include "state.h"

#include "log.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_member(FILE *out, const char *name, const char *value)
{
    fprintf(out, ",\"%s\":", name);
    if (value == NULL || value[0] == 0)
        fputs("null", out);
    else
        log_json_string(out, value);
}

static const char *state_name(const struct program *program)
{
    if (program_is_current(program))
        return "serving";
    if (program_process(program, SERVING) != NULL)
        return "serving-old";
    return program_process(program, STARTING) != NULL ? "starting" : "down";
}

static void write_failure(FILE *out, const struct program *program)
{
    char when[32];
    fputs(",\"last_failure\":", out);
    if (program->failed_at == 0) {
        fputs("null", out);
        return;
    }
    fprintf(out, "{\"at\":\"%s\",\"what\":", log_time(program->failed_at, when));
    log_json_string(out, program->failure);
    fputc('}', out);
}

static void write_serving(FILE *out, const struct process *serving)
{
    char when[32];
    if (serving == NULL) {
        fputs(",\"pid\":null,\"build_id\":null,\"since\":null,\"running_sha256\":null,"
              "\"running_library_sha256\":null",
              out);
        return;
    }
    fprintf(out, ",\"pid\":%d", (int)serving->pid);
    write_member(out, "build_id", serving->build_id);
    write_member(out, "since", log_time(serving->since, when));
    write_member(out, "running_sha256", serving->version.program.hex);
    write_member(out, "running_library_sha256", serving->version.library.hex);
}

static void write_program(FILE *out, const struct program *program)
{
    log_json_string(out, program->name);
    fprintf(out, ":{\"state\":\"%s\"", state_name(program));
    write_serving(out, program_process(program, SERVING));
    write_member(out, "file_sha256", program->absent ? NULL : program->wanted.program.hex);
    fprintf(out, ",\"restarts\":%u", program->restarts);
    write_failure(out, program);
    fputc('}', out);
}

static void write_document(FILE *out, const struct config *config, const struct program *programs,
                           const struct digest *library, const struct pages *pages, bool settled)
{
    char when[32];
    fprintf(out, "{\"supervisor\":%d,\"updated_at\":\"%s\",\"settled\":%s", (int)getpid(),
            log_time(time(NULL), when), settled ? "true" : "false");
    write_member(out, "handlers_dir", config->handlers);
    write_member(out, "library_sha256", library->hex);
    fputs(",\"pages\":", out);
    if (pages != NULL)
        pages_write_state(pages, out);
    else
        fputs("null", out);
    fputs(",\"programs\":{", out);
    const char *separator = "\n";
    for (const struct program *program = programs; program != NULL; program = program->next) {
        if (program->wanted.program.hex[0] == 0)
            continue; /* a file that never was a whole program */
        fputs(separator, out);
        write_program(out, program);
        separator = ",\n";
    }
    fputs("}}\n", out);
}

bool state_write(const struct config *config, const struct program *programs,
                 const struct digest *library, const struct pages *pages, bool settled)
{
    char path[PATH_MAX], temporary[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/supervisor.json", config->run);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *out = fopen(temporary, "we");
    if (out == NULL)
        return false;
    write_document(out, config, programs, library, pages, settled);
    bool written = fchmod(fileno(out), 0644) == 0 && ferror(out) == 0;
    written = fclose(out) == 0 && written;
    return written && rename(temporary, path) == 0;
}
