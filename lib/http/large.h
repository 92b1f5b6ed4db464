/* Large bodies, one at a time.
 *
 * What is made of a body (the document, rows for the database, libpq's copy of them) is several times as large as the
 * body. Small ones are served side by side; a large one has its turn among those of the process, so that what a
 * process needs at the most does not grow with its workers.
 *
 * Thread-safe. */
#ifndef HTTP_LARGE_H
#define HTTP_LARGE_H

/* From here on a body is large. */
enum { LARGE_BODY = 1024 * 1024 };

/* Once per process, before threads start: has the C library give large memory back at once, instead of keeping as much as
 * was ever needed. */
void large_start(void);

/* Waits for the thread's turn. */
void large_enter(void);

/* Ends the turn, when the memory has been freed. */
void large_leave(void);

#endif
