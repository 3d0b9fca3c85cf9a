// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tally as members of the run file. A row that counts nothing is left out; a
 * run without any event has empty arrays.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/hist.h"
#include "user/run.h"
#include "user/tally.h"

static const char *const path_names[GSTAGE_NR_PATHS] = {
	[GSTAGE_PATH_FAST] = "fast",   [GSTAGE_PATH_PROT] = "prot",
	[GSTAGE_PATH_SPLIT] = "split", [GSTAGE_PATH_MAP] = "map",
	[GSTAGE_PATH_RETRY] = "retry", [GSTAGE_PATH_ERROR] = "error",
};

static const char *const access_names[GSTAGE_NR_ACCESSES] = {
	[GSTAGE_ACCESS_READ] = "read",
	[GSTAGE_ACCESS_WRITE] = "write",
	[GSTAGE_ACCESS_EXEC] = "exec",
	[2] = "read", /* no cause of a fault */
};

static const char *const cause_names[GSTAGE_NR_CAUSES] = {
	[GSTAGE_CAUSE_FAULT] = "fault",
	[GSTAGE_CAUSE_ENABLE] = "enable",
	[GSTAGE_CAUSE_CLEAR] = "clear",
	[GSTAGE_CAUSE_GET] = "get",
};

const char *tally_path_name(unsigned int path)
{
	return path < GSTAGE_NR_PATHS ? path_names[path] : "unknown";
}

const char *tally_cause_name(unsigned int cause)
{
	return cause < GSTAGE_NR_CAUSES ? cause_names[cause] : "unknown";
}

static const char *const prot_names[GSTAGE_NR_PROTS] = {
	[GSTAGE_PROT_CHANGED] = "changed",
	[GSTAGE_PROT_UNCHANGED] = "unchanged",
	[GSTAGE_PROT_LOST_RACE] = "lost_race",
};

static const char *const flush_names[GSTAGE_NR_FLUSHES] = {
	[GSTAGE_FLUSH_PAGE] = "page",
	[GSTAGE_FLUSH_RANGE] = "range",
	[GSTAGE_FLUSH_VMID] = "vmid",
	[GSTAGE_FLUSH_VVMA] = "vvma",
};

/* Append @row (stolen, may be NULL) to @array. 0 or -ENOMEM. */
static int append(json_t *array, json_t *row)
{
	if (!row || json_array_append_new(array, row))
		return -ENOMEM;
	return 0;
}

static int set(json_t *object, const char *key, json_t *value)
{
	if (!value || json_object_set_new(object, key, value))
		return -ENOMEM;
	return 0;
}

/*
 * With @hists each row counts the durations, which begin before and end after what
 * KVM counts of a VM that ran already and runs on.
 */
static int fault_rows(json_t *array, const struct gstage_phase_counts *c,
		      const struct gstage_row *hists)
{
	unsigned int path, access;

	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		for (access = 0; access < GSTAGE_NR_ACCESSES; access++) {
			json_int_t n = c->faults[path][access];
			struct hist h;
			json_t *row;

			if (hists) {
				tally_hist(&h, &hists->fault_ns[path][access]);
				n = h.count;
			}
			if (!n)
				continue;
			row = json_pack("{s:s s:s s:I}", "path",
					path_names[path], "access",
					access_names[access], "count", n);
			if (append(array, row))
				return -ENOMEM;
			if (!hists)
				continue;
			if (set(row, "latency", hist_to_json(&h, "ns")))
				return -ENOMEM;
		}
	}
	return 0;
}

static int split_rows(json_t *array, const struct gstage_phase_counts *c)
{
	unsigned int cause, level;

	for (cause = 0; cause < GSTAGE_NR_CAUSES; cause++) {
		for (level = 1; level < GSTAGE_NR_LEVELS; level++) {
			json_int_t done = c->splits[cause][level];
			json_int_t failed = c->failed_splits[cause][level];

			if (done &&
			    append(array,
				   json_pack("{s:s s:i s:i s:I}", "cause",
					     cause_names[cause], "from_level",
					     level, "to_level", level - 1,
					     "count", done)))
				return -ENOMEM;
			if (failed &&
			    append(array,
				   json_pack("{s:s s:i s:i s:I s:b}", "cause",
					     cause_names[cause], "from_level",
					     level, "to_level", level - 1,
					     "count", failed, "failed", 1)))
				return -ENOMEM;
		}
	}
	return 0;
}

static int prot_rows(json_t *array, const struct gstage_phase_counts *c)
{
	unsigned int i;

	for (i = 0; i < GSTAGE_NR_PROTS; i++) {
		/* Below 0 it is of a fault that is counted in part as yet. */
		if ((json_int_t)c->prots[i] > 0 &&
		    append(array,
			   json_pack("{s:s s:I}", "outcome", prot_names[i],
				     "count", (json_int_t)c->prots[i])))
			return -ENOMEM;
	}
	return 0;
}

