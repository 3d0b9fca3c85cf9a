// SPDX-License-Identifier: GPL-2.0-only
/*
 * The figures of two arms, side by side, in three classes that are never mixed:
 * exact counts, instructions, quantiles. Absent rows count 0, since both arms
 * have the same probes (compare_env.c); an absent duration stays absent.
 */
#include "user/compare.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/out.h"
#include "user/run.h"

#define COMPARE_SCHEMA "gstage-compare/1"

/* Add @n to the figure @name of @section; sections are made as they come. */
static int add_figure(json_t *figures, const char *section, const char *name,
		      json_int_t n)
{
	json_t *object = json_object_get(figures, section);
	json_int_t before;

	if (!object) {
		object = json_object();
		if (json_object_set_new(figures, section, object))
			return -ENOMEM;
	}
	before = run_int(object, name);
	return json_object_set_new(object, name,
				   json_integer(run_add(before, n)));
}

/* The name of a row: its words, and its levels as sizes. */
static void row_name(char *buf, size_t size, const json_t *row,
		     const char *const *keys)
{
	size_t used = 0;

	*buf = '\0';
	for (; *keys && used < size; keys++) {
		const json_t *value = json_object_get(row, *keys);
		const char *separator = used ? " " : "";

		if (json_is_integer(value))
			used += (size_t)snprintf(
				buf + used, size - used, "%s%s",
				!strcmp(*keys, "to_level") ? " -> " : separator,
				out_level(json_integer_value(value)));
		else if (json_is_true(value))
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s", separator, *keys);
		else if (json_is_string(value))
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s", separator,
						 json_string_value(value));
	}
}

/* Which member of which rows is which exact count. */
static const struct count_source {
	const char *array;
	const char *member;
	const char *section;
	const char *keys[5];
} count_sources[] = {
	{ "faults", "count", "faults", { "path", "access" } },
	{ "splits",
	  "count",
	  "splits",
	  { "cause", "from_level", "to_level", "failed" } },
	{ "prot_updates", "count", "prot updates", { "outcome" } },
	{ "write_protects", "count", "write-protects", { "phase", "level" } },
	{ "flush_requests", "count", "flush requests", { "kind" } },
	{ "flush_requests", "bytes", "flush bytes", { "kind" } },
	{ "flush_requests", "fallbacks", "flush fallbacks", { "kind" } },
	{ "flush_executed", "count", "flushes executed", { "kind" } },
	{ "flush_executed", "fences", "fences", { "kind" } },
};

static int collect_counts(const json_t *run, json_t *figures)
{
	static const char *const pages[] = { "pages_written", "pages_reported",
					     "pages_lost" };
	static const char *const names[] = { "written", "reported", "lost" };
	const json_t *faults = json_object_get(run, "faults");
	const json_t *guest = json_object_get(run, "guest");
	char name[96];
	size_t i, r;
	int err = 0;

	/* A fault may take another path in the other arm: only the sum tells. */
	for (r = 0; r < json_array_size(faults); r++)
		err |= add_figure(figures, "faults", "all paths",
				  run_int(json_array_get(faults, r), "count"));

	for (i = 0; i < sizeof(count_sources) / sizeof(*count_sources); i++) {
		const struct count_source *source = &count_sources[i];
		const json_t *rows = json_object_get(run, source->array);

		for (r = 0; r < json_array_size(rows); r++) {
			const json_t *row = json_array_get(rows, r);

			if (!json_object_get(row, source->member))
				continue;
			row_name(name, sizeof(name), row, source->keys);
			err |= add_figure(figures, source->section, name,
					  run_int(row, source->member));
		}
	}
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (json_object_get(guest, pages[i]))
			err |= add_figure(figures, "guest pages", names[i],
					  run_int(guest, pages[i]));
	}
	return err ? -ENOMEM : 0;
}

static json_int_t total_of(const struct hist *h)
{
	return (json_int_t)h->sum;
}

static json_int_t mean_of(const struct hist *h)
{
	return (json_int_t)hist_mean(h);
}

/* A figure of every timed path, and of all of them together. */
static int collect_latencies(const json_t *run, json_t *figures,
			     const char *section,
			     json_int_t (*figure)(const struct hist *h))
{
	static const char *const keys[] = { "path", "access", NULL };
	const json_t *faults = json_object_get(run, "faults");
	json_t *rows = json_object();
	struct hist h, all = { 0 };
	char name[96];
	int err = 0;
	size_t i;

	for (i = 0; i < json_array_size(faults); i++) {
		const json_t *row = json_array_get(faults, i);
		const json_t *latency = json_object_get(row, "latency");

		if (!latency || hist_from_json(latency, &h))
			continue;
		row_name(name, sizeof(name), row, keys);
		hist_merge(&all, &h);
		err |= json_object_set_new(rows, name,
					   json_integer(figure(&h)));
	}
	if (all.count) {
		err |= add_figure(figures, section, "all paths", figure(&all));
		err |= json_object_update(json_object_get(figures, section),
					  rows);
	}
	json_decref(rows);
	return err;
}

