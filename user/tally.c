// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adding up what the CPUs counted. Every counter is a __u64, so the counts of a
 * phase are added as an array of them; histograms have a minimum and a maximum.
 */
#include "user/tally.h"

#include <stdio.h>
#include <string.h>

#define NR_COUNTS (sizeof(struct gstage_phase_counts) / sizeof(__u64))

static void add_counts(struct gstage_phase_counts *dst,
		       const struct gstage_phase_counts *src)
{
	__u64 *d = (__u64 *)dst;
	const __u64 *s = (const __u64 *)src;
	size_t i;

	for (i = 0; i < NR_COUNTS; i++)
		d[i] += s[i];
}

static void add_hist(struct gstage_hist *dst, const struct gstage_hist *src)
{
	unsigned int i;

	dst->sum += src->sum;
	if (src->neg_min > dst->neg_min)
		dst->neg_min = src->neg_min;
	if (src->max > dst->max)
		dst->max = src->max;
	dst->underflow += src->underflow;
	dst->overflow += src->overflow;
	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++)
		dst->buckets[i] += src->buckets[i];
}

static void add_locks(struct gstage_locks *dst, const struct gstage_locks *src,
		      unsigned int nr_phases)
{
	unsigned int i, mode;

	for (mode = 0; mode < GSTAGE_NR_LOCKS; mode++) {
		add_hist(&dst->held_ns[mode], &src->held_ns[mode]);
		for (i = 0; i < nr_phases; i++) {
			struct gstage_holds *d = &dst->phases[i][mode];
			const struct gstage_holds *s = &src->phases[i][mode];

			d->count += s->count;
			d->sum_ns += s->sum_ns;
			if (s->max_ns > d->max_ns)
				d->max_ns = s->max_ns;
		}
	}
}

void tally_add_row(struct tally *t, const struct gstage_row *row)
{
	unsigned int i, j;

	for (i = 0; i < t->nr_phases; i++)
		add_counts(&t->sum.phases[i], &row->phases[i]);
	for (i = 0; i < GSTAGE_NR_PATHS; i++) {
		for (j = 0; j < GSTAGE_NR_ACCESSES; j++)
			add_hist(&t->sum.fault_ns[i][j], &row->fault_ns[i][j]);
	}
	for (i = 0; i < GSTAGE_NR_FLUSHES; i++) {
		add_hist(&t->sum.flush_sizes[i], &row->flush_sizes[i]);
		add_hist(&t->sum.flush_waits[i], &row->flush_waits[i]);
	}
	add_locks(&t->sum.locks, &row->locks, t->nr_phases);
}

void tally_add_vcpu(struct tally *t, const struct gstage_vcpu *vcpu, bool prots)
{
	struct gstage_phase_counts *c =
		&t->sum.phases[(vcpu->phase - 1) % GSTAGE_MAX_PHASES];
	uint64_t nr_fast = vcpu->faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE];
	uint64_t nr_changed = vcpu->flushes[GSTAGE_PATH_FAST];
	unsigned int path, access;

	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		for (access = 0; access < GSTAGE_NR_ACCESSES; access++)
			c->faults[path][access] += vcpu->faults[path][access];
		c->fault_flushes[0] += vcpu->flushes[path];
	}
	/* A fault under way may still be about to flush. */
	if (prots) {
		c->prots[GSTAGE_PROT_CHANGED] += nr_changed;
		c->prots[GSTAGE_PROT_UNCHANGED] +=
			nr_fast > nr_changed ? nr_fast - nr_changed : 0;
	}
}

/* What leaves are changed for outside of faults, in a phase of that kind. */
static unsigned int cause_of(uint32_t kind)
{
	switch (kind) {
	case GSTAGE_PHASE_ENABLE:
		return GSTAGE_CAUSE_ENABLE;
	case GSTAGE_PHASE_GET:
		return GSTAGE_CAUSE_GET;
	}
	/* A dirty ring that is reset counts as CLEAR, too. */
	return GSTAGE_CAUSE_CLEAR;
}

static void add_faults(struct gstage_phase_counts *c,
		       const struct gstage_stats *s)
{
	static const unsigned int accesses[] = { GSTAGE_ACCESS_EXEC,
						 GSTAGE_ACCESS_READ,
						 GSTAGE_ACCESS_WRITE };
	uint64_t nr_prot = s->fast_faults;
	unsigned int i, path;

	c->faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE] += s->fast_faults;
	for (i = 0; i < 3; i++) {
		for (path = GSTAGE_PATH_PROT; path < GSTAGE_NR_PATHS; path++)
			c->faults[path][accesses[i]] +=
				s->slow_faults[path - GSTAGE_PATH_PROT][i];
		nr_prot += s->slow_faults[0][i];
	}
	c->prots[GSTAGE_PROT_CHANGED] += nr_prot - s->spurious_faults;
	c->prots[GSTAGE_PROT_UNCHANGED] += s->spurious_faults;
	c->prots[GSTAGE_PROT_LOST_RACE] += s->lost_races;
}

static void add_leaves(struct gstage_phase_counts *c, unsigned int cause,
		       const struct gstage_stats *s)
{
	unsigned int level;

	for (level = 0; level < GSTAGE_NR_LEAVES; level++) {
		c->wp_leaves[cause][level] += s->wp_leaves[level];
		c->fault_flushes[level] +=
			s->fault_flushes[level] + s->other_flushes[level];
	}
	for (level = 1; level < GSTAGE_NR_LEAVES; level++) {
		c->splits[GSTAGE_CAUSE_FAULT][level] +=
			s->fault_splits[level - 1];
		c->splits[cause][level] += s->other_splits[level - 1];
	}
	/* Whatever there was, 4K is what was wanted. */
	c->failed_splits[GSTAGE_CAUSE_FAULT][1] += s->failed_fault_splits;
	c->failed_splits[cause][1] += s->failed_other_splits;
}

