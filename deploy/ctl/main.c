/* flywheelctl: operators' commands. JSON on standard output; when refused, a reason on standard error and exit 1.
 *
 * This file reads words from the command line and prints what came of them; what they do is
 * promotion/operators.h, and for the keys that sign rules signing_files.h. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "promotion/keys.h"
#include "promotion/operators.h"
#include "signing_files.h"

enum { OPTIONS_MAX = 8, ARENA_LIMIT = 16 * 1024 * 1024, OUTPUT_CEILING = 4 * 1024 * 1024 };

/* An option of a command: `--name VALUE`. The first required one may also be given without its name. */
struct option {
    const char *name;
    bool required;
};

/* A command under way: its options' values in the order of its table, and where the answer goes. */
struct run {
    struct operation operation;
    struct signing_files signing;
    const char *values[OPTIONS_MAX];
    struct json_writer *json;
    struct error *error;
};

struct command {
    const char *object, *verb;
    struct option options[OPTIONS_MAX];
    bool (*run)(struct run *run);
};

static bool add_partner(struct run *run)
{
    const char *id;
    if (!operator_add_partner(&run->operation, run->values[0], run->values[1], &id, run->error))
        return false;
    json_text(run->json, "id", id);
    json_text(run->json, "slug", run->values[0]);
    return true;
}

static bool add_user(struct run *run)
{
    const char *password, *email = run->values[1];
    const char *display_name = run->values[3] != NULL ? run->values[3] : email;
    if (!operator_add_user(&run->operation, run->values[0], email, display_name, run->values[2], &password, run->error))
        return false;
    json_text(run->json, "email", email);
    json_text(run->json, "password", password);
    json_text(run->json, "role", run->values[2]);
    return true;
}

static bool set_user_status(struct run *run, const char *status)
{
    struct person person;
    if (!operator_set_user_status(&run->operation, run->values[0], status, &person, run->error))
        return false;
    json_string(run->json, "email", person.email);
    json_string(run->json, "status", person.status);
    return true;
}

static bool disable_user(struct run *run)
{
    return set_user_status(run, "disabled");
}

static bool enable_user(struct run *run)
{
    return set_user_status(run, "active");
}

static bool unlock_user(struct run *run)
{
    bool was_locked;
    if (!operator_unlock_user(&run->operation, run->values[0], &was_locked, run->error))
        return false;
    json_text(run->json, "email", run->values[0]);
    json_bool(run->json, "was_locked", was_locked);
    return true;
}

static bool reset_password(struct run *run)
{
    struct password_link link;
    if (!operator_reset_password(&run->operation, run->values[0], &link, run->error))
        return false;
    json_text(run->json, "email", run->values[0]);
    json_text(run->json, "token", link.token);
    json_text(run->json, "path", arena_printf(run->operation.arena, "/#set-password=%s", link.token));
    json_pg_time(run->json, "expires_at", link.expires_at);
    return true;
}

/* `90d`, `12h`, `30m`, `10s` in seconds; -1 for anything else, and for more than ten years. */
static long duration_s(const char *text)
{
    static const struct {
        char unit;
        long seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *text == '-' || *end == '\0' || end[1] != '\0' || number > 315360000)
        return -1;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (*end == units[i].unit && number <= 315360000 / units[i].seconds)
            return number * units[i].seconds;
    return -1;
}

static void print_key(struct json_writer *json, const struct new_key *key)
{
    json_text(json, "api_key", key->secret);
    json_text(json, "id", key->id);
    json_text(json, "prefix", key->prefix);
    json_text(json, "scopes", key->scopes);
    json_pg_time(json, "expires_at", key->expires_at);
}

static bool add_key(struct run *run)
{
    struct new_key key;
    const char *name = run->values[4] != NULL ? run->values[4] : "made by flywheelctl";
    if (!operator_add_key(&run->operation, run->values[0], name, run->values[1], run->values[3],
                          duration_s(run->values[2]), &key, run->error))
        return false;
    print_key(run->json, &key);
    return true;
}

