/*
 * The state file, run/supervisor.json: what runs, what lies in the mount, what failed. Written
 * under a temporary name and renamed, so that whoever reads it reads a whole one.
 *
 *   supervisor        process id
 *   updated_at        time of this state
 *   settled           whether no change of the mount is waiting to be looked at
 *   handlers_dir      the mount
 *   library_sha256    of the mount's shared objects (SHA-256 of the output of `sha256sum *.so`);
 * null without programs          by name: state             "serving" what lies in the mount;
 * "serving-old" while that starts or when it does not start; "starting"; "down" pid, build_id of
 * the serving process; null when there is none since             when it began to serve
 *     running_sha256, running_library_sha256   what it runs
 *     file_sha256       what lies in the mount; null when the file was removed
 *     restarts          how often a serving process has ended by itself
 *     last_failure      {at, what}, or null
 *   pages             of the dashboard: state "served" or "waiting", index_sha256 of the page that is sent, and why what
 *                     is in the mount is not; null when none are published
 */
#ifndef FLYWHEEL_SUPERVISOR_STATE_H
#define FLYWHEEL_SUPERVISOR_STATE_H

#include "pages.h"
#include "program.h"

/* Writes the state file; `pages` is NULL when none are published. False with errno set when that fails. */
bool state_write(const struct config *config, const struct program *programs, const struct digest *library,
                 const struct pages *pages, bool settled);

#endif
