// SPDX-License-Identifier: GPL-2.0-only
/* Counts and instructions of a comparison: every verdict, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample_arms.h"

static const json_t *find_row(const json_t *comparison, const char *table,
			      const char *section, const char *name)
{
	const json_t *row = sample_find(comparison, table, section, name);

	if (!row)
		fail_msg("%s has no row %s: %s", table, section, name);
	return row;
}

static void assert_row(const json_t *row, json_int_t a, json_int_t b,
		       const char *verdict)
{
	assert_int_equal(run_int(sample_cell(row, 0), "median"), a);
	assert_int_equal(run_int(sample_cell(row, 1), "median"), b);
	assert_int_equal(run_int(sample_versus(row, 1), "difference"), b - a);
	assert_string_equal(sample_verdict(row, 1), verdict);
}

static json_t *build(struct sample_arms *arms)
{
	json_t *comparison = sample_build(arms);

	assert_non_null(comparison);
	return comparison;
}

static bool has_note(const json_t *comparison, const char *text)
{
	const json_t *notes = json_object_get(comparison, "notes");
	size_t i;

	for (i = 0; i < json_array_size(notes); i++) {
		if (strstr(json_string_value(json_array_get(notes, i)), text))
			return true;
	}
	return false;
}

static void test_absent_count_is_zero(void **state)
{
	struct sample_arms arms;
	json_t *comparison;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	/* The other arm splits when logging is enabled, and faults fast. */
	sample_set(sample_row(&arms, 1, 0, "splits", 0), "cause", "enable");
	json_array_remove(json_object_get(arms.runs[1][0], "faults"), 1);
	comparison = build(&arms);
	assert_row(find_row(comparison, "counts", "splits", "fault 2M -> 4K"),
		   8, 0, "differs");
	assert_row(find_row(comparison, "counts", "splits", "enable 2M -> 4K"),
		   0, 8, "differs");
	assert_row(find_row(comparison, "counts", "faults", "split write"), 8,
		   0, "differs");
	assert_row(find_row(comparison, "counts", "faults", "all paths"), 24,
		   16, "differs");
	assert_row(find_row(comparison, "counts", "flush bytes", "page"), 4096,
		   4096, "equal");
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* Rows of a section stay together, whichever arm brings them. */
static void test_sections_stay_together(void **state)
{
	const char *before = "", *section;
	struct sample_arms arms;
	json_t *comparison, *seen = json_object();
	const json_t *rows;
	size_t i;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_set(sample_row(&arms, 1, 0, "splits", 0), "cause", "enable");
	sample_set(sample_row(&arms, 1, 0, "faults", 1), "path", "prot");
	comparison = build(&arms);
	rows = json_object_get(comparison, "counts");
	for (i = 0; i < json_array_size(rows); i++) {
		section = run_str(json_array_get(rows, i), "section");
		if (!strcmp(section, before))
			continue;
		assert_null(json_object_get(seen, section));
		json_object_set_new(seen, section, json_true());
		before = section;
	}
	json_decref(seen);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_absent_duration_is_absent(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	json_array_remove(json_object_get(arms.runs[1][0], "faults"), 1);
	comparison = build(&arms);
	/* 15 * 3000 + 5000, and 7 * 14000 + 20000 more */
	assert_row(find_row(comparison, "instructions", "fault total",
			    "all paths"),
		   168000, 50000, "differs");
	assert_row(find_row(comparison, "instructions", "fault mean",
			    "fast write"),
		   3125, 3125, "equal");
	assert_row(find_row(comparison, "instructions", "phase", "dirty 1"),
		   600, 600, "equal");
	row = find_row(comparison, "instructions", "fault total",
		       "split write");
	assert_true(json_is_null(sample_cell(row, 1)));
	assert_true(json_is_null(
		json_object_get(sample_versus(row, 1), "difference")));
	assert_true(
		json_is_null(json_object_get(sample_versus(row, 1), "ratio")));
	assert_string_equal(sample_verdict(row, 1), "unknown");
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_a_step_and_a_tick_are_no_difference(void **state)
{
	/* 8200 in the first arm, too short for more than a tick of 8000; a clock of 100 */
	static const struct {
		json_int_t duration;
		const char *verdict;
	} cases[] = {
		{ 8200, "equal" },    { 8300, "unknown" },
		{ 12700, "unknown" }, { 16300, "unknown" },
		{ 16301, "differs" }, { 100, "unknown" },
		{ 99, "differs" },
	};
	struct sample_arms arms;
	json_t *comparison;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_arms(&arms, 1, 1, 0);
		sample_int(sample_env(&arms, 0, 0), "clock_resolution_ns", 100);
		sample_int(sample_env(&arms, 1, 0), "clock_resolution_ns", 100);
		sample_int(sample_row(&arms, 0, 0, "phases", 0), "duration_ns",
			   8200);
		sample_int(sample_row(&arms, 1, 0, "phases", 0), "duration_ns",
			   cases[i].duration);
		comparison = build(&arms);
		assert_row(find_row(comparison, "instructions", "phase",
				    "enable"),
			   8200, cases[i].duration, cases[i].verdict);
		json_decref(comparison);
		sample_arms_free(&arms);
	}
}

/* A latency histogram of the fast faults with these sums. */
static void set_fast(struct sample_arms *arms, size_t arm, size_t boot,
		     int count, json_int_t value, json_int_t last)
{
	json_t *row = sample_row(arms, arm, boot, "faults", 0);

	sample_int(row, "count", count + 1);
	json_object_set_new(row, "latency",
			    sample_hist("ns", (uint64_t)value, count,
					(uint64_t)last));
}

/*
 * 10,000 faults timed by a clock of 100: 3 * sqrt(10000) steps is what their sum
 * may be off by, 3 instructions each.
 */
static void test_a_mean_is_finer_than_the_clock(void **state)
{
	static const struct {
		json_int_t value;
		const char *verdict;
	} cases[] = { { 2900, "equal" },   { 2902, "unknown" },
		      { 2898, "unknown" }, { 2904, "differs" },
		      { 2920, "differs" }, { 2880, "differs" } };
	struct sample_arms arms;
	json_t *comparison;
	size_t i, b;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_arms(&arms, 2, 2, 0);
		sample_number(&arms);
		for (b = 0; b < 2; b++) {
			sample_int(sample_env(&arms, 0, b),
				   "clock_resolution_ns", 100);
			sample_int(sample_env(&arms, 1, b),
				   "clock_resolution_ns", 100);
			set_fast(&arms, 0, b, 9999, 2900, 2900);
			set_fast(&arms, 1, b, 9999, cases[i].value,
				 cases[i].value);
		}
		comparison = build(&arms);
		assert_row(find_row(comparison, "instructions", "fault mean",
				    "fast write"),
			   2900, cases[i].value, cases[i].verdict);
		assert_row(find_row(comparison, "instructions", "fault total",
				    "fast write"),
			   29000000, 10000 * cases[i].value, cases[i].verdict);
		json_decref(comparison);
		sample_arms_free(&arms);
	}
}

