/* What appliances did: the execution history. */
#ifndef PROMOTION_EXECUTIONS_H
#define PROMOTION_EXECUTIONS_H

#include "promotion/list.h"
#include "promotion/session.h"

struct execution {
    struct slice execution_id, incident_id, site_id, site_name, appliance_id, runbook_id, rule_id, pattern_signature,
        hostname, incident_type, check_type, success, status, resolution_level, duration_seconds, failure_type, created_at;
};

/* Filters; absent ones let everything through. */
struct execution_filter {
    struct slice site_id;
    struct slice level;   /* L1, L2 or L3 */
    struct slice success; /* true or false */
    struct slice runbook_id;
    struct slice pattern_signature;
};

enum { EXECUTION_KEYS = 2 }; /* created_at, id */

/* A page of the caller's executions, newest first. */
bool executions_page(struct session *session, const struct execution_filter *filter, const struct page *page,
                     struct list *list, struct error *error) MUST_USE;

/* The statement call for the newest `limit` executions of one pattern, for the candidate's page; rows are read with
 * execution_at. The texts must outlive the call. */
struct db_call executions_of_pattern_call(struct arena *arena, const char *site_id, const char *pattern_signature,
                                          const char *limit);

struct execution execution_at(const struct db_rows *rows, size_t row);

/* The keyset of a row, EXECUTION_KEYS values. */
void execution_keys(const struct db_rows *rows, size_t row, struct slice *keys);

#endif
