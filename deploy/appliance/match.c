#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "commands.h"
#include "cooldown.h"
#include "lines.h"
#include "live_rules.h"
#include "rules/render.h"
#include "rules/rule_engine.h"
#include "store.h"
#include "tell.h"

enum {
    ARENA_LIMIT = 64 * 1024 * 1024,
    ANSWER_CEILING = 8 * LINE_LIMIT, /* an incident's id can be as long as a line, and grows by being escaped */
    LARGE_LINE = 64 * 1024, /* what parsing one took is given back to the system */
};

struct matching {
    struct live_rules *rules;
    const struct rule_set *set;   /* that the matcher is of */
    struct rule_matcher *matcher;
    struct cooldowns cooldowns;
    bool without_cooldown;
    struct lines lines;
    struct arena *arena; /* of one incident */
    struct buffer answer;
};

/* ---- the rules in force -------------------------------------------------------------------------- */

static void use_current_rules(struct matching *matching)
{
    struct rule_engine *engine = live_rules_engine(matching->rules);
    if (matching->set != NULL && rule_engine_is_current(engine, matching->set))
        return;
    rule_matcher_free(matching->matcher);
    if (matching->set != NULL)
        rule_engine_release(engine, matching->set);
    malloc_trim(0);
    matching->set = rule_engine_acquire(engine);
    matching->matcher = rule_matcher_new(matching->set);
}

static void refresh(struct matching *matching)
{
    live_rules_refresh(matching->rules);
    use_current_rules(matching);
}

/* ---- one incident -------------------------------------------------------------------------------- */

/* The incident's id: a string, or a number's text; null for anything else. */
static void write_id(struct matching *matching, struct json_writer *json, const struct json *incident)
{
    const struct json *id = json_type_of(incident) == JSON_OBJECT ? json_member(incident, "incident_id") : NULL;
    struct slice text = json_as_string(id);
    struct buffer digits = buffer_make(LINE_LIMIT);
    if (json_type_of(id) == JSON_NUMBER) {
        struct json_writer number = json_writer_make(&digits);
        json_copy(&number, NULL, id);
        text = arena_copy(matching->arena, buffer_slice(&digits));
    }
    buffer_free(&digits);
    json_string(json, "incident_id", text);
}

static bool print_answer(struct matching *matching, const struct json *incident, const struct rule *rule, const char *error)
{
    buffer_clear(&matching->answer);
    struct json_writer json = json_writer_make(&matching->answer);
    json_open_object(&json, NULL);
    write_id(matching, &json, incident);
    json_string(&json, "rule_id", rule != NULL ? rule->id : SLICE_ABSENT);
    json_string(&json, "action", rule != NULL ? rule->action : SLICE_ABSENT);
    if (rule != NULL)
        rule_write_action_params(&json, "action_params", rule);
    else
        json_null(&json, "action_params");
    if (error != NULL)
        json_text(&json, "error", error);
    json_writer_end(&json);
    buffer_append_char(&matching->answer, '\n');
    return fwrite(matching->answer.bytes, 1, matching->answer.len, stdout) == matching->answer.len;
}

/* A rule that cannot be put to rest does not act. */
static const struct rule *find_rule(struct matching *matching, const struct json *incident, const char **error)
{
    matching->cooldowns.failed = false;
    cooldown_claim *claim = matching->without_cooldown ? NULL : cooldown_try;
    const struct rule *rule = rule_match(matching->matcher, incident, claim, &matching->cooldowns);
    if (!matching->cooldowns.failed)
        return rule;
    *error = arena_printf(matching->arena, "the cooldown cannot be kept: %s", store_why(matching->cooldowns.store));
    return NULL;
}

static bool answer_line(struct matching *matching, enum line_kind kind, struct slice line)
{
    char why[256] = "the line has more than 1 MiB";
    const struct json *incident = kind == LINE_TEXT ? json_parse(matching->arena, line, why, sizeof why) : NULL;
    const struct rule *rule = NULL;
    const char *error = NULL;
    if (incident == NULL)
        error = why;
    else if (json_type_of(incident) != JSON_OBJECT)
        error = "the line is no JSON object";
    else
        rule = find_rule(matching, incident, &error);
    bool printed = print_answer(matching, incident, rule, error);
    arena_reset(matching->arena);
    if (line.len > LARGE_LINE)
        malloc_trim(0);
    return printed;
}

/* ---- all of them --------------------------------------------------------------------------------- */

/* Sends what was answered and waits for more; meanwhile rules that change are loaded, and told of when they are bad. */
static bool await_input(struct matching *matching)
{
    struct pollfd wait[] = {{.fd = matching->lines.file, .events = POLLIN},
                            {.fd = live_rules_events(matching->rules), .events = POLLIN}};
    if (lines_waiting(&matching->lines))
        return true;
    if (fflush(stdout) != 0)
        return false;
    while (wait[0].revents == 0) {
        int ready = poll(wait, COUNT_OF(wait), live_rules_patience_ms(matching->rules));
        if (ready == 0 || wait[1].revents != 0)
            refresh(matching);
    }
    return true;
}

/* What has arrived is answered by the rules that are there now. */
static bool answer_arrived(struct matching *matching)
{
    struct slice line = SLICE_ABSENT;
    enum line_kind kind;
    refresh(matching);
    while ((kind = lines_next(&matching->lines, &line)) != LINE_NONE)
        if (!answer_line(matching, kind, line))
            return false;
    return true;
}

static bool answer_all(struct matching *matching)
{
    bool more = true, printed = true;
    use_current_rules(matching);
    while (more && printed) {
        printed = await_input(matching);
        more = printed && lines_read(&matching->lines);
        printed = printed && answer_arrived(matching);
    }
    if (!printed || fflush(stdout) != 0)
        return tell_false("the answers cannot be written");
    return !matching->lines.failed || tell_false("standard input cannot be read");
}

static bool run(const struct match_options *options, struct store *store)
{
    struct live_rules *rules = live_rules_open(options->rules, options->state != NULL ? store : NULL);
    if (rules == NULL)
        return false;
    struct matching matching = {.rules = rules,
                                .cooldowns = cooldowns_make(store),
                                .without_cooldown = options->without_cooldown,
                                .lines = lines_make(0),
                                .arena = arena_new(ARENA_LIMIT),
                                .answer = buffer_make(ANSWER_CEILING)};
    bool done = answer_all(&matching);
    rule_matcher_free(matching.matcher);
    if (matching.set != NULL)
        rule_engine_release(live_rules_engine(rules), matching.set);
    lines_free(&matching.lines);
    arena_free(matching.arena);
    buffer_free(&matching.answer);
    live_rules_close(rules);
    return done;
}

/* Without a state file the cooldowns lie in one that ends with the process. */
int command_match(const struct match_options *options)
{
    char why[512];
    struct store *store = store_open(options->state != NULL ? options->state : ":memory:", why, sizeof why);
    bool done = store != NULL ? run(options, store) : tell_false("%s", why);
    store_close(store);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
