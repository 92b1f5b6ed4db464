#include "promotion/operators.h"

#include <string.h>

#include "base/crypto.h"
#include "promotion/keys.h"
#include "promotion/users.h"
#include "rules/rule.h"

/* One statement makes the thing and tells the log of it; it returns a row only when something was made. */
#define LOGGED(action, entity, entity_id, partner_id, site_id, from)                                                  \
    "INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, site_id) "            \
    "SELECT " partner_id ", 'operator', $1, '" action "', '" entity "', " entity_id ", " site_id " FROM " from

/* A key by its id, by the prefix that lists show, or by itself. */
#define NAMED_KEY(value)                                                                                              \
    "(k.id::text = " value " OR k.prefix = " value " OR k.key_hash = sha256(convert_to(" value ", 'UTF8')))"

DB_STATEMENT(operator_partner, 3,
             "WITH made AS (INSERT INTO partners (slug, name) VALUES ($2, $3) ON CONFLICT (slug) DO NOTHING "
             "RETURNING id), logged AS (" LOGGED("partner.created", "partner", "id::text", "id", "NULL", "made") ") "
             "SELECT id FROM made");
DB_STATEMENT(operator_user, 6,
             "WITH made AS (INSERT INTO users (partner_id, email, display_name, role, password_hash) "
             "SELECT id, $3, $4, $5, $6 FROM partners WHERE slug = $2 ON CONFLICT ((lower(email))) DO NOTHING "
             "RETURNING id, partner_id), logged AS ("
             LOGGED("user.created", "user", "id::text", "partner_id", "NULL", "made") ") SELECT id FROM made");
DB_STATEMENT(operator_find_key, 2,
             "SELECT k.id, k.partner_id FROM api_keys k WHERE " NAMED_KEY("$1") " AND ($2::text IS NULL "
             "OR k.partner_id = (SELECT id FROM partners WHERE slug = $2))");
DB_STATEMENT(operator_find_user, 2,
             "SELECT u.id, u.partner_id FROM users u WHERE lower(u.email) = lower($1) AND ($2::text IS NULL "
             "OR u.partner_id = (SELECT id FROM partners WHERE slug = $2))");
DB_STATEMENT(operator_site, 4,
             "WITH made AS (INSERT INTO sites (site_id, clinic_name, partner_id) SELECT $3, $4, id FROM partners "
             "WHERE slug = $2 ON CONFLICT (site_id) DO NOTHING RETURNING site_id, partner_id), "
             "logged AS (" LOGGED("site.created", "site", "site_id", "partner_id", "site_id", "made") ") "
             "SELECT site_id FROM made");
DB_STATEMENT(operator_appliance, 3,
             "WITH made AS (INSERT INTO site_appliances (appliance_id, site_id, partner_id) "
             "SELECT $3, site_id, partner_id FROM sites WHERE site_id = $2 ON CONFLICT (appliance_id) DO NOTHING "
             "RETURNING appliance_id, site_id, partner_id), "
             "logged AS (" LOGGED("appliance.created", "appliance", "appliance_id", "partner_id", "site_id", "made") ") "
             "SELECT appliance_id FROM made");
DB_STATEMENT(operator_token, 3,
             "INSERT INTO appliance_tokens (appliance_id, partner_id, token_hash) "
             "SELECT appliance_id, partner_id, $3::bytea FROM site_appliances "
             "WHERE appliance_id = $2 AND site_id = $1 AND status = 'active' RETURNING id");
DB_STATEMENT(operator_appliance_revoke, 3,
             "WITH gone AS (UPDATE site_appliances SET status = 'revoked' WHERE appliance_id = $2 "
             "AND ($3::text IS NULL OR site_id = $3) "
             "RETURNING appliance_id, site_id, partner_id), tokens AS (UPDATE appliance_tokens t "
             "SET revoked_at = coalesce(t.revoked_at, now()) FROM gone WHERE t.appliance_id = gone.appliance_id), "
             "logged AS (" LOGGED("appliance.revoked", "appliance", "appliance_id", "partner_id", "site_id", "gone") ") "
             "SELECT appliance_id FROM gone");
