// SPDX-License-Identifier: GPL-2.0-only
/* What a run was and whether to trust it; see report_env.h. */
#include "user/report_env.h"

#include <inttypes.h>
#include <string.h>

#include "user/run.h"

struct out_scale report_scale(const json_t *run, enum report_unit unit)
{
	static const struct out_scale scales[] = {
		[REPORT_UNIT_NS] = { "ns", 1, 0 },
		[REPORT_UNIT_US] = { "us", 1000, 3 },
		[REPORT_UNIT_MS] = { "ms", 1000000, 3 },
	};
	static const struct out_scale insns = { "insns", 1, 0 };

	return run_has_insn_clock(run) ? insns : scales[unit];
}

const char *report_clock_words(char *buf, size_t size, const json_t *run)
{
	const json_t *env = json_object_get(run, "environment");
	const char *accel = json_string_value(json_object_get(env, "accel"));
	json_int_t step = run_int(env, "clock_resolution_ns");
	const char *what;
	char steps[48] = "";

	if (run_has_insn_clock(run))
		what = "QEMU instruction counter, 1 ns = 1 instruction";
	else if (accel && !strcmp(accel, "tcg"))
		what = "host time under TCG emulation: not a performance figure";
	else
		what = "host time";
	if (step > 1)
		snprintf(steps, sizeof(steps),
			 ", steps of %" JSON_INTEGER_FORMAT, step);
	snprintf(buf, size, "%s%s", what, steps);
	return buf;
}

/* The member as text, whatever its type; "?" when it is not there. */
static const char *env_text(char *buf, size_t size, const json_t *env,
			    const char *key)
{
	const json_t *value = json_object_get(env, key);

	if (json_is_integer(value))
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	else
		out_text(buf, size,
			 json_is_string(value) ? json_string_value(value) :
						 "?");
	return buf;
}

/* Not there, or empty: whoever recorded the run did not know it. */
static bool is_unknown(const json_t *value)
{
	return !value || (json_is_string(value) && !json_string_length(value));
}

/* @label, then "name value, name value ..." for the members that are there. */
static void print_members(FILE *out, const json_t *env, const char *label,
			  const char *const (*members)[2])
{
	const char *separator = "";
	char text[128];

	fprintf(out, "%-10s", label);
	for (; (*members)[0]; members++) {
		if (is_unknown(json_object_get(env, (*members)[0])))
			continue;
		fprintf(out, "%s%s%s", separator, (*members)[1],
			env_text(text, sizeof(text), env, (*members)[0]));
		separator = ", ";
	}
	fputc('\n', out);
}

/* The command in as many lines as it needs, at blanks. */
static void print_command(FILE *out, const json_t *env)
{
	const json_t *words = json_object_get(env, "cmdline");
	size_t i, used = 10;
	char word[1024];

	fprintf(out, "%-10s", "command:");
	for (i = 0; i < json_array_size(words); i++) {
		out_text(word, sizeof(word),
			 json_string_value(json_array_get(words, i)));
		if (i && used + 1 + strlen(word) > OUT_WIDTH) {
			fprintf(out, "\n%-10s", "");
			used = 10;
		} else if (i) {
			used += (size_t)fprintf(out, " ");
		}
		used += strlen(word);
		fputs(word, out);
	}
	fputs(i ? "\n" : "none, a running VM was traced\n", out);
}

static void print_probes(FILE *out, const json_t *run)
{
	const json_t *probes = json_object_get(run, "probes");
	char fact[32], backend[32], hook[64], reason[256];
	size_t i;

	for (i = 0; i < json_array_size(probes); i++) {
		const json_t *probe = json_array_get(probes, i);

		if (!strcmp(run_str(probe, "status"), "missing")) {
			fprintf(out, "%-10s%s: missing, %s\n",
				i ? "" : "probes:",
				env_text(fact, sizeof(fact), probe, "fact"),
				env_text(reason, sizeof(reason), probe,
					 "reason"));
			continue;
		}
		fprintf(out,
			"%-10s%s: %s %s, %s, missed %" JSON_INTEGER_FORMAT "\n",
			i ? "" : "probes:",
			env_text(fact, sizeof(fact), probe, "fact"),
			env_text(backend, sizeof(backend), probe, "backend"),
			env_text(hook, sizeof(hook), probe, "hook"),
			json_is_true(json_object_get(probe, "attached")) ?
				"attached" :
				"not attached",
			run_int(probe, "misses"));
	}
}

