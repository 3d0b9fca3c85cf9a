// SPDX-License-Identifier: GPL-2.0-only
/*
 * A comparison as KTAP (Documentation/dev-tools/ktap.rst of the kernel). What
 * cannot be decided is a SKIP: neither pass nor failure.
 */
#include "user/compare_format.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "user/out.h"
#include "user/run.h"

/* A description must not hold what KTAP takes for a directive. */
static const char *ktap_text(char *buf, size_t size, const char *text)
{
	char *p;

	out_text(buf, size, text);
	for (p = buf; *p; p++) {
		if (*p == '#')
			*p = '_';
	}
	return buf;
}

/* "fault latency", "fast write p99.9" is fault-latency.fast-write-p99.9. */
static void print_metric(FILE *out, const json_t *row)
{
	const char *parts[] = { run_str(row, "section"), run_str(row, "name") };
	const char *p;
	size_t i;

	for (i = 0; i < 2; i++) {
		bool gap = false;

		for (p = parts[i]; *p; p++) {
			if (!isalnum((unsigned char)*p) && *p != '.') {
				gap = true;
				continue;
			}
			fprintf(out, "%s%c", gap ? "-" : "",
				tolower((unsigned char)*p));
			gap = false;
		}
		if (!i)
			fputc('.', out);
	}
}

static void print_number(FILE *out, const char *key, const json_t *value)
{
	if (json_is_integer(value))
		fprintf(out, " %s=%" JSON_INTEGER_FORMAT, key,
			json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, " %s=%.6g", key, json_real_value(value));
}

static void print_range(FILE *out, const char *key, const json_t *range)
{
	if (json_is_array(range))
		fprintf(out, " %s=%.6g..%.6g", key,
			json_number_value(json_array_get(range, 0)),
			json_number_value(json_array_get(range, 1)));
}

/* "# faults.all-paths arm=eager value=1 reference=1 unit=count ..." */
static void print_row(FILE *out, const json_t *arms, const json_t *row,
		      size_t arm)
{
	const json_t *cells = json_object_get(row, "arms");
	const json_t *a = json_array_get(cells, 0);
	const json_t *b = json_array_get(cells, arm);
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), arm - 1);

	fputs("# ", out);
	print_metric(out, row);
	fprintf(out, " arm=%s unit=%s",
		run_str(json_array_get(arms, arm), "label"),
		run_str(row, "unit"));
	print_number(out, "value", json_object_get(b, "median"));
	print_number(out, "reference", json_object_get(a, "median"));
	print_number(out, "ge", json_object_get(b, "ge"));
	print_number(out, "le", json_object_get(b, "le"));
	print_number(out, "n", json_object_get(b, "n"));
	print_number(out, "ratio", json_object_get(versus, "ratio"));
	print_range(out, "ci", json_object_get(versus, "interval"));
	print_number(out, "p", json_object_get(versus, "p_holm"));
	print_number(out, "detectable", json_object_get(versus, "detectable"));
	fprintf(out, " verdict=%s\n", run_str(versus, "verdict"));
}

static void print_rows(FILE *out, const json_t *comparison, const char *table)
{
	const json_t *rows = json_object_get(comparison, table);
	const json_t *arms = json_object_get(comparison, "arms");
	size_t r, a;

	for (r = 0; r < json_array_size(rows); r++) {
		for (a = 1; a < json_array_size(arms); a++)
			print_row(out, arms, json_array_get(rows, r), a);
	}
}

static void print_head(FILE *out, const json_t *comparison)
{
	const json_t *arms = json_object_get(comparison, "arms");
	const json_t *notes = json_object_get(comparison, "notes");
	char text[1024];
	size_t i;

	fprintf(out, "# class: %s\n", run_str(comparison, "label"));
	for (i = 0; i < json_array_size(arms); i++) {
		const json_t *arm = json_array_get(arms, i);
		const json_t *env = json_object_get(arm, "environment");

		fprintf(out, "# arm %s: boots=%zu", run_str(arm, "label"),
			json_array_size(json_object_get(arm, "files")));
		fprintf(out, " version=%s",
			out_text(text, sizeof(text), run_str(env, "version")));
		fprintf(out, " kvm_args=\"%s\"",
			out_text(text, sizeof(text), run_str(env, "kvm_args")));
		fprintf(out, " kernel=%s\n",
			out_text(text, sizeof(text), run_str(env, "kernel")));
	}
	for (i = 0; i < json_array_size(notes); i++)
		fprintf(out, "# %s\n",
			out_text(text, sizeof(text),
				 json_string_value(json_array_get(notes, i))));
}

/* Failed checks and lost pages of an arm. */
static void print_arm_result(FILE *out, const json_t *comparison, size_t arm)
{
	const json_t *broken = json_object_get(comparison, "broken");
	const json_t *arms = json_object_get(comparison, "arms");
	const char *label = run_str(json_array_get(arms, arm), "label");
	bool ok = true;
	char text[512];
	size_t i;

	for (i = 0; i < json_array_size(broken); i++) {
		const json_t *one = json_array_get(broken, i);

		if (strcmp(run_str(one, "arm"), label))
			continue;
		ok = false;
		fprintf(out, "# %s",
			out_text(text, sizeof(text), run_str(one, "file")));
		fprintf(out, " %s\n",
			out_text(text, sizeof(text), run_str(one, "text")));
	}
	fprintf(out, "%s %zu %s: no page lost, no check failed\n",
		ok ? "ok" : "not ok", arm + 1, label);
}

static void print_gate_result(FILE *out, const json_t *gate, size_t number)
{
	const char *verdict = run_str(gate, "verdict");
	char name[256], arm[64], text[512];

	fprintf(out, "%s %zu %s: %s", strcmp(verdict, "fail") ? "ok" : "not ok",
		number, ktap_text(arm, sizeof(arm), run_str(gate, "arm")),
		ktap_text(name, sizeof(name), run_str(gate, "gate")));
	if (!strcmp(verdict, "unknown"))
		fprintf(out, " # SKIP %s",
			ktap_text(text, sizeof(text), run_str(gate, "text")));
	else if (!strcmp(verdict, "fail"))
		fprintf(out, "\n# %s",
			ktap_text(text, sizeof(text), run_str(gate, "text")));
	fputc('\n', out);
}

int compare_print_ktap(FILE *out, const json_t *comparison)
{
	static const char *const tables[] = { "counts", "instructions",
					      "quantiles", "host_time" };
	const json_t *deterministic =
		json_object_get(comparison, "deterministic");
	const json_t *gates = json_object_get(comparison, "gates");
	size_t nr_arms = json_array_size(json_object_get(comparison, "arms"));
	size_t nr_gates = json_array_size(gates), number = nr_arms, i;
	bool has_harness = json_is_boolean(deterministic);

	fprintf(out, "KTAP version 1\n1..%zu\n",
		nr_arms + has_harness + nr_gates);
	print_head(out, comparison);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		print_rows(out, comparison, tables[i]);
	for (i = 0; i < nr_arms; i++)
		print_arm_result(out, comparison, i);
	if (has_harness)
		fprintf(out, "%s %zu the same seed gives the same figures\n",
			json_is_true(deterministic) ? "ok" : "not ok",
			++number);
	for (i = 0; i < nr_gates; i++)
		print_gate_result(out, json_array_get(gates, i), ++number);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
