// SPDX-License-Identifier: GPL-2.0-only
/* The exit status of a comparison, with and without --bisect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/compare_verdict.h"
#include "user/run.h"

#define NO_GATE -1

/* A comparison of "one" and "two" with these facts. */
static json_t *facts(int gate_status, const char *broken, int deterministic)
{
	json_t *json = json_pack("{s:[{s:s}, {s:s}], s:[], s:[]}", "arms",
				 "label", "one", "label", "two", "gates",
				 "broken");

	if (gate_status != NO_GATE) {
		json_array_append_new(json_object_get(json, "gates"),
				      json_object());
		json_object_set_new(json, "verdict",
				    json_pack("{s:i, s:s}", "status",
					      gate_status, "text",
					      "what the gate says"));
	}
	if (broken)
		json_array_append_new(json_object_get(json, "broken"),
				      json_pack("{s:s}", "arm", broken));
	json_object_set_new(json, "deterministic",
			    deterministic < 0 ? json_null() :
						json_boolean(deterministic));
	return json;
}

static void test_every_status(void **state)
{
	static const struct {
		int gate_status;
		const char *broken;
		int deterministic; /* -1: host time */
		int status, bisect;
		const char *text;
	} cases[] = {
		{ NO_GATE, NULL, 1, 0, 125, "no gate" },
		{ NO_GATE, NULL, -1, 0, 125, "no gate" },
		{ 0, NULL, 1, 0, 0, "what the gate says" },
		{ 1, NULL, 1, 1, 1, "what the gate says" },
		{ 5, NULL, 1, 5, 125, "what the gate says" },
		{ 0, NULL, -1, 0, 0, "what the gate says" },
		/* Lost pages are no matter of gates. */
		{ 0, "two", 1, 1, 1, "lost pages" },
		{ 5, "two", 1, 1, 1, "lost pages" },
		{ NO_GATE, "two", 1, 1, 1, "lost pages" },
		/* The good side of a bisection is not good. */
		{ 0, "one", 1, 1, 125, "lost pages" },
		{ 1, "one", 1, 1, 125, "lost pages" },
		{ NO_GATE, "one", 1, 1, 125, "lost pages" },
		/* The harness has failed. */
		{ NO_GATE, NULL, 0, 5, 125, "same seed" },
		{ 0, NULL, 0, 5, 125, "same seed" },
		{ 1, NULL, 0, 1, 125, "what the gate says" },
		{ NO_GATE, "two", 0, 1, 1, "lost pages" },
	};
	json_t *json, *verdict;
	size_t i, b;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (b = 0; b < 2; b++) {
			json = facts(cases[i].gate_status, cases[i].broken,
				     cases[i].deterministic);
			assert_int_equal(compare_set_verdict(json, b), 0);
			verdict = json_object_get(json, "verdict");
			if (run_int(verdict, "status") !=
			    (b ? cases[i].bisect : cases[i].status))
				fail_msg("case %zu, bisect %zu: %d", i, b,
					 (int)run_int(verdict, "status"));
			if (!b &&
			    !strstr(run_str(verdict, "text"), cases[i].text))
				fail_msg("case %zu: %s", i,
					 run_str(verdict, "text"));
			json_decref(json);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
