/* SPDX-License-Identifier: GPL-2.0-only */
/* What the code and data of a kernel file call, or take the address of. */
#ifndef GSTAGE_USER_KCALLS_H
#define GSTAGE_USER_KCALLS_H

#include <gelf.h>
#include <stdbool.h>

#include "user/calls.h"

/*
 * Add all of @elf to @calls and sort them. @is_linked: it is no module, which is linked
 * when it is loaded. 0, -ENOMEM, or -EINVAL for a damaged file.
 */
int kcalls_read(Elf *elf, Elf_Data *symbols, bool is_linked,
		struct calls *calls);

/*
 * Where that symbol, number @index, and what lies @addend behind it is for
 * calls__count(). What a file does not define is told by the number.
 */
void kcalls_locate(bool is_linked, size_t index, const GElf_Sym *sym,
		   int64_t addend, size_t *section, uint64_t *address);

#endif /* GSTAGE_USER_KCALLS_H */
