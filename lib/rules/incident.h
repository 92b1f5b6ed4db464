/* What is kept of an incident and of the states around a run: an allow-list of members.
 *
 * Appliances send `incident`, `state_before`, `state_after`, `state_diff` and `executed_steps` as they like. Stored are
 * the members that a rule may match, that a backtest needs, or that help a technician; everything else is left out, at every
 * depth, because nobody knows what it holds. The list is the one table in incident.c; docs/data.md shows it, and a
 * test compares the two.
 *
 * Pure and thread-safe. */
#ifndef RULES_INCIDENT_H
#define RULES_INCIDENT_H

#include "base/arena.h"
#include "base/json.h"

enum incident_kind {
    INCIDENT_WORD,  /* an id or a word: kept to the letter when it looks like one, else as INCIDENT_TEXT */
    INCIDENT_TEXT,  /* free text: redacted (rules/redact.h) and cut to INCIDENT_TEXT_CHARS */
    INCIDENT_FIGURE /* the ending of a name: numbers and truth values of such names are kept */
};

enum { INCIDENT_TEXT_CHARS = 1000 };

/* A member that is kept. It may hold a value, or an object or array of members that are kept in turn. */
struct incident_member {
    const char *name;
    enum incident_kind kind;
};

/* The list, for whoever shows it. */
const struct incident_member *incident_members(size_t *count);

/* Writes what is kept of `value`, an object or array, as the member `name` of an open writer. */
void incident_write(struct arena *arena, struct json_writer *writer, const char *name, const struct json *value);

#endif
