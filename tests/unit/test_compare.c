// SPDX-License-Identifier: GPL-2.0-only
/* What may be compared, and the figures of a comparison. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"
#include "user/compare.h"

/* Two arms of up to two runs, all made from the sample. */
struct pair {
	const json_t *runs[2][2];
	const char *files[2][2];
	struct compare_arm arms[2];
};

static void make_pair(struct pair *pair, size_t nr_a, size_t nr_b)
{
	static const char *const labels[] = { "one", "two" };
	const size_t nr[] = { nr_a, nr_b };
	size_t i, r;

	for (i = 0; i < 2; i++) {
		for (r = 0; r < nr[i]; r++) {
			pair->runs[i][r] = sample_run();
			pair->files[i][r] = r ? "second" : "first";
		}
		pair->arms[i] = (struct compare_arm){
			.label = labels[i],
			.runs = pair->runs[i],
			.files = pair->files[i],
			.nr_runs = nr[i],
		};
	}
}

static void free_pair(struct pair *pair)
{
	size_t i, r;

	for (i = 0; i < 2; i++) {
		for (r = 0; r < pair->arms[i].nr_runs; r++)
			json_decref((json_t *)pair->runs[i][r]);
	}
}

static json_t *env_of(struct pair *pair, size_t arm, size_t run)
{
	return json_object_get(pair->runs[arm][run], "environment");
}

static void set(json_t *env, const char *key, const char *value)
{
	json_object_set_new(env, key, json_string(value));
}

/* The result; *differs_nr gets the number of differences when it is 0. */
static int check(struct pair *pair, const char *vary, bool aa, char *reason,
		 size_t *differs_nr)
{
	const struct compare_opts opts = { .vary = vary, .aa = aa };
	json_t *differs = NULL;
	int err;

	err = compare_check(pair->arms, &opts, &differs, reason, 512);
	if (differs_nr)
		*differs_nr = json_object_size(differs);
	json_decref(differs);
	return err;
}

static void test_one_difference_is_the_thing_compared(void **state)
{
	char reason[512];
	struct pair pair;
	size_t nr = 0;

	(void)state;
	make_pair(&pair, 1, 1);
	set(env_of(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	/* A process id is chance. */
	json_object_set_new(env_of(&pair, 1, 0), "pid", json_integer(7));
	assert_int_equal(check(&pair, NULL, false, reason, &nr), 0);
	assert_int_equal(nr, 1);
	free_pair(&pair);
}

static void test_version_brings_its_module(void **state)
{
	char reason[512];
	struct pair pair;
	size_t nr = 0;

	(void)state;
	make_pair(&pair, 1, 1);
	set(env_of(&pair, 0, 0), "kvm_sha256", "aa");
	set(env_of(&pair, 1, 0), "kvm_sha256", "bb");
	set(env_of(&pair, 1, 0), "version", "v6");
	assert_int_equal(check(&pair, NULL, false, reason, &nr), 0);
	assert_int_equal(nr, 2);

	set(env_of(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "two things"));
	assert_int_equal(check(&pair, "version,kvm_args", false, reason, NULL),
			 0);
	free_pair(&pair);
}

/* What the module says about itself follows from its arguments. */
static void test_arguments_bring_their_effect(void **state)
{
	char reason[512];
	struct pair pair;

	(void)state;
	make_pair(&pair, 1, 1);
	set(env_of(&pair, 0, 0), "eager_page_split", "N");
	set(env_of(&pair, 1, 0), "eager_page_split", "Y");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), 0);
	assert_int_equal(check(&pair, "kvm_args", false, reason, NULL), 0);
	set(env_of(&pair, 1, 0), "kvm_sha256", "bb");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_int_equal(check(&pair, "version", false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "eager_page_split"));
	free_pair(&pair);
}

