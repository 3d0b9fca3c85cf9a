// SPDX-License-Identifier: GPL-2.0-only
/* Gates: what is accepted, what each class of figure makes of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/gate.h"
#include "user/run.h"

/*
 * Two arms against the first. Counts 100, 110, 100..104; a mean of 2000, 2020,
 * none; a p99 in a bucket; a host row with an interval of 1.02 to 1.06.
 */
static json_t *sample(void)
{
	static const char text[] =
		"{\"arms\": [{\"label\": \"a\"}, {\"label\": \"b\"}, {\"label\": \"c\"},"
		"  {\"label\": \"again\", \"band\": true}],"
		" \"counts\": ["
		"  {\"section\": \"faults\", \"name\": \"all paths\", \"arms\":"
		"   [{\"min\": 100, \"max\": 100}, {\"min\": 110, \"max\": 110}, {\"min\": 100, \"max\": 104}, null]},"
		"  {\"section\": \"splits\", \"name\": \"fault 2M -> 4K\", \"arms\":"
		"   [{\"min\": 8, \"max\": 8}, {\"min\": 0, \"max\": 0}, {\"min\": 8, \"max\": 8}, null]},"
		"  {\"section\": \"splits\", \"name\": \"enable 2M -> 4K\", \"arms\":"
		"   [{\"min\": 0, \"max\": 0}, {\"min\": 8, \"max\": 8}, {\"min\": 1, \"max\": 1}, null]},"
		"  {\"section\": \"guest pages\", \"name\": \"lost\", \"arms\":"
		"   [{\"min\": 0, \"max\": 0}, {\"min\": 3, \"max\": 3}, {\"min\": 0, \"max\": 0}, null]}],"
		" \"instructions\": ["
		"  {\"section\": \"fault mean\", \"name\": \"all paths\", \"arms\":"
		"   [{\"min\": 2000, \"max\": 2000}, {\"min\": 2020, \"max\": 2020}, null, null]},"
		"  {\"section\": \"fault total\", \"name\": \"all paths\", \"arms\":"
		"   [{\"min\": 2000, \"max\": 2100, \"low\": 2000, \"high\": 2000},"
		"    {\"min\": 2030, \"max\": 2150, \"low\": 2020, \"high\": 2020}, null, null]},"
		"  {\"section\": \"phase\", \"name\": \"get 1\", \"arms\":"
		"   [{\"min\": 700, \"max\": 700}, {\"min\": 800, \"max\": 800}, {\"min\": 700, \"max\": 700}, null],"
		"   \"versus\": [{\"verdict\": \"unknown\"}, {\"verdict\": \"equal\"}, {}]}],"
		" \"quantiles\": ["
		"  {\"section\": \"fault latency\", \"name\": \"all paths p99.9\", \"arms\":"
		"   [{\"ge\": 1600, \"le\": 1663}, {\"ge\": 1664, \"le\": 1727}, {\"ge\": 3200, \"le\": 3327}, null]}],"
		" \"host_time\": ["
		"  {\"section\": \"phase\", \"name\": \"dirty 1\", \"arms\":"
		"   [{\"median\": 1000}, {\"median\": 1040}, {\"median\": 1040}, {\"median\": 1}], \"versus\": ["
		"   {\"difference\": 40, \"verdict\": \"differs\", \"interval\": [1.02, 1.06], \"detectable\": 0.01},"
		"   {\"difference\": 40, \"verdict\": \"unknown\", \"interval\": null, \"detectable\": null},"
		"   {\"difference\": 0, \"verdict\": \"unknown\", \"interval\": [1, 1]}]}]}";
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

/* Judge @text; the verdicts of arms b and c, and the status. */
static void expect(const char *text, const char *b, const char *c, int status)
{
	struct gates *gates = NULL;
	json_t *json = sample(), *list;
	char reason[512];

	if (gates_parse(&gates, text, reason, sizeof(reason)))
		fail_msg("%s: %s", text, reason);
	assert_int_equal(gates_judge(gates, json), 0);
	list = json_object_get(json, "gates");
	assert_int_equal(json_array_size(list), 2);
	if (strcmp(run_str(json_array_get(list, 0), "verdict"), b) ||
	    strcmp(run_str(json_array_get(list, 1), "verdict"), c))
		fail_msg("%s: %s and %s, not %s and %s", text,
			 run_str(json_array_get(list, 0), "verdict"),
			 run_str(json_array_get(list, 1), "verdict"), b, c);
	assert_int_equal(run_int(json_object_get(json, "verdict"), "status"),
			 status);
	json_decref(json);
	gates_free(gates);
}

static void test_counts(void **state)
{
	(void)state;
	expect("faults.count=0", "fail", "unknown", 1);
	expect("faults.all-paths=10", "pass", "pass", 0);
	expect("faults.all_paths=9.9", "fail", "pass", 1);
	expect("faults.count=10%", "pass", "pass", 0);
	expect("faults.count=3%", "fail", "unknown", 1);
	/* Both parts must be exceeded. */
	expect("faults.count=3%+20", "pass", "pass", 0);
	expect("faults.count=3%+9", "fail", "pass", 1);
	/* From nothing, any increase is more than any share of it. */
	expect("pages.lost=50%", "fail", "pass", 1);
	expect("guest-pages.lost=0", "fail", "pass", 1);
}

static void test_sections_add_up(void **state)
{
	(void)state;
	expect("splits.count=0", "pass", "fail", 1);
	expect("splits.enable-2m-4k=0", "fail", "fail", 1);
	expect("splits.fault-2M-4K=0", "pass", "pass", 0);
}

static void test_instructions_and_quantiles(void **state)
{
	(void)state;
	expect("faults.mean=1%", "pass", "unknown", 5);
	expect("faults.mean=0.5%", "fail", "unknown", 1);
	/* What ticks added is no matter. */
	expect("faults.total=1%", "pass", "unknown", 5);
	expect("faults.total=0.5%", "fail", "unknown", 1);
	/* A step of the clock is no regression. */
	expect("phase.get-1=0", "unknown", "pass", 5);
	expect("phase.get-1=15%", "pass", "pass", 0);
	/* 1664 is at least 1 above 1663, and at most 127 above 1600. */
	expect("faults.p99.9=0", "fail", "fail", 1);
	expect("faults.p99.9=5%", "unknown", "fail", 1);
	expect("faults.p99.9=10%", "pass", "fail", 1);
	expect("faults.p99.9=200%", "pass", "pass", 0);
}

static void test_host_time(void **state)
{
	(void)state;
	expect("phase.dirty-1=1%", "fail", "unknown", 1);
	expect("phase.dirty-1=3%", "unknown", "unknown", 5);
	expect("phase.dirty-1=6.1%", "pass", "unknown", 5);
	expect("phase.dirty-1=10", "fail", "unknown", 1);
	expect("phase.dirty-1=1%+50", "unknown", "unknown", 5);
}

static void test_a_figure_that_is_not_there(void **state)
{
	(void)state;
	expect("faults.p50=5%", "unknown", "unknown", 5);
	expect("phase.no-such=5%", "unknown", "unknown", 5);
}

/* The difference alone does not make a host row fail. */
static void test_host_time_needs_a_test(void **state)
{
	struct gates *gates = NULL;
	json_t *json = sample(), *row, *versus;
	char reason[512];

	(void)state;
	row = json_array_get(json_object_get(json, "host_time"), 0);
	versus = json_array_get(json_object_get(row, "versus"), 0);
	json_object_set_new(versus, "verdict", json_string("unknown"));
	assert_int_equal(gates_parse(&gates, "phase.dirty-1=1%", reason,
				     sizeof(reason)),
			 0);
	assert_int_equal(gates_judge(gates, json), 0);
	assert_int_equal(run_int(json_object_get(json, "verdict"), "status"),
			 5);
	json_decref(json);
	gates_free(gates);
}

/* Every boot has the same histogram in both arms: no bucket is too wide. */
static void test_equal_quantiles_pass(void **state)
{
	struct gates *gates = NULL;
	json_t *json = sample(), *row;
	char reason[512];

	(void)state;
	row = json_array_get(json_object_get(json, "quantiles"), 0);
	json_object_set_new(row, "versus",
			    json_pack("[{s:s}, {s:s}]", "verdict", "equal",
				      "verdict", "differs"));
	assert_int_equal(gates_parse(&gates, "faults.p99.9=0", reason,
				     sizeof(reason)),
			 0);
	assert_int_equal(gates_judge(gates, json), 0);
	row = json_array_get(json_object_get(json, "gates"), 0);
	assert_string_equal(run_str(row, "verdict"), "pass");
	row = json_array_get(json_object_get(json, "gates"), 1);
	assert_string_equal(run_str(row, "verdict"), "fail");
	json_decref(json);
	gates_free(gates);
}

static void test_several_gates(void **state)
{
	struct gates *gates = NULL;
	json_t *json = sample();
	char reason[512];
	const char *text;

	(void)state;
	assert_int_equal(gates_parse(&gates, "faults.count=50%,pages.lost=0",
				     reason, sizeof(reason)),
			 0);
	assert_int_equal(gates_parse(&gates, "splits.count=9", reason,
				     sizeof(reason)),
			 0);
	assert_int_equal(gates_judge(gates, json), 0);
	assert_int_equal(json_array_size(json_object_get(json, "gates")), 6);
	text = run_str(json_object_get(json, "verdict"), "text");
	assert_string_equal(
		text,
		"1 of 6 gates failed: pages.lost=0 in b, beyond the limit");
	json_decref(json);
	gates_free(gates);
}

static void refuse(const char *text, const char *why)
{
	struct gates *gates = NULL;
	char reason[512];

	assert_int_equal(gates_parse(&gates, text, reason, sizeof(reason)),
			 -EINVAL);
	if (!strstr(reason, why))
		fail_msg("%s: %s", text, reason);
	gates_free(gates);
}

static void test_what_is_no_gate(void **state)
{
	(void)state;
	refuse("", "has no limit");
	refuse("faults.p99", "has no limit");
	refuse("faults=5%", "is no figure");
	refuse("faults.=5%", "is no figure");
	refuse(".p99=5%", "is no figure");
	refuse("=5%", "names no figure");
	refuse("fualts.p99=5%",
	       "there is no section 'fualts'; there are faults");
	refuse("faults.p99=", "is no limit");
	refuse("faults.p99=5%%", "is no limit");
	refuse("faults.p99=-5%", "is no limit");
	refuse("faults.p99=+5", "is no limit");
	refuse("faults.p99=5%+", "is no limit");
	refuse("faults.p99=5%+3%", "is no limit");
	refuse("faults.p99=5 %", "is no limit");
	refuse("faults.p99=nan", "is no limit");
	refuse("faults.p99=0x10", "is no limit");
	refuse("faults.p99=1e999", "is no limit");
	refuse("faults.p99=5%,", "has no limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_sections_add_up),
		cmocka_unit_test(test_instructions_and_quantiles),
		cmocka_unit_test(test_host_time),
		cmocka_unit_test(test_a_figure_that_is_not_there),
		cmocka_unit_test(test_host_time_needs_a_test),
		cmocka_unit_test(test_equal_quantiles_pass),
		cmocka_unit_test(test_several_gates),
		cmocka_unit_test(test_what_is_no_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
