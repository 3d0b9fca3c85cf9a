// SPDX-License-Identifier: GPL-2.0-only
/* KTAP and the mail block: their form, whatever is in the comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample_arms.h"
#include "user/compare_format.h"
#include "user/compare_verdict.h"

typedef int (*print_fn)(FILE *out, const json_t *comparison);

static char *text_of(print_fn print, const json_t *comparison)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(print(out, comparison), 0);
	fclose(out);
	return text;
}

static json_t *build(struct sample_arms *arms)
{
	json_t *comparison = sample_build(arms);

	assert_int_equal(compare_set_verdict(comparison, false), 0);
	return comparison;
}

static size_t count_lines(const char *text, const char *start)
{
	size_t nr = 0, len = strlen(start);

	for (; *text; text = strchr(text, '\n') + 1)
		nr += !strncmp(text, start, len);
	return nr;
}

static void add_gate(json_t *comparison, const char *verdict)
{
	json_array_append_new(json_object_get(comparison, "gates"),
			      json_pack("{s:s, s:s, s:s, s:s, s:s}", "gate",
					"phase.enable=5%", "row",
					"phase: enable", "arm", "two",
					"verdict", verdict, "text",
					"beyond the #1 limit"));
}

static void test_ktap_has_the_results_it_promises(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	char *text;

	(void)state;
	sample_arms(&arms, 1, 1, 0);
	sample_int(sample_row(&arms, 1, 0, "splits", 0), "count", 9);
	sample_int(json_object_get(arms.runs[1][0], "guest"), "pages_lost", 3);
	comparison = build(&arms);
	add_gate(comparison, "pass");
	add_gate(comparison, "fail");
	add_gate(comparison, "unknown");
	text = text_of(compare_print_ktap, comparison);
	assert_memory_equal(text, "KTAP version 1\n1..6\n", 20);
	assert_int_equal(count_lines(text, "ok "), 4);
	assert_int_equal(count_lines(text, "not ok "), 2);
	assert_non_null(strstr(text, "\nok 1 one: no page lost"));
	assert_non_null(strstr(text, "\nnot ok 2 two: no page lost"));
	assert_non_null(strstr(text, "\nok 3 the same seed"));
	assert_non_null(strstr(text, "\nok 4 two: phase.enable=5%\n"));
	assert_non_null(strstr(text, "\nnot ok 5 two: phase.enable=5%\n"));
	assert_non_null(strstr(text, "\nok 6 two: phase.enable=5% # SKIP "
				     "beyond the _1 limit"));
	assert_non_null(strstr(text, "\n# splits.fault-2m-4k arm=two "
				     "unit=count value=9 reference=8 n=1 "
				     "ratio=1.125 verdict=differs\n"));
	assert_non_null(strstr(text, "# fault-latency.fast-write-p50 "));
	free(text);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void assert_narrow(const char *text)
{
	const char *end;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		assert_non_null(end);
		if (end - text > 72)
			fail_msg("%zd columns: %.*s", end - text,
				 (int)(end - text), text);
		assert_true(end == text || end[-1] != ' ');
	}
}

static void test_mail_is_narrow_and_says_what_differs(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	char *text;

	(void)state;
	sample_arms(&arms, 1, 1, 1);
	sample_set(sample_env(&arms, 1, 0), "kvm_args",
		   "a_parameter_with_a_long_name=1 "
		   "another_parameter_with_a_long_name_indeed=0");
	sample_set(sample_env(&arms, 1, 0), "source_sha256",
		   "0123456789abcdef0123456789abcdef");
	sample_int(sample_row(&arms, 1, 0, "splits", 0), "count", 9);
	sample_set(sample_row(&arms, 2, 0, "phases", 0), "name",
		   "a phase with a name that nobody would ever give to one");
	sample_int(sample_row(&arms, 2, 0, "phases", 1), "duration_ns",
		   INT64_MAX);
	comparison = build(&arms);
	add_gate(comparison, "fail");
	text = text_of(compare_print_mail, comparison);
	assert_narrow(text);
	assert_non_null(
		strstr(text, "instructions (QEMU -icount), not a time"));
	assert_non_null(strstr(text, "one: n=1, version tracepoints"));
	assert_non_null(strstr(text, "source 0123456789ab"));
	assert_null(strstr(text, "0123456789abc"));
	assert_non_null(
		strstr(text, "splits: fault 2M -> 4K                 8"));
	assert_null(strstr(text, "faults: all paths"));
	assert_non_null(
		strstr(text, "Gate: phase.enable=5% in two: fail, beyond"));
	free(text);
	json_decref(comparison);
	sample_arms_free(&arms);
}

static void test_mail_of_host_time(void **state)
{
	struct sample_arms arms;
	json_t *comparison;
	size_t i, r;
	char *text;

	(void)state;
	sample_arms(&arms, 6, 6, 0);
	for (i = 0; i < 2; i++) {
		for (r = 0; r < 6; r++) {
			sample_set(sample_env(&arms, i, r), "clock", "host");
			sample_int(sample_row(&arms, i, r, "phases", 0),
				   "duration_ns",
				   1000000 +
					   (json_int_t)(100 * r + 200000 * i));
		}
	}
	comparison = build(&arms);
	text = text_of(compare_print_mail, comparison);
	assert_narrow(text);
	assert_non_null(strstr(text, "host time, tcg: not a time on hardware"));
	assert_non_null(strstr(text, "one: n=6"));
	assert_non_null(strstr(text, "  1.200 1.20..1.20\n"));
	assert_non_null(strstr(text, "      ~ (<"));
	free(text);
	json_decref(comparison);
	sample_arms_free(&arms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ktap_has_the_results_it_promises),
		cmocka_unit_test(test_mail_is_narrow_and_says_what_differs),
		cmocka_unit_test(test_mail_of_host_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
