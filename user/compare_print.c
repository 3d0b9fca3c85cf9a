// SPDX-License-Identifier: GPL-2.0-only
/*
 * A comparison as text: the arms, the tables of exact figures, notes and gates.
 * Host time is in compare_print_host.c. Two arms have a column each, the
 * difference and the ratio; more have a column each, with the ratio below.
 */
#include "user/compare_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/compare.h"
#include "user/out.h"
#include "user/run.h"

/* More file names than this are counted instead of listed. */
#define LISTED_FILES 4

const char *compare_label(const json_t *comparison, size_t arm)
{
	const json_t *arms = json_object_get(comparison, "arms");

	return run_str(json_array_get(arms, arm), "label");
}

static size_t nr_arms_of(const json_t *comparison)
{
	return json_array_size(json_object_get(comparison, "arms"));
}

int compare_print_table(FILE *out, struct out_table *table)
{
	char *text = NULL, *line, *end;
	size_t size = 0, len;
	FILE *buffer = open_memstream(&text, &size);
	int err = buffer ? out_table__print(table, buffer) : -ENOMEM;

	if (buffer && fclose(buffer))
		err = -ENOMEM;
	for (line = text; !err && line && *line; line = end + 1) {
		end = strchr(line, '\n');
		len = (size_t)(end - line);
		while (len && line[len - 1] == ' ')
			len--;
		fprintf(out, "%.*s\n", (int)len, line);
	}
	free(text);
	out_table__free(table);
	return err;
}

/* --- the head --- */

static void print_arm(FILE *out, const json_t *arm)
{
	const json_t *files = json_object_get(arm, "files");
	size_t nr = json_array_size(files), i;
	char name[256];

	fprintf(out, "%-9s ", run_str(arm, "label"));
	for (i = 0; i < nr && (i < LISTED_FILES || nr == LISTED_FILES + 1); i++)
		fprintf(out, "%s%s", i ? ", " : "",
			out_text(name, sizeof(name),
				 json_string_value(json_array_get(files, i))));
	if (i < nr)
		fprintf(out, " and %zu more", nr - i);
	if (json_is_true(json_object_get(arm, "band")))
		fprintf(out, " (noise band)");
	fputc('\n', out);
}

/* A value of the environment, without the quotes of a string. */
static void print_value(FILE *out, const json_t *value)
{
	char text[128];

	if (json_is_string(value))
		fputs(*json_string_value(value) ?
			      out_text(text, sizeof(text),
				       json_string_value(value)) :
			      "none",
		      out);
	else if (json_is_null(value))
		fputs("not known", out);
	else
		json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* Digests of what another member says in a word. */
static bool is_digest(const char *key)
{
	static const char *const digests[] = { "kvm_sha256", "source_sha256",
					       "patch_ids",
					       "kernel_config_sha256" };
	size_t i;

	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		if (!strcmp(key, digests[i]))
			return true;
	}
	return false;
}

static void print_differences(FILE *out, const json_t *comparison, bool verbose)
{
	json_t *differs = json_object_get(comparison, "differs_in"), *values;
	bool has_name = false;
	const char *key;
	size_t i;

	json_object_foreach(differs, key, values)
		has_name |= !is_digest(key);
	json_object_foreach(differs, key, values) {
		if (has_name && is_digest(key) && !verbose)
			continue;
		fprintf(out, "They differ in %s:\n", key);
		for (i = 0; i < json_array_size(values); i++) {
			fprintf(out, "  %-7s ", compare_label(comparison, i));
			print_value(out, json_array_get(values, i));
			fputc('\n', out);
		}
	}
}

static void print_head(FILE *out, const json_t *comparison, bool verbose)
{
	const json_t *arms = json_object_get(comparison, "arms");
	size_t i;

	for (i = 0; i < json_array_size(arms); i++)
		print_arm(out, json_array_get(arms, i));
	if (!json_object_size(json_object_get(comparison, "differs_in")))
		fprintf(out,
			"They were recorded alike: any difference is noise or chance.\n");
	print_differences(out, comparison, verbose);
}

/* --- cells --- */

static bool has_verdict(const json_t *versus, const char *verdict)
{
	return !strcmp(run_str(versus, "verdict"), verdict);
}

/*
 * The median; where boots do not agree, the range of a count, and by how much
 * of the median instructions scatter.
 */
static void value_cell(struct out_table *table, const json_t *cell,
		       bool is_count, const char *mark)
{
	json_int_t median = run_int(cell, "median");
	json_int_t min = run_int(cell, "min"), max = run_int(cell, "max");

	if (!json_is_object(cell))
		out_table__cell(table, "-");
	else if (json_is_true(json_object_get(cell, "agree")) || min == max)
		out_table__cell(table, "%s%" JSON_INTEGER_FORMAT, mark, median);
	else if (is_count || !median)
		out_table__cell(table,
				"%s%" JSON_INTEGER_FORMAT
				"..%" JSON_INTEGER_FORMAT,
				mark, min, max);
	else
		out_table__cell(table, "%s%" JSON_INTEGER_FORMAT " (%.1f%%)",
				mark, median,
				100 * (double)(max - min) / (double)median);
}