static void test_other_differences_are_refused(void **state)
{
	static const char *const keys[] = {
		"kernel", "base", "accel", "clock",
		"tool",	  "cost", "qemu",  "machine"
	};
	char reason[512];
	struct pair pair;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		make_pair(&pair, 1, 1);
		set(env_of(&pair, 1, 0), "kvm_args", "eager_page_split=1");
		set(env_of(&pair, 1, 0), keys[i], "other");
		assert_int_equal(check(&pair, NULL, false, reason, NULL),
				 -EXDEV);
		if (!strstr(reason, keys[i]) || !strstr(reason, "two: other"))
			fail_msg("%s: %s", keys[i], reason);
		free_pair(&pair);
	}
}

static void test_seed_and_probes_are_conditions(void **state)
{
	char reason[512];
	struct pair pair;

	(void)state;
	make_pair(&pair, 1, 1);
	set(env_of(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	json_object_set_new(env_of(&pair, 1, 0), "seed", json_integer(2));
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "seed"));
	json_object_set_new(env_of(&pair, 1, 0), "seed", json_integer(1));

	json_object_set_new(
		json_array_get(json_object_get(pair.runs[1][0], "probes"), 0),
		"attached", json_false());
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "probes"));
	free_pair(&pair);
}

static void test_vary_names_the_thing(void **state)
{
	char reason[512];
	struct pair pair;

	(void)state;
	make_pair(&pair, 1, 1);
	set(env_of(&pair, 1, 0), "kernel", "7.2.12");
	set(env_of(&pair, 1, 0), "base", "7.2");
	assert_int_equal(check(&pair, "kernel", false, reason, NULL), -EXDEV);
	assert_int_equal(check(&pair, "kernel,base", false, reason, NULL), 0);
	/* Another kernel has another module. */
	set(env_of(&pair, 1, 0), "kvm_sha256", "bb");
	assert_int_equal(check(&pair, "kernel,base", false, reason, NULL), 0);
	assert_int_equal(check(&pair, "kernel,phase_of_moon", false, reason,
			       NULL),
			 -EINVAL);
	assert_non_null(strstr(reason, "phase_of_moon"));
	/* A part of a key is no key. */
	assert_int_equal(check(&pair, "kern,base", false, reason, NULL),
			 -EINVAL);
	free_pair(&pair);
}

static void test_equals_need_aa(void **state)
{
	char reason[512];
	struct pair pair;
	size_t nr = 1;

	(void)state;
	make_pair(&pair, 1, 1);
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "--aa"));
	assert_int_equal(check(&pair, NULL, true, reason, &nr), 0);
	assert_int_equal(nr, 0);
	set(env_of(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	assert_int_equal(check(&pair, NULL, true, reason, NULL), -EXDEV);
	free_pair(&pair);
}

static void test_incomplete_runs_are_refused(void **state)
{
	char reason[512];
	struct pair pair;

	(void)state;
	make_pair(&pair, 1, 2);
	json_object_set_new((json_t *)pair.runs[1][1], "complete",
			    json_false());
	assert_int_equal(check(&pair, NULL, true, reason, NULL), -ENODATA);
	assert_non_null(strstr(reason, "second"));
	free_pair(&pair);
}

static void test_repetitions_differ_by_seed_only(void **state)
{
	char reason[512];
	struct pair pair;
	size_t i;

	(void)state;
	make_pair(&pair, 2, 2);
	for (i = 0; i < 2; i++) {
		set(env_of(&pair, 1, i), "kvm_args", "eager_page_split=1");
		/* The order of the seeds does not matter. */
		json_object_set_new(env_of(&pair, 0, i), "seed",
				    json_integer((json_int_t)i));
		json_object_set_new(env_of(&pair, 1, i), "seed",
				    json_integer((json_int_t)(1 - i)));
	}
	assert_int_equal(check(&pair, NULL, false, reason, NULL), 0);

	set(env_of(&pair, 0, 1), "kvm_args", "eager_page_split=2");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "'one'"));
	free_pair(&pair);
}

