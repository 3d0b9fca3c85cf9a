// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks add to latencies: from batches of calls to a figure, and to a
 * member of the run file that validation accepts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"
#include "user/bracket.h"

static void test_median_of_means(void **state)
{
	/* Means 450, 500.5, 2000 (an interrupt). */
	struct bracket_batch odd[] = { { 10, 20000 },
				       { 4, 1800 },
				       { 2, 1001 } };
	/* Means 100 and 103. */
	struct bracket_batch even[] = { { 1, 103 }, { 2, 200 } };
	struct bracket_batch one[] = { { 3, 1000 } };

	(void)state;
	assert_int_equal(bracket_median(odd, 3), 501);
	assert_int_equal(bracket_median(even, 2), 102);
	assert_int_equal(bracket_median(one, 1), 333);
}

static void test_empty_batches_do_not_count(void **state)
{
	struct bracket_batch batches[] = {
		{ 0, 0 }, { 2, 600 }, { 0, 0 }, { 1, 100 }, { 1, 200 }
	};
	struct bracket_batch none[] = { { 0, 0 }, { 0, 0 } };

	(void)state;
	assert_int_equal(bracket_median(batches, 5), 200);
	assert_true(bracket_median(none, 2) == BRACKET_UNKNOWN);
	assert_true(bracket_median(none, 0) == BRACKET_UNKNOWN);
}

static void test_empty_functions_are_taken_out(void **state)
{
	(void)state;
	/* Four of them take 80, so three 60 and seven 140. */
	assert_int_equal(bracket_without_empty(510, 400, 320, 3), 450);
	assert_int_equal(bracket_without_empty(4200, 400, 320, 7), 4060);
	/* 3 * 10 / 4 is 7.5. */
	assert_int_equal(bracket_without_empty(100, 30, 20, 3), 92);
	/* The clock does not see them, or something else was seen. */
	assert_int_equal(bracket_without_empty(510, 320, 320, 3), 510);
	assert_int_equal(bracket_without_empty(510, 300, 320, 3), 510);
	assert_int_equal(bracket_without_empty(10, 400, 320, 3), 0);
	assert_true(bracket_without_empty(BRACKET_UNKNOWN, 400, 320, 3) ==
		    BRACKET_UNKNOWN);
	assert_true(bracket_without_empty(510, BRACKET_UNKNOWN, 320, 3) ==
		    BRACKET_UNKNOWN);
	assert_true(bracket_without_empty(510, 400, BRACKET_UNKNOWN, 3) ==
		    BRACKET_UNKNOWN);
}

static bool has_all(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return true;
}

static bool has_all_members(void *ctx, const char *type, const char *member)
{
	(void)ctx;
	(void)type;
	(void)member;
	return true;
}

/* The member of a run whose hooks are those of @wish. */
static json_t *run_with(const struct bracket *b, const struct probe_wish *wish)
{
	const struct probe_view view = {
		.has_tracepoint = has_all,
		.has_function = has_all,
		.has_member = has_all_members,
	};
	struct probe_choice choices[NR_FACTS];
	json_t *root = sample_run();
	char reason[256] = "";

	probes_choose(&view, wish, choices);
	assert_int_equal(bracket_to_run(b, choices, root), 0);
	if (run__validate(root, reason, sizeof(reason)))
		fail_msg("%s", reason);
	return root;
}

static const json_t *row_of(const json_t *root, size_t i)
{
	const json_t *bracket = json_object_get(root, "bracket");

	return json_array_get(json_object_get(bracket, "faults"), i);
}

static void test_figures_are_in_the_run(void **state)
{
	const struct probe_wish wish = { .is_forced = false };
	const json_t *bracket;
	struct bracket b;
	json_t *root;

	(void)state;
	bracket_init(&b, "");
	b.path_ns[GSTAGE_PATH_FAST] = 452;
	b.path_ns[GSTAGE_PATH_MAP] = 0;
	root = run_with(&b, &wish);
	bracket = json_object_get(root, "bracket");
	assert_int_equal(json_array_size(json_object_get(bracket, "faults")),
			 GSTAGE_NR_PATHS);
	assert_string_equal(run_str(row_of(root, GSTAGE_PATH_FAST), "path"),
			    "fast");
	assert_int_equal(run_int(row_of(root, GSTAGE_PATH_FAST), "ns"), 452);
	/* 0 was measured; what was not is null. */
	assert_true(json_is_integer(
		json_object_get(row_of(root, GSTAGE_PATH_MAP), "ns")));
	assert_true(json_is_null(
		json_object_get(row_of(root, GSTAGE_PATH_SPLIT), "ns")));
	assert_null(json_object_get(bracket, "reason"));
	assert_int_equal(json_array_size(json_object_get(bracket, "left_out")),
			 0);
	json_decref(root);
}

static void test_what_is_left_out_is_named(void **state)
{
	const struct probe_wish wish = {
		.is_forced = true,
		.backend = BACKEND_FUNCTION,
		.fences = true,
		.locks = true,
		.exits = true,
		.stalls = true,
	};
	const json_t *names;
	struct bracket b;
	json_t *root;

	(void)state;
	bracket_init(&b, "no functions");
	root = run_with(&b, &wish);
	assert_string_equal(run_str(json_object_get(root, "bracket"), "reason"),
			    "no functions");
	names = json_object_get(json_object_get(root, "bracket"), "left_out");
	assert_int_equal(json_array_size(names), 3);
	assert_string_equal(json_string_value(json_array_get(names, 0)),
			    "flush_executed");
	assert_string_equal(json_string_value(json_array_get(names, 1)),
			    "locks");
	assert_string_equal(json_string_value(json_array_get(names, 2)),
			    "stalls");
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median_of_means),
		cmocka_unit_test(test_empty_batches_do_not_count),
		cmocka_unit_test(test_empty_functions_are_taken_out),
		cmocka_unit_test(test_figures_are_in_the_run),
		cmocka_unit_test(test_what_is_left_out_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
