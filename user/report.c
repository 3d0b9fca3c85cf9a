// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text report of one run, a function per section; see report.h. The order
 * is that of the questions: what is this, can I trust it, what happened when,
 * what was split, what did it cost, what else.
 */
#include "user/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "user/out.h"
#include "user/report_env.h"
#include "user/report_exits.h"
#include "user/run.h"

struct report {
	FILE *out;
	const json_t *run;
	const struct report_opts *opts;
	struct out_scale scale; /* of durations */
	uint64_t step; /* of the clock, in ns */
	int err; /* the first table that failed */
};

static const char *const paths[] = { "fast", "prot",  "split",
				     "map",  "retry", "error" };

#define NR_PATHS (sizeof(paths) / sizeof(paths[0]))

static void heading(const struct report *report, const char *title,
		    const char *note)
{
	fprintf(report->out, "\n%s%s%s%s\n", title, note ? " (" : "",
		note ? note : "", note ? ")" : "");
}

/* Print, free, remember a failure. */
static void finish_table(struct report *report, struct out_table *table)
{
	int err = out_table__finish(table, report->out);

	if (err && !report->err)
		report->err = err;
}

/* The probe with that fact, an attached one if there are several, or NULL. */
static const json_t *probe_of(const json_t *run, const char *fact)
{
	const json_t *probes = json_object_get(run, "probes"), *probe;
	const json_t *found = NULL;
	size_t i;

	for (i = 0; i < json_array_size(probes); i++) {
		probe = json_array_get(probes, i);
		if (strcmp(run_str(probe, "fact"), fact))
			continue;
		if (json_is_true(json_object_get(probe, "attached")))
			return probe;
		found = probe;
	}
	return found;
}

/*
 * The probe that feeds @fact, or NULL. KVM reports what became of permissions
 * and of fences together with the faults, so these may have no probe of theirs.
 */
static const json_t *find_probe(const json_t *run, const char *fact)
{
	const json_t *probe = probe_of(run, fact);

	if (!probe &&
	    (!strcmp(fact, "prot_updates") || !strcmp(fact, "flush_executed")))
		probe = probe_of(run, "faults");
	return probe;
}

/* Nothing could serve @fact: it is not 0, it is not known. */
static bool is_missing(const json_t *run, const char *fact)
{
	const json_t *probe = probe_of(run, fact);

	return probe && !strcmp(run_str(probe, "status"), "missing");
}

/* One line in place of an empty section, with the reason if it is known. */
static void print_none(const struct report *report, const char *title,
		       const char *fact)
{
	const json_t *probe = find_probe(report->run, fact);
	char hook[64], reason[256];

	if (is_missing(report->run, fact)) {
		fprintf(report->out, "\n%s: not seen here: %s\n", title,
			out_text(reason, sizeof(reason),
				 run_str(probe, "reason")));
		return;
	}
	fprintf(report->out, "\n%s: none", title);
	if (!probe)
		fprintf(report->out, " seen; this run had no probe for them\n");
	else if (!json_is_true(json_object_get(probe, "attached")))
		fprintf(report->out, " seen; the probe %s was not attached\n",
			out_text(hook, sizeof(hook), run_str(probe, "hook")));
	else
		fprintf(report->out, " (the probe %s was attached)\n",
			out_text(hook, sizeof(hook), run_str(probe, "hook")));
}

/* Rows of @rows whose @key is @word (all when NULL), "failed" ones left out. */
static json_int_t sum_count(const json_t *rows, const char *key,
			    const char *word)
{
	json_int_t sum = 0;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (word && strcmp(run_str(row, key), word))
			continue;
		if (!json_is_true(json_object_get(row, "failed")))
			sum = run_add(sum, run_int(row, "count"));
	}
	return sum;
}

static bool path_is_used(const json_t *phases, const char *path)
{
	size_t i;

	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);

		if (sum_count(json_object_get(phase, "faults"), "path", path))
			return true;
	}
	return false;
}

