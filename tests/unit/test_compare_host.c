// SPDX-License-Identifier: GPL-2.0-only
/* Host time in a comparison: when a difference is shown, and when it is not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample_arms.h"

/* Rows of the sample: 2 phases, 3 means, 8 quantiles. */
#define NR_ROWS 13

/* Exact, two-sided, 6 and 6 boots without overlap: 2 of 924 orders. */
#define P_6_AND_6 (2.0 / 924)

static void host_arms(struct sample_arms *arms, size_t nr_a, size_t nr_b,
		      size_t nr_c)
{
	size_t i, r;

	sample_arms(arms, nr_a, nr_b, nr_c);
	sample_number(arms);
	for (i = 0; i < arms->nr; i++) {
		for (r = 0; r < arms->arms[i].nr_runs; r++) {
			sample_set(sample_env(arms, i, r), "clock", "host");
			sample_int(sample_env(arms, i, r),
				   "clock_resolution_ns", 100);
		}
	}
}

/* Phase "enable" of an arm: boots @spread (a share) apart around @ns. */
static void set_enable(struct sample_arms *arms, size_t arm, double ns,
		       double spread)
{
	size_t nr = arms->arms[arm].nr_runs, r;

	for (r = 0; r < nr; r++)
		sample_int(sample_row(arms, arm, r, "phases", 0), "duration_ns",
			   llround(ns * (1 + spread * ((double)r -
						       (double)(nr - 1) / 2))));
}