/* Durations; only called when they are instructions. */
static int collect_insns(const json_t *run, json_t *figures)
{
	const json_t *phases = json_object_get(run, "phases");
	char name[96];
	int err = 0;
	size_t i;

	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);

		run_phase_label(name, sizeof(name), run, phase);
		err |= add_figure(figures, "phase", name,
				  run_int(phase, "duration_ns"));
	}
	err |= collect_latencies(run, figures, "fault total", total_of);
	err |= collect_latencies(run, figures, "fault mean", mean_of);
	return err ? -ENOMEM : 0;
}

typedef int (*collect_fn)(const json_t *run, json_t *figures);

/* The coarser clock of the two arms, in its own steps; at least 1. */
static json_int_t clock_step(const struct compare_arm arms[2])
{
	json_int_t step = 1;
	size_t i;

	for (i = 0; i < 2; i++) {
		const json_t *env =
			json_object_get(arms[i].runs[0], "environment");
		json_int_t own = run_int(env, "clock_resolution_ns");

		if (own > step)
			step = own;
	}
	return step;
}

/*
 * A phase is timed by two readings of the clock: a difference of one step may
 * be where the steps fell, and is no difference that was shown.
 */
static int mark_small_differences(json_t *rows, json_int_t step)
{
	size_t i;
	int err = 0;

	for (i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		json_int_t difference = run_int(row, "difference");

		if (strcmp(run_str(row, "section"), "phase") || !difference ||
		    llabs(difference) > step)
			continue;
		err |= json_object_set_new(row, "within_clock_step",
					   json_true());
	}
	return err;
}

/* The figures of every run of an arm: an array of {section: {name: n}}. */
static json_t *collect_arm(const struct compare_arm *arm, collect_fn collect)
{
	json_t *list = json_array();
	size_t r;

	for (r = 0; r < arm->nr_runs; r++) {
		json_t *figures = json_object();

		if (collect(arm->runs[r], figures) ||
		    json_array_append(list, figures)) {
			json_decref(figures);
			json_decref(list);
			return NULL;
		}
		json_decref(figures);
	}
	return list;
}

static int compare_ints(const void *a, const void *b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * One cell: {"median", "min", "max"} over the runs, or null when no run has the
 * figure. The median of an even number is the lower one: a value that was seen.
 */
static json_t *cell_of(const json_t *list, const char *section,
		       const char *name, bool absent_is_zero)
{
	json_int_t *values = calloc(json_array_size(list) + 1, sizeof(*values));
	json_t *cell = NULL;
	size_t i, nr = 0;

	if (!values)
		return NULL;
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *figures = json_array_get(list, i);
		const json_t *value = json_object_get(
			json_object_get(figures, section), name);

		if (value || absent_is_zero)
			values[nr++] = json_integer_value(value);
	}
	if (nr) {
		qsort(values, nr, sizeof(*values), compare_ints);
		cell = json_pack("{s:I, s:I, s:I}", "median",
				 values[(nr - 1) / 2], "min", values[0], "max",
				 values[nr - 1]);
	} else {
		cell = json_null();
	}
	free(values);
	return cell;
}

/* b / a, or null when there is none: an arm lacks it, or a is 0. */
static json_t *ratio_json(json_int_t a, json_int_t b)
{
	return a ? json_real((double)b / (double)a) : json_null();
}

static json_t *row_json(const char *section, const char *name, json_t *a,
			json_t *b)
{
	json_int_t va = run_int(a, "median"), vb = run_int(b, "median");
	bool both = json_is_object(a) && json_is_object(b);

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "section", section,
			 "name", name, "a", a, "b", b, "difference",
			 both ? json_integer(vb - va) : json_null(), "ratio",
			 both ? ratio_json(va, vb) : json_null());
}

/* Every (section, name) of both arms once, the order of the first seen. */
static json_t *union_of(json_t *list_a, json_t *list_b)
{
	json_t *lists[] = { list_a, list_b }, *all = json_object();
	const char *section, *name;
	json_t *object, *value;
	size_t l, i;
	int err = 0;

	for (l = 0; l < 2; l++) {
		for (i = 0; i < json_array_size(lists[l]); i++) {
			json_object_foreach(json_array_get(lists[l], i),
					    section, object) {
				json_object_foreach(object, name, value)
					err |= add_figure(all, section, name,
							  0);
			}
		}
	}
	if (!err)
		return all;
	json_decref(all);
	return NULL;
}

static json_t *table_of(const struct compare_arm arms[2], collect_fn collect,
			bool absent_is_zero)
{
	json_t *a = collect_arm(&arms[0], collect);
	json_t *b = collect_arm(&arms[1], collect);
	json_t *rows = json_array(), *all = NULL, *object, *value;
	const char *section, *name;
	int err = -ENOMEM;

	if (!a || !b)
		goto out;
	all = union_of(a, b);
	if (!all)
		goto out;
	err = 0;
	json_object_foreach(all, section, object) {
		json_object_foreach(object, name, value)
			err |= json_array_append_new(
				rows, row_json(section, name,
					       cell_of(a, section, name,
						       absent_is_zero),
					       cell_of(b, section, name,
						       absent_is_zero)));
	}
out:
	json_decref(all);
	json_decref(b);
	json_decref(a);
	if (!err)
		return rows;
	json_decref(rows);
	return NULL;
}

