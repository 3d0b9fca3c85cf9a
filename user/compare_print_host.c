// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host time as text: every arm against the first, in a table of its own. Where
 * no difference is shown there is "~" instead of a ratio, and the smallest
 * change that these boots would have shown.
 */
#include "user/compare_print.h"

#include <ctype.h>
#include <string.h>

#include "user/run.h"

#define LABEL_WIDTH 8

static double real_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* "14.43ms": four digits do for a time that boots scatter. */
static void time_cell(struct out_table *table, const json_t *cell,
		      const char *member)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 1, "ns" } };
	double ns = real_of(cell, member);
	size_t i = 0;

	if (!json_is_object(cell)) {
		out_table__cell(table, "-");
		return;
	}
	while (i < 3 && ns < units[i].ns)
		i++;
	out_table__cell(table, "%.4g%s", ns / units[i].ns, units[i].unit);
}

static size_t boots_of(const json_t *comparison, size_t arm)
{
	const json_t *arms = json_object_get(comparison, "arms");

	return json_array_size(
		json_object_get(json_array_get(arms, arm), "files"));
}

static void name_cell(struct out_table *table, const json_t *row)
{
	const char *section = run_str(row, "section");

	if (json_object_get(row, "quantile"))
		out_table__cell(table, "%s%s: %s",
				strcmp(section, "lock hold") ? "" : "lock ",
				run_str(row, "path"), run_str(row, "quantile"));
	else
		out_table__cell(table, "%s: %s", section, run_str(row, "name"));
}

static void share_cell(struct out_table *table, const json_t *share)
{
	double percent = 100 * json_number_value(share);

	if (!json_is_number(share))
		out_table__cell(table, "-");
	else
		out_table__cell(table, percent < 10 ? "%.1f%%" : "%.0f%%",
				percent);
}

/* The interval; where there is none, the boots that have the figure. */
static void interval_cell(struct out_table *table, const json_t *versus)
{
	const json_t *interval = json_object_get(versus, "interval");
	const json_t *n = json_object_get(versus, "n");
	double lo = json_number_value(json_array_get(interval, 0));
	double hi = json_number_value(json_array_get(interval, 1));

	if (!json_is_array(interval))
		out_table__cell(table,
				"n=%" JSON_INTEGER_FORMAT
				"+%" JSON_INTEGER_FORMAT,
				json_integer_value(json_array_get(n, 0)),
				json_integer_value(json_array_get(n, 1)));
	else if (hi - lo < 0.1)
		out_table__cell(table, "%.3f..%.3f", lo, hi);
	else
		out_table__cell(table, "%.2f..%.2f", lo, hi);
}

static void verdict_cells(struct out_table *table, const json_t *versus)
{
	const json_t *p = json_object_get(versus, "p_holm");

	if (!json_is_number(p))
		out_table__cell(table, "-");
	else if (strcmp(run_str(versus, "verdict"), "differs"))
		out_table__cell(table, "~");
	else
		out_table__cell(table, "%.3f", real_of(versus, "ratio"));
	interval_cell(table, versus);
	if (!json_is_number(p))
		out_table__cell(table, "-");
	else if (json_number_value(p) < 0.0001)
		out_table__cell(table, "<.0001");
	else
		out_table__cell(table, "%.4f", json_number_value(p));
	share_cell(table, json_object_get(versus, "detectable"));
}

/* Were there tests at all? */
static bool has_tests(const json_t *rows, size_t arm)
{
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *versus =
			json_object_get(json_array_get(rows, i), "versus");

		if (json_is_number(json_object_get(
			    json_array_get(versus, arm - 1), "p")))
			return true;
	}
	return false;
}

static void print_title(FILE *out, const json_t *comparison, size_t arm,
			bool is_tested, bool quiet)
{
	const json_t *needed = json_object_get(comparison, "boots_needed");

	fprintf(out, "\n%c%s\n", toupper(*run_str(comparison, "label")),
		run_str(comparison, "label") + 1);
	fprintf(out, "%s against %s, medians of %zu and %zu boots\n",
		compare_label(comparison, arm), compare_label(comparison, 0),
		boots_of(comparison, arm), boots_of(comparison, 0));
	if (json_is_integer(needed))
		fprintf(out,
			"(no verdict: %" JSON_INTEGER_FORMAT
			" boots of each are needed to show any of these rows)\n",
			json_integer_value(needed));
	else if (is_tested && !quiet)
		fprintf(out,
			"(95 %% interval of the ratio; p after Holm; ~ no difference shown: one of the\n"
			"size in the last column would have been)\n");
}

static void tested_cells(struct out_table *table, const json_t *a,
			 const json_t *b, const json_t *versus)
{
	time_cell(table, a, "median");
	time_cell(table, b, "median");
	verdict_cells(table, versus);
}

/* Figures without a verdict: where the few boots were. */
static void untested_cells(struct out_table *table, const json_t *a,
			   const json_t *b)
{
	static const char *const members[] = { "median", "min", "max" };
	size_t i;

	for (i = 0; i < 3; i++)
		time_cell(table, a, members[i]);
	for (i = 0; i < 3; i++)
		time_cell(table, b, members[i]);
}

/* The title has the whole label; as a header it must not widen the page. */
static void label_column(struct out_table *table, const json_t *comparison,
			 size_t arm)
{
	char label[LABEL_WIDTH + 1];

	snprintf(label, sizeof(label), "%s", compare_label(comparison, arm));
	out_table__column(table, label);
}

static int print_arm(FILE *out, const json_t *comparison, size_t arm,
		     bool quiet)
{
	static const char *const tested[] = { "ratio", "interval", "p",
					      "shows" };
	const json_t *rows = json_object_get(comparison, "host_time");
	bool is_tested = has_tests(rows, arm);
	struct out_table *table = out_table__new();
	size_t i;

	print_title(out, comparison, arm, is_tested, quiet);
	out_table__column(table, "");
	label_column(table, comparison, 0);
	if (!is_tested) {
		out_table__column(table, "min");
		out_table__column(table, "max");
	}
	label_column(table, comparison, arm);
	for (i = 0; is_tested && i < 4; i++)
		out_table__column(table, tested[i]);
	if (!is_tested) {
		out_table__column(table, "min");
		out_table__column(table, "max");
	}
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *cells = json_object_get(row, "arms");
		const json_t *a = json_array_get(cells, 0);
		const json_t *b = json_array_get(cells, arm);

		name_cell(table, row);
		if (is_tested)
			tested_cells(
				table, a, b,
				json_array_get(json_object_get(row, "versus"),
					       arm - 1));
		else
			untested_cells(table, a, b);
	}
	return compare_print_table(out, table);
}

int compare_print_host(FILE *out, const json_t *comparison, bool quiet)
{
	size_t nr = json_array_size(json_object_get(comparison, "arms")), arm;
	int err = 0;

	for (arm = 1; !err && arm < nr; arm++)
		err = print_arm(out, comparison, arm, quiet);
	return err;
}