/* Of a runbook that is there, what is not given stays: a tier must not fall because nobody named it. */
DB_STATEMENT(operator_runbook, 6,
             "INSERT INTO runbooks AS b (runbook_id, title, platform, action, risk_tier, hipaa_controls) "
             "SELECT $1, coalesce($2, o.title), coalesce($3, o.platform), coalesce($4, "
             "CASE WHEN coalesce($3, o.platform) = o.platform THEN o.action END, "
             "'run_' || coalesce($3, o.platform) || '_runbook'), coalesce($5, o.risk_tier, 'R1'), "
             "coalesce(string_to_array($6, ','), o.hipaa_controls, '{}') "
             "FROM (SELECT) AS one LEFT JOIN runbooks o ON o.runbook_id = $1 "
             "ON CONFLICT (runbook_id) DO UPDATE SET title = EXCLUDED.title, platform = EXCLUDED.platform, "
             "action = EXCLUDED.action, risk_tier = EXCLUDED.risk_tier, hipaa_controls = EXCLUDED.hipaa_controls");
DB_STATEMENT(operator_check_types, 2,
             "INSERT INTO runbook_check_types (check_type, runbook_id) "
             "SELECT unnest(string_to_array($2, ',')), runbook_id FROM runbooks WHERE runbook_id = $1 "
             "ON CONFLICT (check_type) DO UPDATE SET runbook_id = EXCLUDED.runbook_id");
/* The partner twice, for find(). */
DB_STATEMENT(operator_find_partner, 1, "SELECT id, id FROM partners WHERE slug = $1");
DB_STATEMENT(operator_find_site, 1, "SELECT site_id FROM sites WHERE site_id = $1");
DB_STATEMENT(operator_find_runbook, 1, "SELECT runbook_id FROM runbooks WHERE runbook_id = $1");

enum { PASSWORD_LENGTH = 20 };

/* ---- forms: what the schema would refuse, said in words ------------------------------------------------ */

static bool form(bool good, struct error *error, const char *sentence)
{
    return good || error_set(error, ERROR_INVALID, "invalid", "%s", sentence);
}