static bool list_keys(struct run *run)
{
    const struct db_rows *rows;
    if (!operator_list_keys(&run->operation, run->values[0], &rows, run->error))
        return false;
    json_open_array(run->json, "keys");
    for (size_t i = 0; i < db_count(rows); i++) {
        struct api_key key = api_key_at(rows, i);
        json_open_object(run->json, NULL);
        json_string(run->json, "id", key.id);
        json_string(run->json, "prefix", key.prefix);
        json_string(run->json, "name", key.name);
        json_string(run->json, "scopes", key.scopes);
        json_string(run->json, "acts_as", key.acts_as);
        json_string(run->json, "status", key.status);
        json_pg_time(run->json, "expires_at", key.expires_at);
        json_pg_time(run->json, "last_used_at", key.last_used_at);
        json_close(run->json);
    }
    json_close(run->json);
    return true;
}

static bool rotate_key(struct run *run)
{
    struct new_key key;
    long overlap = run->values[2] != NULL ? duration_s(run->values[2]) : 0;
    if (!operator_rotate_key(&run->operation, run->values[0], duration_s(run->values[1]), overlap, &key, run->error))
        return false;
    print_key(run->json, &key);
    return true;
}

static bool revoke_key(struct run *run)
{
    const char *id;
    if (!operator_revoke_key(&run->operation, run->values[0], run->values[1], &id, run->error))
        return false;
    json_text(run->json, "id", id);
    json_text(run->json, "status", "revoked");
    return true;
}

static bool add_site(struct run *run)
{
    if (!operator_add_site(&run->operation, run->values[0], run->values[1], run->values[2], run->error))
        return false;
    json_text(run->json, "site_id", run->values[1]);
    json_text(run->json, "partner", run->values[0]);
    return true;
}

static bool add_appliance(struct run *run)
{
    const char *token;
    if (!operator_add_appliance(&run->operation, run->values[0], run->values[1], &token, run->error))
        return false;
    json_text(run->json, "token", token);
    json_text(run->json, "appliance_id", run->values[1]);
    json_text(run->json, "site_id", run->values[0]);
    return true;
}

static bool rotate_token(struct run *run)
{
    struct token_rotation rotation;
    long overlap = run->values[1] != NULL ? duration_s(run->values[1]) : TOKEN_OVERLAP_S;
    if (!operator_rotate_token(&run->operation, run->values[0], run->values[2], overlap, &rotation, run->error))
        return false;
    json_text(run->json, "token", rotation.token);
    json_text(run->json, "appliance_id", run->values[0]);
    json_string(run->json, "site_id", rotation.site_id);
    json_integer(run->json, "old_tokens", rotation.old_tokens);
    json_pg_time(run->json, "old_tokens_until", rotation.old_tokens_until);
    return true;
}

static void open_appliance(struct json_writer *json, const struct appliance_token *appliance)
{
    json_open_object(json, NULL);
    json_string(json, "appliance_id", appliance->appliance_id);
    json_string(json, "site_id", appliance->site_id);
    json_string(json, "partner", appliance->partner_slug);
    json_string(json, "status", appliance->status);
    json_pg_time(json, "last_seen_at", appliance->last_seen_at);
    json_open_array(json, "tokens");
}

static void print_token(struct json_writer *json, const struct appliance_token *token)
{
    json_open_object(json, NULL);
    json_pg_time(json, "created_at", token->created_at);
    json_pg_time(json, "expires_at", token->expires_at);
    json_close(json);
}

static bool list_appliances(struct run *run)
{
    const struct db_rows *rows;
    struct slice previous = SLICE_ABSENT;
    if (!operator_list_appliances(&run->operation, run->values[0], run->values[1], &rows, run->error))
        return false;
    json_open_array(run->json, "appliances");
    for (size_t i = 0; i < db_count(rows); i++) {
        struct appliance_token row = appliance_token_at(rows, i);
        if (i > 0 && !slice_equal(row.appliance_id, previous)) {
            json_close(run->json);
            json_close(run->json);
        }
        if (i == 0 || !slice_equal(row.appliance_id, previous))
            open_appliance(run->json, &row);
        if (slice_present(row.created_at))
            print_token(run->json, &row);
        previous = row.appliance_id;
    }
    return true; /* what is open is closed at the end */
}

static bool revoke_appliance(struct run *run)
{
    if (!operator_revoke_appliance(&run->operation, run->values[0], run->values[1], run->error))
        return false;
    json_text(run->json, "appliance_id", run->values[0]);
    json_text(run->json, "status", "revoked");
    return true;
}

static bool add_runbook(struct run *run)
{
    const struct new_runbook runbook = {
        .runbook_id = run->values[0], .title = run->values[1],          .platform = run->values[2],
        .action = run->values[3],     .risk_tier = run->values[4],      .hipaa_controls = run->values[5],
        .check_types = run->values[6],
    };
    if (!operator_add_runbook(&run->operation, &runbook, run->error))
        return false;
    json_text(run->json, "runbook_id", run->values[0]);
    return true;
}

