// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds a comparison: the arms, the tables of its class, and what has to be
 * said about the runs. Three classes of figure that are never mixed.
 */
#include "user/compare.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/compare_tables.h"
#include "user/run.h"

#define COMPARE_SCHEMA "gstage-compare/2"

static const json_t *environment_of(const json_t *run)
{
	return json_object_get(run, "environment");
}

void compare_note(struct compare_context *context, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(context->notes, json_string(text));
}

/* The first boot in [@from, @to) with this seed, or @otherwise. */
static size_t find_seed(const struct compare_context *context, size_t from,
			size_t to, json_int_t seed, size_t otherwise)
{
	for (; from < to; from++) {
		if (context->seeds[from] == seed)
			return from;
	}
	return otherwise;
}

static void pair_boots(struct compare_context *context)
{
	size_t first = 0, b = 0, a, r;

	for (a = 0; a < context->nr_arms; a++) {
		const struct compare_arm *arm = &context->arms[a];

		for (r = 0; r < arm->nr_runs; r++, b++) {
			json_int_t seed =
				run_int(environment_of(arm->runs[r]), "seed");

			context->files[b] = arm->files[r];
			context->seeds[b] = seed;
			context->twins[b] = b;
			context->partners[b] = SIZE_MAX;
			if (!context->has_seeds)
				continue;
			context->twins[b] =
				find_seed(context, first, b, seed, b);
			context->partners[b] =
				find_seed(context, 0, context->arms[0].nr_runs,
					  seed, SIZE_MAX);
		}
		first += arm->nr_runs;
	}
}

int compare_context_init(struct compare_context *context,
			 const struct compare_arm *arms, size_t nr_arms)
{
	size_t nr_boots = figures_first_boot(arms, nr_arms);

	*context = (struct compare_context){
		.arms = arms,
		.nr_arms = nr_arms,
		.nr_boots = nr_boots,
		.has_seeds = run_has_insn_clock(arms[0].runs[0]),
		.files = calloc(nr_boots, sizeof(*context->files)),
		.seeds = calloc(nr_boots, sizeof(*context->seeds)),
		.twins = calloc(nr_boots, sizeof(*context->twins)),
		.partners = calloc(nr_boots, sizeof(*context->partners)),
		.notes = json_array(),
	};
	if (!context->files || !context->seeds || !context->twins ||
	    !context->partners || !context->notes)
		return -ENOMEM;
	pair_boots(context);
	return 0;
}

void compare_context_free(struct compare_context *context)
{
	json_decref(context->notes);
	free(context->partners);
	free(context->twins);
	free(context->seeds);
	free(context->files);
}

static json_t *arm_json(const struct compare_arm *arm)
{
	json_t *files = json_array(), *seeds = json_array();
	size_t i;

	for (i = 0; i < arm->nr_runs; i++) {
		const json_t *env = environment_of(arm->runs[i]);

		json_array_append_new(files, json_string(arm->files[i]));
		json_array_append_new(seeds,
				      json_integer(run_int(env, "seed")));
	}
	return json_pack("{s:s, s:o, s:o, s:b, s:O}", "label", arm->label,
			 "files", files, "seeds", seeds, "band", arm->is_band,
			 "environment", environment_of(arm->runs[0]));
}

