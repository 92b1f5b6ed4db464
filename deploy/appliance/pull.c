#include "pull.h"

#include <stdio.h>

#include "base/signing.h"
#include "base/timestamp.h"
#include "install.h"
#include "push.h"
#include "verify.h"

#define LIFE INT64_C(172800000000) /* of a signature: 48 hours, in microseconds */

/* Where this appliance stands. */
struct position {
    int64_t revision;     /* MANIFEST_NO_REVISION before the first answer */
    int64_t asked;        /* what to ask with */
    int64_t signed_until;
    struct slice etag;    /* absent: "not modified" will not do */
};

static bool read_refused(struct store *store, bool *some)
{
    struct query *query = query_begin(store, "SELECT 1 FROM refused LIMIT 1");
    *some = query_next(query);
    return query_end(query);
}

static bool read_position(struct cycle *cycle, int64_t now, struct position *position)
{
    bool refused;
    struct store *store = cycle->store;
    if (!meta_get_integer(store, META_REVISION, MANIFEST_NO_REVISION, &position->revision) ||
        !meta_get_integer(store, META_SIGNED_UNTIL, 0, &position->signed_until) ||
        !meta_get_text(store, cycle->arena, META_ETAG, &position->etag) || !read_refused(store, &refused))
        return cycle_fail_store(cycle);
    int64_t left = position->signed_until - now;
    bool fresh = left > LIFE / 2 && left <= LIFE; /* more is left only to a clock that was set back */
    position->asked = fresh || !refused ? position->revision : MANIFEST_NO_REVISION;
    if (!fresh)
        position->etag = SLICE_ABSENT;
    return true;
}

/* Refused as a whole: told to the server as well. */
static bool refuse(struct cycle *cycle, const struct error *error)
{
    snprintf(cycle->refusal, sizeof cycle->refusal, "%s", error->detail);
    return cycle_fail(cycle, "the server's rules are refused: %s", error->detail);
}

static bool take_answer(struct cycle *cycle, const struct signature_keys *keys, const struct position *position,
                        const struct server_answer *answer)
{
    struct error error;
    struct delivery delivery;
    const struct expected_delivery expected = {.keys = keys, .appliance_id = cycle->settings->appliance_id,
                                               .site_id = cycle->settings->site_id, .installed = position->revision,
                                               .asked = position->asked, .now = timestamp_now()};
    if (!delivery_verify(cycle->scratch, answer->body, &expected, &delivery, &error))
        return refuse(cycle, &error);
    if (!install_delivery(cycle, &delivery, answer->etag)) {
        snprintf(cycle->refusal, sizeof cycle->refusal, "it cannot be written down: %s", store_why(cycle->store));
        return false;
    }
    /* Everything, though changes were asked for: the server is not what it was. */
    bool restored = delivery.manifest.full && position->asked != MANIFEST_NO_REVISION;
    return !restored || push_again(cycle->store) || cycle_fail_store(cycle);
}

static bool pull_with(struct cycle *cycle, const struct signature_keys *keys)
{
    struct error error;
    struct server_answer answer;
    struct position position;
    arena_reset(cycle->scratch);
    if (!read_position(cycle, timestamp_now(), &position))
        return false;
    const char *etag = arena_text(cycle->arena, position.etag);
    if (!server_get_rules(cycle->server, position.asked, etag, &answer, &error))
        return slice_is(slice_of(error.slug), SERVER_UNUSABLE) ? refuse(cycle, &error)
                                                               : cycle_fail_request(cycle, "rules", &error);
    cycle->pulled = answer.not_modified || take_answer(cycle, keys, &position, &answer);
    return cycle->pulled && !answer.not_modified;
}

bool pull_rules(struct cycle *cycle)
{
    char why[ERROR_DETAIL_SIZE - 64];
    struct error error;
    struct signature_keys *keys = signature_keys_read(cycle->settings->server_public_key, why, sizeof why);
    if (keys == NULL) {
        error_fill(&error, ERROR_INTERNAL, "public-key", "nothing can be verified here: %s", why);
        return refuse(cycle, &error);
    }
    bool new = pull_with(cycle, keys);
    signature_keys_free(keys);
    return new;
}
