/* Promoted rules: their list, their status, and to which appliances they were sent. */
#ifndef PROMOTION_PROMOTED_RULES_H
#define PROMOTION_PROMOTED_RULES_H

#include "promotion/list.h"
#include "promotion/session.h"

struct promoted_rule {
    struct slice id, rule_id, pattern_signature, site_id, site_name, name, status, version, deployment_count,
        acknowledged_count, failed_count, promoted_by, promoted_at, last_deployed_at, released_at, notes, rule_yaml, rule_digest;
};

enum rule_sort { RULES_BY_PROMOTED_AT, RULES_BY_RULE_ID };

struct rule_filter {
    struct slice status;
    struct slice site_id;
    struct slice q; /* text anywhere in rule id, name, signature, site id or clinic name */
    enum rule_sort sort;
    bool descending;
};

enum { RULE_KEYS = 2 };

/* A page of the caller's rules. */
bool promoted_rules_page(struct session *session, const struct rule_filter *filter, const struct page *page,
                         struct list *list, struct error *error) MUST_USE;
struct promoted_rule promoted_rule_at(const struct list *list, size_t row);
void promoted_rule_keys(const struct list *list, size_t row, enum rule_sort sort, struct slice *keys);

/* What became of a request to change a rule. */
struct rule_change {
    struct slice rule_id, site_name, status;
    bool changed; /* false: it was in that state already */
    long deployed_to;
};

/* Sets the status (`active`, `disabled`, `archived`) of the rule that `id` names, by its row's id or its rule id. An
 * archived rule stays archived (ERROR_CONFLICT). Setting the status it has changes and logs nothing. Enabling a released
 * rule queues it for the site's appliances anew. */
bool promoted_rule_set_status(struct change *change, struct slice id, struct slice status, struct slice reason,
                              struct rule_change *result, struct error *error) MUST_USE;

/* Sends a rule that was held back, or sends it to the appliances that lack it (new ones, failed ones). When all have it or are
 * about to get it, nothing changes and nothing is logged. ERROR_CONFLICT unless it is active. */
bool promoted_rule_deploy(struct change *change, struct slice id, struct rule_change *result,
                          struct error *error) MUST_USE;

/* ---- parts of other changes ----------------------------------------------------------------------------- */

/* Moves the site's revision: appliances see by it that something has changed. Also the lock that orders changes of one
 * site's rules. */
struct db_call rules_revision_call(struct arena *arena, const char *site_id);

/* Queues the rule (by row id) for every active appliance of its site if it is active and released; the one row and
 * column of the result is the number of those appliances. */
struct db_call rules_dispatch_call(struct arena *arena, const char *row_id);

#endif
