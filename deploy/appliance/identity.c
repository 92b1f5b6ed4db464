#include "identity.h"

#include <stdio.h>

#include "base/arena.h"

enum { OWNER_SIZE = 600, ARENA_LIMIT = 64 * 1024 };

static struct slice owner_of(const struct settings *settings, char text[OWNER_SIZE])
{
    snprintf(text, OWNER_SIZE, "appliance %s of site %s", settings->appliance_id, settings->site_id);
    return slice_of(text);
}

bool identity_check(struct store *store, const struct settings *settings, char *why, size_t why_size)
{
    char text[OWNER_SIZE];
    struct slice owner, own = owner_of(settings, text);
    struct arena *arena = arena_new(ARENA_LIMIT);
    bool read = meta_get_text(store, arena, META_OWNER, &owner);
    bool good = read && (!slice_present(owner) || slice_equal(owner, own));
    if (!read)
        snprintf(why, why_size, "cannot use the state file %s: %s", settings->state_file, store_why(store));
    else if (!good)
        snprintf(why, why_size, "the state file %s is that of %.*s: remove it, and what it holds is forgotten",
                 settings->state_file, (int)owner.len, owner.ptr);
    arena_free(arena);
    return good;
}

bool identity_keep(struct store *store, const struct settings *settings)
{
    char text[OWNER_SIZE];
    return meta_set_text(store, META_OWNER, owner_of(settings, text));
}
