/* What root makes belongs to whom the folder belongs to that it is made in: a person who looks after the agent must not
 * lock it out. For any other account these change nothing. */
#ifndef APPLIANCE_OWNER_H
#define APPLIANCE_OWNER_H

/* Makes an empty file, readable by its owner only, where there is none and this is root; whoever opens the file then finds
 * out what went wrong. A file that is there is not given away. */
void owner_make_file(const char *path);

/* Gives away a folder that was just made. */
void owner_give_folder(const char *path);

#endif
