// SPDX-License-Identifier: GPL-2.0-only
/* What may be compared, and how a refusal is worded. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample_arms.h"
#include "user/compare.h"

/* The result; *differs_nr gets the number of differences when it is 0. */
static int check(struct sample_arms *arms, const char *vary, bool aa,
		 char *reason, size_t *differs_nr)
{
	const struct compare_opts opts = { .vary = vary, .aa = aa };
	json_t *differs = NULL;
	int err;

	err = compare_check(arms->arms, arms->nr, &opts, &differs, reason, 512);
	if (differs_nr)
		*differs_nr = json_object_size(differs);
	json_decref(differs);
	return err;
}

static void test_one_difference_is_the_thing_compared(void **state)
{
	char reason[512];
	struct sample_arms pair;
	size_t nr = 0;

	(void)state;
	sample_arms(&pair, 1, 1, 0);
	sample_set(sample_env(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	/* A process id is chance. */
	json_object_set_new(sample_env(&pair, 1, 0), "pid", json_integer(7));
	assert_int_equal(check(&pair, NULL, false, reason, &nr), 0);
	assert_int_equal(nr, 1);
	sample_arms_free(&pair);
}

static void test_version_brings_its_module(void **state)
{
	char reason[512];
	struct sample_arms pair;
	size_t nr = 0;

	(void)state;
	sample_arms(&pair, 1, 1, 0);
	sample_set(sample_env(&pair, 0, 0), "kvm_sha256", "aa");
	sample_set(sample_env(&pair, 1, 0), "kvm_sha256", "bb");
	sample_set(sample_env(&pair, 1, 0), "version", "v6");
	assert_int_equal(check(&pair, NULL, false, reason, &nr), 0);
	assert_int_equal(nr, 2);

	sample_set(sample_env(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "two things"));
	assert_int_equal(check(&pair, "version,kvm_args", false, reason, NULL),
			 0);
	sample_arms_free(&pair);
}

/* What the module says about itself follows from its arguments. */
static void test_arguments_bring_their_effect(void **state)
{
	char reason[512];
	struct sample_arms pair;

	(void)state;
	sample_arms(&pair, 1, 1, 0);
	sample_set(sample_env(&pair, 0, 0), "eager_page_split", "N");
	sample_set(sample_env(&pair, 1, 0), "eager_page_split", "Y");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), 0);
	assert_int_equal(check(&pair, "kvm_args", false, reason, NULL), 0);
	sample_set(sample_env(&pair, 1, 0), "kvm_sha256", "bb");
	assert_int_equal(check(&pair, "kvm_args", false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "kvm_sha256"));
	/* A version may bring arguments of its own. */
	assert_int_equal(check(&pair, "version", false, reason, NULL), 0);
	assert_int_equal(check(&pair, NULL, false, reason, NULL), 0);
	sample_arms_free(&pair);
}

static void test_other_differences_are_refused(void **state)
{
	static const char *const keys[] = {
		"kernel", "base", "accel", "clock",
		"tool",	  "cost", "qemu",  "machine"
	};
	char reason[512];
	struct sample_arms pair;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		sample_arms(&pair, 1, 1, 0);
		sample_set(sample_env(&pair, 1, 0), "kvm_args",
			   "eager_page_split=1");
		sample_set(sample_env(&pair, 1, 0), keys[i], "other");
		assert_int_equal(check(&pair, NULL, false, reason, NULL),
				 -EXDEV);
		if (!strstr(reason, keys[i]) || !strstr(reason, "two: other"))
			fail_msg("%s: %s", keys[i], reason);
		sample_arms_free(&pair);
	}
}

static void test_seed_and_probes_are_conditions(void **state)
{
	char reason[512];
	struct sample_arms pair;

	(void)state;
	sample_arms(&pair, 1, 1, 0);
	sample_set(sample_env(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	json_object_set_new(sample_env(&pair, 1, 0), "seed", json_integer(2));
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "seed"));
	json_object_set_new(sample_env(&pair, 1, 0), "seed", json_integer(1));

	json_object_set_new(
		json_array_get(json_object_get(pair.runs[1][0], "probes"), 0),
		"attached", json_false());
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "probes"));
	sample_arms_free(&pair);
}