static const json_t *enable_of(const json_t *comparison)
{
	const json_t *row =
		sample_find(comparison, "host_time", "phase", "enable");

	assert_non_null(row);
	return row;
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static double bound(const json_t *versus, const char *key, size_t i)
{
	return json_number_value(
		json_array_get(json_object_get(versus, key), i));
}

static void assert_near(double a, double b)
{
	if (fabs(a - b) > 1e-9 * fabs(b))
		fail_msg("%.12g is not %.12g", a, b);
}

static void test_a_clear_difference_is_shown(void **state)
{
	struct sample_arms arms;
	const json_t *row, *versus;
	json_t *comparison;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 1200000, 0.01);
	comparison = sample_build(&arms);
	assert_string_equal(run_str(comparison, "class"), "host");
	assert_non_null(
		strstr(run_str(comparison, "label"), "not a time on hardware"));
	assert_int_equal(
		json_array_size(json_object_get(comparison, "host_time")),
		NR_ROWS);
	assert_true(json_is_null(json_object_get(comparison, "instructions")));
	assert_true(json_is_null(json_object_get(comparison, "boots_needed")));
	assert_true(json_is_null(json_object_get(comparison, "deterministic")));

	row = enable_of(comparison);
	versus = sample_versus(row, 1);
	assert_string_equal(sample_verdict(row, 1), "differs");
	assert_near(number(sample_cell(row, 0), "median"), 1000000);
	assert_near(number(versus, "difference"), 200000);
	assert_near(number(versus, "ratio"), 1.2);
	assert_near(number(versus, "p"), P_6_AND_6);
	assert_near(number(versus, "p_holm"), NR_ROWS * P_6_AND_6);
	assert_true(bound(versus, "interval", 0) > 1.1);
	assert_true(bound(versus, "interval", 0) <= 1.2);
	assert_true(bound(versus, "interval", 1) >= 1.2);
	assert_true(json_is_null(json_object_get(versus, "band")));
	assert_near(bound(versus, "n", 0), 6);

	/* All other rows are alike. */
	row = sample_find(comparison, "host_time", "phase", "dirty 1");
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_near(number(sample_versus(row, 1), "p"), 1);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_scatter_hides_a_difference(void **state)
{
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	set_enable(&arms, 0, 1000000, 0.2);
	set_enable(&arms, 1, 1200000, 0.2);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	/* It says what it could have seen: more than what was there. */
	if (json_is_number(
		    json_object_get(sample_versus(row, 1), "detectable")))
		assert_true(number(sample_versus(row, 1), "detectable") > 0.2);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_few_boots_have_no_verdict(void **state)
{
	struct sample_arms arms;
	const json_t *row, *versus;
	json_t *comparison;

	(void)state;
	host_arms(&arms, 6, 4, 0);
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 9000000, 0.01);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	versus = sample_versus(row, 1);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_near(number(versus, "ratio"), 9);
	assert_true(json_is_null(json_object_get(versus, "p")));
	assert_true(json_is_null(json_object_get(versus, "interval")));
	assert_true(json_is_null(json_object_get(versus, "detectable")));
	/* 13 rows: 5 boots give 13 * 2/252 = 0.103, 6 give 0.028 */
	assert_int_equal(run_int(comparison, "boots_needed"), 6);
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* Five make a test possible, but not with so many rows. */
static void test_holm_may_need_more_boots(void **state)
{
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;

	(void)state;
	host_arms(&arms, 5, 5, 0);
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 9000000, 0.01);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	assert_near(number(sample_versus(row, 1), "p"), 2.0 / 252);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_int_equal(run_int(comparison, "boots_needed"), 6);
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* The rows of all arms are corrected together. */
static void test_more_arms_are_more_tests(void **state)
{
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;

	(void)state;
	host_arms(&arms, 8, 8, 8);
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 1200000, 0.01);
	set_enable(&arms, 2, 1000000, 0.01);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	/* 2 / C(16, 8) */
	assert_near(number(sample_versus(row, 1), "p_holm"),
		    2 * NR_ROWS * 2.0 / 12870);
	assert_string_equal(sample_verdict(row, 1), "differs");
	assert_string_equal(sample_verdict(row, 2), "unknown");
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_the_band_hides_what_chance_does(void **state)
{
	struct sample_arms arms;
	const json_t *row, *versus;
	json_t *comparison;

	(void)state;
	host_arms(&arms, 6, 6, 6);
	arms.arms[2].is_band = true;
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 1200000, 0.01);
	set_enable(&arms, 2, 1000000, 0.01);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	versus = sample_versus(row, 1);
	assert_string_equal(sample_verdict(row, 1), "differs");
	assert_string_equal(sample_verdict(row, 2), "unknown");
	/* The band's own tests are no others' business. */
	assert_near(number(versus, "p_holm"), NR_ROWS * P_6_AND_6);
	assert_true(bound(versus, "band", 0) <= 1);
	assert_true(bound(versus, "band", 1) >= 1);
	assert_true(
		json_is_null(json_object_get(sample_versus(row, 2), "band")));
	json_decref(comparison);

	/* Equal arms can be this far apart. */
	set_enable(&arms, 2, 1000000, 0.2);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	versus = sample_versus(row, 1);
	assert_true(bound(versus, "band", 1) > 1.2);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	/* So less than that would not have been shown, either. */
	assert_true(number(versus, "detectable") >=
		    bound(versus, "band", 1) - 1);
	json_decref(comparison);

	/* Equal arms differ: here nothing can be concluded. */
	set_enable(&arms, 2, 1100000, 0.01);
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	versus = sample_versus(row, 1);
	assert_string_equal(sample_verdict(row, 2), "differs");
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_true(json_is_null(json_object_get(versus, "detectable")));
	assert_int_equal(json_array_size(json_object_get(comparison, "notes")),
			 1);
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* A difference of less than a step of the clock cannot be shown. */
static void test_the_clock_limits_what_is_shown(void **state)
{
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;
	size_t i, r;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 1200000, 0.01);
	for (i = 0; i < 2; i++) {
		for (r = 0; r < 6; r++)
			sample_int(sample_env(&arms, i, r),
				   "clock_resolution_ns", 250000);
	}
	comparison = sample_build(&arms);
	row = enable_of(comparison);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_true(number(sample_versus(row, 1), "detectable") >= 0.25);
	assert_near(number(sample_cell(row, 1), "resolution"), 250000);
	json_decref(comparison);
	sample_arms_free(&arms);
}

/* A quantile is a bucket; its middle is taken, and its width limits. */
static void test_buckets_limit_what_is_shown(void **state)
{
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;
	size_t r;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	for (r = 0; r < 6; r++) {
		/* 3000 and 3071 share the bucket [2944, 3072). */
		json_object_set_new(sample_row(&arms, 0, r, "faults", 0),
				    "latency",
				    sample_hist("ns", 2950, 15, 5000));
		json_object_set_new(sample_row(&arms, 1, r, "faults", 0),
				    "latency",
				    sample_hist("ns", 3050, 15, 5000 + 1000));
	}
	comparison = sample_build(&arms);
	row = sample_find(comparison, "host_time", "fault latency",
			  "fast write p90");
	assert_non_null(row);
	/* min 2950, so the middle of 2950..3071 and of 3050..3071 */
	assert_near(number(sample_cell(row, 0), "median"), 3010.5);
	assert_near(number(sample_cell(row, 1), "median"), 3060.5);
	assert_near(number(sample_cell(row, 0), "resolution"), 121);
	assert_string_equal(sample_verdict(row, 1), "unknown");
	/* The largest is exact. */
	row = sample_find(comparison, "host_time", "fault latency",
			  "fast write max");
	assert_near(number(sample_versus(row, 1), "difference"), 1000);
	assert_string_equal(sample_verdict(row, 1), "differs");
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_a_row_that_one_arm_lacks(void **state)
{
	struct sample_arms arms;
	const json_t *row, *versus;
	json_t *comparison;
	size_t r;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	for (r = 0; r < 6; r++)
		json_array_remove(json_object_get(arms.runs[1][r], "faults"),
				  1);
	comparison = sample_build(&arms);
	row = sample_find(comparison, "host_time", "fault mean", "split write");
	versus = sample_versus(row, 1);
	assert_true(json_is_null(sample_cell(row, 1)));
	assert_true(json_is_null(json_object_get(versus, "ratio")));
	assert_string_equal(sample_verdict(row, 1), "unknown");
	assert_near(bound(versus, "n", 1), 0);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_rounds_of_the_guest(void **state)
{
	struct sample_arms arms;
	const json_t *row;
	json_t *comparison;
	size_t i, r;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	for (i = 0; i < 2; i++) {
		for (r = 0; r < 6; r++) {
			json_t *round = json_array_get(
				json_object_get(json_object_get(arms.runs[i][r],
								"guest"),
						"rounds"),
				0);

			sample_int(round, "dirty_ns", 5000000);
			sample_int(round, "clear_ns", 300000);
		}
	}
	comparison = sample_build(&arms);
	row = sample_find(comparison, "host_time", "guest", "clear 1");
	assert_non_null(row);
	assert_near(number(sample_cell(row, 1), "median"), 300000);
	assert_non_null(
		sample_find(comparison, "host_time", "guest", "dirty 1"));
	json_decref(comparison);
	sample_arms_free(&arms);
}

static char *text_of(struct sample_arms *arms)
{
	json_t *comparison = sample_build(arms);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(compare_print(out, comparison, false, false), 0);
	fclose(out);
	json_decref(comparison);
	return text;
}

static void test_the_text_never_says_equal(void **state)
{
	struct sample_arms arms;
	char *text, *times;

	(void)state;
	host_arms(&arms, 6, 6, 0);
	set_enable(&arms, 0, 1000000, 0.01);
	set_enable(&arms, 1, 1200000, 0.01);
	text = text_of(&arms);
	times = strstr(text, "Host time, tcg: not a time on hardware");
	assert_non_null(times);
	assert_null(strchr(times, '='));
	assert_non_null(strchr(times, '~'));
	assert_non_null(strstr(times, "1.200"));
	assert_non_null(strstr(times, "medians of 6 and 6 boots"));
	free(text);
	sample_arms_free(&arms);

	host_arms(&arms, 4, 3, 0);
	set_enable(&arms, 1, 9000000, 0.01);
	text = text_of(&arms);
	times = strstr(text, "Host time, tcg: not a time on hardware");
	assert_non_null(strstr(times, "no verdict: 6 boots of each"));
	assert_null(strstr(times, "ratio"));
	free(text);
	sample_arms_free(&arms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_clear_difference_is_shown),
		cmocka_unit_test(test_scatter_hides_a_difference),
		cmocka_unit_test(test_few_boots_have_no_verdict),
		cmocka_unit_test(test_holm_may_need_more_boots),
		cmocka_unit_test(test_more_arms_are_more_tests),
		cmocka_unit_test(test_the_band_hides_what_chance_does),
		cmocka_unit_test(test_the_clock_limits_what_is_shown),
		cmocka_unit_test(test_buckets_limit_what_is_shown),
		cmocka_unit_test(test_a_row_that_one_arm_lacks),
		cmocka_unit_test(test_rounds_of_the_guest),
		cmocka_unit_test(test_the_text_never_says_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
