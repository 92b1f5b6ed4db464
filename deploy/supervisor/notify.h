/*
 * What systemd is told of a unit of Type=notify (sd_notify(3)). Without NOTIFY_SOCKET nothing is told.
 */
#ifndef FLYWHEEL_SUPERVISOR_NOTIFY_H
#define FLYWHEEL_SUPERVISOR_NOTIFY_H

/* Takes the address out of the environment, so that no handler speaks in our name. Called once, at the beginning. */
void notify_begin(void);

/* Sends one line such as "READY=1". Nobody who hears it is no failure. */
void notify(const char *line);

#endif