/* What the tracer took of the kernel's memory, if it was recorded. */
static void print_memory(FILE *out, const json_t *env)
{
	if (!run_int(env, "map_bytes"))
		return;
	fprintf(out,
		"%-10s%" JSON_INTEGER_FORMAT
		" KiB, of them %" JSON_INTEGER_FORMAT
		" KiB for each possible CPU\n",
		"maps:", (run_int(env, "map_bytes") + 1023) >> 10,
		(run_int(env, "map_bytes_per_cpu") + 1023) >> 10);
}

void report_print_environment(FILE *out, const json_t *run, bool verbose)
{
	static const char *const kernel[][2] = {
		{ "kernel", "" },
		{ "base", "base " },
		{ "version", "version " },
		{ NULL, NULL },
	};
	static const char *const machine[][2] = {
		{ "machine", "" },   { "cpu", "cpu " },	  { "harts", "harts " },
		{ "accel", "" },     { "mode", "mode " }, { "seed", "seed " },
		{ "qemu", "QEMU " }, { NULL, NULL },
	};
	static const char *const tool[][2] = {
		{ "tool", "" },
		{ "cost", "cost " },
		{ NULL, NULL },
	};
	static const char *const hashes[][2] = {
		{ "kernel_config_sha256", "config " },
		{ NULL, NULL },
	};
	static const char *const kvm_hash[][2] = {
		{ "kvm_sha256", "kvm.ko " },
		{ NULL, NULL },
	};
	const json_t *env = json_object_get(run, "environment");
	char text[128];

	print_members(out, env, "kernel:", kernel);
	if (!is_unknown(json_object_get(env, "kvm_args")))
		fprintf(out, "%-10s%s\n", "kvm args:",
			env_text(text, sizeof(text), env, "kvm_args"));
	print_members(out, env, "machine:", machine);
	fprintf(out, "%-10s%s\n",
		"clock:", report_clock_words(text, sizeof(text), run));
	print_members(out, env, "tool:", tool);
	if (run_int(env, "pid"))
		fprintf(out, "%-10s%" JSON_INTEGER_FORMAT "\n",
			"pid:", run_int(env, "pid"));
	print_command(out, env);
	if (!verbose)
		return;
	if (!is_unknown(json_object_get(env, "kernel_config_sha256")))
		print_members(out, env, "sha256:", hashes);
	if (!is_unknown(json_object_get(env, "kvm_sha256")))
		print_members(out, env, "", kvm_hash);
	print_memory(out, env);
	print_probes(out, run);
}

/*
 * Each fact of that status, once; before the first @first, else a comma. Their
 * number.
 */
static size_t print_facts(FILE *out, const json_t *run, const char *status,
			  const char *first)
{
	const json_t *probes = json_object_get(run, "probes");
	const char *last = "";
	size_t i, n = 0;
	char text[256];

	for (i = 0; i < json_array_size(probes); i++) {
		const json_t *probe = json_array_get(probes, i);

		if (strcmp(run_str(probe, "status"), status) ||
		    !strcmp(run_str(probe, "fact"), last))
			continue;
		last = run_str(probe, "fact");
		fprintf(out, "%s%s", n++ ? ", " : first,
			env_text(text, sizeof(text), probe, "fact"));
	}
	return n;
}

/* What is not in the file and why is with -v; that it is not, always. */
static void print_missing(FILE *out, const json_t *run)
{
	char first[16];

	snprintf(first, sizeof(first), "%-10s", "not seen:");
	if (print_facts(out, run, "missing", first))
		fputc('\n', out);
}

