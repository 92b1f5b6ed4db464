/*
 * Publishing the dashboard. nginx never sends a file out of the mount, where `cp` overwrites files under the reader and
 * brings a page before what it needs; it sends whole copies in `pages`, which are put there by rename:
 *
 * - the page (index.html) comes last, and only when everything it names is there;
 * - NAME.gz comes only when it is NAME's (its trailer tells size and CRC of what it was made from);
 * - what has left the mount stays for a week, for pages that are open.
 *
 * A copy's time of change is made from its content, so that nginx's ETag is the same exactly when the content is.
 */
#ifndef FLYWHEEL_SUPERVISOR_PUBLISH_H
#define FLYWHEEL_SUPERVISOR_PUBLISH_H

#include "digest.h"

#include <stdbool.h>

enum publish_result {
    PUBLISH_DONE,
    PUBLISH_WAITING, /* something is missing: `why` says what; another event will follow */
    PUBLISH_CHANGED, /* a file changed or went while it was copied: look again */
    PUBLISH_FAILED   /* `why` says what and the reason */
};

/* Brings the folder `pages` (made when it is not there) up to what lies in `mount`. `index` becomes the SHA-256 of the
 * page that is published from then on; it changes only with PUBLISH_DONE. */
enum publish_result publish(const char *mount, const char *pages, struct digest *index, char why[256]);

#endif