static bool print_signing(struct run *run, bool done, const struct signing_state *state)
{
    if (!done)
        return false;
    json_text(run->json, "signing", state->signing);
    json_text(run->json, "other", state->other);
    json_text(run->json, "public_key_file", state->public_key_file);
    return true;
}

static bool create_signing_key(struct run *run)
{
    struct signing_state state;
    return print_signing(run, signing_create(&run->signing, &state, run->error), &state);
}

static bool next_signing_key(struct run *run)
{
    struct signing_state state;
    return print_signing(run, signing_next(&run->signing, &state, run->error), &state);
}

static bool switch_signing_key(struct run *run)
{
    struct signing_state state;
    return print_signing(run, signing_switch(&run->signing, &state, run->error), &state);
}

static bool retire_signing_key(struct run *run)
{
    struct signing_state state;
    return print_signing(run, signing_retire(&run->signing, &state, run->error), &state);
}

static bool show_signing_key(struct run *run)
{
    struct signing_state state;
    return print_signing(run, signing_show(&run->signing, &state, run->error), &state);
}

static const struct command COMMANDS[] = {
    {"partner", "add", {{"slug", true}, {"name", true}}, add_partner},
    {"user", "add", {{"partner", true}, {"email", true}, {"role", true}, {"name", false}}, add_user},
    {"user", "disable", {{"email", true}}, disable_user},
    {"user", "enable", {{"email", true}}, enable_user},
    {"user", "unlock", {{"email", true}}, unlock_user},
    {"user", "reset-password", {{"email", true}}, reset_password},
    {"key", "add", {{"partner", true}, {"scopes", true}, {"expires", true}, {"user", false}, {"name", false}}, add_key},
    {"key", "list", {{"partner", true}}, list_keys},
    {"key", "rotate", {{"key", true}, {"expires", true}, {"overlap", false}}, rotate_key},
    {"key", "revoke", {{"key", true}, {"partner", false}}, revoke_key},
    {"site", "add", {{"partner", true}, {"site-id", true}, {"name", true}}, add_site},
    {"appliance", "add", {{"site", true}, {"appliance-id", true}}, add_appliance},
    {"appliance", "list", {{"partner", false}, {"site", false}}, list_appliances},
    {"appliance", "rotate-token", {{"appliance-id", true}, {"overlap", false}, {"site", false}}, rotate_token},
    {"appliance", "revoke", {{"appliance-id", true}, {"site", false}}, revoke_appliance},
    {"runbook",
     "add",
     {{"runbook-id", true}, {"title", false}, {"platform", false}, {"action", false}, {"risk", false}, {"hipaa", false},
      {"check-types", false}},
     add_runbook},
    {"signing-key", "create", {{0}}, create_signing_key},
    {"signing-key", "next", {{0}}, next_signing_key},
    {"signing-key", "switch", {{0}}, switch_signing_key},
    {"signing-key", "retire", {{0}}, retire_signing_key},
    {"signing-key", "show", {{0}}, show_signing_key},
};

/* ---- the command line ------------------------------------------------------------------------------------ */

static int usage(void)
{
    fputs("usage: flywheelctl [--config FILE] OBJECT VERB --option VALUE …\n\n", stderr);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        fprintf(stderr, "  flywheelctl %s %s", COMMANDS[i].object, COMMANDS[i].verb);
        for (const struct option *o = COMMANDS[i].options; o < COMMANDS[i].options + OPTIONS_MAX && o->name != NULL; o++)
            fprintf(stderr, o->required ? " --%s …" : " [--%s …]", o->name);
        fputs("\n", stderr);
    }
    return 1;
}

static const struct command *find_command(const char *object, const char *verb)
{
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
        if (strcmp(COMMANDS[i].object, object) == 0 && strcmp(COMMANDS[i].verb, verb) == 0)
            return &COMMANDS[i];
    return NULL;
}

