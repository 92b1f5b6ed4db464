#include "cooldown.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "rules/rule_id.h"

enum {
    HOST_LIMIT = 255,
    KEY_SIZE = RULE_ID_MAX + 1 + HOST_LIMIT,
    CLAIMS_BETWEEN_SWEEPS = 1000,
    CLOCK_SKEW_MS = 60000, /* more than a claim ever waits for another process */
};

static int64_t now_ms(void)
{
    return timestamp_now() / 1000;
}

/* A host longer than any real one is cut between two characters, which can only make a rule rest more. */
static int host_length(struct slice host)
{
    size_t length = host.len < HOST_LIMIT ? host.len : HOST_LIMIT;
    while (length > 0 && length < host.len && ((unsigned char)host.ptr[length] & 0xC0) == 0x80)
        length--;
    return (int)length;
}

/* `rule_id:host` */
static struct slice make_key(char key[KEY_SIZE + 1], const struct rule *rule, struct slice host)
{
    int length = snprintf(key, KEY_SIZE + 1, "%.*s:%.*s", (int)rule->id.len, rule->id.ptr, host_length(host), host.ptr);
    return (struct slice){key, (size_t)length};
}

/* Gone when over, and when it ends later than it could have begun: then the clock has been set back. */
static bool claim(struct cooldowns *cooldowns, struct slice key, int64_t now, int64_t until)
{
    struct query *query = query_begin(
        cooldowns->store, "INSERT INTO cooldown (key, until_ms) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE "
                          "SET until_ms = excluded.until_ms WHERE until_ms <= ?3 OR until_ms > ?4");
    query_text(query, key);
    query_integer(query, until);
    query_integer(query, now);
    query_integer(query, until + CLOCK_SKEW_MS);
    cooldowns->failed = !query_run(query);
    return !cooldowns->failed && store_changes(cooldowns->store) == 1;
}

static void sweep(struct cooldowns *cooldowns)
{
    struct query *query = query_begin(cooldowns->store, "DELETE FROM cooldown WHERE until_ms <= ?1");
    query_integer(query, now_ms());
    bool swept = query_run(query);
    (void)swept; /* what stays is expired all the same */
    cooldowns->claims = 0;
}

struct cooldowns cooldowns_make(struct store *store)
{
    struct cooldowns cooldowns = {.store = store};
    sweep(&cooldowns);
    return cooldowns;
}

bool cooldown_try(void *context, const struct rule *rule, struct slice host)
{
    struct cooldowns *cooldowns = context;
    char text[KEY_SIZE + 1];
    if (rule->cooldown_seconds <= 0)
        return true;
    int64_t now = now_ms();
    if (!claim(cooldowns, make_key(text, rule, host), now, now + (int64_t)rule->cooldown_seconds * 1000))
        return false;
    if (++cooldowns->claims == CLAIMS_BETWEEN_SWEEPS)
        sweep(cooldowns);
    return true;
}
