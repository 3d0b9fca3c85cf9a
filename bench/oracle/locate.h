/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a module was loaded, found out from its code alone, and what a place is.
 *
 * A section of kvm.ko is at the address at which the blocks that were executed
 * have the bytes that the file has there. Relocated and patched instructions
 * differ, but most blocks have none in their first bytes, and a wrong address
 * finds no block that fits. A module that is loaded again has several places.
 */
#ifndef GSTAGE_ORACLE_LOCATE_H
#define GSTAGE_ORACLE_LOCATE_H

#include "bench/oracle/code.h"
#include "bench/oracle/timeline.h"

struct placement {
	size_t section;
	uint64_t base; /* virtual address of the section's first byte */
	size_t nr_blocks; /* places in it that are blocks */
	size_t nr_alike; /* those whose bytes are those of the file */
};

struct placements {
	struct placement *list;
	size_t nr;
};

/* 0, or -1 after saying why not. */
int placements__find(struct placements *p, const struct code *module,
		     const struct timeline *t);
void placements__free(struct placements *p);

/* The placement that holds @vaddr, or NULL. */
const struct placement *placements__at(const struct placements *p,
				       const struct code *module,
				       uint64_t vaddr);

enum where {
	WHERE_FIRMWARE, /* M-mode, below the kernel in RAM */
	WHERE_KERNEL, /* the image, also before paging is on */
	WHERE_MODULE, /* the module whose file was given */
	WHERE_GUEST, /* all else: a nested guest, or a program of the host */
	NR_WHERES
};

/*
 * Whose fence @p is. *@address is then what code__find() wants, in the module
 * with *@section.
 */
enum where where_is(const struct timeline_place *p, const struct code *kernel,
		    const struct code *module,
		    const struct placements *placements, uint64_t *address,
		    size_t *section);

#endif /* GSTAGE_ORACLE_LOCATE_H */