/* Puts `--name value` (or `--name=value`) where it belongs; false with a sentence on standard error. */
static bool take_option(const struct command *command, const char *name, const char *value, const char **values)
{
    for (size_t i = 0; i < OPTIONS_MAX && command->options[i].name != NULL; i++) {
        if (strcmp(command->options[i].name, name) != 0)
            continue;
        if (values[i] != NULL)
            return fprintf(stderr, "flywheelctl: --%s may be given once\n", name) < 0;
        values[i] = value;
        return true;
    }
    return fprintf(stderr, "flywheelctl: %s %s has no option --%s\n", command->object, command->verb, name) < 0;
}

static bool parse_options(struct arena *arena, const struct command *command, int argc, char **argv,
                          const char **values)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (command->options[0].name == NULL)
                return fprintf(stderr, "flywheelctl: %s %s takes no '%s'\n", command->object, command->verb, argv[i]) < 0;
            if (!take_option(command, command->options[0].name, argv[i], values))
                return false;
            continue;
        }
        char *name = arena_text(arena, slice_of(argv[i] + 2));
        char *equals = strchr(name, '=');
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (equals != NULL)
            *equals = '\0';
        else if (i + 1 < argc)
            value = argv[++i];
        if (value == NULL)
            return fprintf(stderr, "flywheelctl: --%s needs a value\n", name) < 0;
        if (!take_option(command, name, value, values))
            return false;
    }
    for (size_t i = 0; i < OPTIONS_MAX && command->options[i].name != NULL; i++)
        if (command->options[i].required && values[i] == NULL)
            return fprintf(stderr, "flywheelctl: %s %s needs --%s\n", command->object, command->verb,
                           command->options[i].name) < 0;
    return true;
}

static const char *login_name(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user != NULL ? user->pw_name : "operator";
}

/* Whether it works on files; the database is not asked. */
static bool is_on_files(const struct command *command)
{
    return strcmp(command->object, "signing-key") == 0;
}

/* `resource`: what the configuration names for it, a connection string or a file. */
static int run_command(const struct command *command, const char *resource, const struct stat *config,
                       struct arena *arena, const char **values)
{
    struct buffer text = buffer_make(OUTPUT_CEILING);
    struct json_writer json = json_writer_make(&text);
    struct error error = {0};
    struct run run = {.json = &json, .error = &error};
    memcpy(run.values, values, sizeof run.values);
    if (is_on_files(command))
        run.signing = (struct signing_files){arena, resource, config->st_uid, config->st_gid};
    else
        run.operation.database = database_new(resource, "flywheelctl", 1);
    run.operation.arena = arena;
    run.operation.operator_name = login_name();
    json_open_object(&json, NULL);
    bool done = command->run(&run);
    json_writer_end(&json);
    if (done && !buffer_ok(&text))
        done = error_set(&error, ERROR_TOO_LARGE, "too-large", "That is too much for one answer; name a part of it.");
    if (done)
        printf("%.*s\n", (int)text.len, text.bytes);
    else
        fprintf(stderr, "flywheelctl: %s\n", error.detail);
    arena_reset(arena); /* before the connection that its results came from */
    database_free(run.operation.database);
    buffer_free(&text);
    return done ? 0 : 1;
}

static int start(const char *config_path, int argc, char **argv)
{
    char why[512];
    const char *values[OPTIONS_MAX] = {NULL};
    const struct command *command = argc >= 2 ? find_command(argv[0], argv[1]) : NULL;
    if (command == NULL)
        return usage();
    struct config *config = config_load(config_path, why, sizeof why);
    if (config == NULL)
        return fprintf(stderr, "flywheelctl: %s\n", why) < 0 ? 2 : 1;
    struct arena *arena = arena_new(ARENA_LIMIT);
    struct stat status;
    const char *needed = is_on_files(command) ? "signing_key" : "database_operator";
    const char *resource = config_get(config, needed, NULL);
    int result = 1;
    if (resource == NULL || stat(config_path, &status) != 0)
        fprintf(stderr, "flywheelctl: %s lacks %s\n", config_path, needed);
    else if (parse_options(arena, command, argc - 2, argv + 2, values))
        result = run_command(command, resource, &status, arena, values);
    arena_free(arena);
    config_free(config);
    return result;
}

int main(int argc, char **argv)
{
    const char *config = getenv("FLYWHEEL_CONFIG");
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--config") == 0) {
        config = argv[2];
        first = 3;
    }
    log_start("flywheelctl", LOG_WARNING);
    if (!crypto_start()) {
        fputs("flywheelctl: no source of randomness\n", stderr);
        return 1;
    }
    return start(config != NULL ? config : "/etc/flywheel/flywheel.conf", argc - first, argv + first);
}
