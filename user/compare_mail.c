// SPDX-License-Identifier: GPL-2.0-only
/*
 * A comparison for a cover letter, at most 72 columns wide: what was compared,
 * on what, how often, in which class of figure, and what differs. Rows that are
 * equal are only counted.
 */
#include "user/compare_format.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "user/out.h"
#include "user/run.h"

#define WIDTH 72
#define NAME_WIDTH 30
#define VALUE_WIDTH 9
#define INDENT 2

/* @text in lines of at most WIDTH, broken at blanks where there are some. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t indent = 0, room, len, take;

	while (*text) {
		room = WIDTH - indent;
		len = strlen(text);
		take = len;
		if (len > room) {
			for (take = room; take && text[take] != ' '; take--)
				;
			if (!take)
				take = room;
		}
		fprintf(out, "%*s%.*s\n", (int)indent, "", (int)take, text);
		text += take;
		while (*text == ' ')
			text++;
		indent = 2 * INDENT;
	}
}

static void append(char *buf, size_t size, const char *before, const char *text)
{
	size_t used = strlen(buf);
	char safe[512];

	if (!text || !*text || used >= size)
		return;
	snprintf(buf + used, size - used, "%s%s", before,
		 out_text(safe, sizeof(safe), text));
}

static void append_member(char *buf, size_t size, const char *before,
			  const json_t *env, const char *member)
{
	append(buf, size, before,
	       json_string_value(json_object_get(env, member)));
}

static void print_machine(FILE *out, const json_t *env)
{
	const json_t *cmdline = json_object_get(env, "cmdline");
	char text[2048] = "Kernel ", harts[32];
	size_t i;

	append_member(text, sizeof(text), "", env, "kernel");
	append_member(text, sizeof(text), ", base ", env, "base");
	append_member(text, sizeof(text), ", ", env, "machine");
	append_member(text, sizeof(text), " ", env, "cpu");
	if (run_int(env, "harts")) {
		snprintf(harts, sizeof(harts), ", harts %" JSON_INTEGER_FORMAT,
			 run_int(env, "harts"));
		append(text, sizeof(text), "", harts);
	}
	append_member(text, sizeof(text), ", ", env, "accel");
	append_member(text, sizeof(text), ", QEMU ", env, "qemu");
	append_member(text, sizeof(text), ", ", env, "tool");
	print_wrapped(out, text);

	snprintf(text, sizeof(text), "Workload:");
	for (i = 0; i < json_array_size(cmdline); i++)
		append(text, sizeof(text), " ",
		       json_string_value(json_array_get(cmdline, i)));
	print_wrapped(out, text);
}

/* "v4: 10 boots, version v4, kvm_args x, source 0123456789ab" */
static void print_arm(FILE *out, const json_t *arm)
{
	const json_t *env = json_object_get(arm, "environment");
	char text[1024], source[16];

	snprintf(text, sizeof(text), "%s: n=%zu", run_str(arm, "label"),
		 json_array_size(json_object_get(arm, "files")));
	append_member(text, sizeof(text), ", version ", env, "version");
	append_member(text, sizeof(text), ", ", env, "version_args");
	append_member(text, sizeof(text), ", ", env, "kvm_args");
	snprintf(source, sizeof(source), "%.12s",
		 json_object_get(env, "source_sha256") ?
			 run_str(env, "source_sha256") :
			 "");
	append(text, sizeof(text), ", source ", source);
	if (json_is_true(json_object_get(arm, "band")))
		append(text, sizeof(text), "", " (noise band)");
	print_wrapped(out, text);
}

/* --- rows --- */

/* What stands in the columns of a row, as text. */
struct line {
	char name[128];
	char a[32], b[32];
	char change[32], more[32];
};

