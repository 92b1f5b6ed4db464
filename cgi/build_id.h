/* Which build this program is. */
#ifndef CGI_BUILD_ID_H
#define CGI_BUILD_ID_H

/* The GNU build id of the running executable in hexadecimal: a hash of its content that the linker put there, so that it
 * cannot differ from what runs. "unknown" when the linker was told not to. */
const char *build_id(void);

#endif