static bool made_of(const char *text, const char *characters, size_t shortest, size_t longest)
{
    size_t len = strlen(text);
    return len >= shortest && len <= longest && strspn(text, characters) == len;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool good_name(const char *name, struct error *error)
{
    struct slice text = slice_of(name);
    bool good = slice_is_utf8(text) && slice_equal(slice_trim(text), text) && slice_code_points(text) >= 1 &&
                slice_code_points(text) <= 200 && !slice_has_control(text, false);
    return form(good, error, "A name has 1 to 200 characters, no control characters, no space at its ends.");
}

static bool good_scopes(const char *scopes)
{
    static const char *const known[] = {"read", "decide", "admin"};
    for (const char *at = scopes; *at != '\0';) {
        size_t len = strcspn(at, ",");
        bool found = false;
        for (size_t i = 0; i < COUNT_OF(known); i++)
            found |= strlen(known[i]) == len && memcmp(known[i], at, len) == 0;
        if (!found)
            return false;
        at += len;
        if (*at == ',' && *++at == '\0')
            return false;
    }
    return *scopes != '\0';
}

/* ---- transactions ----------------------------------------------------------------------------------------- */

/* A list of statements to run in one transaction; the first row of each is what tells that it did something. */
struct steps {
    const struct db_call *calls;
    size_t count;
    const struct db_rows **rows;
};

static bool run_steps(struct db_transaction *transaction, void *argument, struct error *error)
{
    const struct steps *steps = argument;
    return db_run(transaction, steps->calls, steps->count, steps->rows, error);
}

static bool run(const struct operation *operation, const struct db_call *calls, size_t count,
                const struct db_rows **rows, struct error *error)
{
    struct steps steps = {calls, count, rows};
    return db_write(operation->database, operation->arena, run_steps, &steps, error);
}

static bool exists(const struct operation *operation, const struct db_statement *statement, const char *value,
                   struct error *error)
{
    const struct db_call call = {statement, &value};
    const struct db_rows *rows;
    return db_read(operation->database, operation->arena, &call, 1, &rows, error) && db_count(rows) > 0;
}

/* Why nothing was made: what it belongs to is missing, or it is there already. */
static bool explain(const struct operation *operation, const struct db_statement *parent, const char *parent_name,
                    const char *parent_kind, const char *what, struct error *error)
{
    if (parent != NULL && !exists(operation, parent, parent_name, error))
        return error->kind == ERROR_NONE
                   ? error_set(error, ERROR_NOT_FOUND, "not-found", "There is no %s '%s'.", parent_kind, parent_name)
                   : false;
    return error_set(error, ERROR_CONFLICT, "exists", "%s", what);
}

bool operator_add_partner(const struct operation *operation, const char *slug, const char *name, const char **id,
                          struct error *error)
{
    if (!form(made_of(slug, LOWER "-", 1, 63) && slug[0] != '-', error,
              "A slug has 1 to 63 characters of a-z, 0-9 and '-', and does not start with '-'.") ||
        !good_name(name, error))
        return false;
    const struct db_call call = {&operator_partner, (const char *const[]){operation->operator_name, slug, name}};
    const struct db_rows *rows;
    if (!run(operation, &call, 1, &rows, error))
        return false;
    if (db_count(rows) == 0)
        return explain(operation, NULL, NULL, NULL, "A partner with this slug exists already.", error);
    *id = db_text(rows, 0, 0);
    return true;
}

bool operator_add_user(const struct operation *operation, const char *partner_slug, const char *email,
                       const char *display_name, const char *role, const char **password, struct error *error)
{
    struct arena *arena = operation->arena;
    bool good_role = strcmp(role, "viewer") == 0 || strcmp(role, "approver") == 0 || strcmp(role, "admin") == 0;
    if (!form(address_is_good(slice_of(email)), error, "An e-mail address has the form name@domain and at most 254 characters.") ||
        !form(good_role, error, "A role is viewer, approver or admin.") || !good_name(display_name, error))
        return false;
    *password = arena_printf(arena, "%.*s", PASSWORD_LENGTH, secret_text(arena, ""));
    const char *hash = password_hash(arena, slice_of(*password));
    if (hash == NULL)
        return error_set(error, ERROR_INTERNAL, "internal", "Hashing the password needs 64 MiB of memory; free some.");
    const struct db_call call = {&operator_user, (const char *const[]){operation->operator_name, partner_slug, email,
                                                                       display_name, role, hash}};
    const struct db_rows *rows;
    if (!run(operation, &call, 1, &rows, error))
        return false;
    return db_count(rows) == 1 || explain(operation, &operator_find_partner, partner_slug, "partner",
                                          "A user with this e-mail address exists already.", error);
}

/* ---- what admins may do too, done by an operator ---------------------------------------------------------- */

/* A change on behalf of one partner, under the operator's name. `work` does it to what `id` names. */
struct errand {
    const struct operation *operation;
    struct slice partner_id, id;
    bool (*work)(struct change *change, struct errand *errand, struct error *error);
    const void *wish;
    void *result;
};

static bool do_errand(struct db_transaction *transaction, void *argument, struct error *error)
{
    struct errand *errand = argument;
    struct session session = {
        .database = errand->operation->database,
        .arena = errand->operation->arena,
        .principal = {.kind = SLICE("operator"), .actor = slice_of(errand->operation->operator_name),
                      .partner_id = errand->partner_id},
    };
    struct change change = {&session, transaction};
    return errand->work(&change, errand, error);
}

static bool run_errand(struct errand *errand, struct error *error)
{
    return db_write(errand->operation->database, errand->operation->arena, do_errand, errand, error);
}

/* Finds what a person at a shell has named: the row's id and its partner. */
static bool find(const struct operation *operation, const struct db_statement *statement, const char *name,
                 const char *partner_slug, const char *kind, struct errand *errand, struct error *error)
{
    const char *values[] = {name, partner_slug};
    const struct db_call call = {statement, values};
    const struct db_rows *rows;
    errand->operation = operation;
    if (!db_read(operation->database, operation->arena, &call, 1, &rows, error))
        return false;
    if (db_count(rows) > 1)
        return error_set(error, ERROR_CONFLICT, "ambiguous", "There are several %ss of that name; use the id.", kind);
    if (db_count(rows) == 0)
        return error_set(error, ERROR_NOT_FOUND, "not-found", "There is no such %s%s%s.", kind,
                         partner_slug != NULL ? " of the partner " : "", partner_slug != NULL ? partner_slug : "");
    errand->id = db_value(rows, 0, 0);
    errand->partner_id = db_value(rows, 0, 1);
    return true;
}

static void show_key(struct arena *arena, const struct api_key *key, const char *secret, struct new_key *shown)
{
    *shown = (struct new_key){
        .id = arena_text(arena, key->id),
        .prefix = arena_text(arena, key->prefix),
        .secret = secret,
        .scopes = arena_text(arena, key->scopes),
        .expires_at = key->expires_at,
    };
}

static bool create_key(struct change *change, struct errand *errand, struct error *error)
{
    struct api_key key;
    const char *secret;
    if (!key_create(change, errand->wish, &key, &secret, error))
        return false;
    show_key(change->session->arena, &key, secret, errand->result);
    return true;
}

bool operator_add_key(const struct operation *operation, const char *partner_slug, const char *name, const char *scopes,
                      const char *user_email, long expires_s, struct new_key *key, struct error *error)
{
    if (!form(good_scopes(scopes), error, "Scopes are read, decide and admin, separated by commas.") ||
        !form(expires_s > 0, error, "A key's life is a number of days, hours, minutes or seconds, e.g. 90d.") ||
        !good_name(name, error))
        return false;
    struct key_wish wish = {.name = slice_of(name), .scopes = scopes, .expires_s = expires_s};
    struct errand errand = {.work = create_key, .wish = &wish, .result = key};
    if (user_email != NULL) {
        if (!find(operation, &operator_find_user, user_email, partner_slug, "user", &errand, error))
            return false;
        wish.user_id = errand.id;
    } else if (!find(operation, &operator_find_partner, partner_slug, NULL, "partner", &errand, error)) {
        return false;
    }
    return run_errand(&errand, error);
}

bool operator_list_keys(const struct operation *operation, const char *partner_slug, const struct db_rows **rows,
                        struct error *error)
{
    struct errand errand;
    return find(operation, &operator_find_partner, partner_slug, NULL, "partner", &errand, error) &&
           keys_of(operation->database, operation->arena, partner_slug, rows, error);
}

struct key_rotation_wish {
    long expires_s, overlap_s;
};

static bool replace_key(struct change *change, struct errand *errand, struct error *error)
{
    const struct key_rotation_wish *wish = errand->wish;
    struct rotation rotation;
    if (!key_rotate(change, errand->id, wish->expires_s, wish->overlap_s, &rotation, error))
        return false;
    show_key(change->session->arena, &rotation.key, rotation.secret, errand->result);
    return true;
}

bool operator_rotate_key(const struct operation *operation, const char *old_key, long expires_s, long overlap_s,
                         struct new_key *key, struct error *error)
{
    const struct key_rotation_wish wish = {expires_s, overlap_s};
    struct errand errand = {.work = replace_key, .wish = &wish, .result = key};
    return form(expires_s > 0 && overlap_s >= 0, error,
                "A key's life and overlap are numbers of days, hours, minutes or seconds, e.g. 90d.") &&
           find(operation, &operator_find_key, old_key, NULL, "key", &errand, error) && run_errand(&errand, error);
}

static bool end_key(struct change *change, struct errand *errand, struct error *error)
{
    struct api_key key;
    return key_revoke(change, errand->id, &key, error);
}

bool operator_revoke_key(const struct operation *operation, const char *key, const char *partner_slug, const char **id,
                         struct error *error)
{
    struct errand errand = {.work = end_key};
    if (!find(operation, &operator_find_key, key, partner_slug, "key", &errand, error))
        return false;
    *id = arena_text(operation->arena, errand.id);
    return run_errand(&errand, error);
}

static bool set_status(struct change *change, struct errand *errand, struct error *error)
{
    return user_set_status(change, errand->id, slice_of(errand->wish), errand->result, error);
}

bool operator_set_user_status(const struct operation *operation, const char *email, const char *status,
                              struct person *person, struct error *error)
{
    struct errand errand = {.work = set_status, .wish = status, .result = person};
    return find(operation, &operator_find_user, email, NULL, "user", &errand, error) && run_errand(&errand, error);
}

static bool unlock(struct change *change, struct errand *errand, struct error *error)
{
    struct person person;
    return user_unlock(change, errand->id, &person, errand->result, error);
}

bool operator_unlock_user(const struct operation *operation, const char *email, bool *was_locked, struct error *error)
{
    struct errand errand = {.work = unlock, .result = was_locked};
    return find(operation, &operator_find_user, email, NULL, "user", &errand, error) && run_errand(&errand, error);
}

static bool reset_password(struct change *change, struct errand *errand, struct error *error)
{
    struct person person;
    return user_reset_password(change, errand->id, &person, errand->result, error);
}

bool operator_reset_password(const struct operation *operation, const char *email, struct password_link *link,
                             struct error *error)
{
    struct errand errand = {.work = reset_password, .result = link};
    return find(operation, &operator_find_user, email, NULL, "user", &errand, error) && run_errand(&errand, error);
}

bool operator_add_site(const struct operation *operation, const char *partner_slug, const char *site_id,
                       const char *name, struct error *error)
{
    if (!form(made_of(site_id, ALNUM "._-", 1, 128) && strchr("._-", site_id[0]) == NULL, error,
              "A site id has 1 to 128 characters of A-Z, a-z, 0-9, '.', '_' and '-', the first a letter or digit.") ||
        !good_name(name, error))
        return false;
    const struct db_call call = {&operator_site,
                                 (const char *const[]){operation->operator_name, partner_slug, site_id, name}};
    const struct db_rows *rows;
    if (!run(operation, &call, 1, &rows, error))
        return false;
    return db_count(rows) == 1 || explain(operation, &operator_find_partner, partner_slug, "partner",
                                          "A site with this id exists already.", error);
}

bool operator_add_appliance(const struct operation *operation, const char *site_id, const char *appliance_id,
                            const char **token, struct error *error)
{
    struct arena *arena = operation->arena;
    if (!form(made_of(appliance_id, ALNUM "._:%-", 1, 255), error,
              "An appliance id has 1 to 255 characters of A-Z, a-z, 0-9, '.', '_', ':', '%' and '-'."))
        return false;
    *token = secret_text(arena, "fwa_");
    struct sha256 hash = sha256_of(slice_of(*token));
    const struct db_call calls[] = {
        {&operator_appliance, (const char *const[]){operation->operator_name, site_id, appliance_id}},
        {&operator_token, (const char *const[]){site_id, appliance_id, bytea_text(arena, &hash)}},
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!run(operation, calls, COUNT_OF(calls), rows, error))
        return false;
    return db_count(rows[1]) == 1 || explain(operation, &operator_find_site, site_id, "site",
                                             "An appliance with this id is revoked, or belongs to another site.", error);
}

bool operator_revoke_appliance(const struct operation *operation, const char *appliance_id, const char *site_id,
                               struct error *error)
{
    const struct db_call call = {&operator_appliance_revoke,
                                 (const char *const[]){operation->operator_name, appliance_id, site_id}};
    const struct db_rows *rows;
    if (!run(operation, &call, 1, &rows, error))
        return false;
    return db_count(rows) == 1 ||
           error_set(error, ERROR_NOT_FOUND, "not-found", "There is no appliance '%s'%s%s.", appliance_id,
                     site_id != NULL ? " at the site " : "", site_id != NULL ? site_id : "");
}

/* Names of check types, separated by single commas. */
static bool good_check_types(const char *list)
{
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        if (len < 1 || len > 64 || strspn(at, LOWER "_.-") < len)
            return false;
        at += len;
        if (*at == '\0')
            return true;
    }
}

