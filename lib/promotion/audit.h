/* The audit log: written in the transaction of the change it tells of, or the change does not happen. */
#ifndef PROMOTION_AUDIT_H
#define PROMOTION_AUDIT_H

#include "promotion/list.h"
#include "promotion/session.h"

/* One event. `action` and `entity` are words that the schema lists. Slices may be absent. `before` and `after` are
 * JSON texts or NULL. */
struct audit_event {
    const char *action;
    const char *entity;
    struct slice entity_id;
    struct slice site_id;
    struct slice pattern_signature;
    struct slice rule_id;
    const char *before;
    const char *after;
    struct slice reason;
};

/* An object of texts for `before` and `after`: `names`, ended by NULL, and their values. In the arena. */
const char *audit_details(struct arena *arena, const char *const *names, const struct slice *values);

/* The address of a person whom an event is about, as such an object. */
const char *audit_address(struct arena *arena, struct slice email);

/* The statement call that records an event, to be sent with those of the change itself. */
struct db_call audit_call(const struct session *session, const struct audit_event *event);

/* An event as the log has it. */
struct audit_entry {
    struct slice id, at, actor, actor_kind, action, entity, site_id, site_name, pattern_signature, rule_id, before, after,
        reason, request_id;
};

enum audit_subject {
    AUDIT_ALL,
    AUDIT_DECISIONS, /* candidates, rules, thresholds */
    AUDIT_ACCESS,    /* people and keys, with signing in and out */
};

/* A page of the caller's log, newest first; keyset: id. */
bool audit_page(struct session *session, enum audit_subject subject, const struct page *page, struct list *list,
                struct error *error) MUST_USE;
struct audit_entry audit_at(const struct list *list, size_t row);

#endif
