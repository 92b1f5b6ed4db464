#include "promotion/statistics.h"

/* The mean is rounded: its last digits depend on the order in which rows are met, and an answer that means the same
 * must keep its entity tag. */
DB_STATEMENT(statistics_figures, 0,
             "SELECT v.pending_candidates, v.active_promoted_rules, "
             "(SELECT coalesce(sum(d.executions), 0) FROM site_daily_executions d "
             "WHERE d.partner_id = current_partner() AND d.day > (now() AT TIME ZONE 'UTC')::date - 30), "
             "v.total_l1_resolutions::float8 / nullif(v.total_incidents, 0), "
             "v.total_l2_resolutions::float8 / nullif(v.total_incidents, 0), "
             "v.total_l3_resolutions::float8 / nullif(v.total_incidents, 0), "
             "round(v.avg_success_rate::numeric, 9)::float8 "
             "FROM v_partner_learning_stats v WHERE v.partner_id = current_partner()");

bool statistics_read(struct session *session, struct statistics *statistics, struct error *error)
{
    const struct db_call call = {&statistics_figures, NULL};
    const struct db_rows *rows;
    if (!session_read(session, &call, 1, &rows, error))
        return false;
    *statistics = (struct statistics){
        .pending_candidates = db_value(rows, 0, 0),
        .active_promoted_rules = db_value(rows, 0, 1),
        .total_executions_30d = db_value(rows, 0, 2),
        .l1_resolution_rate = db_value(rows, 0, 3),
        .l2_resolution_rate = db_value(rows, 0, 4),
        .l3_escalation_rate = db_value(rows, 0, 5),
        .avg_success_rate = db_value(rows, 0, 6),
    };
    return true;
}