static bool is_count(const json_t *row)
{
	return strcmp(run_str(row, "unit"), "insns");
}

/* The range of a quantile. */
static void range_cell(struct out_table *table, const json_t *range,
		       const char *mark)
{
	json_int_t ge = run_int(range, "ge"), le = run_int(range, "le");

	if (!json_is_object(range))
		out_table__cell(table, "-");
	else if (ge == le)
		out_table__cell(table, "%s%" JSON_INTEGER_FORMAT, mark, ge);
	else
		out_table__cell(table,
				"%s%" JSON_INTEGER_FORMAT
				"..%" JSON_INTEGER_FORMAT,
				mark, ge, le);
}

static void difference_cell(struct out_table *table, const json_t *versus)
{
	const json_t *difference = json_object_get(versus, "difference");

	if (!json_is_integer(difference))
		out_table__cell(table, "-");
	else if (has_verdict(versus, "equal"))
		out_table__cell(table, "=");
	else if (!json_integer_value(difference))
		out_table__cell(table, "0");
	else
		out_table__cell(table, "%+" JSON_INTEGER_FORMAT,
				json_integer_value(difference));
}

/* The ratio, or why there is none. */
static void ratio_cell(struct out_table *table, const json_t *versus)
{
	const json_t *ratio = json_object_get(versus, "ratio");
	const json_t *range = json_object_get(versus, "ratio_range");
	double lo = json_real_value(json_array_get(range, 0));
	double hi = json_real_value(json_array_get(range, 1));

	if (has_verdict(versus, "varies"))
		out_table__cell(table, "varies");
	else if (has_verdict(versus, "unknown") &&
		 (json_is_integer(json_object_get(versus, "difference")) ||
		  json_is_array(range)))
		out_table__cell(table, "~");
	else if (json_is_number(ratio))
		out_table__cell(table, "%.3f", json_number_value(ratio));
	else if (json_is_array(range))
		out_table__cell(table, "%.3f..%.3f", lo, hi);
	else
		out_table__cell(table, "-");
}

/* --- tables --- */

static void name_cell(struct out_table *table, const json_t *row)
{
	const char *section = run_str(row, "section");

	if (!json_object_get(row, "quantile"))
		out_table__cell(table, "%s: %s", section, run_str(row, "name"));
	else
		out_table__cell(table, "%s%s: %s",
				strcmp(section, "lock hold") ? "" : "lock ",
				run_str(row, "path"), run_str(row, "quantile"));
}

static void two_arm_row(struct out_table *table, const json_t *row)
{
	const json_t *cells = json_object_get(row, "arms");
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), 0);
	size_t i;

	name_cell(table, row);
	if (json_object_get(row, "quantile")) {
		for (i = 0; i < 2; i++)
			range_cell(table, json_array_get(cells, i), "");
		if (has_verdict(versus, "equal"))
			out_table__cell(table, "=");
		else
			ratio_cell(table, versus);
		return;
	}
	for (i = 0; i < 2; i++)
		value_cell(table, json_array_get(cells, i), is_count(row), "");
	difference_cell(table, versus);
	ratio_cell(table, versus);
}

/* Does the arm need a second line: how far it is from the first? */
static bool has_below(const json_t *row, size_t arm)
{
	const json_t *cells = json_object_get(row, "arms");
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), arm - 1);

	return json_is_object(json_array_get(cells, 0)) &&
	       json_is_object(json_array_get(cells, arm)) &&
	       (has_verdict(versus, "differs") ||
		has_verdict(versus, "varies"));
}

static void below_cell(struct out_table *table, const json_t *row, size_t arm)
{
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), arm - 1);

	if (!has_below(row, arm))
		out_table__cell(table, "%s", "");
	else if (has_verdict(versus, "differs") &&
		 json_is_integer(json_object_get(versus, "difference")) &&
		 json_is_null(json_object_get(versus, "ratio")))
		difference_cell(table, versus);
	else
		ratio_cell(table, versus);
}

/*
 * "=" where an arm is like the first, "~" before the figure where no difference
 * is shown; otherwise the ratio in a second line.
 */
