// SPDX-License-Identifier: GPL-2.0-only
/* What served which fact, in the run file: see probes.h. */
#include "user/probes.h"

#include <errno.h>

int probes_append_row(json_t *array, const struct probe_choice *choice,
		      const struct probe *probe, bool is_attached,
		      uint64_t misses)
{
	json_t *row = json_pack(
		"{s:s s:s s:s s:b s:I s:s}", "fact",
		probes_fact_name(choice->fact), "backend",
		probe ? probes_kind_name(probe->kind, choice->by_kprobes) :
			"none",
		"hook", probe ? probe->hook : "none", "attached",
		(int)is_attached, "misses", (json_int_t)misses, "status",
		probes_status_name(choice->status));

	if (row && choice->reason[0] &&
	    json_object_set_new(row, "reason", json_string(choice->reason))) {
		json_decref(row);
		row = NULL;
	}
	return !row || json_array_append_new(array, row) ? -ENOMEM : 0;
}

/* Delete @key from each object of @array. */
static void strip(json_t *array, const char *key)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++)
		json_object_del(json_array_get(array, i), key);
}

void probes_strip(const struct probe_choice choices[NR_FACTS], json_t *root)
{
	json_t *phases = json_object_get(root, "phases");

	if (choices[FACT_FAULTS].status == PROBE_MISSING)
		strip(phases, "faults");
	if (choices[FACT_SPLITS].status == PROBE_MISSING)
		strip(phases, "splits");
	if (choices[FACT_FLUSH_REQUESTS].status == PROBE_MISSING)
		strip(phases, "flush_requests");
	if (choices[FACT_FLUSH_EXECUTED].status == PROBE_MISSING)
		strip(phases, "flush_executed");
	if (choices[FACT_FLUSH_FALLBACKS].status == PROBE_MISSING)
		strip(json_object_get(root, "flush_requests"), "fallbacks");
}
