/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: what the memory must hold after each pass, and which pages the
 * dirty log must have reported. Plain C on plain memory, no KVM.
 *
 * It replays the operations the guest was told to do, so it needs no word from
 * the guest, and it only ever reads guest memory.
 */
#ifndef DIRTYGUEST_CHECK_H
#define DIRTYGUEST_CHECK_H

#include <linux/types.h>

#include "pattern.h"

struct check {
	__u32 nr_vcpus;
	__u64 nr_pages; /* of the working set */
	__u64 slot_pages; /* of the slot, at least nr_pages */
	__u64 first_page; /* number of both's first page; 0 unless set */
	__u64 *expected; /* [vcpu][page]: last value stored, 0: none yet */
	__u64 *written; /* a bit per slot page: stored to in this round */
};

/* How a harvested bitmap compares with the pages written. Distinct pages. */
struct check_log {
	__u64 pages_written;
	__u64 pages_reported;
	__u64 pages_lost; /* written, not reported */
	__u64 pages_spurious; /* reported, not written */
	__u64 first_lost; /* page number, when pages_lost */
};

/* How memory compares with the values predicted, one word per vCPU and page. */
struct check_values {
	__u64 nr_wrong;
	__u64 page, expected, found; /* of the first wrong one */
	__u32 vcpu;
};

/* 0 or -ENOMEM. */
int check__new(struct check *check, __u32 nr_vcpus, __u64 nr_pages,
	       __u64 slot_pages);

/* Forget which pages were written, not what they hold. */
void check__begin_round(struct check *check);

/* @pass has been worked off once. Returns the number of stores it made. */
__u64 check__record(struct check *check, const struct dg_pass *pass);

/* @bitmap has a bit per slot page; bits beyond the slot are ignored. */
void check__log(const struct check *check, const __u64 *bitmap,
		struct check_log *out);

/* Compare the working set at @memory, which is only read. */
void check__values(const struct check *check, const void *memory,
		   struct check_values *out);

/* Accepts a zeroed struct. */
void check__free(struct check *check);

#endif /* DIRTYGUEST_CHECK_H */
