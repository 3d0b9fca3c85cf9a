/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host memory behind the test slot, in pages of the size asked for.
 *
 * Every page is allocated before the guest starts, so that guest faults are
 * G-stage faults only and not host page allocations.
 */
#ifndef DIRTYGUEST_MEMORY_H
#define DIRTYGUEST_MEMORY_H

#include <linux/types.h>
#include <stddef.h>

#include "options.h"

struct memory {
	void *base; /* of the slot */
	size_t bytes; /* of the slot, as much as whole pages of the backing */
	__u64 gpa; /* of the slot; as far into a page of the backing as base */
	void *backing; /* aligned to the backing's page size */
	size_t backing_bytes; /* whole pages of it, in which the slot lies */
	__u64 nr_blocks; /* pages of the backing that the working set touches */
	__u64 nr_huge; /* of those, how many really are that large */
	void *map_base; /* what munmap() gets */
	size_t map_bytes;
};

/* Page size of @backing in bytes. */
size_t memory__page_bytes(enum dg_backing backing);

/*
 * Map and allocate. Reports what is missing and how to provide it. 0, or
 * -errno with @mem unusable. Partly huge memory (thp) is a warning, memory
 * without any huge page where huge pages were asked for is -ENOMEM.
 */
int memory__map(struct memory *mem, const struct dg_options *opts);

/* Accepts a zeroed struct. */
void memory__unmap(struct memory *mem);

#endif /* DIRTYGUEST_MEMORY_H */
