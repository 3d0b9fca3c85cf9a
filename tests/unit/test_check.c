// SPDX-License-Identifier: GPL-2.0-only
/* What is judged held, broken and unknown, on runs made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/check.h"

static struct check_verdict judge(const json_t *run, const char *name)
{
	struct check_verdict v;
	size_t i;

	for (i = 0; i < check_count(); i++) {
		if (strcmp(check_name(i), name))
			continue;
		check_judge(run, i, &v);
		return v;
	}
	fail_msg("no check %s", name);
	return v;
}

static void expect_state(const char *json, const char *name,
			 enum check_state state, const char *detail)
{
	json_error_t error;
	json_t *run = json_loads(json, 0, &error);
	struct check_verdict v;

	assert_non_null(run);
	v = judge(run, name);
	if (v.state != state || !strstr(v.detail, detail))
		fail_msg("%s of %s: state %d, \"%s\"", name, json, v.state,
			 v.detail);
	json_decref(run);
}

static void test_lost_dirty(void **state)
{
	(void)state;
	expect_state("{}", "lost-dirty", CHECK_UNKNOWN, "dirtyguest does");
	expect_state("{\"guest\": {\"pages_written\": 9, \"pages_lost\": 0}}",
		     "lost-dirty", CHECK_HELD, "0 of 9 pages");
	expect_state("{\"guest\": {\"pages_written\": 9, \"pages_lost\": 1}}",
		     "lost-dirty", CHECK_BROKEN, "1 of 9 pages");
	expect_state(
		"{\"guest\": {\"pages_written\": 9, \"pages_lost\": 0, \"values_wrong\": 2}}",
		"lost-dirty", CHECK_BROKEN, "2 had another value");
}

#define EAGER "\"environment\": {\"eager_page_split\": \"Y\"}"

static void test_split_complete(void **state)
{
	(void)state;
	expect_state("{" EAGER ", \"splits\": [{\"cause\": \"enable\", "
		     "\"count\": 8}]}",
		     "split-complete", CHECK_HELD, "8 leaves were split");
	expect_state("{" EAGER ", \"splits\": [{\"cause\": \"fault\", "
		     "\"count\": 3}]}",
		     "split-complete", CHECK_BROKEN, "3 huge leaves were left");
	/* One was faster than the operation, two were left by it. */
	expect_state("{" EAGER ", \"splits\": [{\"cause\": \"fault\", "
		     "\"count\": 3}], \"phases\": [{\"name\": \"enable\", "
		     "\"splits\": [{\"cause\": \"fault\", \"count\": 1}]}, "
		     "{\"name\": \"dirty 1\", \"splits\": [{\"cause\": "
		     "\"fault\", \"count\": 2}]}]}",
		     "split-complete", CHECK_BROKEN, "2 huge leaves were left");
	expect_state("{" EAGER ", \"splits\": [{\"cause\": \"fault\", "
		     "\"count\": 1}], \"phases\": [{\"name\": \"clear 1\", "
		     "\"splits\": [{\"cause\": \"fault\", \"count\": 1}]}]}",
		     "split-complete", CHECK_HELD, "none later");
	/* What was seen while it was traced knows more. */
	expect_state("{" EAGER ", \"splits\": [], \"checks\": [{\"name\": "
		     "\"split-complete\", \"ok\": false, \"detail\": "
		     "\"the leaf at 1\", \"looked_at\": 3}]}",
		     "split-complete", CHECK_BROKEN, "the leaf at 1");
	expect_state("{" EAGER ", \"splits\": [], \"checks\": [{\"name\": "
		     "\"split-complete\", \"ok\": true, \"looked_at\": 0}]}",
		     "split-complete", CHECK_HELD, "0 leaves");
	/* Splitting on faults is no error where it is the design. */
	expect_state("{\"splits\": [{\"cause\": \"fault\", \"count\": 3}]}",
		     "split-complete", CHECK_UNKNOWN, "when a page is written");
	/* A failed one always is. */
	expect_state("{\"splits\": [{\"cause\": \"fault\", \"count\": 2, "
		     "\"failed\": true}]}",
		     "split-complete", CHECK_BROKEN,
		     "2 tries to split huge leaves failed");
}

static void test_traced(void **state)
{
	(void)state;
	expect_state("{\"checks\": []}", "livelock", CHECK_UNKNOWN,
		     "gstage trace --checks");
	expect_state("{\"checks\": [{\"name\": \"livelock\", \"ok\": true, "
		     "\"detail\": \"looked at 5 times\", \"looked_at\": 5}]}",
		     "livelock", CHECK_HELD, "5 times");
	/* Nothing was there to look at: that is not "held". */
	expect_state("{\"checks\": [{\"name\": \"livelock\", \"ok\": true, "
		     "\"looked_at\": 0}]}",
		     "livelock", CHECK_UNKNOWN, "nothing happened");
	expect_state(
		"{\"checks\": [{\"name\": \"spurious\", \"ok\": true, "
		"\"looked_at\": 1}, {\"name\": \"livelock\", \"ok\": false, "
		"\"detail\": \"vCPU 0\", \"looked_at\": 1}]}",
		"livelock", CHECK_BROKEN, "vCPU 0");
}

#define HOLES "\"checks\": [{\"name\": \"holes\", \"looked_at\": 8, "

static void test_holes(void **state)
{
	(void)state;
	expect_state("{\"environment\": {\"harts\": 2}, " HOLES
		     "\"ok\": true, \"detail\": \"8 times\"}]}",
		     "holes", CHECK_HELD, "8 times");
	expect_state("{\"environment\": {\"harts\": 1}, " HOLES
		     "\"ok\": true, \"detail\": \"8 times\"}]}",
		     "holes", CHECK_UNKNOWN, "one hart");
	expect_state("{\"environment\": {\"harts\": 1}, " HOLES
		     "\"ok\": false, \"detail\": \"vCPU 1\"}]}",
		     "holes", CHECK_BROKEN, "vCPU 1");
}

static void test_first_offender_is_there(void **state)
{
	json_t *run = json_loads(
		"{\"checks\": [{\"name\": \"logged-leaf\", \"ok\": false, "
		"\"detail\": \"x\", \"looked_at\": 1, \"first\": {\"gpa\": 4096}}]}",
		0, NULL);
	struct check_verdict v = judge(run, "logged-leaf");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(v.first, "gpa")),
			 4096);
	json_decref(run);
}

static void test_names_are_distinct(void **state)
{
	size_t i, j;

	(void)state;
	assert_null(check_name(check_count()));
	for (i = 0; i < check_count(); i++) {
		for (j = 0; j < i; j++)
			assert_string_not_equal(check_name(i), check_name(j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_dirty),
		cmocka_unit_test(test_split_complete),
		cmocka_unit_test(test_traced),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_first_offender_is_there),
		cmocka_unit_test(test_names_are_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