static void many_arm_row(struct out_table *table, const json_t *row)
{
	const json_t *cells = json_object_get(row, "arms");
	const json_t *versus = json_object_get(row, "versus");
	bool needs_line = false;
	size_t i;

	name_cell(table, row);
	for (i = 0; i < json_array_size(cells); i++) {
		const json_t *cell = json_array_get(cells, i);
		const json_t *one = i ? json_array_get(versus, i - 1) : NULL;
		const char *mark =
			i && has_verdict(one, "unknown") &&
					json_is_object(
						json_array_get(cells, 0)) ?
				"~" :
				"";

		if (i && has_verdict(one, "equal"))
			out_table__cell(table, "=");
		else if (json_object_get(row, "quantile"))
			range_cell(table, cell, mark);
		else
			value_cell(table, cell, is_count(row), mark);
		needs_line |= i && has_below(row, i);
	}
	if (!needs_line)
		return;
	out_table__cell(table, "%s", "");
	out_table__cell(table, "%s", "");
	for (i = 1; i < json_array_size(cells); i++)
		below_cell(table, row, i);
}

/* Rows of nothing in all arms are noise, except the one that must be 0. */
static bool is_worth_a_line(const json_t *row)
{
	const json_t *cells = json_object_get(row, "arms");
	size_t i;

	for (i = 0; i < json_array_size(cells); i++) {
		const json_t *cell = json_array_get(cells, i);

		if (run_int(cell, "max") || run_int(cell, "le"))
			return true;
	}
	return !strcmp(run_str(row, "section"), "guest pages");
}

static int print_rows(FILE *out, const json_t *comparison, const char *member,
		      const char *title, bool verbose)
{
	const json_t *rows = json_object_get(comparison, member);
	bool is_quantile = !strcmp(member, "quantiles");
	size_t nr_arms = nr_arms_of(comparison), i;
	struct out_table *table;

	fprintf(out, "\n%s\n", title);
	if (!json_array_size(rows)) {
		fprintf(out, "  none in any\n");
		return 0;
	}
	table = out_table__new();
	out_table__column(table, "");
	for (i = 0; i < nr_arms; i++)
		out_table__column(table, compare_label(comparison, i));
	if (nr_arms == 2 && !is_quantile)
		out_table__column(table, "difference");
	if (nr_arms == 2)
		out_table__column(table, "ratio");
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!verbose && !is_worth_a_line(row))
			continue;
		if (nr_arms == 2)
			two_arm_row(table, row);
		else
			many_arm_row(table, row);
	}
	return compare_print_table(out, table);
}

static int print_instructions(FILE *out, const json_t *comparison, bool verbose)
{
	int err;

	if (!json_is_array(json_object_get(comparison, "instructions")))
		return 0;
	err = print_rows(
		out, comparison, "instructions",
		"Instructions (~ not more than clock and seeds can do)",
		verbose);
	if (err || !json_array_size(json_object_get(comparison, "quantiles")))
		return err;
	return print_rows(
		out, comparison, "quantiles",
		"Quantiles in instructions (where they lie; ~ they overlap)",
		verbose);
}

/* --- the end --- */

static void print_notes(FILE *out, const json_t *notes)
{
	char text[1024];
	size_t i;

	for (i = 0; i < json_array_size(notes); i++)
		fprintf(out, "%snote: %s\n", i ? "" : "\n",
			out_text(text, sizeof(text),
				 json_string_value(json_array_get(notes, i))));
}

/* "gate: faults.p99=5% in eager: pass, within the limit", and the verdict. */
static void print_gates(FILE *out, const json_t *comparison)
{
	const json_t *gates = json_object_get(comparison, "gates");
	const json_t *verdict = json_object_get(comparison, "verdict");
	char text[512];
	size_t i;

	for (i = 0; i < json_array_size(gates); i++) {
		const json_t *gate = json_array_get(gates, i);

		fprintf(out, "%sgate: %s", i ? "" : "\n",
			out_text(text, sizeof(text), run_str(gate, "gate")));
		fprintf(out, " in %s: %s, %s\n", run_str(gate, "arm"),
			run_str(gate, "verdict"), run_str(gate, "text"));
	}
	if (i)
		fprintf(out, "verdict: %s\n",
			out_text(text, sizeof(text), run_str(verdict, "text")));
}

int compare_print(FILE *out, const json_t *comparison, bool quiet, bool verbose)
{
	bool is_many = nr_arms_of(comparison) > 2;
	char title[80];
	int err;

	if (!quiet)
		print_head(out, comparison, verbose);
	snprintf(
		title, sizeof(title),
		is_many ?
			"Exact counts (= as %s; below a figure its ratio to %s)" :
			"Exact counts",
		compare_label(comparison, 0), compare_label(comparison, 0));
	err = print_rows(out, comparison, "counts", title, verbose);
	if (!err)
		err = print_instructions(out, comparison, verbose);
	if (!err && json_is_array(json_object_get(comparison, "host_time")))
		err = compare_print_host(out, comparison, quiet);

	print_notes(out, json_object_get(comparison, "notes"));
	print_gates(out, comparison);
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