static int wp_rows(json_t *array, const struct gstage_phase_counts *c)
{
	unsigned int cause, level;

	for (cause = 0; cause < GSTAGE_NR_CAUSES; cause++) {
		for (level = 0; level < GSTAGE_NR_LEVELS; level++) {
			json_int_t n = c->wp_leaves[cause][level];

			if (n &&
			    append(array, json_pack("{s:s s:i s:I}", "phase",
						    cause_names[cause], "level",
						    level, "count", n)))
				return -ENOMEM;
		}
	}
	return 0;
}

/* Bytes of a leaf: 4K times 512 for each level (Sv39x4 to Sv57x4). */
static uint64_t leaf_bytes(unsigned int level)
{
	return 4096ULL << (9 * level);
}

/* The leaves that faults asked to flush, as requests. */
static void add_fault_flushes(struct hist *h, uint64_t *count, uint64_t *bytes,
			      const struct gstage_phase_counts *c)
{
	unsigned int level;

	for (level = 0; level < GSTAGE_NR_LEVELS; level++) {
		*count += c->fault_flushes[level];
		*bytes += c->fault_flushes[level] * leaf_bytes(level);
		hist_add_many(h, leaf_bytes(level), c->fault_flushes[level]);
	}
}

/* What KVM keeps of the sizes of ranges: by powers of 2. */
static json_t *range_sizes(const struct tally *t)
{
	json_t *array = json_array();
	unsigned int i;

	/* A range of one page is a page. */
	for (i = 2; array && i < GSTAGE_NR_RANGE_SIZES; i++) {
		uint64_t ge = leaf_bytes(0) << (i - 1);
		json_t *row;

		if (!t->range_flushes[i])
			continue;
		row = json_pack("{s:I s:I}", "ge", (json_int_t)ge, "count",
				(json_int_t)t->range_flushes[i]);
		/* The last has no end. */
		if (row && i + 1 < GSTAGE_NR_RANGE_SIZES)
			json_object_set_new(row, "lt",
					    json_integer((json_int_t)(2 * ge)));
		if (append(array, row)) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static int set_sizes(json_t *row, const struct tally *t, unsigned int kind,
		     const struct gstage_row *hists)
{
	struct hist h = {};

	if (hists)
		tally_hist(&h, &hists->flush_sizes[kind]);
	if (kind == GSTAGE_FLUSH_PAGE) {
		struct gstage_phase_counts total;
		uint64_t none = 0;

		tally_total(t, &total);
		add_fault_flushes(&h, &none, &none, &total);
		hist_add_many(&h, leaf_bytes(0), t->range_flushes[1]);
	}
	if (hists && h.count && set(row, "size", hist_to_json(&h, "bytes")))
		return -ENOMEM;
	if (kind == GSTAGE_FLUSH_RANGE && t->has_stats)
		return set(row, "sizes", range_sizes(t));
	return 0;
}

static int request_rows(json_t *array, const struct tally *t,
			const struct gstage_phase_counts *c,
			const struct gstage_row *hists)
{
	unsigned int kind;

	for (kind = 0; kind < GSTAGE_NR_FLUSHES; kind++) {
		uint64_t count = c->flush_requests[kind];
		uint64_t bytes = c->flush_bytes[kind];
		struct hist none = {}, waits = {};
		json_t *row;

		if (kind == GSTAGE_FLUSH_PAGE)
			add_fault_flushes(&none, &count, &bytes, c);
		if (!count && !c->flush_fallbacks[kind])
			continue;
		row = json_pack("{s:s s:I s:I}", "kind", flush_names[kind],
				"count", (json_int_t)count, "fallbacks",
				(json_int_t)c->flush_fallbacks[kind]);
		if (append(array, row))
			return -ENOMEM;
		/* How much of the VS-stage it was KVM does not count. */
		if (!(t->has_stats && kind == GSTAGE_FLUSH_VVMA) &&
		    set(row, "bytes", json_integer((json_int_t)bytes)))
			return -ENOMEM;
		if (set_sizes(row, t, kind, hists))
			return -ENOMEM;
		if (hists)
			tally_hist(&waits, &hists->flush_waits[kind]);
		if (waits.count && set(row, "wait", hist_to_json(&waits, "ns")))
			return -ENOMEM;
	}
	return 0;
}

static int executed_rows(json_t *array, const struct gstage_phase_counts *c)
{
	unsigned int kind;

	for (kind = 0; kind < GSTAGE_NR_FLUSHES; kind++) {
		json_int_t n = c->flush_executed[kind];

		if (n && append(array, json_pack("{s:s s:I s:I}", "kind",
						 flush_names[kind], "count", n,
						 "fences",
						 (json_int_t)c->fences[kind])))
			return -ENOMEM;
	}
	return 0;
}

static json_int_t sum_requests(const struct gstage_phase_counts *c)
{
	json_int_t n = 0;
	unsigned int i;

	for (i = 0; i < GSTAGE_NR_FLUSHES; i++)
		n += c->flush_requests[i];
	for (i = 0; i < GSTAGE_NR_LEVELS; i++)
		n += c->fault_flushes[i];
	return n;
}

static json_int_t sum_executed(const struct gstage_phase_counts *c)
{
	json_int_t n = 0;
	unsigned int i;

	for (i = 0; i < GSTAGE_NR_FLUSHES; i++)
		n += c->flush_executed[i];
	return n;
}

static json_t *phase_row(const struct gstage_phase *p,
			 const struct gstage_phase_counts *c)
{
	json_t *faults = json_array(), *splits = json_array(), *row;
	char name[32];

	if (!faults || !splits || fault_rows(faults, c, NULL) ||
	    split_rows(splits, c)) {
		json_decref(faults);
		json_decref(splits);
		return NULL;
	}
	row = json_pack("{s:s s:i s:i s:i s:I s:I s:I s:o s:o s:I s:I}", "name",
			tally_phase_name(p, name, sizeof(name)), "vm",
			(int)p->vm, "round", (int)p->round, "entered",
			(int)p->entered, "start_ns", (json_int_t)p->start_ns,
			"end_ns", (json_int_t)p->end_ns, "duration_ns",
			(json_int_t)p->duration_ns, "faults", faults, "splits",
			splits, "flush_requests", sum_requests(c),
			"flush_executed", sum_executed(c));
	return row;
}

static int set_phases(const struct tally *t, json_t *root)
{
	json_t *array = json_array();
	unsigned int i;

	if (set(root, "phases", array))
		return -ENOMEM;
	for (i = 0; i < t->nr_phases; i++) {
		if (append(array, phase_row(&t->phases[i], &t->sum.phases[i])))
			return -ENOMEM;
	}
	return 0;
}

static int set_losses(const struct tally *t, json_t *root)
{
	const struct gstage_losses *l = &t->losses;

	return set(root, "losses",
		   json_pack("{s:I s:I s:I s:I s:I s:I s:I s:I}",
			     "phase_overflow", (json_int_t)l->phase_overflow,
			     "vm_overflow", (json_int_t)l->vm_overflow,
			     "op_overflow", (json_int_t)l->op_overflow,
			     "stat_resets", (json_int_t)l->stat_resets,
			     "stat_misses", (json_int_t)l->stat_misses,
			     "record_drops", (json_int_t)l->record_drops,
			     "row_misses", (json_int_t)l->row_misses,
			     "call_misses", (json_int_t)l->call_misses));
}

int tally_to_run(const struct tally *t, json_t *root, bool counts_only)
{
	const struct gstage_row *hists = counts_only ? NULL : &t->sum;
	struct gstage_phase_counts total;
	json_t *faults = json_array(), *splits = json_array();
	json_t *prots = json_array(), *wps = json_array();
	json_t *requests = json_array(), *executed = json_array();
	int err = 0;

	tally_total(t, &total);
	err |= set(root, "faults", faults);
	err |= set(root, "splits", splits);
	err |= set(root, "prot_updates", prots);
	err |= set(root, "write_protects", wps);
	err |= set(root, "flush_requests", requests);
	err |= set(root, "flush_executed", executed);
	if (err)
		return -ENOMEM;

	err |= fault_rows(faults, &total, hists);
	err |= split_rows(splits, &total);
	err |= prot_rows(prots, &total);
	err |= wp_rows(wps, &total);
	err |= request_rows(requests, t, &total, hists);
	err |= executed_rows(executed, &total);
	err |= set_phases(t, root);
	err |= set_losses(t, root);
	return err ? -ENOMEM : 0;
}

static int add_check(json_t *root, const char *name, bool ok,
		     const char *detail)
{
	return append(json_object_get(root, "checks"),
		      json_pack("{s:s s:b s:s}", "name", name, "ok", (int)ok,
				"detail", detail));
}

bool tally_has_live_vm(const struct tally *t)
{
	unsigned int i;

	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (t->vms[i].kvm)
			return true;
	}
	return false;
}

int tally_check(const struct tally *t, json_t *root, bool counts_only,
		bool saw_all)
{
	struct gstage_phase_counts total;
	uint64_t nr_faults = 0, nr_values = 0, nr_missing = 0, nr_more = 0;
	bool is_part = !saw_all || tally_has_live_vm(t);
	unsigned int path, access;
	char detail[128];

	tally_total(t, &total);
	if (counts_only)
		return 0;

	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		for (access = 0; access < GSTAGE_NR_ACCESSES; access++) {
			uint64_t n = total.faults[path][access];
			struct hist h;

			tally_hist(&h, &t->sum.fault_ns[path][access]);
			nr_faults += n;
			nr_values += h.count;
			nr_missing += n > h.count ? n - h.count : 0;
			nr_more += h.count > n ? h.count - n : 0;
		}
	}
	snprintf(detail, sizeof(detail),
		 "KVM counted %llu faults%s, the histograms hold %llu",
		 (unsigned long long)nr_faults,
		 is_part ? " of a VM that ran before or runs on" : "",
		 (unsigned long long)nr_values);
	/* A vCPU may be between its count and its event when the latter is off. */
	return add_check(root, "histogram-count",
			 is_part ? nr_missing <= t->nr_vcpus :
				   !nr_missing && !nr_more,
			 detail);
}
