/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dirty log of the test slot: which ioctls, with which ranges.
 *
 * All calls return 0 or -errno and report their own failure. The bitmap has a
 * bit per 4K page of the slot and belongs to the log.
 */
#ifndef DIRTYGUEST_DIRTYLOG_H
#define DIRTYGUEST_DIRTYLOG_H

#include <linux/types.h>
#include <stddef.h>

#include "options.h"
#include "vm.h"

struct dirtylog {
	const struct vm *vm; /* borrowed */
	enum dg_log_mode mode;
	__u64 nr_pages; /* of the slot */
	__u64 chunk_pages; /* of one CLEAR */
	__u64 offset_pages; /* where the first CLEAR begins */
	__u64 *bitmap; /* last harvest */
	__u64 *earlier; /* what others reported, see dirtylog__keep() */
	size_t bitmap_bytes;
};

/* Allocate the bitmap and tell KVM the mode. Before any logging. */
int dirtylog__new(struct dirtylog *log, const struct vm *vm,
		  const struct dg_options *opts);

int dirtylog__enable(struct dirtylog *log);

/* Harvest into log->bitmap. In clear-on-get mode this also clears. */
int dirtylog__get(struct dirtylog *log);

/*
 * Clear what was harvested, chunk by chunk from the offset to the slot's end
 * and then from its start to the offset. Nothing in clear-on-get mode.
 */
int dirtylog__clear(struct dirtylog *log);

/* Keep the last harvest, of which there will be more in this round. */
void dirtylog__keep(struct dirtylog *log);

/* The last harvest becomes that of the whole round. */
void dirtylog__add_kept(struct dirtylog *log);

int dirtylog__disable(struct dirtylog *log);

/* Accepts a zeroed struct. */
void dirtylog__free(struct dirtylog *log);

#endif /* DIRTYGUEST_DIRTYLOG_H */