static void test_vary_names_the_thing(void **state)
{
	char reason[512];
	struct sample_arms pair;

	(void)state;
	sample_arms(&pair, 1, 1, 0);
	sample_set(sample_env(&pair, 1, 0), "kernel", "7.2.12");
	sample_set(sample_env(&pair, 1, 0), "base", "7.2");
	assert_int_equal(check(&pair, "kernel", false, reason, NULL), -EXDEV);
	assert_int_equal(check(&pair, "kernel,base", false, reason, NULL), 0);
	/* Another kernel has another module. */
	sample_set(sample_env(&pair, 1, 0), "kvm_sha256", "bb");
	assert_int_equal(check(&pair, "kernel,base", false, reason, NULL), 0);
	assert_int_equal(check(&pair, "kernel,phase_of_moon", false, reason,
			       NULL),
			 -EINVAL);
	assert_non_null(strstr(reason, "phase_of_moon"));
	/* A part of a key is no key. */
	assert_int_equal(check(&pair, "kern,base", false, reason, NULL),
			 -EINVAL);
	sample_arms_free(&pair);
}

static void test_equals_need_aa(void **state)
{
	char reason[512];
	struct sample_arms pair;
	size_t nr = 1;

	(void)state;
	sample_arms(&pair, 1, 1, 0);
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "--aa"));
	assert_int_equal(check(&pair, NULL, true, reason, &nr), 0);
	assert_int_equal(nr, 0);
	sample_set(sample_env(&pair, 1, 0), "kvm_args", "eager_page_split=1");
	assert_int_equal(check(&pair, NULL, true, reason, NULL), -EXDEV);
	sample_arms_free(&pair);
}

static void test_incomplete_runs_are_refused(void **state)
{
	char reason[512];
	struct sample_arms pair;

	(void)state;
	sample_arms(&pair, 1, 2, 0);
	json_object_set_new((json_t *)pair.runs[1][1], "complete",
			    json_false());
	assert_int_equal(check(&pair, NULL, true, reason, NULL), -ENODATA);
	assert_non_null(strstr(reason, "second"));
	sample_arms_free(&pair);
}

/* Everything that kvm-NAME.json says follows from the version. */
static void test_version_brings_its_sources(void **state)
{
	static const char *const keys[] = { "kvm_sha256", "source_sha256",
					    "patch_ids", "version_args",
					    "eager_page_split" };
	struct sample_arms arms;
	char reason[512];
	size_t i;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_set(sample_env(&arms, 1, 0), "version", "eager");
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		sample_set(sample_env(&arms, 1, 0), keys[i], "other");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), 0);
	assert_int_equal(check(&arms, "version", false, reason, NULL), 0);
	assert_int_equal(check(&arms, "kvm_args", false, reason, NULL), -EXDEV);
	sample_set(sample_env(&arms, 1, 0), "kvm_args", "eager_page_split=1");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "two things"));
	sample_arms_free(&arms);
}

/* Instructions are the same on every machine; seconds are not. */
static void test_machines_matter_in_host_time_only(void **state)
{
	struct sample_arms arms;
	char reason[512];
	size_t i;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_set(sample_env(&arms, 0, 0), "host", "Big, 64 cores, 1234abcd");
	sample_set(sample_env(&arms, 1, 0), "host", "Small, 2 cores, abcd1234");
	sample_set(sample_env(&arms, 1, 0), "version", "v6");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), 0);
	for (i = 0; i < 2; i++)
		sample_set(sample_env(&arms, i, 0), "clock", "host");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "two machines"));
	assert_null(strstr(reason, "--vary"));
	/* A file without it does not say. */
	json_object_del(sample_env(&arms, 0, 0), "host");
	json_object_del(sample_env(&arms, 1, 0), "host");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), 0);
	sample_arms_free(&arms);
}

