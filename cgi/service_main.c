#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/log.h"
#include "cgi/build_id.h"
#include "cgi/service.h"
#include "http/server.h"

enum { THREADS_DEFAULT = 4, THREADS_MAX = 64, PATH_SIZE = 4096, DESCRIPTION_CEILING = 1024 * 1024 };

struct options {
    const char *config_path;
    const char *socket_path;
    bool check, build_id, describe;
};

static bool parse_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            options->check = true;
        else if (strcmp(argv[i], "--build-id") == 0)
            options->build_id = true;
        else if (strcmp(argv[i], "--describe") == 0)
            options->describe = true;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            options->config_path = argv[++i];
        else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
            options->socket_path = argv[++i];
        else
            return false;
    }
    return true;
}

/* --config, $FLYWHEEL_CONFIG, ../etc/flywheel.conf beside the program, /etc/flywheel/flywheel.conf: the first that is
 * named, or that exists. */
static const char *find_config(const struct options *options, char path[PATH_SIZE])
{
    if (options->config_path != NULL)
        return options->config_path;
    const char *named = getenv("FLYWHEEL_CONFIG");
    if (named != NULL && *named != '\0')
        return named;
    char program[PATH_SIZE / 2];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash != NULL) {
            *slash = '\0';
            snprintf(path, PATH_SIZE, "%s/../etc/flywheel.conf", program);
            if (access(path, R_OK) == 0)
                return path;
        }
    }
    return "/etc/flywheel/flywheel.conf";
}

static int complain(const char *why)
{
    log_event(LOG_ERROR, "configuration", "%s", why);
    return 1;
}

/* Tells the supervisor that the self-check went well and serving begins. */
static void say_ready(void)
{
    const char *text = getenv("FLYWHEEL_READY_FD");
    long fd = text != NULL ? strtol(text, NULL, 10) : 0;
    if (fd <= STDERR_FILENO || fd > INT_MAX)
        return;
    dprintf((int)fd, "ready %s\n", build_id());
    close((int)fd);
}

static bool self_check(struct service *service)
{
    struct error error = {0};
    bool good = db_check(service->database, &error);
    if (!good)
        log_event(LOG_ERROR, "self-check", "%s", error.detail);
    return good;
}

static int serve(struct service *service, const struct options *options, unsigned threads)
{
    bool inherited = http_is_listening(STDIN_FILENO);
    if (!inherited && options->socket_path == NULL && getenv("REQUEST_METHOD") != NULL)
        return http_serve_cgi(service_handle, service);
    if (getenv("FLYWHEEL_READY_FD") != NULL && !self_check(service))
        return 1;
    int fd = inherited ? STDIN_FILENO : options->socket_path != NULL ? http_listen(options->socket_path) : -1;
    if (fd < 0)
        return complain("no listening socket on descriptor 0; give --socket PATH, or a CGI environment");
    say_ready();
    log_event(LOG_INFO, "serving", "build %s, %u threads", build_id(), threads);
    return http_server_run(fd, threads, service_handle, service);
}

/* Fills the service from the configuration, and says how many threads it is to have. */
static bool configure(struct service *service, const struct config *config, const struct program_own *own, long *threads,
                      char *why, size_t why_size)
{
    const struct program *program = service->program;
    const char *conninfo = config_get(config, program->database, NULL);
    enum log_level level = LOG_INFO;
    const char *wrong = NULL;
    if (conninfo == NULL)
        wrong = "the configuration lacks the database login of this program";
    else if (!log_level_by_name(config_get(config, "log_level", "info"), &level))
        wrong = "log_level must be debug, info, warning or error";
    else if (!config_get_number(config, "threads", 1, THREADS_MAX, THREADS_DEFAULT, threads))
        wrong = "threads must be a number from 1 to 64";
    if (wrong != NULL) {
        snprintf(why, why_size, "%s", wrong);
        return false;
    }
    log_start(program->name, level);
    if (own != NULL && (service->own = own->make(config, why, why_size)) == NULL)
        return false;
    service->database = database_new(conninfo, program->name, (unsigned)*threads);
    return true;
}

static int run(struct service *service, const struct config *config, const struct options *options, unsigned threads)
{
    if (options->check)
        return !self_check(service);
    service->key_usage = key_usage_start(config_get(config, "database_account", NULL));
    int result = serve(service, options, threads);
    key_usage_stop(service->key_usage);
    return result;
}

static int start(const struct program *program, const struct program_own *own, const struct options *options)
{
    char path[PATH_SIZE], why[512];
    struct service service = {.program = program};
    long threads;
    struct config *config = config_load(find_config(options, path), why, sizeof why);
    if (config == NULL)
        return complain(why);
    if (!config_is_private(config))
        log_event(LOG_WARNING, "configuration-open", "everybody can read %s, which holds passwords; chmod 600 it",
                  find_config(options, path));
    int result = configure(&service, config, own, &threads, why, sizeof why)
                     ? run(&service, config, options, (unsigned)threads)
                     : complain(why);
    database_free(service.database);
    if (own != NULL)
        own->free(service.own);
    config_free(config);
    return result;
}

static int describe(const struct program *program)
{
    struct buffer text = buffer_make(DESCRIPTION_CEILING);
    endpoint_describe(program->endpoints, program->endpoint_count, &text);
    printf("%.*s\n", (int)text.len, text.bytes);
    buffer_free(&text);
    return 0;
}

int service_main_with(int argc, char **argv, const struct program *program, const struct program_own *own)
{
    struct options options = {0};
    log_start(program->name, LOG_INFO);
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: %s [--config FILE] [--socket PATH] [--check] [--build-id] [--describe]\n",
                program->name);
        return 2;
    }
    if (options.build_id)
        return printf("%s\n", build_id()) < 0;
    if (options.describe)
        return describe(program);
    http_block_signals();
    if (!crypto_start())
        return complain("no source of randomness");
    return start(program, own, &options);
}

int service_main(int argc, char **argv, const struct program *program)
{
    return service_main_with(argc, argv, program, NULL);
}
