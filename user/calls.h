/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which functions code calls: a function that nobody calls any more, because it was
 * inlined wherever it was used, is still in the symbols and the types of a kernel,
 * and a hook on it attaches and never fires.
 *
 * Plain C: whoever has the code, of a file or of the running kernel, brings it.
 */
#ifndef GSTAGE_USER_CALLS_H
#define GSTAGE_USER_CALLS_H

#include <stddef.h>
#include <stdint.h>

struct calls;

/* NULL: no memory. */
struct calls *calls__new(void);

/*
 * Something calls what is at @address of @section, or takes its address. Addresses
 * of linked code are all of one section. 0 or -ENOMEM.
 */
int calls__add(struct calls *c, size_t section, uint64_t address);

/*
 * The same for all jumps, calls and addresses in the RISC-V instructions @code of
 * @section, which lie at @address there. 0 or -ENOMEM.
 */
int calls__scan(struct calls *c, size_t section, const unsigned char *code,
		size_t size, uint64_t address);

/* No more is added: calls__count() may be asked. */
void calls__sort(struct calls *c);

/* How many places were found that call it, or take its address. */
int calls__count(const struct calls *c, size_t section, uint64_t address);

void calls__free(struct calls *c);

#endif /* GSTAGE_USER_CALLS_H */
