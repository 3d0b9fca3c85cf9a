// SPDX-License-Identifier: GPL-2.0-only
/* How long mmu_lock was held, as members of the run file. */
#include <errno.h>
#include <jansson.h>

#include "user/run.h"
#include "user/tally.h"

static const char *const lock_names[GSTAGE_NR_LOCKS] = {
	[GSTAGE_LOCK_READ] = "read",
	[GSTAGE_LOCK_WRITE] = "write",
};

/* Append @row (stolen, may be NULL) to @array. 0 or -ENOMEM. */
static int append(json_t *array, json_t *row)
{
	if (!row || json_array_append_new(array, row))
		return -ENOMEM;
	return 0;
}

static int lock_rows(json_t *array, const struct gstage_locks *locks)
{
	unsigned int mode;

	for (mode = 0; mode < GSTAGE_NR_LOCKS; mode++) {
		struct hist h;
		json_t *row;

		tally_hist(&h, &locks->held_ns[mode]);
		if (!h.count)
			continue;
		row = json_pack("{s:s s:I s:o}", "mode", lock_names[mode],
				"count", (json_int_t)h.count, "held",
				hist_to_json(&h, "ns"));
		if (append(array, row))
			return -ENOMEM;
	}
	return 0;
}

/* The same in one phase, without the histogram. */
static int phase_lock_rows(json_t *array, const struct gstage_holds *holds)
{
	unsigned int mode;

	for (mode = 0; mode < GSTAGE_NR_LOCKS; mode++) {
		const struct gstage_holds *h = &holds[mode];

		if (h->count &&
		    append(array, json_pack("{s:s s:I s:I s:I}", "mode",
					    lock_names[mode], "count",
					    (json_int_t)h->count, "held_ns",
					    (json_int_t)h->sum_ns, "longest_ns",
					    (json_int_t)h->max_ns)))
			return -ENOMEM;
	}
	return 0;
}

int tally_locks_to_run(const struct tally *t, json_t *root)
{
	const json_t *phases = json_object_get(root, "phases");
	json_t *locks = json_array();
	unsigned int i;

	if (json_object_set_new(root, "locks", locks) ||
	    lock_rows(locks, &t->sum.locks))
		return -ENOMEM;
	for (i = 0; i < t->nr_phases; i++) {
		json_t *rows = json_array();

		if (json_object_set_new(json_array_get(phases, i), "locks",
					rows) ||
		    phase_lock_rows(rows, t->sum.locks.phases[i]))
			return -ENOMEM;
	}
	return 0;
}