/* All latencies of a path in an arm; quantiles are never averaged. */
static void merge_latency(const struct compare_arm *arm, const char *name,
			  struct hist *sum)
{
	static const char *const keys[] = { "path", "access", NULL };
	char row_words[96];
	struct hist h;
	size_t r, i;

	memset(sum, 0, sizeof(*sum));
	for (r = 0; r < arm->nr_runs; r++) {
		const json_t *rows = json_object_get(arm->runs[r], "faults");

		for (i = 0; i < json_array_size(rows); i++) {
			const json_t *row = json_array_get(rows, i);
			const json_t *latency = json_object_get(row, "latency");

			row_name(row_words, sizeof(row_words), row, keys);
			if (latency && !strcmp(row_words, name) &&
			    !hist_from_json(latency, &h))
				hist_merge(sum, &h);
		}
	}
}

static json_t *range_json(const struct hist *h, unsigned int permille)
{
	uint64_t lo, hi;

	if (hist_quantile(h, permille, &lo, &hi))
		return json_null();
	return json_pack("{s:I, s:I}", "ge", (json_int_t)lo, "le",
			 (json_int_t)hi);
}

static int append_quantiles(json_t *rows, const char *name,
			    const struct hist *a, const struct hist *b)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} quantiles[] = {
		{ "p50", 500 },	  { "p90", 900 },  { "p99", 990 },
		{ "p99.9", 999 }, { "max", 1000 },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		json_t *ra = range_json(a, quantiles[i].permille);
		json_t *rb = range_json(b, quantiles[i].permille);

		err |= json_array_append_new(
			rows, json_pack("{s:s, s:s, s:o, s:o}", "name", name,
					"quantile", quantiles[i].name, "a", ra,
					"b", rb));
	}
	return err;
}

/* Rows of quantiles for every path that either arm has timed. */
static json_t *quantile_table(const struct compare_arm arms[2])
{
	json_t *rows = json_array(), *seen = json_object(), *value;
	static const char *const keys[] = { "path", "access", NULL };
	const char *name;
	char words[96];
	struct hist a, b;
	size_t i, r, f;
	int err = 0;

	for (i = 0; i < 2; i++) {
		for (r = 0; r < arms[i].nr_runs; r++) {
			const json_t *faults =
				json_object_get(arms[i].runs[r], "faults");

			for (f = 0; f < json_array_size(faults); f++) {
				row_name(words, sizeof(words),
					 json_array_get(faults, f), keys);
				err |= json_object_set_new(seen, words,
							   json_true());
			}
		}
	}
	json_object_foreach(seen, name, value) {
		merge_latency(&arms[0], name, &a);
		merge_latency(&arms[1], name, &b);
		if (a.count || b.count)
			err |= append_quantiles(rows, name, &a, &b);
	}
	json_decref(seen);
	if (!err)
		return rows;
	json_decref(rows);
	return NULL;
}

static json_t *arm_json(const struct compare_arm *arm)
{
	json_t *files = json_array();
	size_t i;

	for (i = 0; i < arm->nr_runs; i++)
		json_array_append_new(files, json_string(arm->files[i]));
	return json_pack("{s:s, s:o, s:O}", "label", arm->label, "files", files,
			 "environment",
			 json_object_get(arm->runs[0], "environment"));
}

/* Durations of both arms, or NULL on no memory. */
static json_t *insn_table(const struct compare_arm arms[2])
{
	json_t *rows = table_of(arms, collect_insns, false);

	if (!rows || !mark_small_differences(rows, clock_step(arms)))
		return rows;
	json_decref(rows);
	return NULL;
}

json_t *compare_build(const struct compare_arm arms[2], const json_t *differs)
{
	bool insns = run_has_insn_clock(arms[0].runs[0]) &&
		     run_has_insn_clock(arms[1].runs[0]);
	json_t *json = json_object();
	int err;

	err = json_object_set_new(json, "schema", json_string(COMPARE_SCHEMA));
	err |= json_object_set_new(json, "arms",
				   json_pack("[o, o]", arm_json(&arms[0]),
					     arm_json(&arms[1])));
	err |= json_object_set_new(json, "differs_in", json_deep_copy(differs));
	err |= json_object_set_new(json, "counts",
				   table_of(arms, collect_counts, true));
	err |= json_object_set_new(json, "instructions",
				   insns ? insn_table(arms) : json_null());
	err |= json_object_set_new(json, "quantiles",
				   insns ? quantile_table(arms) : json_null());
	if (!err)
		return json;
	json_decref(json);
	return NULL;
}
