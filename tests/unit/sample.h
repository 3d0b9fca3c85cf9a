/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small valid run for the unit tests: 8 splits in faults and 16 fast faults,
 * two phases, one flush of a page.
 */
#ifndef GSTAGE_TESTS_UNIT_SAMPLE_H
#define GSTAGE_TESTS_UNIT_SAMPLE_H

#include <jansson.h>
#include <stdlib.h>

#include "user/hist.h"
#include "user/run.h"

/* @count times @value, and once @last. */
static inline json_t *sample_hist(const char *unit, uint64_t value, int count,
				  uint64_t last)
{
	struct hist h = { 0 };

	while (count--)
		hist_add(&h, value);
	hist_add(&h, last);
	return hist_to_json(&h, unit);
}

static inline json_t *sample_environment(void)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:[s,s]}",
		"kernel", "7.3.4", "version", "tracepoints", "base", "7.3",
		"accel", "tcg", "clock", "instructions", "kvm_args",
		"eager_page_split=0", "cost", "full", "seed", 1, "harts", 1,
		"tool", "gstage 0.1.0", "cmdline", "dirtyguest", "--rounds");
}

static inline json_t *sample_phases(void)
{
	return json_pack(
		"[{s:s, s:i, s:i, s:i, s:i, s:i, s:[], s:[], s:i, s:i},"
		" {s:s, s:i, s:i, s:i, s:i, s:i,"
		"  s:[{s:s, s:s, s:i}], s:[{s:s, s:i, s:i, s:i}], s:i, s:i}]",
		"name", "enable", "vm", 1, "round", 0, "start_ns", 100,
		"end_ns", 300, "duration_ns", 200, "faults", "splits",
		"flush_requests", 0, "flush_executed", 0,
		/* second */
		"name", "dirty", "vm", 1, "round", 1, "start_ns", 300, "end_ns",
		900, "duration_ns", 600, "faults", "path", "fast", "access",
		"write", "count", 16, "splits", "cause", "fault", "from_level",
		1, "to_level", 0, "count", 8, "flush_requests", 1,
		"flush_executed", 1);
}

/* Free with json_decref(). */
static inline json_t *sample_run(void)
{
	struct run *run = run__new();
	json_t *root = json_incref(run__json(run));

	json_object_set_new(root, "environment", sample_environment());
	json_object_set_new(root, "probes",
			    json_pack("[{s:s, s:s, s:s, s:b, s:i}]", "fact",
				      "faults", "backend", "tracepoint", "hook",
				      "kvm_gstage_fault", "attached", 1,
				      "misses", 0));
	json_object_set_new(root, "losses",
			    json_pack("{s:i}", "record_drops", 0));
	json_object_set_new(root, "phases", sample_phases());
	json_object_set_new(
		root, "faults",
		json_pack("[{s:s, s:s, s:i, s:o}, {s:s, s:s, s:i, s:o}]",
			  "path", "fast", "access", "write", "count", 16,
			  "latency", sample_hist("ns", 3000, 15, 5000), "path",
			  "split", "access", "write", "count", 8, "latency",
			  sample_hist("ns", 14000, 7, 20000)));
	json_object_set_new(root, "bracket",
			    json_pack("{s:[{s:s, s:i}, {s:s, s:n}], s:[s]}",
				      "faults", "path", "fast", "ns", 450,
				      "path", "split", "ns", "left_out",
				      "locks"));
	json_object_set_new(root, "splits",
			    json_pack("[{s:s, s:i, s:i, s:i}]", "cause",
				      "fault", "from_level", 1, "to_level", 0,
				      "count", 8));
	json_object_set_new(root, "flush_requests",
			    json_pack("[{s:s, s:i, s:i, s:i, s:o}]", "kind",
				      "page", "count", 1, "bytes", 4096,
				      "fallbacks", 0, "size",
				      sample_hist("bytes", 0, 0, 4096)));
	json_object_set_new(root, "flush_executed",
			    json_pack("[{s:s, s:i, s:i}]", "kind", "page",
				      "count", 1, "fences", 1));
	json_object_set_new(root, "guest",
			    json_pack("{s:i, s:i, s:i, s:[{s:i, s:i}]}",
				      "pages_written", 16, "pages_reported", 16,
				      "pages_lost", 0, "rounds", "round", 1,
				      "pages_written", 16));
	json_object_set_new(root, "checks",
			    json_pack("[{s:s, s:b, s:s}]", "name",
				      "histogram-count", "ok", 1, "detail",
				      "they agree"));
	run__free(run);
	return root;
}

#endif /* GSTAGE_TESTS_UNIT_SAMPLE_H */
