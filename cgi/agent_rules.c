/* GET /api/agent/sync/promoted-rules and POST /api/agent/sync/ack: rules for appliances, and what becomes of them there. */
#include <stdio.h>

#include "base/timestamp.h"
#include "cgi/service.h"
#include "promotion/acknowledge.h"
#include "promotion/delivery.h"

static const struct input QUERY[] = {
    {.name = "site_id", .type = INPUT_NAME, .lowest = 0, .highest = 128},
    {.name = "appliance_id", .type = INPUT_NAME, .lowest = 0, .highest = 255},
    {.name = "revision", .type = INPUT_INTEGER, .lowest = 0, .highest = 9007199254740992},
    {.name = "since", .type = INPUT_NAME, .lowest = 1, .highest = 64},
};

/* Agents in the field say since when by their own clock. It must be a time, and filters nothing. */
static bool check_since(struct call *call)
{
    struct slice since = query_text(&call->inputs, "since");
    int64_t moment;
    return !slice_present(since) || timestamp_parse(since, &moment) ||
           error_set(call->error, ERROR_MALFORMED, "bad-parameter",
                     "The parameter since must be a date and time such as 2026-01-02T03:04:05Z.");
}

static bool give_rules(struct call *call)
{
    long revision = query_integer(&call->inputs, "revision", -1);
    const struct delivery_request request = {
        .site_id = query_text(&call->inputs, "site_id"),
        .appliance_id = query_text(&call->inputs, "appliance_id"),
        .has_revision = revision >= 0,
        .revision = revision,
    };
    struct sha256 *identity = arena_alloc(call->arena, sizeof *identity);
    call->response->identity = identity;
    return check_since(call) && delivery_pull(&call->session, &request, call->own, &call->response->body, identity, call->error);
}

static bool take_acknowledgement(struct call *call)
{
    return acknowledge_rules(&call->session, call->inputs.document, &call->response->body, call->error);
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "pullPromotedRules",
     .method = "GET",
     .path = "/api/agent/sync/promoted-rules",
     .access = ACCESS_AGENT,
     .query = QUERY,
     .query_count = COUNT_OF(QUERY),
     .serve = give_rules},
    {.operation = "acknowledgeRules",
     .method = "POST",
     .path = "/api/agent/sync/ack",
     .access = ACCESS_AGENT,
     .body = BODY_OPEN,
     .body_limit = BODY_LIMIT_AGENT,
     .serve = take_acknowledgement},
};

static void *read_key(const struct config *config, char *why, size_t why_size)
{
    const char *path = config_get(config, "signing_key", NULL);
    if (path != NULL)
        return signing_key_read(path, why, why_size);
    snprintf(why, why_size, "the configuration lacks signing_key, the file of the key with which rules are signed");
    return NULL;
}

static void free_key(void *key)
{
    signing_key_free(key);
}

int main(int argc, char **argv)
{
    const struct program program = {"agent-rules", "database_agent", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    const struct program_own own = {read_key, free_key};
    return service_main_with(argc, argv, &program, &own);
}
