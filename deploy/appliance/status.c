#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "commands.h"
#include "promoted.h"
#include "store.h"
#include "tell.h"

enum { ARENA_LIMIT = 8 * 1024 * 1024, OUTPUT_CEILING = 64 * 1024 * 1024 };

/* Being written: the answer and what it is made of. */
struct report {
    const struct settings *settings;
    struct store *store;
    struct arena *arena;
    struct json_writer json;
};

static bool write_count(struct report *report, const char *name, const char *sql)
{
    struct query *query = query_begin(report->store, sql);
    if (query_next(query))
        json_integer(&report->json, name, query_get_integer(query, 0));
    return query_end(query);
}

/* A revision: null before the first. */
static bool write_revision(struct report *report, const char *key)
{
    int64_t revision;
    if (!meta_get_integer(report->store, key, -1, &revision))
        return false;
    if (revision < 0)
        json_null(&report->json, key);
    else
        json_integer(&report->json, key, revision);
    return true;
}

static void write_moment(struct report *report, const char *name, int64_t moment)
{
    json_text(&report->json, name, moment > 0 ? timestamp_text(report->arena, moment) : NULL);
}

static bool write_meta_moment(struct report *report, const char *key)
{
    int64_t moment;
    if (!meta_get_integer(report->store, key, 0, &moment))
        return false;
    write_moment(report, key, moment);
    return true;
}

static bool write_meta_number(struct report *report, const char *key)
{
    int64_t number;
    if (!meta_get_integer(report->store, key, 0, &number))
        return false;
    json_integer(&report->json, key, number);
    return true;
}

static bool write_meta_text(struct report *report, const char *key)
{
    struct slice text;
    if (!meta_get_text(report->store, report->arena, key, &text))
        return false;
    json_string(&report->json, key, text);
    return true;
}

static void write_rule(struct report *report, struct query *rule)
{
    struct slice rule_id = query_get_text(rule, 0), digest = query_get_text(rule, 2);
    json_open_object(&report->json, NULL);
    json_string(&report->json, "rule_id", rule_id);
    json_integer(&report->json, "version", query_get_integer(rule, 1));
    json_string(&report->json, "digest", digest);
    write_moment(report, "installed_at", query_get_integer(rule, 3));
    json_text(&report->json, "on_disk", promoted_state_name(promoted_look(report->settings->promoted_dir, rule_id, digest)));
    json_close(&report->json);
    arena_reset(report->arena);
}

static bool write_rules(struct report *report)
{
    struct query *rule =
        query_begin(report->store, "SELECT rule_id, version, digest, installed_at FROM installed ORDER BY rule_id");
    json_open_array(&report->json, "rules");
    while (query_next(rule))
        write_rule(report, rule);
    json_close(&report->json);
    return query_end(rule);
}

static bool write_report(struct report *report)
{
    json_open_object(&report->json, NULL);
    bool written = write_revision(report, META_REVISION) && write_revision(report, META_ACKNOWLEDGED_REVISION) &&
                   write_rules(report) && write_count(report, "queue_length", "SELECT count(*) FROM queue") &&
                   write_meta_number(report, META_DROPPED_EXECUTIONS) &&
                   write_count(report, "patterns", "SELECT count(*) FROM pattern") &&
                   write_meta_moment(report, META_LAST_SUCCESS) && write_meta_text(report, META_LAST_ERROR) &&
                   write_meta_moment(report, META_LAST_ERROR_AT);
    json_writer_end(&report->json);
    return written || tell_false("cannot read the state file: %s", store_why(report->store));
}

static bool print(struct buffer *text)
{
    buffer_append_char(text, '\n');
    return buffer_ok(text) && fwrite(text->bytes, 1, text->len, stdout) == text->len && fflush(stdout) == 0;
}

int command_status(const struct settings *settings)
{
    char why[512];
    struct store *store = store_open(settings->state_file, why, sizeof why);
    if (store == NULL) {
        tell("%s", why);
        return COMMAND_FAILED;
    }
    struct buffer text = buffer_make(OUTPUT_CEILING);
    struct report report = {settings, store, arena_new(ARENA_LIMIT), json_writer_make(&text)};
    bool done = write_report(&report) && print(&text);
    buffer_free(&text);
    arena_free(report.arena);
    store_close(store);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
