/*
 * The listening unix sockets. The supervisor holds them for as long as it lives, so that a
 * connection made while a handler is being replaced waits in the queue instead of being refused.
 * Those that systemd made (a .socket unit) outlive the supervisor, too: connections wait while it restarts.
 */
#ifndef FLYWHEEL_SUPERVISOR_LISTENER_H
#define FLYWHEEL_SUPERVISOR_LISTENER_H

/* Takes in the sockets that were handed over (LISTEN_FDS, sd_listen_fds(3)), by the paths that they are bound to, and
 * forgets the environment variables. Called once, before any other descriptor is opened. */
void listener_inherit(void);

/*
 * The socket that was handed over for `<folder>/<name>.sock`; else makes it, mode 0660, and listens on it. A socket left there by an earlier
 * supervisor is replaced. Returns the descriptor (closed on exec), or -1 with errno set
 * (ENAMETOOLONG when the path does not fit into a socket address).
 */
int listener_open(const char *folder, const char *name);

/* Closes `fd` and removes the socket's name, unless it was handed over. */
void listener_close(int fd, const char *folder, const char *name);

#endif
