/* The appliances of a partner: when each was last heard of, which rules it has, and what troubles it. */
#ifndef PROMOTION_APPLIANCES_H
#define PROMOTION_APPLIANCES_H

#include "promotion/list.h"
#include "promotion/session.h"

/* How an appliance is doing. What is silent and what is failing the view v_appliances says. */
struct appliance {
    struct slice appliance_id, site_id, site_name, status, created_at, last_seen_at, silent, failing;
    struct slice acknowledged_revision; /* absent for agents that never acknowledge; so is revisions_behind */
    struct slice acknowledged_at, site_revision, revisions_behind;
    struct slice agent; /* the program and its version, where it told */
    struct slice last_error, last_error_at, engine_errors /* JSON */, dropped_executions;
    struct slice rules_applied, rules_pending, rules_failed, rules_to_withdraw;
};

struct appliance_filter {
    struct slice site_id;
    struct slice state; /* silent, failing, behind or revoked */
    struct slice q;     /* text anywhere in appliance id, site id or clinic name */
};

enum { APPLIANCE_KEYS = 2 }; /* clinic name, appliance id */

/* A page of the caller's appliances, by the name of their site, then by id. */
bool appliances_page(struct session *session, const struct appliance_filter *filter, const struct page *page,
                     struct list *list, struct error *error) MUST_USE;
struct appliance appliance_at(const struct list *list, size_t row);
void appliance_keys(const struct list *list, size_t row, struct slice *keys);

/* ---- one rule on the appliances of its site -------------------------------------------------------------- */

/* The rule that is asked about. */
struct deployed_rule {
    struct slice id, rule_id, site_id, site_name, status, version, revision, released_at;
};

/* What became of a rule at one appliance; of an appliance that it was never sent to, most is absent. */
struct rule_deployment {
    struct slice appliance_id, appliance_status, rule_version, deployment_status, deployed_at, delivered_at,
        acknowledged_at, proven_at, error, agent, last_seen_at, silent;
};

/* The rule that `id` names, by its row's id or its rule id, and every appliance of its site, by id. ERROR_NOT_FOUND. */
bool rule_deployments_read(struct session *session, struct slice id, struct deployed_rule *rule,
                           const struct db_rows **rows, struct error *error) MUST_USE;
struct rule_deployment rule_deployment_at(const struct db_rows *rows, size_t row);

#endif