static void print_phases(struct report *report)
{
	const json_t *phases = json_object_get(report->run, "phases");
	bool has_requests = !is_missing(report->run, "flush_requests");
	bool has_executed = !is_missing(report->run, "flush_executed");
	bool used[NR_PATHS];
	struct out_table *table;
	char duration[32], label[64];
	size_t i, p;

	if (!json_array_size(phases)) {
		print_none(report, "Phases", "phases");
		return;
	}

	table = out_table__new();
	heading(report, "Phases", "faults by path, leaves broken, flushes");
	out_table__column(table, "phase");
	out_table__column(table, report->scale.unit);
	for (p = 0; p < NR_PATHS; p++) {
		used[p] = path_is_used(phases, paths[p]);
		if (used[p])
			out_table__column(table, paths[p]);
	}
	/* The path "split" counts faults, this one the leaves they broke. */
	out_table__column(table, "broken");
	if (has_requests)
		out_table__column(table, "requested");
	if (has_executed)
		out_table__column(table, "executed");

	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);
		const json_t *faults = json_object_get(phase, "faults");

		out_table__cell(table, "%s",
				run_phase_label(label, sizeof(label),
						report->run, phase));
		out_table__cell(
			table, "%s",
			out_scaled(duration, sizeof(duration),
				   (uint64_t)run_int(phase, "duration_ns"),
				   &report->scale));
		for (p = 0; p < NR_PATHS; p++) {
			if (used[p])
				out_table__cell(table, "%" JSON_INTEGER_FORMAT,
						sum_count(faults, "path",
							  paths[p]));
		}
		out_table__cell(table, "%" JSON_INTEGER_FORMAT,
				sum_count(json_object_get(phase, "splits"),
					  NULL, NULL));
		if (has_requests)
			out_table__cell(table, "%" JSON_INTEGER_FORMAT,
					run_int(phase, "flush_requests"));
		if (has_executed)
			out_table__cell(table, "%" JSON_INTEGER_FORMAT,
					run_int(phase, "flush_executed"));
	}
	finish_table(report, table);
}

static void print_splits(struct report *report)
{
	const json_t *rows = json_object_get(report->run, "splits");
	struct out_table *table;
	size_t i;

	if (!json_array_size(rows)) {
		print_none(report, "Splits", "splits");
		return;
	}

	table = out_table__new();
	heading(report, "Splits", "huge leaves broken, by cause and level");
	out_table__column(table, "cause");
	out_table__column(table, "level");
	out_table__column(table, "leaves");
	out_table__column(table, "result");
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		bool failed = json_is_true(json_object_get(row, "failed"));

		out_table__cell(table, "%s", run_str(row, "cause"));
		out_table__cell(table, "%s -> %s",
				out_level(run_int(row, "from_level")),
				out_level(run_int(row, "to_level")));
		out_table__cell(table, "%" JSON_INTEGER_FORMAT,
				run_int(row, "count"));
		out_table__cell(table, "%s", failed ? "failed" : "done");
	}
	finish_table(report, table);
}

/* True when the row has a latency histogram with something in it. */
static bool get_hist(const json_t *row, const char *key, struct hist *h)
{
	const json_t *json = json_object_get(row, key);

	return json && !hist_from_json(json, h) && h->count;
}

static void print_hist(const struct report *report, const struct hist *h,
		       const struct out_scale *scale, uint64_t step)
{
	const struct out_hist_opts opts = {
		.scale = *scale,
		.resolution = report->opts->resolution,
		.step = step,
	};

	out_hist_rows(report->out, h, &opts);
	out_hist_summary(report->out, h, scale);
}

/* The row of @path in what was measured of ourselves, or NULL. */
static const json_t *find_bracket(const json_t *bracket, const char *path)
{
	const json_t *rows = json_object_get(bracket, "faults");
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		if (!strcmp(run_str(json_array_get(rows, i), "path"), path))
			return json_array_get(rows, i);
	}
	return NULL;
}

/* What of each of these latencies is gstage's own; nothing is subtracted. */
static void print_bracket(const struct report *report, const char *path)
{
	const json_t *bracket = json_object_get(report->run, "bracket");
	const json_t *names = json_object_get(bracket, "left_out");
	const json_t *ns = json_object_get(find_bracket(bracket, path), "ns");
	char text[32], name[64], reason[160];
	size_t i;

	/* A file of before this was measured. */
	if (!bracket)
		return;
	if (!json_is_integer(ns)) {
		fputs("  of each an unknown part is the tracer's own\n",
		      report->out);
		if (json_object_get(bracket, "reason"))
			fprintf(report->out, "  (%s)\n",
				out_text(reason, sizeof(reason),
					 run_str(bracket, "reason")));
		return;
	}
	fprintf(report->out, "  of each %s %s are the tracer's own",
		out_scaled(text, sizeof(text), (uint64_t)json_integer_value(ns),
			   &report->scale),
		report->scale.unit);
	for (i = 0; i < json_array_size(names); i++)
		fprintf(report->out, "%s%s", i ? ", " : ", and the hooks of ",
			out_text(name, sizeof(name),
				 json_string_value(json_array_get(names, i))));
	fputc('\n', report->out);
}