static void test_host_time_counts_a_boot_once(void **state)
{
	struct sample_arms arms;
	char reason[512];
	size_t i, r;

	(void)state;
	sample_arms(&arms, 2, 2, 0);
	for (i = 0; i < 2; i++) {
		for (r = 0; r < 2; r++) {
			sample_set(sample_env(&arms, i, r), "clock", "host");
			sample_set(sample_env(&arms, i, r), "version",
				   i ? "v6" : "v4");
			sample_int(sample_row(&arms, i, r, "phases", 0),
				   "start_ns", (json_int_t)r);
			/* Any seed will do. */
			sample_int(sample_env(&arms, i, r), "seed",
				   (json_int_t)(5 * i));
		}
	}
	assert_int_equal(check(&arms, NULL, false, reason, NULL), 0);
	sample_int(sample_row(&arms, 1, 1, "phases", 0), "start_ns", 0);
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "first and second are one boot"));
	sample_arms_free(&arms);
}

static void test_scenarios_are_named(void **state)
{
	struct sample_arms arms;
	char reason[512];

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_set(sample_env(&arms, 1, 0), "version", "v6");
	json_object_set_new(sample_env(&arms, 1, 0), "cmdline",
			    json_pack("[s, s]", "dirtyguest", "--other"));
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "different scenarios"));
	sample_arms_free(&arms);
}

static void test_every_arm_against_the_first(void **state)
{
	const struct compare_opts opts = { 0 };
	struct sample_arms arms;
	json_t *differs = NULL;
	char reason[512];

	(void)state;
	sample_arms(&arms, 1, 1, 1);
	sample_set(sample_env(&arms, 1, 0), "version", "v6");
	/* The third is the first once more. */
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "--band three"));
	arms.arms[2].is_band = true;
	assert_int_equal(compare_check(arms.arms, 3, &opts, &differs, reason,
				       sizeof(reason)),
			 0);
	assert_int_equal(json_array_size(json_object_get(differs, "version")),
			 3);
	json_decref(differs);

	/* A band is nothing else than the first. */
	sample_set(sample_env(&arms, 2, 0), "version", "v6");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "'three' is no band"));
	arms.arms[2].is_band = false;
	assert_int_equal(check(&arms, NULL, false, reason, NULL), 0);
	sample_set(sample_env(&arms, 2, 0), "kernel", "7.2");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "kernel (one: 7.3.4, three: 7.2)"));
	sample_arms_free(&arms);
}

/* Twice the same seed is a repetition; the arms need the same ones. */
static void test_a_seed_may_be_given_twice(void **state)
{
	struct sample_arms arms;
	char reason[512];

	(void)state;
	sample_arms(&arms, 2, 1, 0);
	sample_set(sample_env(&arms, 1, 0), "version", "v6");
	assert_int_equal(check(&arms, NULL, false, reason, NULL), 0);
	sample_int(sample_env(&arms, 0, 1), "seed", 2);
	assert_int_equal(check(&arms, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "seed (one: [1,2], two: [1])"));
	sample_arms_free(&arms);
}

static void test_repetitions_differ_by_seed_only(void **state)
{
	char reason[512];
	struct sample_arms pair;
	size_t i;

	(void)state;
	sample_arms(&pair, 2, 2, 0);
	for (i = 0; i < 2; i++) {
		sample_set(sample_env(&pair, 1, i), "kvm_args",
			   "eager_page_split=1");
		/* The order of the seeds does not matter. */
		json_object_set_new(sample_env(&pair, 0, i), "seed",
				    json_integer((json_int_t)i));
		json_object_set_new(sample_env(&pair, 1, i), "seed",
				    json_integer((json_int_t)(1 - i)));
	}
	assert_int_equal(check(&pair, NULL, false, reason, NULL), 0);

	sample_set(sample_env(&pair, 0, 1), "kvm_args", "eager_page_split=2");
	assert_int_equal(check(&pair, NULL, false, reason, NULL), -EXDEV);
	assert_non_null(strstr(reason, "'one'"));
	sample_arms_free(&pair);
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
		cmocka_unit_test(test_version_brings_its_sources),
		cmocka_unit_test(test_machines_matter_in_host_time_only),
		cmocka_unit_test(test_host_time_counts_a_boot_once),
		cmocka_unit_test(test_scenarios_are_named),
		cmocka_unit_test(test_every_arm_against_the_first),
		cmocka_unit_test(test_a_seed_may_be_given_twice),
		cmocka_unit_test(test_repetitions_differ_by_seed_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
