#include "promotion/candidates.h"

#include "rules/rule.h"

#define CANDIDATE_FILTER                                                                                              \
    "a.partner_id = current_partner() AND a.is_candidate "                                                            \
    "AND ($1::text IS NULL OR a.approval_status = $1) AND ($2::text IS NULL OR a.site_id = $2) "                      \
    "AND ($3::text IS NULL OR a.pattern_signature ILIKE $3 OR a.check_type ILIKE $3 "                                 \
    "OR a.recommended_action ILIKE $3 OR a.site_id ILIKE $3 OR s.clinic_name ILIKE $3) "

DB_STATEMENT(candidates_by_rank, 8,
             "SELECT " CANDIDATE_COLUMNS ", a.is_undecided " CANDIDATE_TABLES "WHERE " CANDIDATE_FILTER
             "AND (a.is_undecided, a.success_rate, a.total_occurrences, a.id) "
             "< ($5::boolean, $6::float8, $7::bigint, $8::uuid) "
             "ORDER BY a.is_undecided DESC, a.success_rate DESC, a.total_occurrences DESC, a.id DESC "
             "LIMIT $4::int");

/* One statement for each sort and direction: an order cannot be a parameter, and is never text that was sent. */
#define CANDIDATES_SORTED(column, type, comparison, direction)                                                        \
    "SELECT " CANDIDATE_COLUMNS " " CANDIDATE_TABLES "WHERE " CANDIDATE_FILTER "AND (a." column ", a.id) " comparison \
    " ($5::" type ", $6::uuid) ORDER BY a." column " " direction ", a.id " direction " LIMIT $4::int"

DB_STATEMENT(candidates_by_success_rate, 6, CANDIDATES_SORTED("success_rate", "float8", ">", "ASC"));
DB_STATEMENT(candidates_by_success_rate_desc, 6, CANDIDATES_SORTED("success_rate", "float8", "<", "DESC"));
DB_STATEMENT(candidates_by_occurrences, 6, CANDIDATES_SORTED("total_occurrences", "bigint", ">", "ASC"));
DB_STATEMENT(candidates_by_occurrences_desc, 6, CANDIDATES_SORTED("total_occurrences", "bigint", "<", "DESC"));
DB_STATEMENT(candidates_by_last_seen, 6, CANDIDATES_SORTED("last_seen", "timestamptz", ">", "ASC"));
DB_STATEMENT(candidates_by_last_seen_desc, 6, CANDIDATES_SORTED("last_seen", "timestamptz", "<", "DESC"));
DB_STATEMENT(candidates_by_first_seen, 6, CANDIDATES_SORTED("first_seen", "timestamptz", ">", "ASC"));
DB_STATEMENT(candidates_by_first_seen_desc, 6, CANDIDATES_SORTED("first_seen", "timestamptz", "<", "DESC"));

DB_STATEMENT(candidates_total, 3,
             "SELECT count(*) FROM (SELECT FROM aggregated_pattern_stats a JOIN sites s ON s.site_id = a.site_id "
             "WHERE " CANDIDATE_FILTER "LIMIT 10001) AS matches");

size_t candidate_key_count(enum candidate_sort sort)
{
    return sort == CANDIDATES_BY_RANK ? 4 : 2;
}

static const struct db_statement *statement_for(const struct candidate_filter *filter)
{
    static const struct db_statement *const statements[][2] = {
        [CANDIDATES_BY_RANK] = {&candidates_by_rank, &candidates_by_rank},
        [BY_SUCCESS_RATE] = {&candidates_by_success_rate, &candidates_by_success_rate_desc},
        [BY_TOTAL_OCCURRENCES] = {&candidates_by_occurrences, &candidates_by_occurrences_desc},
        [BY_LAST_SEEN] = {&candidates_by_last_seen, &candidates_by_last_seen_desc},
        [BY_FIRST_SEEN] = {&candidates_by_first_seen, &candidates_by_first_seen_desc},
    };
    return statements[filter->sort][filter->descending];
}

/* Sort values that precede every row: where the first page starts. */
static const char *const *before_all(const struct candidate_filter *filter)
{
    static const char *const by_rank[] = {"true", "Infinity", BIGINT_LAST, LAST_UUID};
    static const char *const by_number[2][2] = {{BIGINT_FIRST, FIRST_UUID}, {BIGINT_LAST, LAST_UUID}};
    static const char *const by_other[2][2] = {{"-Infinity", FIRST_UUID}, {"Infinity", LAST_UUID}};
    if (filter->sort == CANDIDATES_BY_RANK)
        return by_rank;
    return filter->sort == BY_TOTAL_OCCURRENCES ? by_number[filter->descending] : by_other[filter->descending];
}

/* The sort values to start after. */
static void keyset(struct arena *arena, const struct candidate_filter *filter, const struct page *page,
                   const char **values)
{
    for (size_t i = 0; i < candidate_key_count(filter->sort); i++)
        values[i] = list_after(arena, page, i, before_all(filter)[i]);
}

bool candidates_page(struct session *session, const struct candidate_filter *filter, const struct page *page,
                     struct list *list, struct error *error)
{
    struct arena *arena = session->arena;
    const char *values[8] = {
        arena_text(arena, filter->status),
        arena_text(arena, filter->site_id),
        list_like(arena, filter->q),
        list_limit(arena, page),
    };
    keyset(arena, filter, page, values + 4);
    const struct db_call calls[] = {{statement_for(filter), values}, {&candidates_total, values}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

/* The tier of the recommended runbook; of a named action R1; else of the check type's runbook. */
static struct slice risk_tier(struct slice action, struct slice own, struct slice usual)
{
    if (slice_present(own))
        return own;
    return rule_action_named(action) ? SLICE("R1") : usual;
}

struct candidate candidate_at(const struct db_rows *rows, size_t row)
{
    struct slice action = db_value(rows, row, 13);
    return (struct candidate){
        .id = db_value(rows, row, 0),
        .pattern_signature = db_value(rows, row, 1),
        .site_id = db_value(rows, row, 2),
        .site_name = db_value(rows, row, 3),
        .check_type = db_value(rows, row, 4),
        .incident_type = db_value(rows, row, 5),
        .total_occurrences = db_value(rows, row, 6),
        .l1_resolutions = db_value(rows, row, 7),
        .l2_resolutions = db_value(rows, row, 8),
        .l3_resolutions = db_value(rows, row, 9),
        .success_count = db_value(rows, row, 10),
        .success_rate = db_value(rows, row, 11),
        .avg_resolution_time_ms = db_value(rows, row, 12),
        .recommended_action = action,
        .first_seen = db_value(rows, row, 14),
        .last_seen = db_value(rows, row, 15),
        .approval_status = db_value(rows, row, 16),
        .eligible = db_bool(rows, row, 17),
        .risk_tier = risk_tier(action, db_value(rows, row, 18), db_value(rows, row, 19)),
    };
}

void candidate_keys(const struct db_rows *rows, size_t row, enum candidate_sort sort, struct slice *keys)
{
    static const int columns[] = {
        [BY_SUCCESS_RATE] = 11, [BY_TOTAL_OCCURRENCES] = 6, [BY_LAST_SEEN] = 15, [BY_FIRST_SEEN] = 14};
    if (sort == CANDIDATES_BY_RANK) {
        keys[0] = db_value(rows, row, CANDIDATE_COLUMN_COUNT);
        keys[1] = db_value(rows, row, 11);
        keys[2] = db_value(rows, row, 6);
        keys[3] = db_value(rows, row, 0);
    } else {
        keys[0] = db_value(rows, row, columns[sort]);
        keys[1] = db_value(rows, row, 0);
    }
}