static json_t *arms_json(const struct compare_arm *arms, size_t nr_arms)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < nr_arms; i++) {
		if (json_array_append_new(list, arm_json(&arms[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Failed checks and lost pages: [{arm, file, text}]. */
static json_t *broken_json(const struct compare_arm *arm)
{
	json_t *list = json_array();
	size_t i, c;

	for (i = 0; i < arm->nr_runs; i++) {
		const json_t *checks = json_object_get(arm->runs[i], "checks");
		const json_t *guest = json_object_get(arm->runs[i], "guest");

		for (c = 0; c < json_array_size(checks); c++) {
			const json_t *check = json_array_get(checks, c);

			if (json_is_true(json_object_get(check, "ok")))
				continue;
			json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:o}", "arm", arm->label,
					  "file", arm->files[i], "text",
					  json_sprintf("failed its check '%s'",
						       run_str(check, "name"))));
		}
		if (run_int(guest, "pages_lost"))
			json_array_append_new(
				list,
				json_pack(
					"{s:s, s:s, s:o}", "arm", arm->label,
					"file", arm->files[i], "text",
					json_sprintf(
						"lost %" JSON_INTEGER_FORMAT
						" pages",
						run_int(guest, "pages_lost"))));
	}
	return list;
}

/* One arm on an emulator is enough for the label: --vary accel. */
static const char *label_of_class(const struct compare_arm *arms,
				  size_t nr_arms)
{
	size_t i;

	if (run_has_insn_clock(arms[0].runs[0]))
		return "instructions (QEMU -icount), not a time";
	for (i = 0; i < nr_arms; i++) {
		if (!strcmp(run_str(environment_of(arms[i].runs[0]), "accel"),
			    "tcg"))
			return "host time, tcg: not a time on hardware";
	}
	return "host time";
}

/* One hart at a time shares one counter, so each sees the others' work. */
static bool have_own_counters(const struct compare_arm *arms, size_t nr_arms)
{
	size_t i;

	for (i = 0; i < nr_arms; i++) {
		if (run_int(environment_of(arms[i].runs[0]), "harts") > 1)
			return false;
	}
	return true;
}

/* A timer tick falls elsewhere with another seed: one boot cannot tell. */
static void note_single_seed(struct compare_context *context)
{
	size_t first = 0, nr, a, r;

	for (a = 0; a < context->nr_arms; a++) {
		nr = 0;
		for (r = 0; r < context->arms[a].nr_runs; r++)
			nr += context->twins[first + r] == first + r;
		first += context->arms[a].nr_runs;
		if (nr > 1)
			continue;
		compare_note(
			context,
			"one seed only: what another does to instructions is not known; record two or more");
		return;
	}
}

static int set_tables(json_t *json, struct compare_context *context)
{
	const json_t *run = context->arms[0].runs[0];
	bool is_insns = run_has_insn_clock(run);
	bool has_insns = is_insns &&
			 have_own_counters(context->arms, context->nr_arms);
	int err;

	if (is_insns && !has_insns)
		compare_note(
			context,
			"no table of instructions: harts in turn share one counter; record with one hart");
	if (has_insns)
		note_single_seed(context);
	err = json_object_set_new(json, "counts",
				  compare_exact_table(context, EXACT_COUNTS));
	err |= json_object_set_new(
		json, "instructions",
		has_insns ? compare_exact_table(context, EXACT_INSNS) :
			    json_null());
	err |= json_object_set_new(
		json, "quantiles",
		has_insns ? compare_exact_table(context, EXACT_QUANTILES) :
			    json_null());
	err |= json_object_set_new(json, "host_time",
				   is_insns ? json_null() :
					      compare_host_table(context));
	return err;
}

json_t *compare_build(const struct compare_arm *arms, size_t nr_arms,
		      const json_t *differs)
{
	const json_t *run = arms[0].runs[0];
	bool is_insns = run_has_insn_clock(run);
	struct compare_context context;
	json_t *json = NULL, *broken = json_array();
	size_t i;
	int err;

	err = compare_context_init(&context, arms, nr_arms);
	if (err)
		goto out;
	json = json_pack("{s:s, s:s, s:s, s:o, s:O}", "schema", COMPARE_SCHEMA,
			 "class", is_insns ? "instructions" : "host", "label",
			 label_of_class(arms, nr_arms), "arms",
			 arms_json(arms, nr_arms), "differs_in", differs);
	err = json ? set_tables(json, &context) : -ENOMEM;
	if (err)
		goto out;
	for (i = 0; i < nr_arms; i++) {
		json_t *list = broken_json(&arms[i]);

		err |= json_array_extend(broken, list);
		json_decref(list);
	}
	err |= json_object_set_new(
		json, "deterministic",
		is_insns ? json_boolean(!context.is_nondeterministic) :
			   json_null());
	err |= json_object_set_new(json, "boots_needed",
				   context.boots_needed ?
					   json_integer(context.boots_needed) :
					   json_null());
	err |= json_object_set(json, "notes", context.notes);
	err |= json_object_set(json, "broken", broken);
	err |= json_object_set_new(json, "gates", json_array());
out:
	json_decref(broken);
	compare_context_free(&context);
	if (!err)
		return json;
	json_decref(json);
	return NULL;
}
