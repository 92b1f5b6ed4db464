/*
 * The listening unix sockets. The supervisor holds them for as long as it lives, so that a
 * connection made while a handler is being replaced waits in the queue instead of being refused.
 */
#ifndef FLYWHEEL_SUPERVISOR_LISTENER_H
#define FLYWHEEL_SUPERVISOR_LISTENER_H

/*
 * Makes `<folder>/<name>.sock`, mode 0660, and listens on it. A socket left there by an earlier
 * supervisor is replaced. Returns the descriptor (closed on exec), or -1 with errno set
 * (ENAMETOOLONG when the path does not fit into a socket address).
 */
int listener_open(const char *folder, const char *name);

/* Closes `fd` and removes the socket's name. */
void listener_close(int fd, const char *folder, const char *name);

#endif