static void print_fault_latencies(const struct report *report)
{
	const json_t *rows = json_object_get(report->run, "faults");
	struct hist h;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!get_hist(row, "latency", &h))
			continue;
		fprintf(report->out, "\nFault latency, path %s, access %s\n",
			run_str(row, "path"), run_str(row, "access"));
		print_hist(report, &h, &report->scale, report->step);
		print_bracket(report, run_str(row, "path"));
	}
}

static void print_faults(struct report *report)
{
	const json_t *rows = json_object_get(report->run, "faults");
	bool with_latency = false;
	struct out_table *table;
	char quantile[72];
	struct hist h;
	size_t i;

	if (!json_array_size(rows)) {
		print_none(report, "Faults", "faults");
		return;
	}

	for (i = 0; i < json_array_size(rows); i++)
		with_latency |=
			get_hist(json_array_get(rows, i), "latency", &h);
	table = out_table__new();
	heading(report, "Faults",
		with_latency ? report->scale.unit :
			       "counts only: latency was not measured");
	out_table__column(table, "path");
	out_table__column(table, "access");
	out_table__column(table, "count");
	if (with_latency) {
		out_table__column(table, "mean");
		out_table__column(table, "p50");
		out_table__column(table, "p99");
	}
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		out_table__cell(table, "%s", run_str(row, "path"));
		out_table__cell(table, "%s", run_str(row, "access"));
		out_table__cell(table, "%" JSON_INTEGER_FORMAT,
				run_int(row, "count"));
		if (!with_latency)
			continue;
		if (!get_hist(row, "latency", &h))
			memset(&h, 0, sizeof(h));
		out_table__cell(
			table, "%s",
			!h.count ? "-" :
				   out_scaled(quantile, sizeof(quantile),
					      hist_mean(&h), &report->scale));
		out_table__cell(table, "%s",
				out_quantile(quantile, sizeof(quantile), &h,
					     500, &report->scale));
		out_table__cell(table, "%s",
				out_quantile(quantile, sizeof(quantile), &h,
					     990, &report->scale));
	}
	finish_table(report, table);
	print_fault_latencies(report);
}

/* A table of one word, perhaps a level, and integer columns. */
struct section {
	const char *fact; /* the array, and the fact of its probe */
	const char *title;
	const char *note;
	const char *key;
	bool has_level;
	const char *columns[4]; /* member names, NULL-terminated */
	const char *headers[4];
};

static void print_section(struct report *report, const struct section *section)
{
	const json_t *rows = json_object_get(report->run, section->fact);
	struct out_table *table;
	size_t i, c;

	if (!json_array_size(rows)) {
		print_none(report, section->title, section->fact);
		return;
	}

	table = out_table__new();
	heading(report, section->title, section->note);
	out_table__column(table, section->key);
	if (section->has_level)
		out_table__column(table, "level");
	for (c = 0; section->columns[c]; c++)
		out_table__column(table, section->headers[c]);

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		out_table__cell(table, "%s", run_str(row, section->key));
		if (section->has_level)
			out_table__cell(table, "%s",
					out_level(run_int(row, "level")));
		for (c = 0; section->columns[c]; c++)
			out_table__cell(table, "%" JSON_INTEGER_FORMAT,
					run_int(row, section->columns[c]));
	}
	finish_table(report, table);
}

/* What KVM keeps of the sizes of ranges. */
static void print_sizes(const struct report *report, const json_t *sizes)
{
	char ge[32], lt[32];
	size_t i;

	if (!json_array_size(sizes))
		return;
	fprintf(report->out, "\nFlush request size, kind range, in bytes\n");
	for (i = 0; i < json_array_size(sizes); i++) {
		const json_t *size = json_array_get(sizes, i);

		snprintf(ge, sizeof(ge), "%" JSON_INTEGER_FORMAT,
			 run_int(size, "ge"));
		snprintf(lt, sizeof(lt), "%" JSON_INTEGER_FORMAT,
			 run_int(size, "lt"));
		fprintf(report->out, "  [%s, %s) %" JSON_INTEGER_FORMAT "\n",
			ge, json_object_get(size, "lt") ? lt : "...",
			run_int(size, "count"));
	}
}

static void print_flush_waits(const struct report *report)
{
	const json_t *rows = json_object_get(report->run, "flush_requests");
	struct hist h;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!get_hist(row, "wait", &h))
			continue;
		fprintf(report->out, "\nWait for a flush, kind %s\n",
			run_str(row, "kind"));
		print_hist(report, &h, &report->scale, report->step);
	}
}

