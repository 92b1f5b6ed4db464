/* One execution as a program on the appliance reports it: an attempt to heal an incident, and how it went.
 *
 * Read with patience: members of a wrong type count as not sent, for the healing has happened whatever the report looks
 * like. Pure, but for the moment that the caller gives. */
#ifndef APPLIANCE_EXECUTION_H
#define APPLIANCE_EXECUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/json.h"
#include "base/slice.h"
#include "settings.h"

struct execution {
    const struct json *object;
    struct slice id;
    struct slice signature; /* the pattern that it names; absent when it names none */
    struct slice rule_id;   /* the rule that may have acted: `rule_id`, else `runbook_id` */
    int level;              /* 1, 2, 3; 0: not said */
    bool healed;            /* `success` is true, and nothing went to a person */
    int64_t time_ms;        /* how long it took; 0: not said */
    int64_t happened_at;    /* completed, else started, else now */
    struct slice action;    /* what could be recommended for its pattern; absent: nothing */
    struct slice check_type, incident_type; /* absent unless they have the form that the server takes */
};

/* Reads an object. False with a clause in `why`: it has no usable execution_id, or names another site or appliance. */
bool execution_read(struct execution *execution, const struct settings *settings, const struct json *object, int64_t now,
                    char *why, size_t why_size) MUST_USE;

/* The signature of its incident (rules/signature.h). Each member is taken from the member `incident`, else from that one's
 * `details`, else from the execution itself; the error message from the incident only, since that of an attempt says
 * nothing of the fault. An incident without a type has its check type for one, else `unknown`. In the arena. */
struct slice execution_signature(struct arena *arena, const struct execution *execution);

/* The execution as it is sent: with the appliance, the pattern and, where it is known, the rule. */
void execution_write(struct json_writer *writer, const struct execution *execution, const char *appliance_id,
                     struct slice signature, struct slice rule_id);

#endif
