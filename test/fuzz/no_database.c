#include "no_database.h"

#include "base/timestamp.h"
#include "fuzz.h"
#include "promotion/session.h"

enum { SENT_MAX = 16 };

static struct db_call sent[SENT_MAX];
static size_t sent_count, answered_rows;

void no_database_reset(size_t rows)
{
    sent_count = 0;
    answered_rows = rows;
}

const char *no_database_sent(const char *name, int parameter)
{
    for (size_t i = sent_count; i-- > 0;)
        if (strcmp(sent[i].statement->name, name) == 0)
            return sent[i].values[parameter];
    return NULL;
}

/* The values are the caller's, who may free them afterwards. */
static void keep(struct arena *arena, const struct db_call *call)
{
    size_t count = (size_t)call->statement->params;
    const char **values = arena_array(arena, count + 1, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = arena_text(arena, slice_of(call->values[i]));
    MUST(sent_count < SENT_MAX);
    sent[sent_count++] = (struct db_call){call->statement, values};
}

static struct arena *arena_of_run;

bool session_read(struct session *session, const struct db_call *calls, size_t count, const struct db_rows **rows,
                  struct error *error)
{
    (void)error;
    arena_of_run = session->arena;
    session->principal.site_id = SLICE(NO_DATABASE_SITE);
    session->principal.appliance_id = SLICE(NO_DATABASE_APPLIANCE);
    for (size_t i = 0; i < count; i++) {
        keep(arena_of_run, &calls[i]);
        rows[i] = NULL;
    }
    return true;
}

bool session_begin(struct session *session, int64_t *now, struct error *error)
{
    *now = timestamp_now();
    return session_read(session, NULL, 0, NULL, error);
}

bool change_run(struct session *session, const struct idempotency *idempotency, change_work *work, void *argument,
                change_refusal *refusal, struct answer *answer, struct error *error)
{
    (void)idempotency, (void)refusal;
    struct change change = {session, NULL};
    return work(&change, argument, answer, error);
}

bool db_run(struct db_transaction *transaction, const struct db_call *calls, size_t count, const struct db_rows **rows,
            struct error *error)
{
    (void)transaction, (void)error;
    for (size_t i = 0; i < count; i++) {
        keep(arena_of_run, &calls[i]);
        rows[i] = NULL;
    }
    return true;
}

bool db_query(struct db_transaction *transaction, const struct db_statement *statement, const char *const *values,
              const struct db_rows **rows, struct error *error)
{
    const struct db_call call = {statement, values};
    const struct db_rows *unused;
    return db_run(transaction, &call, 1, rows != NULL ? rows : &unused, error);
}

size_t db_count(const struct db_rows *rows)
{
    (void)rows;
    return answered_rows;
}

long long db_integer(const struct db_rows *rows, size_t row, int column)
{
    (void)rows, (void)column;
    return (long long)row;
}

size_t db_affected(const struct db_rows *rows)
{
    (void)rows;
    return 1;
}

struct slice db_value(const struct db_rows *rows, size_t row, int column)
{
    (void)rows, (void)row, (void)column;
    return SLICE_ABSENT;
}
