// SPDX-License-Identifier: GPL-2.0-only
/* What a latency holds of gstage: statistics and run file; see bracket.h. */
#include "user/bracket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/tally.h"

void bracket_init(struct bracket *b, const char *reason)
{
	unsigned int path;

	b->took_ns = 0;
	for (path = 0; path < GSTAGE_NR_PATHS; path++)
		b->path_ns[path] = BRACKET_UNKNOWN;
	snprintf(b->reason, sizeof(b->reason), "%s", reason);
}

static double mean_of(const struct bracket_batch *batch)
{
	return (double)batch->sum_ns / (double)batch->nr;
}

/* By their means, the empty ones last. */
static int compare_batches(const void *a, const void *b)
{
	const struct bracket_batch *x = a, *y = b;

	if (!x->nr || !y->nr)
		return !x->nr - !y->nr;
	return (mean_of(x) > mean_of(y)) - (mean_of(x) < mean_of(y));
}

uint64_t bracket_median(struct bracket_batch *batches, size_t n)
{
	double median;

	qsort(batches, n, sizeof(*batches), compare_batches);
	while (n && !batches[n - 1].nr)
		n--;
	if (!n)
		return BRACKET_UNKNOWN;
	median =
		(mean_of(&batches[(n - 1) / 2]) + mean_of(&batches[n / 2])) / 2;
	return (uint64_t)(median + 0.5);
}

uint64_t bracket_without_empty(uint64_t ns, uint64_t long_ns, uint64_t short_ns,
			       unsigned int nr)
{
	uint64_t empty_ns;

	if (ns == BRACKET_UNKNOWN || long_ns == BRACKET_UNKNOWN ||
	    short_ns == BRACKET_UNKNOWN)
		return BRACKET_UNKNOWN;
	/* A clock that is too coarse for them sees none. */
	if (long_ns <= short_ns)
		return ns;
	empty_ns = (nr * (long_ns - short_ns) + BRACKET_EMPTY_MORE / 2) /
		   BRACKET_EMPTY_MORE;
	return ns > empty_ns ? ns - empty_ns : 0;
}

/* A hook of @choice is in the way of a fault, and none of those measured. */
static bool is_left_out(const struct probe_choice *choice)
{
	if (!choice->candidate)
		return false;
	switch (choice->fact) {
	case FACT_LOCKS:
	case FACT_STALLS:
	case FACT_CHECKS:
		return true;
	case FACT_FLUSH_EXECUTED:
		return choice->candidate->backend == BACKEND_FUNCTION;
	case FACT_EVENTS:
		return choice->candidate->backend == BACKEND_TRACEPOINT;
	case FACT_FLUSH_WAITS:
		return choice->candidate->cost == COST_HOOKS;
	default:
		return false;
	}
}

static json_t *figures(const struct bracket *b)
{
	json_t *rows = json_array();
	unsigned int path;

	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		json_t *ns = b->path_ns[path] == BRACKET_UNKNOWN ?
				     json_null() :
				     json_integer((json_int_t)b->path_ns[path]);

		if (json_array_append_new(rows, json_pack("{s:s s:o}", "path",
							  tally_path_name(path),
							  "ns", ns))) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

static json_t *facts_left_out(const struct probe_choice choices[NR_FACTS])
{
	json_t *names = json_array();
	enum fact fact;

	for (fact = 0; fact < NR_FACTS; fact++) {
		if (is_left_out(&choices[fact]) &&
		    json_array_append_new(
			    names, json_string(probes_fact_name(fact)))) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

int bracket_to_run(const struct bracket *b,
		   const struct probe_choice choices[NR_FACTS], json_t *root)
{
	json_t *json = json_pack("{s:o s:o s:I}", "faults", figures(b),
				 "left_out", facts_left_out(choices), "took_ns",
				 (json_int_t)b->took_ns);

	if (json && b->reason[0] &&
	    json_object_set_new(json, "reason", json_string(b->reason))) {
		json_decref(json);
		return -ENOMEM;
	}
	return json_object_set_new(root, "bracket", json) ? -ENOMEM : 0;
}