/* Four digits of a time, all of a count as long as they fit. */
static void value_text(char *buf, size_t size, const json_t *cell,
		       const char *unit)
{
	const json_t *median = json_object_get(cell, "median");
	json_int_t ge = run_int(cell, "ge"), le = run_int(cell, "le");
	double v = json_number_value(median);

	if (!json_is_object(cell))
		snprintf(buf, size, "-");
	else if (json_object_get(cell, "ge") && ge != le)
		snprintf(buf, size,
			 "%" JSON_INTEGER_FORMAT "..%" JSON_INTEGER_FORMAT, ge,
			 le);
	else if (json_object_get(cell, "ge"))
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, ge);
	else if (!strcmp(unit, "ns"))
		snprintf(buf, size, v < 1e6 ? "%.4gus" : "%.4gms",
			 v / (v < 1e6 ? 1e3 : 1e6));
	else if (json_is_integer(median) && v < 1e11)
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(median));
	else
		snprintf(buf, size, "%.4g", v);
}

static void change_text(struct line *line, const json_t *versus)
{
	const char *verdict = run_str(versus, "verdict");
	const json_t *ratio = json_object_get(versus, "ratio");
	const json_t *range = json_object_get(versus, "ratio_range");
	const json_t *interval = json_object_get(versus, "interval");
	const json_t *least = json_object_get(versus, "detectable");

	if (!strcmp(verdict, "varies"))
		snprintf(line->change, sizeof(line->change), "varies");
	else if (!strcmp(verdict, "unknown"))
		snprintf(line->change, sizeof(line->change), "~");
	else if (json_is_number(ratio))
		snprintf(line->change, sizeof(line->change),
			 json_number_value(ratio) < 1000 ? "%.3f" : "%.3g",
			 json_number_value(ratio));
	else if (json_is_array(range))
		snprintf(line->change, sizeof(line->change), "%.2f..%.2f",
			 json_number_value(json_array_get(range, 0)),
			 json_number_value(json_array_get(range, 1)));
	else
		snprintf(line->change, sizeof(line->change), "-");

	if (!strcmp(verdict, "unknown") && json_is_number(least))
		snprintf(line->more, sizeof(line->more), "(<%.0f%%)",
			 ceil(100 * json_number_value(least)));
	else if (json_is_array(interval))
		snprintf(line->more, sizeof(line->more), "%.2f..%.2f",
			 json_number_value(json_array_get(interval, 0)),
			 json_number_value(json_array_get(interval, 1)));
}

static void print_line(FILE *out, const struct line *line)
{
	char text[512];
	size_t len;

	snprintf(text, sizeof(text), "%*s%-*s %*s %*s %7s %s", INDENT, "",
		 NAME_WIDTH, line->name, VALUE_WIDTH, line->a, VALUE_WIDTH,
		 line->b, line->change, line->more);
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	/* What is wide, as ranges are, has two lines, the second to the right. */
	if (len > WIDTH) {
		fprintf(out, "%*s", INDENT, "");
		print_wrapped(out, line->name);
		snprintf(text, sizeof(text), "%s %s %s %s", line->a, line->b,
			 line->change, line->more);
		len = strlen(text);
		while (len && text[len - 1] == ' ')
			text[--len] = '\0';
		if (len <= WIDTH)
			fprintf(out, "%*s", (int)(WIDTH - len), "");
		print_wrapped(out, text);
		return;
	}
	fprintf(out, "%s\n", text);
}

/*
 * The rows of a table in which @arm is not equal to the first; in host time,
 * where nothing is equal, those of whole phases and of all paths.
 */
static bool is_wanted(const json_t *row, size_t arm)
{
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), arm - 1);
	const char *verdict = run_str(versus, "verdict");

	if (!strcmp(verdict, "differs") || !strcmp(verdict, "varies"))
		return true;
	return !strcmp(run_str(row, "unit"), "ns") &&
	       (!strcmp(run_str(row, "section"), "phase") ||
		!strncmp(run_str(row, "name"), "all paths", 9));
}