/* What the clock was too coarse for is in no mean: no finer than a step then. */
static void test_underflow_makes_a_mean_coarse(void **state)
{
	struct sample_arms arms;
	json_t *comparison, *latency;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_int(sample_env(&arms, 0, 0), "clock_resolution_ns", 100);
	sample_int(sample_env(&arms, 1, 0), "clock_resolution_ns", 100);
	set_fast(&arms, 0, 0, 9999, 2900, 2900);
	set_fast(&arms, 1, 0, 9999, 2950, 2950);
	latency = json_object_get(sample_row(&arms, 1, 0, "faults", 0),
				  "latency");
	sample_int(latency, "count", 10001);
	sample_int(latency, "underflow", 1);
	comparison = build(&arms);
	assert_row(find_row(comparison, "instructions", "fault mean",
			    "fast write"),
		   2900, 2950, "unknown");
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* Phase "enable" of two boots an arm with the seeds 1 and 2. */
static json_t *compare_enable(struct sample_arms *arms, const json_int_t *ns)
{
	size_t i;

	sample_arms(arms, 2, 2, 0);
	sample_number(arms);
	for (i = 0; i < 4; i++)
		sample_int(sample_row(arms, i / 2, i % 2, "phases", 0),
			   "duration_ns", ns[i]);
	return build(arms);
}

static void test_every_verdict_on_instructions(void **state)
{
	static const struct {
		json_int_t ns[4]; /* two of each arm */
		const char *verdict;
		bool agree;
	} cases[] = {
		{ { 10000000, 10000050, 10000000, 10000050 }, "equal", true },
		/* the same two, but the seeds gave the other one */
		{ { 10000000, 10000050, 10000050, 10000000 }, "unknown", true },
		{ { 10000000, 10000050, 10040060, 10040100 }, "differs", true },
		{ { 10000000, 10000050, 9900000, 9900050 }, "differs", true },
		{ { 10000000, 10000050, 10000020, 10000080 }, "unknown", true },
		/* a tick of the timer, in both boots of one arm */
		{ { 10000000, 10000050, 10006500, 10006550 }, "unknown", true },
		/* and what RCU and the scheduler do at one */
		{ { 10000000, 10000050, 10035750, 10035800 }, "unknown", true },
		/* more than 0.1 % */
		{ { 10000000, 10100000, 10050000, 10150000 }, "varies", false },
		{ { 10000000, 10100000, 10150000, 10150000 }, "varies", false },
		{ { 10000000, 10100000, 20000000, 20100000 }, "differs", false },
		{ { 10000000, 10100000, 10000000, 10100000 }, "equal", false },
	};
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		comparison = compare_enable(&arms, cases[i].ns);
		row = find_row(comparison, "instructions", "phase", "enable");
		if (strcmp(sample_verdict(row, 1), cases[i].verdict))
			fail_msg("case %zu: %s, not %s", i,
				 sample_verdict(row, 1), cases[i].verdict);
		assert_int_equal(json_is_true(json_object_get(
					 sample_cell(row, 0), "agree")),
				 cases[i].agree);
		assert_int_equal(has_note(comparison, "over boots"),
				 !cases[i].agree);
		assert_true(json_is_true(
			json_object_get(comparison, "deterministic")));
		json_decref(comparison);
		sample_arms_free(&arms);
	}
}