/* --- figures --- */

static const json_t *find_row(const json_t *comparison, const char *table,
			      const char *section, const char *name)
{
	const json_t *rows = json_object_get(comparison, table);
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!strcmp(run_str(row, "section"), section) &&
		    !strcmp(run_str(row, "name"), name))
			return row;
	}
	fail_msg("%s has no row %s: %s", table, section, name);
	return NULL;
}

static void assert_row(const json_t *row, json_int_t a, json_int_t b)
{
	assert_int_equal(run_int(json_object_get(row, "a"), "median"), a);
	assert_int_equal(run_int(json_object_get(row, "b"), "median"), b);
	assert_int_equal(run_int(row, "difference"), b - a);
}

static json_t *build(struct pair *pair)
{
	json_t *differs = json_object(), *comparison;

	comparison = compare_build(pair->arms, differs);
	assert_non_null(comparison);
	json_decref(differs);
	return comparison;
}

static void test_absent_count_is_zero(void **state)
{
	json_t *comparison;
	struct pair pair;

	(void)state;
	make_pair(&pair, 1, 1);
	/* The other arm splits when logging is enabled, and faults fast. */
	json_object_set_new(
		json_array_get(json_object_get(pair.runs[1][0], "splits"), 0),
		"cause", json_string("enable"));
	json_array_remove(json_object_get(pair.runs[1][0], "faults"), 1);
	comparison = build(&pair);
	assert_row(find_row(comparison, "counts", "splits", "fault 2M -> 4K"),
		   8, 0);
	assert_row(find_row(comparison, "counts", "splits", "enable 2M -> 4K"),
		   0, 8);
	assert_row(find_row(comparison, "counts", "faults", "split write"), 8,
		   0);
	assert_row(find_row(comparison, "counts", "faults", "all paths"), 24,
		   16);
	assert_row(find_row(comparison, "counts", "flush bytes", "page"), 4096,
		   4096);
	json_decref(comparison);
	free_pair(&pair);
}

static void test_absent_duration_is_absent(void **state)
{
	const json_t *row;
	json_t *comparison;
	struct pair pair;

	(void)state;
	make_pair(&pair, 1, 1);
	json_array_remove(json_object_get(pair.runs[1][0], "faults"), 1);
	comparison = build(&pair);
	/* 15 * 3000 + 5000, and 7 * 14000 + 20000 more */
	assert_row(find_row(comparison, "instructions", "fault total",
			    "all paths"),
		   168000, 50000);
	assert_row(find_row(comparison, "instructions", "fault mean",
			    "fast write"),
		   3125, 3125);
	assert_row(find_row(comparison, "instructions", "phase", "dirty 1"),
		   600, 600);
	row = find_row(comparison, "instructions", "fault total",
		       "split write");
	assert_true(json_is_null(json_object_get(row, "b")));
	assert_true(json_is_null(json_object_get(row, "difference")));
	assert_true(json_is_null(json_object_get(row, "ratio")));
	json_decref(comparison);
	free_pair(&pair);
}

static void test_one_step_of_the_clock_is_no_difference(void **state)
{
	static const struct {
		json_int_t end;
		bool is_within;
	} cases[] = {
		{ 300, false }, { 400, true }, { 201, true }, { 401, false }
	};
	json_t *comparison, *phase;
	const json_t *row;
	struct pair pair;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_pair(&pair, 1, 1);
		json_object_set_new(env_of(&pair, 0, 0), "clock_resolution_ns",
				    json_integer(100));
		/* 200 in the first arm */
		phase = json_array_get(
			json_object_get(pair.runs[1][0], "phases"), 0);
		json_object_set_new(phase, "duration_ns",
				    json_integer(cases[i].end - 100));
		comparison = build(&pair);
		row = find_row(comparison, "instructions", "phase", "enable");
		assert_int_equal(
			json_is_true(json_object_get(row, "within_clock_step")),
			cases[i].is_within);
		json_decref(comparison);
		free_pair(&pair);
	}
}

