/* Making the files in rules_dir/promoted/ agree with the store.
 *
 * Each installed rule is one file `<rule_id>.yaml` with the verified text to the byte: written under another name, synced,
 * renamed, so that a reader sees the old text or the new one and never a part. A file of a rule that was removed goes. A
 * file that was edited or deleted by somebody is put right, and any other *.yaml or *.yml is renamed to *.set-aside, where
 * no engine reads it; both are told to the server once, as findings. Nothing outside of promoted/ is touched.
 *
 * An operator's file in rules_dir with the same id comes first: the promoted rule's file is withheld until that is gone.
 *
 * It may be interrupted anywhere; the next time finishes the work. */
#ifndef APPLIANCE_RECONCILE_H
#define APPLIANCE_RECONCILE_H

#include "cycle.h"

enum { FINDINGS_LIMIT = 20 }; /* kept until the server was told; what comes later is on standard error only */

/* Sets the cycle's `unmet` and `broken`. The cycle fails when a rule of the store is not in force, or a file could not be
 * put right. An operator's file that does not load is told and fails nothing. */
void reconcile(struct cycle *cycle);

#endif
