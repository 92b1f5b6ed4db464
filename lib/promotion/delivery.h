/* Delivery: what an appliance is to have installed, and what is to go.
 *
 * A site has a revision that moves with every decision about its rules. An appliance asks with the revision at which it stands
 * and gets what has changed since, together with the revision that it reaches by it; no clock is involved, so nothing is
 * missed or given twice because clocks differ. Rules and revision are read in one statement, which sees one moment.
 *
 * What is given is signed for this appliance (rules/manifest.h). */
#ifndef PROMOTION_DELIVERY_H
#define PROMOTION_DELIVERY_H

#include "base/signing.h"
#include "promotion/session.h"

struct delivery_request {
    struct slice site_id, appliance_id; /* whom the caller says it is; absent or empty: not said */
    bool has_revision;
    int64_t revision; /* at which the appliance stands */
};

/* Renders {rules, removed, revision, full, server_time, signed, signature} into `answer`, and fills `identity` with what tells
 * two answers apart: all that is signed but its times, and by which key. `full`: everything that can be installed, for an
 * appliance that has said no revision, or one that the site does not know.
 *
 * Notes in the same round trip that the rules have been delivered, and, when that was more than 30 s ago, that the appliance
 * was seen. ERROR_FORBIDDEN, and nothing is noted, when the caller names another site or appliance than its token. */
bool delivery_pull(struct session *session, const struct delivery_request *request, const struct signing_key *key,
                   struct buffer *answer, struct sha256 *identity, struct error *error) MUST_USE;

#endif
