/* How fast the L1 engine is with one folder of rules, on one core.
 *
 * usage: match_rules FOLDER INCIDENTS SECONDS
 *
 * INCIDENTS is a file of one JSON object a line. Prints one JSON object: how many rules were loaded and how long that took,
 * what the process needs of memory then (its proportional set size), how many rules the index held possible for an
 * incident, which share of the incidents had a rule, and how many incidents were matched in a second of processor
 * time, each measured for SECONDS: parsed beforehand, and parsed from their text one by one. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rules/rule_folder.h"
#include "rules/rule_set.h"

enum { MOST_INCIDENTS = 10000, AT_ONCE = 1000 /* incidents between two looks at the clock */ };

struct incidents {
    struct slice texts[MOST_INCIDENTS];
    const struct json *parsed[MOST_INCIDENTS];
    size_t count;
};

struct speed {
    double per_second, possible, matched;
};

/* Of CLOCK_MONOTONIC, or of CLOCK_PROCESS_CPUTIME_ID: what others do on the machine then counts less. */
static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

_Noreturn static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void refused(void *context, const char *path, const char *reason)
{
    (void)context;
    give_up(path, reason);
}

static const struct rule_set *load(struct arena *arena, const char *folder)
{
    const struct rule *rules = NULL;
    const struct rule_set *set = NULL;
    size_t count = 0;
    struct error error;
    error_clear(&error);
    if (!rule_folder_load(arena, folder, refused, NULL, &rules, &count, &error) ||
        !rule_set_new(arena, rules, count, &set, &error))
        give_up(folder, error.detail);
    malloc_trim(0);
    return set;
}

static const struct json *parse(struct arena *arena, struct slice text)
{
    char why[200];
    const struct json *incident = json_parse(arena, text, why, sizeof why);
    if (incident == NULL)
        give_up(why, text.ptr);
    return incident;
}

static void read_incidents(struct arena *arena, const char *path, struct incidents *incidents)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    if (file == NULL)
        give_up(path, "cannot be read");
    for (ssize_t length; incidents->count < MOST_INCIDENTS && (length = getline(&line, &room, file)) > 0;) {
        struct slice text = arena_copy(arena, (struct slice){line, (size_t)length});
        incidents->texts[incidents->count] = text;
        incidents->parsed[incidents->count++] = parse(arena, text);
    }
    free(line);
    fclose(file);
    if (incidents->count == 0)
        give_up(path, "holds no incident");
}

/* Matches for some seconds, each incident parsed first when there is an arena for that. */
static struct speed measure(const struct rule_set *set, const struct incidents *incidents, double seconds,
                            struct arena *arena)
{
    struct rule_matcher *matcher = rule_matcher_new(set);
    size_t done = 0, matched = 0;
    double start = now(CLOCK_PROCESS_CPUTIME_ID), taken = 0;
    for (; taken < seconds; taken = now(CLOCK_PROCESS_CPUTIME_ID) - start)
        for (size_t i = 0; i < AT_ONCE; i++, done++) {
            size_t which = done % incidents->count;
            const struct json *incident = incidents->parsed[which];
            if (arena != NULL)
                incident = parse(arena, incidents->texts[which]);
            matched += rule_match(matcher, incident, NULL, NULL) != NULL;
            if (arena != NULL)
                arena_reset(arena);
        }
    double count = (double)done;
    struct speed speed = {count / taken, (double)rule_matcher_tried(matcher) / count, (double)matched / count};
    rule_matcher_free(matcher);
    return speed;
}

static long pss_kib(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    long kib = -1;
    while (file != NULL && kib < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtol(line + 4, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib;
}

int main(int argc, char **argv)
{
    static struct incidents incidents;
    if (argc != 4)
        give_up("usage", "match_rules FOLDER INCIDENTS SECONDS");
    double seconds = strtod(argv[3], NULL), start = now(CLOCK_MONOTONIC);
    struct arena *rules = arena_new((size_t)1024 * 1024 * 1024), *arena = arena_new((size_t)64 * 1024 * 1024);
    struct arena *single = arena_new((size_t)1024 * 1024);
    const struct rule_set *set = load(rules, argv[1]);
    double loaded = now(CLOCK_MONOTONIC) - start;
    long memory = pss_kib();
    read_incidents(arena, argv[2], &incidents);
    struct speed parsed = measure(set, &incidents, seconds, NULL), whole = measure(set, &incidents, seconds, single);
    printf("{\"rules\": %zu, \"load_seconds\": %.6f, \"pss_kib\": %ld, \"possible\": %.3f, \"matched\": %.3f, "
           "\"per_second\": %.0f, \"per_second_from_text\": %.0f}\n",
           rule_set_count(set), loaded, memory, parsed.possible, parsed.matched, parsed.per_second, whole.per_second);
    arena_free(single);
    arena_free(arena);
    arena_free(rules);
    return 0;
}
