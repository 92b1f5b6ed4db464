/* The figures at the top of the dashboard. */
#ifndef PROMOTION_STATISTICS_H
#define PROMOTION_STATISTICS_H

#include "promotion/session.h"

/* Counts and fractions as PostgreSQL prints them. A fraction without anything to divide by is absent. */
struct statistics {
    struct slice pending_candidates;    /* eligible and undecided */
    struct slice active_promoted_rules; /* status active */
    struct slice total_executions_30d;  /* the last 30 UTC days, today included */
    struct slice l1_resolution_rate;    /* sum of the level's counter ÷ sum of occurrences, over all patterns */
    struct slice l2_resolution_rate;
    struct slice l3_escalation_rate;
    struct slice avg_success_rate; /* mean over eligible patterns */
};

bool statistics_read(struct session *session, struct statistics *statistics, struct error *error) MUST_USE;

#endif
