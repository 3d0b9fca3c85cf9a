// SPDX-License-Identifier: GPL-2.0-only
/*
 * A comparison as text. Counts and instructions have their own tables; a
 * quantile is a range, so a change is a range too, and "~" means that the
 * ranges overlap: no difference can be shown.
 */
#include "user/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/out.h"
#include "user/run.h"

static const char *label_of(const json_t *comparison, size_t arm)
{
	const json_t *arms = json_object_get(comparison, "arms");

	return run_str(json_array_get(arms, arm), "label");
}

static void print_arm(FILE *out, const json_t *comparison, size_t arm)
{
	const json_t *json =
		json_array_get(json_object_get(comparison, "arms"), arm);
	const json_t *files = json_object_get(json, "files");
	char name[256];
	size_t i;

	fprintf(out, "%-9s ", run_str(json, "label"));
	for (i = 0; i < json_array_size(files); i++)
		fprintf(out, "%s%s", i ? ", " : "",
			out_text(name, sizeof(name),
				 json_string_value(json_array_get(files, i))));
	fputc('\n', out);
}

/* A value of the environment, without the quotes of a string. */
static void print_value(FILE *out, const json_t *value)
{
	char text[128];

	if (json_is_string(value))
		fputs(out_text(text, sizeof(text), json_string_value(value)),
		      out);
	else if (json_is_null(value))
		fputs("not known", out);
	else
		json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void print_head(FILE *out, const json_t *comparison)
{
	json_t *differs = json_object_get(comparison, "differs_in"), *pair;
	const char *key;
	size_t i;

	for (i = 0; i < 2; i++)
		print_arm(out, comparison, i);
	if (!json_object_size(differs))
		fprintf(out,
			"They were recorded alike: any difference is noise or chance.\n");
	json_object_foreach(differs, key, pair) {
		fprintf(out, "They differ in %s:\n", key);
		for (i = 0; i < 2; i++) {
			fprintf(out, "  %-7s ", label_of(comparison, i));
			print_value(out, json_array_get(pair, i));
			fputc('\n', out);
		}
	}
}

/* The median, and the spread where repeated runs do not agree. */
static void value_cell(struct out_table *table, const json_t *cell)
{
	json_int_t min = run_int(cell, "min"), max = run_int(cell, "max");

	if (!json_is_object(cell))
		out_table__cell(table, "-");
	else if (min == max)
		out_table__cell(table, "%" JSON_INTEGER_FORMAT, min);
	else
		out_table__cell(table,
				"%" JSON_INTEGER_FORMAT
				" (%" JSON_INTEGER_FORMAT
				"..%" JSON_INTEGER_FORMAT ")",
				run_int(cell, "median"), min, max);
}

static void change_cells(struct out_table *table, const json_t *row)
{
	const json_t *difference = json_object_get(row, "difference");
	const json_t *ratio = json_object_get(row, "ratio");

	if (!json_is_integer(difference))
		out_table__cell(table, "-");
	else if (!json_integer_value(difference))
		out_table__cell(table, "=");
	else
		out_table__cell(table, "%+" JSON_INTEGER_FORMAT,
				json_integer_value(difference));
	if (json_is_true(json_object_get(row, "within_clock_step")))
		out_table__cell(table, "~");
	else if (json_is_number(ratio))
		out_table__cell(table, "%.3f", json_number_value(ratio));
	else
		out_table__cell(table, "-");
}

/* Rows of nothing on both sides are noise, except the one that must be 0. */
static bool is_worth_a_line(const json_t *row)
{
	const json_t *a = json_object_get(row, "a");
	const json_t *b = json_object_get(row, "b");

	return run_int(a, "max") || run_int(b, "max") ||
	       !strcmp(run_str(row, "section"), "guest pages");
}

static int print_rows(FILE *out, const json_t *comparison, const char *member,
		      const char *title, bool verbose)
{
	const json_t *rows = json_object_get(comparison, member);
	struct out_table *table;
	size_t i;
	int err;

	fprintf(out, "\n%s\n", title);
	if (!json_array_size(rows)) {
		fprintf(out, "  none in either\n");
		return 0;
	}
	table = out_table__new();
	out_table__column(table, "");
	out_table__column(table, label_of(comparison, 0));
	out_table__column(table, label_of(comparison, 1));
	out_table__column(table, "difference");
	out_table__column(table, "ratio");
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!verbose && !is_worth_a_line(row))
			continue;
		out_table__cell(table, "%s: %s", run_str(row, "section"),
				run_str(row, "name"));
		value_cell(table, json_object_get(row, "a"));
		value_cell(table, json_object_get(row, "b"));
		change_cells(table, row);
	}
	err = out_table__print(table, out);
	out_table__free(table);
	return err;
}