/* An action that appliances know; handing over to a person is none that a rule could take. */
static bool good_action(const char *action)
{
    return rule_action_known(slice_of(action)) && strcmp(action, "escalate") != 0;
}

static bool good_runbook(const struct new_runbook *runbook, struct error *error)
{
    const char *platform = runbook->platform, *tier = runbook->risk_tier, *hipaa = runbook->hipaa_controls;
    bool good_platform = platform == NULL || strcmp(platform, "windows") == 0 || strcmp(platform, "linux") == 0;
    bool good_tier = tier == NULL || (strlen(tier) == 2 && tier[0] == 'R' && tier[1] >= '0' && tier[1] <= '3');
    bool good_id = made_of(runbook->runbook_id, ALNUM "._-", 3, 64) && strchr("._-", runbook->runbook_id[0]) == NULL;
    return form(good_id, error,
                "A runbook id has 3 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-', the first a letter or digit.") &&
           (runbook->title == NULL || good_name(runbook->title, error)) &&
           form(good_platform, error, "A platform is windows or linux.") &&
           form(runbook->action == NULL || good_action(runbook->action), error,
                "An action is one that appliances know, such as run_windows_runbook or run_backup_job.") &&
           form(good_tier, error, "A risk tier is R0, R1, R2 or R3.") &&
           form(hipaa == NULL || !slice_has_control(slice_of(hipaa), false), error,
                "HIPAA controls are text, separated by commas.") &&
           form(runbook->check_types == NULL || good_check_types(runbook->check_types), error,
                "Check types have 1 to 64 characters of a-z, 0-9, '_', '.' and '-' each, separated by commas.");
}

bool operator_add_runbook(const struct operation *operation, const struct new_runbook *runbook, struct error *error)
{
    if (!good_runbook(runbook, error))
        return false;
    if ((runbook->title == NULL || runbook->platform == NULL) &&
        !exists(operation, &operator_find_runbook, runbook->runbook_id, error))
        return error->kind == ERROR_NONE ? error_set(error, ERROR_INVALID, "invalid",
                                                     "A new runbook needs a title and a platform.")
                                         : false;
    const char *values[] = {runbook->runbook_id, runbook->title,     runbook->platform,
                            runbook->action,     runbook->risk_tier, runbook->hipaa_controls};
    const struct db_call calls[] = {
        {&operator_runbook, values},
        {&operator_check_types, (const char *const[]){runbook->runbook_id, runbook->check_types}},
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    return run(operation, calls, COUNT_OF(calls), rows, error);
}
