#include "cgi/build_id.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

enum { ID_BYTES_MAX = 32 };

/* Looks through one PT_NOTE segment for NT_GNU_BUILD_ID. */
static int read_notes(const char *notes, size_t size, char *text)
{
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
        ElfW(Nhdr) note;
        memcpy(&note, notes + at, sizeof note);
        const char *name = notes + at + sizeof note;
        const unsigned char *id = (const unsigned char *)name + ((note.n_namesz + 3U) & ~3U);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
            note.n_descsz <= ID_BYTES_MAX) {
            for (size_t i = 0; i < note.n_descsz; i++)
                snprintf(text + 2 * i, 3, "%02x", id[i]);
            return 1;
        }
        at += sizeof note + ((note.n_namesz + 3U) & ~3U) + ((note.n_descsz + 3U) & ~3U);
    }
    return 0;
}

/* The first object that is reported is the executable itself. */
static int look(struct dl_phdr_info *info, size_t size, void *text)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE && read_notes((const char *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz, text))
            return 1;
    }
    return 1;
}

const char *build_id(void)
{
    static char text[2 * ID_BYTES_MAX + 1] = "";
    if (text[0] == '\0') {
        dl_iterate_phdr(look, text);
        if (text[0] == '\0')
            snprintf(text, sizeof text, "unknown");
    }
    return text;
}
