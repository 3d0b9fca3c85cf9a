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
	for (i = 0; i < GSTAGE_NR_FLUSHES; i++)
		add_hist(&t->sum.flush_sizes[i], &row->flush_sizes[i]);
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
