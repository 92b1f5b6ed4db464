/* Candidates: patterns that L2 solves so reliably that a person should decide about a rule.
 *
 * A candidate is a row of aggregated_pattern_stats that is eligible now or was decided once; its id is that row's. */
#ifndef PROMOTION_CANDIDATES_H
#define PROMOTION_CANDIDATES_H

#include "promotion/list.h"
#include "promotion/session.h"

/* A candidate, values as PostgreSQL prints them. */
struct candidate {
    struct slice id, pattern_signature, site_id, site_name, check_type, incident_type;
    struct slice total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_count, success_rate,
        avg_resolution_time_ms;
    struct slice recommended_action, first_seen, last_seen, approval_status;
    struct slice risk_tier; /* of the runbook that a rule would run; absent when none is known */
    bool eligible;
};

enum candidate_sort { CANDIDATES_BY_RANK, BY_SUCCESS_RATE, BY_TOTAL_OCCURRENCES, BY_LAST_SEEN, BY_FIRST_SEEN };

struct candidate_filter {
    struct slice status; /* an approval status; absent: all */
    struct slice site_id;
    struct slice q; /* text anywhere in signature, check type, action, site id or clinic name */
    enum candidate_sort sort;
    bool descending; /* for the sorts other than rank */
};

/* Number of sort values that a page of this sort is continued from. */
size_t candidate_key_count(enum candidate_sort sort);

/* A page of the caller's candidates. By rank: undecided first, then by success rate and occurrences, both
 * descending. */
bool candidates_page(struct session *session, const struct candidate_filter *filter, const struct page *page,
                     struct list *list, struct error *error) MUST_USE;

struct candidate candidate_at(const struct db_rows *rows, size_t row);
void candidate_keys(const struct db_rows *rows, size_t row, enum candidate_sort sort, struct slice *keys);

/* The columns that candidate_at reads, in its order, and the tables they come from: for statements that ask for more
 * of a candidate. */
enum { CANDIDATE_COLUMN_COUNT = 20 };
#define CANDIDATE_COLUMNS                                                                                             \
    "a.id, a.pattern_signature, a.site_id, s.clinic_name, a.check_type, a.incident_type, a.total_occurrences, "       \
    "a.l1_resolutions, a.l2_resolutions, a.l3_resolutions, a.success_count, a.success_rate, "                         \
    "a.avg_resolution_time_ms, a.recommended_action, a.first_seen, a.last_seen, a.approval_status, "                  \
    "a.promotion_eligible, own.risk_tier, usual.risk_tier"
#define CANDIDATE_TABLES                                                                                              \
    "FROM aggregated_pattern_stats a JOIN sites s ON s.site_id = a.site_id "                                          \
    "LEFT JOIN runbooks own ON own.runbook_id = a.recommended_action "                                                \
    "LEFT JOIN runbook_check_types ct ON ct.check_type = a.check_type "                                               \
    "LEFT JOIN runbooks usual ON usual.runbook_id = ct.runbook_id "

#endif