static void range_cell(struct out_table *table, const json_t *range)
{
	json_int_t ge = run_int(range, "ge"), le = run_int(range, "le");

	if (!json_is_object(range))
		out_table__cell(table, "-");
	else if (ge == le)
		out_table__cell(table, "%" JSON_INTEGER_FORMAT, ge);
	else
		out_table__cell(table,
				"%" JSON_INTEGER_FORMAT
				"..%" JSON_INTEGER_FORMAT,
				ge, le);
}

/* Smallest and largest ratio that the two ranges allow. */
static void ratio_range_cell(struct out_table *table, const json_t *a,
			     const json_t *b)
{
	double a_ge = (double)run_int(a, "ge"), a_le = (double)run_int(a, "le");
	double b_ge = (double)run_int(b, "ge"), b_le = (double)run_int(b, "le");

	if (!json_is_object(a) || !json_is_object(b) || a_ge <= 0)
		out_table__cell(table, "-");
	else if (a_ge == a_le && b_ge == b_le)
		out_table__cell(table, a_ge == b_ge ? "=" : "%.3f",
				b_ge / a_ge);
	else if (a_le >= b_ge && b_le >= a_ge)
		out_table__cell(table, "~");
	else
		out_table__cell(table, "%.3f..%.3f", b_ge / a_le, b_le / a_ge);
}

static int print_quantiles(FILE *out, const json_t *comparison)
{
	const json_t *rows = json_object_get(comparison, "quantiles");
	struct out_table *table;
	size_t i;
	int err;

	if (!json_array_size(rows))
		return 0;
	fprintf(out,
		"\nFault latency quantiles in instructions (range of the bucket; ~ they overlap)\n");
	table = out_table__new();
	out_table__column(table, "");
	out_table__column(table, label_of(comparison, 0));
	out_table__column(table, label_of(comparison, 1));
	out_table__column(table, "ratio");
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *a = json_object_get(row, "a");
		const json_t *b = json_object_get(row, "b");

		out_table__cell(table, "%s: %s", run_str(row, "name"),
				run_str(row, "quantile"));
		range_cell(table, a);
		range_cell(table, b);
		ratio_range_cell(table, a, b);
	}
	err = out_table__print(table, out);
	out_table__free(table);
	return err;
}

int compare_print(FILE *out, const json_t *comparison, bool quiet, bool verbose)
{
	bool has_insns =
		json_is_array(json_object_get(comparison, "instructions"));
	int err;

	if (!quiet)
		print_head(out, comparison);
	err = print_rows(out, comparison, "counts", "Exact counts", verbose);
	if (has_insns) {
		if (!err)
			err = print_rows(
				out, comparison, "instructions",
				"Instructions (~ no more than a step of the clock)",
				verbose);
		if (!err)
			err = print_quantiles(out, comparison);
	} else if (!quiet) {
		fprintf(out,
			"\nTimes: not compared. They are host time, which needs many boots of both\n"
			"arms; counts are exact. Record with QEMU's instruction counter\n"
			"(bench/vm.sh --mode icount) to compare instructions.\n");
	}
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