static void print_flush_sizes(const struct report *report)
{
	const struct out_scale bytes = { "bytes", 1, 0 };
	const json_t *rows = json_object_get(report->run, "flush_requests");
	struct hist h;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		print_sizes(report, json_object_get(row, "sizes"));
		if (!get_hist(row, "size", &h))
			continue;
		fprintf(report->out, "\nFlush request size, kind %s\n",
			run_str(row, "kind"));
		print_hist(report, &h, &bytes, 0);
	}
}

static void print_small_sections(struct report *report)
{
	static const struct section prot = {
		"prot_updates", "Prot updates", "permission of a leaf",
		"outcome",	false,		{ "count", NULL },
		{ "leaves" },
	};
	static const struct section wp = {
		"write_protects",
		"Write-protects",
		"leaves made read-only",
		"phase",
		true,
		{ "count", NULL },
		{ "leaves" },
	};
	static const struct section requests = {
		"flush_requests",
		"Flush requests",
		NULL,
		"kind",
		false,
		{ "count", "bytes", "fallbacks", NULL },
		{ "requests", "bytes", "fallbacks" },
	};
	static const struct section executed = {
		"flush_executed",
		"Flushes executed",
		"by the harts",
		"kind",
		false,
		{ "count", "fences", NULL },
		{ "flushes", "fences" },
	};

	print_section(report, &prot);
	print_section(report, &wp);
	print_section(report, &requests);
	print_flush_sizes(report);
	print_flush_waits(report);
	print_section(report, &executed);
}

/* Only runs that measured it: an option that was not given is no finding. */
static void print_locks(struct report *report)
{
	const json_t *locks = json_object_get(report->run, "locks");
	const json_t *phases = json_object_get(report->run, "phases");
	char label[96], total[32], longest[32];
	struct out_table *table;
	struct hist h;
	size_t i, l;

	if (!locks)
		return;
	if (!json_array_size(locks)) {
		print_none(report, "Holds of mmu_lock", "locks");
		return;
	}
	table = out_table__new();
	heading(report, "Holds of mmu_lock", report->scale.unit);
	out_table__column(table, "phase");
	out_table__column(table, "mode");
	out_table__column(table, "holds");
	out_table__column(table, "held");
	out_table__column(table, "longest");
	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);
		const json_t *rows = json_object_get(phase, "locks");

		run_phase_label(label, sizeof(label), report->run, phase);
		for (l = 0; l < json_array_size(rows); l++) {
			const json_t *row = json_array_get(rows, l);

			out_table__cell(table, "%s", label);
			out_table__cell(table, "%s", run_str(row, "mode"));
			out_table__cell(table, "%" JSON_INTEGER_FORMAT,
					run_int(row, "count"));
			out_table__cell(
				table, "%s",
				out_scaled(total, sizeof(total),
					   (uint64_t)run_int(row, "held_ns"),
					   &report->scale));
			out_table__cell(
				table, "%s",
				out_scaled(longest, sizeof(longest),
					   (uint64_t)run_int(row, "longest_ns"),
					   &report->scale));
		}
	}
	finish_table(report, table);
	for (i = 0; i < json_array_size(locks); i++) {
		const json_t *row = json_array_get(locks, i);

		if (!get_hist(row, "held", &h))
			continue;
		fprintf(report->out, "\nmmu_lock held, mode %s\n",
			run_str(row, "mode"));
		print_hist(report, &h, &report->scale, report->step);
	}
}

static uint64_t clock_step(const json_t *run)
{
	const json_t *env = json_object_get(run, "environment");

	return (uint64_t)run_int(env, "clock_resolution_ns");
}

int report_print(FILE *out, const json_t *run, const struct report_opts *opts)
{
	struct report report = {
		.out = out,
		.run = run,
		.opts = opts,
		.scale = report_scale(run, opts->unit),
		.step = clock_step(run),
	};

	if (!opts->quiet)
		report_print_environment(out, run, opts->verbose);
	report_print_losses(out, run);
	print_phases(&report);
	print_splits(&report);
	print_faults(&report);
	print_small_sections(&report);
	print_locks(&report);
	if (!report.err)
		report.err = report_print_exits(out, run, &report.scale);
	if (!report.err)
		report.err = report_print_guest(out, run, &report.scale);
	report_print_checks(out, run, opts->verbose);
	if (fflush(out) || ferror(out))
		return report.err ? report.err : -EIO;
	return report.err;
}