static void test_host_time_has_no_table(void **state)
{
	char *text = NULL;
	json_t *comparison;
	struct pair pair;
	size_t size;
	FILE *out;

	(void)state;
	make_pair(&pair, 1, 1);
	set(env_of(&pair, 0, 0), "clock", "host");
	set(env_of(&pair, 1, 0), "clock", "host");
	comparison = build(&pair);
	assert_true(json_is_null(json_object_get(comparison, "instructions")));
	assert_true(json_is_null(json_object_get(comparison, "quantiles")));

	out = open_memstream(&text, &size);
	assert_int_equal(compare_print(out, comparison, false, false), 0);
	fclose(out);
	assert_non_null(strstr(text, "Exact counts"));
	assert_non_null(strstr(text, "Times: not compared"));
	assert_null(strstr(text, "3125"));
	free(text);
	json_decref(comparison);
	free_pair(&pair);
}

static void test_repetitions_show_median_and_spread(void **state)
{
	const json_t *cell;
	json_t *comparison;
	struct pair pair;

	(void)state;
	make_pair(&pair, 2, 1);
	json_object_set_new(
		json_array_get(json_object_get(pair.runs[0][1], "splits"), 0),
		"count", json_integer(11));
	comparison = build(&pair);
	cell = json_object_get(find_row(comparison, "counts", "splits",
					"fault 2M -> 4K"),
			       "a");
	assert_int_equal(run_int(cell, "median"), 8);
	assert_int_equal(run_int(cell, "min"), 8);
	assert_int_equal(run_int(cell, "max"), 11);
	json_decref(comparison);
	free_pair(&pair);
}

static void test_quantiles_are_of_all_repetitions(void **state)
{
	const json_t *rows, *row = NULL;
	json_t *comparison;
	struct pair pair;
	size_t i;

	(void)state;
	make_pair(&pair, 2, 1);
	/* The second run is slower: half of all its arm's faults. */
	json_object_set_new(
		json_array_get(json_object_get(pair.runs[0][1], "faults"), 0),
		"latency", sample_hist("ns", 9000, 15, 9100));
	comparison = build(&pair);
	rows = json_object_get(comparison, "quantiles");
	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		if (!strcmp(run_str(row, "name"), "fast write") &&
		    !strcmp(run_str(row, "quantile"), "p90"))
			break;
	}
	/* [8704, 9216), and 9100 is the largest */
	assert_int_equal(run_int(json_object_get(row, "a"), "ge"), 8704);
	assert_int_equal(run_int(json_object_get(row, "a"), "le"), 9100);
	/* rank 15 of 16: the bucket [2944, 3072) */
	assert_int_equal(run_int(json_object_get(row, "b"), "le"), 3071);
	json_decref(comparison);
	free_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_difference_is_the_thing_compared),
		cmocka_unit_test(test_version_brings_its_module),
		cmocka_unit_test(test_arguments_bring_their_effect),
		cmocka_unit_test(test_other_differences_are_refused),
		cmocka_unit_test(test_seed_and_probes_are_conditions),
		cmocka_unit_test(test_vary_names_the_thing),
		cmocka_unit_test(test_equals_need_aa),
		cmocka_unit_test(test_incomplete_runs_are_refused),
		cmocka_unit_test(test_repetitions_differ_by_seed_only),
		cmocka_unit_test(test_absent_count_is_zero),
		cmocka_unit_test(test_absent_duration_is_absent),
		cmocka_unit_test(test_one_step_of_the_clock_is_no_difference),
		cmocka_unit_test(test_host_time_has_no_table),
		cmocka_unit_test(test_repetitions_show_median_and_spread),
		cmocka_unit_test(test_quantiles_are_of_all_repetitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