#define PAGE_BYTES 4096

static void sort_stats(struct gstage_stats *s,
		       const struct gstage_raw_stats *raw,
		       const struct gstage_stats *layout)
{
	const __u64 *from = (const __u64 *)raw, *at = (const __u64 *)layout;
	__u64 *to = (__u64 *)s;
	size_t i;

	for (i = 0; i < GSTAGE_NR_STATS; i++)
		to[i] = from[at[i] % GSTAGE_NR_RAW];
}

static void add_stats(struct tally *t, unsigned int i,
		      const struct gstage_stats *s)
{
	struct gstage_phase_counts *c = &t->sum.phases[i % GSTAGE_MAX_PHASES];
	uint64_t nr_single = s->range_flushes[1], nr_ranges = 0;
	unsigned int kind;

	t->has_stats = true;
	add_faults(c, s);
	add_leaves(c, cause_of(t->phases[i % GSTAGE_MAX_PHASES].kind), s);
	for (kind = 0; kind < GSTAGE_NR_RANGE_SIZES; kind++) {
		t->range_flushes[kind] += s->range_flushes[kind];
		nr_ranges += s->range_flushes[kind];
	}
	/* A range of one page is a page. */
	c->flush_requests[GSTAGE_FLUSH_PAGE] += nr_single;
	c->flush_bytes[GSTAGE_FLUSH_PAGE] += nr_single * PAGE_BYTES;
	c->flush_requests[GSTAGE_FLUSH_RANGE] += nr_ranges - nr_single;
	c->flush_bytes[GSTAGE_FLUSH_RANGE] +=
		(s->range_pages - nr_single) * PAGE_BYTES;
	c->flush_requests[GSTAGE_FLUSH_VMID] += s->vmid_flushes;
	c->flush_requests[GSTAGE_FLUSH_VVMA] += s->vvma_flushes;
	c->flush_fallbacks[GSTAGE_FLUSH_PAGE] += s->full_queues;
	for (kind = 0; kind < GSTAGE_NR_FLUSHES; kind++) {
		c->flush_executed[kind] += s->flush_executed[kind];
		c->fences[kind] += s->fences[kind];
	}
}

void tally_add_stats(struct tally *t, unsigned int i,
		     const struct gstage_raw_stats *raw,
		     const struct gstage_stats *layout)
{
	struct gstage_stats sorted;

	sort_stats(&sorted, raw, layout);
	add_stats(t, i, &sorted);
}

void tally_stats_since(struct gstage_raw_stats *since,
		       const struct gstage_raw_stats *now,
		       const struct gstage_raw_stats *last)
{
	const __u64 *n = (const __u64 *)now, *l = (const __u64 *)last;
	__u64 *d = (__u64 *)since;
	size_t i;

	for (i = 0; i < GSTAGE_NR_RAW; i++)
		d[i] = n[i] > l[i] ? n[i] - l[i] : 0;
}

void tally_close_phases(struct tally *t, uint64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		struct gstage_vm *vm = &t->vms[i];
		struct gstage_phase *p =
			&t->phases[vm->phase % GSTAGE_MAX_PHASES];

		if (!vm->kvm || !vm->since_ns || now_ns < vm->since_ns)
			continue;
		p->end_ns = now_ns;
		p->duration_ns += now_ns - vm->since_ns;
		vm->since_ns = 0;
	}
}

void tally_total(const struct tally *t, struct gstage_phase_counts *total)
{
	unsigned int i;

	memset(total, 0, sizeof(*total));
	for (i = 0; i < t->nr_phases; i++)
		add_counts(total, &t->sum.phases[i]);
}

void tally_subtract(struct gstage_phase_counts *diff,
		    const struct gstage_phase_counts *now,
		    const struct gstage_phase_counts *before)
{
	const __u64 *n = (const __u64 *)now, *b = (const __u64 *)before;
	__u64 *d = (__u64 *)diff;
	size_t i;

	for (i = 0; i < NR_COUNTS; i++)
		d[i] = n[i] - b[i];
}

const char *tally_phase_name(const struct gstage_phase *p, char *buf,
			     size_t size)
{
	static const char *const names[] = {
		[GSTAGE_PHASE_POPULATE] = "populate",
		[GSTAGE_PHASE_ENABLE] = "enable",
		[GSTAGE_PHASE_DIRTY] = "dirty",
		[GSTAGE_PHASE_GET] = "get",
		[GSTAGE_PHASE_CLEAR] = "clear",
		[GSTAGE_PHASE_DISABLE] = "disable",
		[GSTAGE_PHASE_AFTER] = "after",
	};
	const char *name = p->kind < GSTAGE_NR_PHASE_KINDS ? names[p->kind] :
							     "unknown";

	if (p->round)
		snprintf(buf, size, "%s %u", name, p->round);
	else
		snprintf(buf, size, "%s", name);
	return buf;
}

void tally_hist(struct hist *dst, const struct gstage_hist *src)
{
	unsigned int i;

	memset(dst, 0, sizeof(*dst));
	dst->sum = src->sum;
	dst->max = src->max;
	dst->underflow = src->underflow;
	dst->overflow = src->overflow;
	dst->count = src->underflow + src->overflow;
	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
		dst->buckets[i] = src->buckets[i];
		dst->count += src->buckets[i];
	}
	if (src->underflow)
		dst->min = 0;
	else if (dst->count)
		dst->min = ~src->neg_min;
}