static void test_boots_that_disagree_are_named(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	sample_arms(&arms, 2, 1, 0);
	sample_number(&arms);
	sample_int(sample_row(&arms, 0, 1, "splits", 0), "count", 11);
	comparison = build(&arms);
	row = find_row(comparison, "counts", "splits", "fault 2M -> 4K");
	assert_int_equal(run_int(sample_cell(row, 0), "median"), 8);
	assert_int_equal(run_int(sample_cell(row, 0), "min"), 8);
	assert_int_equal(run_int(sample_cell(row, 0), "max"), 11);
	assert_int_equal(run_int(sample_cell(row, 0), "n"), 2);
	assert_string_equal(sample_verdict(row, 1), "varies");
	assert_true(
		has_note(comparison,
			 "splits: fault 2M -> 4K: 8 in first, 11 in second"));
	/* Other seeds may do that; the harness repeats a seed. */
	assert_true(json_is_true(json_object_get(comparison, "deterministic")));
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_one_seed_must_repeat(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	/* The same seed three times, and alike: one boot as far as figures go. */
	sample_arms(&arms, 3, 1, 0);
	comparison = build(&arms);
	row = find_row(comparison, "counts", "splits", "fault 2M -> 4K");
	assert_int_equal(run_int(sample_cell(row, 0), "n"), 1);
	assert_string_equal(sample_verdict(row, 1), "equal");
	assert_false(has_note(comparison, "not deterministic"));
	assert_true(has_note(comparison, "one seed only"));
	json_decref(comparison);

	sample_int(sample_row(&arms, 0, 2, "splits", 0), "count", 9);
	comparison = build(&arms);
	row = find_row(comparison, "counts", "splits", "fault 2M -> 4K");
	assert_string_equal(sample_verdict(row, 1), "varies");
	assert_true(has_note(comparison, "the same seed gave 'one' two"));
	assert_true(has_note(comparison, "8 in first, 9 in third"));
	assert_true(
		json_is_false(json_object_get(comparison, "deterministic")));
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_three_arms_against_the_first(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	sample_arms(&arms, 1, 1, 1);
	sample_int(sample_row(&arms, 1, 0, "splits", 0), "count", 16);
	sample_int(sample_row(&arms, 2, 0, "phases", 0), "duration_ns", 60000);
	comparison = build(&arms);
	row = find_row(comparison, "counts", "splits", "fault 2M -> 4K");
	assert_string_equal(sample_verdict(row, 1), "differs");
	assert_string_equal(sample_verdict(row, 2), "equal");
	assert_true(json_real_value(json_object_get(sample_versus(row, 1),
						    "ratio")) == 2.0);
	row = find_row(comparison, "instructions", "phase", "enable");
	assert_string_equal(sample_verdict(row, 1), "equal");
	assert_string_equal(sample_verdict(row, 2), "differs");
	assert_int_equal(json_array_size(json_object_get(row, "arms")), 3);
	assert_int_equal(json_array_size(json_object_get(row, "versus")), 2);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_a_band_must_repeat_the_first(void **state)
{
	struct sample_arms arms;
	json_t *comparison;

	(void)state;
	sample_arms(&arms, 2, 2, 2);
	sample_number(&arms);
	arms.arms[2].is_band = true;
	/* Counts that vary over the seeds, but repeat. */
	sample_int(sample_row(&arms, 0, 1, "splits", 0), "count", 9);
	sample_int(sample_row(&arms, 2, 1, "splits", 0), "count", 9);
	comparison = build(&arms);
	assert_true(json_is_true(json_object_get(comparison, "deterministic")));
	assert_false(has_note(comparison, "repeats"));
	json_decref(comparison);

	sample_int(sample_row(&arms, 2, 1, "phases", 0), "duration_ns", 201);
	comparison = build(&arms);
	assert_true(
		json_is_false(json_object_get(comparison, "deterministic")));
	assert_true(has_note(comparison,
			     "'three' repeats 'one' with the same seeds, but"));
	json_decref(comparison);
	sample_arms_free(&arms);
}

static const json_t *quantile(const json_t *comparison, const char *name)
{
	return find_row(comparison, "quantiles", "fault latency", name);
}

static void test_quantiles_cover_all_boots(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	sample_arms(&arms, 2, 1, 0);
	sample_number(&arms);
	/* The second boot is slower. */
	json_object_set_new(sample_row(&arms, 0, 1, "faults", 0), "latency",
			    sample_hist("ns", 9000, 15, 9100));
	comparison = build(&arms);
	row = quantile(comparison, "fast write p90");
	/* rank 15 of 16: the bucket [2944, 3072), and [8704, 9216) */
	assert_int_equal(run_int(sample_cell(row, 0), "ge"), 3000);
	assert_int_equal(run_int(sample_cell(row, 0), "le"), 9100);
	assert_int_equal(run_int(sample_cell(row, 1), "ge"), 3000);
	assert_int_equal(run_int(sample_cell(row, 1), "le"), 3071);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_string_equal(run_str(row, "path"), "fast write");
	assert_string_equal(run_str(row, "quantile"), "p90");
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_verdicts_on_quantiles(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row, *range;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	json_object_set_new(sample_row(&arms, 1, 0, "faults", 0), "latency",
			    sample_hist("ns", 3010, 15, 8000));
	comparison = build(&arms);
	/* One bucket, other values. */
	assert_string_equal(
		sample_verdict(quantile(comparison, "fast write p50"), 1),
		"unknown");
	/* A single event, as it was: it may be the one that a tick fell into. */
	row = quantile(comparison, "fast write max");
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_int_equal(run_int(sample_versus(row, 1), "difference"), 3000);
	range = json_object_get(sample_versus(row, 1), "ratio_range");
	assert_true(json_real_value(json_array_get(range, 0)) == 1.6);
	/* The same histogram: whatever the bucket, they are equal. */
	assert_string_equal(
		sample_verdict(quantile(comparison, "split write p50"), 1),
		"equal");
	/* 16 faults have no p99 that is not their largest. */
	assert_null(sample_find(comparison, "quantiles", "fault latency",
				"fast write p99"));
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* @nr_slow of 1100 faults took 9000 instructions, and the others 3000. */
static void set_slow(struct sample_arms *arms, size_t arm, int nr_slow)
{
	struct hist h = { 0 };

	hist_add_many(&h, 3000, 1100 - (uint64_t)nr_slow);
	hist_add_many(&h, 9000, (uint64_t)nr_slow);
	json_object_set_new(sample_row(arms, arm, 0, "faults", 0), "latency",
			    hist_to_json(&h, "ns"));
}

/*
 * The p99.9 is the second largest. The faults take 3.3 million instructions, and
 * so up to 9 ticks may be among them: it may be as fast as the eleventh.
 */
static void test_ticks_make_no_difference(void **state)
{
	static const struct {
		int nr_slow;
		const char *verdict, *total;
	} cases[] = { { 1, "unknown", "unknown" },
		      { 9, "unknown", "unknown" },
		      { 10, "unknown", "differs" },
		      { 11, "differs", "differs" } };
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;
	size_t i;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_slow(&arms, 0, cases[i].nr_slow);
		set_slow(&arms, 1, 0);
		comparison = build(&arms);
		row = quantile(comparison, "fast write p99.9");
		assert_string_equal(sample_verdict(row, 1), cases[i].verdict);
		/* Nor is their sum known to more than ticks may have added. */
		row = find_row(comparison, "instructions", "fault total",
			       "fast write");
		assert_string_equal(sample_verdict(row, 1), cases[i].total);
		/* Nine ticks do not move half of the faults. */
		row = quantile(comparison, "fast write p50");
		assert_int_equal(run_int(sample_cell(row, 0), "ge"), 3000);
		json_decref(comparison);
	}
	sample_arms_free(&arms);
}

/* A phase named @name, in pieces that lie apart by so much, of two arms. */
static const char *judge_phase(const char *name, json_int_t pieces,
			       json_int_t between, json_int_t a, json_int_t b)
{
	struct sample_arms arms;
	json_t *comparison;
	static char verdict[16];
	size_t i;

	sample_arms(&arms, 1, 1, 0);
	for (i = 0; i < 2; i++) {
		json_t *phase = sample_row(&arms, i, 0, "phases", 0);

		sample_set(phase, "name", name);
		sample_int(phase, "entered", pieces);
		sample_int(phase, "duration_ns", i ? b : a);
		sample_int(phase, "start_ns", 0);
		sample_int(phase, "end_ns", (i ? b : a) + between);
	}
	comparison = build(&arms);
	snprintf(verdict, sizeof(verdict), "%s",
		 sample_verdict(find_row(comparison, "instructions", "phase",
					 name),
				1));
	json_decref(comparison);
	sample_arms_free(&arms);
	return verdict;
}

/* The clock steps by 1 here, 24 for 64 readings of it. */
static void test_ticks_in_a_phase(void **state)
{
	static const struct {
		const char *name;
		json_int_t pieces, between, a, b;
		const char *verdict;
	} cases[] = {
		/* seen: one that began a grace period of RCU */
		{ "enable", 1, 0, 102100, 124100, "unknown" },
		{ "enable", 1, 0, 102100, 142102, "differs" },
		{ "enable", 1, 0, 23600, 98700, "differs" },
		/* too short for that: one with nothing to do */
		{ "get 1", 1, 0, 800, 8801, "unknown" },
		{ "get 1", 1, 0, 800, 8802, "differs" },
		/* however long it is, it has one more at most */
		{ "clear 1", 1, 0, 113000000, 113040002, "differs" },
		/* of 64 pieces any may be hit: three more of them */
		{ "clear 1", 64, 14000000, 1100000, 1164024, "unknown" },
		{ "clear 1", 64, 14000000, 1100000, 1164025, "differs" },
		{ "clear 1", 2, 14000000, 1100000, 1148003, "differs" },
		/* or of what lies between them */
		{ "clear 1", 65, 1100000, 14000000, 14064025, "differs" },
		/* threads wait for each other, and for a later tick */
		{ "populate", 1, 0, 680000, 724000, "unknown" },
		{ "after", 1, 0, 13871500, 17726000, "unknown" },
		{ "after", 1, 0, 14000000, 21000000, "differs" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *verdict =
			judge_phase(cases[i].name, cases[i].pieces,
				    cases[i].between, cases[i].a, cases[i].b);

		if (strcmp(verdict, cases[i].verdict))
			fail_msg("case %zu: %s, not %s", i, verdict,
				 cases[i].verdict);
	}
}

/* One fault alone may be the one that a tick fell into: nothing tells. */
static void test_a_tick_in_the_only_event(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	set_fast(&arms, 0, 0, 0, 0, 41200);
	set_fast(&arms, 1, 0, 0, 0, 41200 + 23000);
	comparison = build(&arms);
	row = find_row(comparison, "instructions", "fault total", "fast write");
	assert_string_equal(sample_verdict(row, 1), "unknown");
	row = find_row(comparison, "instructions", "fault mean", "fast write");
	assert_string_equal(sample_verdict(row, 1), "unknown");
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* What is shown is what was measured, beside it what is judged. */
static void test_judged_without_ticks(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *cell;
	double low;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	set_slow(&arms, 0, 9);
	set_slow(&arms, 1, 0);
	comparison = build(&arms);
	cell = sample_cell(find_row(comparison, "instructions", "fault mean",
				    "fast write"),
			   0);
	assert_int_equal(run_int(cell, "median"), 3049);
	low = json_number_value(json_object_get(cell, "low"));
	/* to the width of the buckets that the ticks are in */
	assert_true(low >= 2999 && low <= 3002);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_locks_have_rows(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	size_t a, p;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	for (a = 0; a < 2; a++) {
		json_object_set_new((json_t *)arms.runs[a][0], "locks",
				    json_pack("[{s:s, s:i, s:o}]", "mode",
					      "write", "count", 3, "held",
					      sample_hist("ns",
							  1000 + 10000 * a, 2,
							  4000 + 10000 * a)));
		for (p = 0; p < 2; p++) {
			json_t *phase = sample_row(&arms, a, 0, "phases", p);

			/* Two rounds of one phase. */
			sample_set(phase, "name", "cl\x1b[e 7");
			sample_int(phase, "round", (json_int_t)p + 1);
			json_object_set_new(
				phase, "locks",
				json_pack("[{s:s, s:i, s:i, s:i}]", "mode",
					  "write", "count", 1, "held_ns", 1000,
					  "longest_ns", 500 + 100 * (int)p));
		}
	}
	comparison = build(&arms);
	assert_row(find_row(comparison, "counts", "lock holds", "write"), 3, 3,
		   "equal");
	assert_row(find_row(comparison, "instructions", "lock total", "write"),
		   6000, 36000, "differs");
	assert_row(find_row(comparison, "instructions", "lock held",
			    "cl?[e write"),
		   2000, 2000, "equal");
	assert_row(find_row(comparison, "instructions", "lock longest",
			    "cl?[e write"),
		   600, 600, "equal");
	assert_non_null(
		sample_find(comparison, "quantiles", "lock hold", "write max"));
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* Harts in turn share the counter of instructions. */
static void test_more_harts_have_no_instructions(void **state)
{
	struct sample_arms arms;
	json_t *comparison;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_int(sample_env(&arms, 0, 0), "harts", 2);
	sample_int(sample_env(&arms, 1, 0), "harts", 2);
	comparison = build(&arms);
	assert_true(json_is_null(json_object_get(comparison, "instructions")));
	assert_true(has_note(comparison, "one hart"));
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* As large as a file may say: nothing wraps. */
static void test_absurd_counts(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	const json_t *row;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_int(sample_row(&arms, 0, 0, "faults", 0), "count", INT64_MAX);
	sample_int(sample_row(&arms, 1, 0, "phases", 0), "duration_ns",
		   INT64_MAX);
	comparison = build(&arms);
	row = find_row(comparison, "counts", "faults", "all paths");
	assert_true(run_int(sample_cell(row, 0), "median") == INT64_MAX);
	row = find_row(comparison, "instructions", "phase", "enable");
	assert_true(run_int(sample_cell(row, 1), "median") == INT64_MAX);
	json_decref(comparison);
	sample_arms_free(&arms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent_count_is_zero),
		cmocka_unit_test(test_sections_stay_together),
		cmocka_unit_test(test_absent_duration_is_absent),
		cmocka_unit_test(test_a_step_and_a_tick_are_no_difference),
		cmocka_unit_test(test_a_mean_is_finer_than_the_clock),
		cmocka_unit_test(test_underflow_makes_a_mean_coarse),
		cmocka_unit_test(test_every_verdict_on_instructions),
		cmocka_unit_test(test_boots_that_disagree_are_named),
		cmocka_unit_test(test_one_seed_must_repeat),
		cmocka_unit_test(test_three_arms_against_the_first),
		cmocka_unit_test(test_a_band_must_repeat_the_first),
		cmocka_unit_test(test_quantiles_cover_all_boots),
		cmocka_unit_test(test_verdicts_on_quantiles),
		cmocka_unit_test(test_ticks_make_no_difference),
		cmocka_unit_test(test_ticks_in_a_phase),
		cmocka_unit_test(test_a_tick_in_the_only_event),
		cmocka_unit_test(test_judged_without_ticks),
		cmocka_unit_test(test_locks_have_rows),
		cmocka_unit_test(test_more_harts_have_no_instructions),
		cmocka_unit_test(test_absurd_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
