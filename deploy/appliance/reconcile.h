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

/* Sets the cycle's `unmet`, `broken`, and `disorder` when a rule is not as the server wants it or a file could not be put
 * right; all of which is told. An operator's file that does not load is no disorder. */
void reconcile(struct cycle *cycle);

#endif
