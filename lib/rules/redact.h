/* Free text without what tells who somebody is.
 *
 * Appliances send what programs printed: error messages, outputs of steps, paths. Such text helps a technician, and may hold
 * a patient's number, a person's name or a password. Before it is stored, what looks like one of those is replaced by a
 * word in angle brackets; everything else stays as it is.
 *
 *   <EMAIL>     e-mail addresses and Kerberos principals, but not systemd's units (getty@tty1.service)
 *   <SECRET>    keys, tokens, passwords: by their known beginnings, behind `password=` and the like, behind Bearer, in
 *               the address of a URL, as private key blocks, and as long random-looking words
 *   <USER>      user names in paths (C:\Users\…, /home/…) and behind `user=`, `account 'x'`, `for user …`
 *   <PERSONAL>  what stands behind `patient:`, `dob=`, `mrn:`, `phone:` and the like
 *   <NUMBER>    social security, card and phone numbers, and any other run of seven or more digits
 *   <SID>       security identifiers of accounts
 *   <IP>        public addresses; private ones name a machine in the house and stay
 *
 * Kept on purpose, since a technician needs them: dates and times, UUIDs, hexadecimal numbers and hashes, error codes
 * (behind words such as `code` or `HRESULT`), amounts with a unit, versions, private addresses, MAC addresses.
 *
 * This is a net, not a proof: a name in the middle of a sentence looks like any other word. That is why free text is kept in
 * few members (rules/incident.h) and for a limited time.
 *
 * Pure and thread-safe. */
#ifndef RULES_REDACT_H
#define RULES_REDACT_H

#include "base/arena.h"
#include "base/slice.h"

/* `text` with the above replaced. Valid UTF-8 gives valid UTF-8, redacting twice gives the same as once, and the time is
 * proportional to the length. Absent gives absent. The result is `text` itself when there is nothing to replace, else in
 * the arena. */
struct slice redact_text(struct arena *arena, struct slice text);

/* Redacts and then cuts to `limit` code points, so that no half of something slips through; only so much of `text` is
 * looked at as could show. */
struct slice redact_and_cut(struct arena *arena, struct slice text, size_t limit);

#endif