static void print_table(FILE *out, const json_t *comparison, const char *table,
			const char *title, size_t arm)
{
	const json_t *rows = json_object_get(comparison, table);
	size_t nr = 0, r;

	if (!json_array_size(rows))
		return;
	fprintf(out, "%s\n", title);
	for (r = 0; r < json_array_size(rows); r++) {
		const json_t *row = json_array_get(rows, r);
		const json_t *cells = json_object_get(row, "arms");
		const char *unit = run_str(row, "unit");
		struct line line = { 0 };

		if (!is_wanted(row, arm))
			continue;
		nr++;
		append(line.name, sizeof(line.name), "",
		       run_str(row, "section"));
		append(line.name, sizeof(line.name), ": ",
		       run_str(row, "name"));
		value_text(line.a, sizeof(line.a), json_array_get(cells, 0),
			   unit);
		value_text(line.b, sizeof(line.b), json_array_get(cells, arm),
			   unit);
		change_text(&line,
			    json_array_get(json_object_get(row, "versus"),
					   arm - 1));
		print_line(out, &line);
	}
	if (nr < json_array_size(rows))
		fprintf(out, "%*s%zu %srows: no difference shown\n", INDENT, "",
			json_array_size(rows) - nr, nr ? "other " : "");
}

static void print_arm_tables(FILE *out, const json_t *comparison, size_t arm)
{
	const json_t *arms = json_object_get(comparison, "arms");
	struct line line = { .change = "ratio" };
	char title[96];

	snprintf(line.a, sizeof(line.a), "%s",
		 run_str(json_array_get(arms, 0), "label"));
	snprintf(line.b, sizeof(line.b), "%s",
		 run_str(json_array_get(arms, arm), "label"));
	fputc('\n', out);
	print_line(out, &line);
	print_table(out, comparison, "counts", "Exact counts", arm);
	print_table(out, comparison, "instructions",
		    "Instructions (QEMU -icount)", arm);
	print_table(out, comparison, "quantiles",
		    "Instructions, ranges of quantiles", arm);
	snprintf(title, sizeof(title), "%s%s", run_str(comparison, "label"),
		 json_is_null(json_object_get(comparison, "boots_needed")) ?
			 "" :
			 "; too few boots");
	*title = (char)toupper((unsigned char)*title);
	print_table(out, comparison, "host_time", title, arm);
}

static void print_note(FILE *out, const json_t *note)
{
	char text[1024] = "";

	append(text, sizeof(text), "Note: ", json_string_value(note));
	print_wrapped(out, text);
}

static void print_gate(FILE *out, const json_t *gate)
{
	char text[1024] = "";

	append(text, sizeof(text), "Gate: ", run_str(gate, "gate"));
	append(text, sizeof(text), " in ", run_str(gate, "arm"));
	append(text, sizeof(text), ": ", run_str(gate, "verdict"));
	append(text, sizeof(text), ", ", run_str(gate, "text"));
	print_wrapped(out, text);
}

int compare_print_mail(FILE *out, const json_t *comparison)
{
	const json_t *arms = json_object_get(comparison, "arms");
	const json_t *gates = json_object_get(comparison, "gates");
	const json_t *broken = json_object_get(comparison, "broken");
	const json_t *notes = json_object_get(comparison, "notes");
	const json_t *verdict = json_object_get(comparison, "verdict");
	char text[512];
	size_t i;

	snprintf(text, sizeof(text), "gstage compare: %s",
		 run_str(comparison, "label"));
	print_wrapped(out, text);
	print_machine(out,
		      json_object_get(json_array_get(arms, 0), "environment"));
	for (i = 0; i < json_array_size(arms); i++)
		print_arm(out, json_array_get(arms, i));
	for (i = 1; i < json_array_size(arms); i++)
		print_arm_tables(out, comparison, i);
	fputc('\n', out);
	if (json_array_size(json_object_get(comparison, "host_time")))
		print_wrapped(
			out,
			"Medians over boots; ~ (<N%): no difference shown, the boots would have shown N %.");
	for (i = 0; i < json_array_size(notes); i++)
		print_note(out, json_array_get(notes, i));
	for (i = 0; i < json_array_size(broken); i++) {
		const json_t *one = json_array_get(broken, i);

		*text = '\0';
		append(text, sizeof(text), "", run_str(one, "arm"));
		append(text, sizeof(text), ": ", run_str(one, "text"));
		print_wrapped(out, text);
	}
	for (i = 0; i < json_array_size(gates); i++)
		print_gate(out, json_array_get(gates, i));
	*text = '\0';
	append(text, sizeof(text), "Verdict: ", run_str(verdict, "text"));
	if (json_array_size(gates) || run_int(verdict, "status"))
		print_wrapped(out, text);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