void report_print_losses(FILE *out, const json_t *run)
{
	bool complete = json_is_true(json_object_get(run, "complete"));
	const char *key, *separator = " ";
	json_t *value;
	char name[64];

	if (complete) {
		fprintf(out, "%-10syes, nothing was lost\n", "complete:");
		print_missing(out, run);
		return;
	}
	fprintf(out,
		"%-10sNO, every figure is a lower bound; lost:", "complete:");
	json_object_foreach(json_object_get((json_t *)run, "losses"), key,
			    value) {
		if (!json_integer_value(value))
			continue;
		fprintf(out, "%s%s %" JSON_INTEGER_FORMAT, separator,
			out_text(name, sizeof(name), key),
			json_integer_value(value));
		separator = ", ";
	}
	if (print_facts(out, run, "partial",
			*separator == ' ' ? " a part of " : ", a part of "))
		separator = ", ";
	/* Cut short, by a time limit for example, without a counted loss. */
	if (*separator == ' ')
		fputs(" what came after it was cut short", out);
	fputc('\n', out);
	print_missing(out, run);
}

static void print_rounds(struct out_table *table, const json_t *rounds,
			 const struct out_scale *scale)
{
	static const char *const counts[] = { "pages_written", "pages_reported",
					      "pages_lost" };
	static const char *const times[] = { "dirty_ns", "get_ns", "clear_ns" };
	char text[32];
	size_t i, c;

	out_table__column(table, "round");
	out_table__column(table, "written");
	out_table__column(table, "reported");
	out_table__column(table, "lost");
	out_table__column(table, "dirty");
	out_table__column(table, "get");
	out_table__column(table, "clear");
	for (i = 0; i < json_array_size(rounds); i++) {
		const json_t *round = json_array_get(rounds, i);

		out_table__cell(table, "%" JSON_INTEGER_FORMAT,
				run_int(round, "round"));
		for (c = 0; c < 3; c++)
			out_table__cell(table, "%" JSON_INTEGER_FORMAT,
					run_int(round, counts[c]));
		for (c = 0; c < 3; c++)
			out_table__cell(
				table, "%s",
				out_scaled(text, sizeof(text),
					   (uint64_t)run_int(round, times[c]),
					   scale));
	}
}

int report_print_guest(FILE *out, const json_t *run,
		       const struct out_scale *scale)
{
	const json_t *guest = json_object_get(run, "guest"), *rounds;
	struct out_table *table;

	if (!json_object_size(guest))
		return 0;
	fprintf(out,
		"\nGuest (pages; %s)\n"
		"  in all: written %" JSON_INTEGER_FORMAT
		", reported %" JSON_INTEGER_FORMAT
		", lost %" JSON_INTEGER_FORMAT "%s\n",
		scale->unit, run_int(guest, "pages_written"),
		run_int(guest, "pages_reported"), run_int(guest, "pages_lost"),
		run_int(guest, "pages_lost") ?
			"  <-- dirty logging lost pages" :
			"");
	rounds = json_object_get(guest, "rounds");
	if (!json_array_size(rounds))
		return 0;
	table = out_table__new();
	print_rounds(table, rounds, scale);
	return out_table__finish(table, out);
}

void report_print_checks(FILE *out, const json_t *run, bool verbose)
{
	const json_t *checks = json_object_get(run, "checks");
	size_t i, nr_ok = 0, nr = json_array_size(checks);
	char name[64], detail[256];

	for (i = 0; i < nr; i++)
		nr_ok += json_is_true(
			json_object_get(json_array_get(checks, i), "ok"));
	if (!nr) {
		fprintf(out, "\nChecks: none were made\n");
		return;
	}
	fprintf(out, "\nChecks: %zu of %zu passed\n", nr_ok, nr);
	for (i = 0; i < nr; i++) {
		const json_t *check = json_array_get(checks, i);
		bool ok = json_is_true(json_object_get(check, "ok"));

		if (ok && !verbose)
			continue;
		fprintf(out, "  %-6s %s", ok ? "ok" : "FAILED",
			env_text(name, sizeof(name), check, "name"));
		if (json_object_get(check, "detail"))
			fprintf(out, ": %s",
				env_text(detail, sizeof(detail), check,
					 "detail"));
		fputc('\n', out);
	}
}
