#include "promotion/accounts.h"

DB_STATEMENT(account_partner, 0,
             "SELECT p.id, p.name, p.slug, p.brand_name, p.contact_email, p.status, p.created_at, "
             "(SELECT count(*) FROM sites s WHERE s.partner_id = p.id), "
             "(SELECT count(*) FROM site_appliances a WHERE a.partner_id = p.id AND a.status = 'active') "
             "FROM partners p WHERE p.id = current_partner()");
DB_STATEMENT(account_user, 1,
             "SELECT u.id, u.email, u.display_name, u.role, u.last_sign_in_at FROM users u "
             "JOIN authenticate(NULL, $1::bytea, NULL) a ON a.user_id = u.id");
DB_STATEMENT(account_user_of_key, 1,
             "SELECT u.id, u.email, u.display_name, u.role, u.last_sign_in_at FROM users u "
             "JOIN authenticate($1::bytea, NULL, NULL) a ON a.user_id = u.id");
DB_STATEMENT(account_sites, 0,
             "SELECT s.site_id, s.clinic_name, coalesce(v.active, 0), "
             "p.patterns, p.pending, "
             "(SELECT count(*) FROM promoted_rules r WHERE r.site_id = s.site_id AND r.status = 'active'), "
             "(SELECT coalesce(sum(d.executions), 0) FROM site_daily_executions d WHERE d.site_id = s.site_id "
             "AND d.day > (now() AT TIME ZONE 'UTC')::date - 30), "
             "(SELECT max(y.synced_at) FROM appliance_pattern_sync y WHERE y.site_id = s.site_id), "
             "coalesce(v.silent, 0), coalesce(v.failing, 0), v.last_seen_at "
             "FROM sites s LEFT JOIN LATERAL (SELECT count(*) AS patterns, "
             "count(*) FILTER (WHERE promotion_eligible AND is_undecided) AS pending "
             "FROM aggregated_pattern_stats WHERE site_id = s.site_id) p ON true "
             "LEFT JOIN (SELECT site_id, count(*) FILTER (WHERE status = 'active') AS active, "
             "count(*) FILTER (WHERE silent) AS silent, count(*) FILTER (WHERE failing) AS failing, "
             "max(last_seen_at) AS last_seen_at FROM v_appliances GROUP BY site_id) v ON v.site_id = s.site_id "
             "WHERE s.partner_id = current_partner() ORDER BY s.clinic_name, s.site_id");

static struct partner_profile partner_at(const struct db_rows *rows)
{
    return (struct partner_profile){
        .id = db_value(rows, 0, 0),         .name = db_value(rows, 0, 1),
        .slug = db_value(rows, 0, 2),       .brand_name = db_value(rows, 0, 3),
        .contact_email = db_value(rows, 0, 4), .status = db_value(rows, 0, 5),
        .created_at = db_value(rows, 0, 6), .site_count = db_value(rows, 0, 7),
        .appliance_count = db_value(rows, 0, 8),
    };
}

bool account_read(struct session *session, struct partner_profile *partner, struct user_profile *user,
                  struct error *error)
{
    bool by_key = session->key_hash != NULL;
    const struct db_call calls[] = {
        {&account_partner, NULL},
        {by_key ? &account_user_of_key : &account_user, by_key ? &session->key_hash : &session->session_hash},
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *partner = partner_at(rows[0]);
    *user = (struct user_profile){db_value(rows[1], 0, 0), db_value(rows[1], 0, 1), db_value(rows[1], 0, 2),
                                  db_value(rows[1], 0, 3), db_value(rows[1], 0, 4)};
    return true;
}

bool partner_read(struct session *session, struct partner_profile *partner, struct error *error)
{
    const struct db_call call = {&account_partner, NULL};
    const struct db_rows *rows;
    if (!session_read(session, &call, 1, &rows, error))
        return false;
    *partner = partner_at(rows);
    return true;
}

bool sites_read(struct session *session, const struct db_rows **rows, struct error *error)
{
    const struct db_call call = {&account_sites, NULL};
    return session_read(session, &call, 1, rows, error);
}

struct site_summary site_at(const struct db_rows *rows, size_t row)
{
    return (struct site_summary){
        .site_id = db_value(rows, row, 0),
        .clinic_name = db_value(rows, row, 1),
        .appliance_count = db_value(rows, row, 2),
        .pattern_count = db_value(rows, row, 3),
        .pending_candidates = db_value(rows, row, 4),
        .active_rules = db_value(rows, row, 5),
        .executions_30d = db_value(rows, row, 6),
        .last_synced_at = db_value(rows, row, 7),
        .silent_appliances = db_value(rows, row, 8),
        .failing_appliances = db_value(rows, row, 9),
        .last_seen_at = db_value(rows, row, 10),
    };
}
