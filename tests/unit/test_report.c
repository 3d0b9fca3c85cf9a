// SPDX-License-Identifier: GPL-2.0-only
/* The report: what is said about clocks, losses, empty sections; the JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"
#include "user/report.h"

static char *report_of(const json_t *run, const struct report_opts *opts)
{
	static const struct report_opts defaults;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(report_print(out, run, opts ? opts : &defaults), 0);
	fclose(out);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}

static json_t *environment(json_t *run)
{
	return json_object_get(run, "environment");
}

static void test_memory_is_told(void **state)
{
	const struct report_opts opts = { .verbose = true };
	json_t *run = sample_run();
	char *text;

	(void)state;
	/* An older run, or one of another tool, does not know. */
	text = report_of(run, &opts);
	assert_lacks(text, "maps:");
	free(text);
	json_object_set_new(environment(run), "map_bytes",
			    json_integer(2048 * 1024 + 1));
	json_object_set_new(environment(run), "map_bytes_per_cpu",
			    json_integer(180 * 1024));
	text = report_of(run, NULL);
	assert_lacks(text, "maps:");
	free(text);
	text = report_of(run, &opts);
	assert_has(
		text,
		"maps:     2049 KiB, of them 180 KiB for each possible CPU\n");
	free(text);
	json_decref(run);
}

static void test_instructions_are_called_so(void **state)
{
	const struct report_opts opts = { .unit = REPORT_UNIT_US };
	json_t *run = sample_run();
	char *text = report_of(run, &opts);

	(void)state;
	assert_has(text, "QEMU instruction counter, 1 ns = 1 instruction");
	assert_has(text, "Faults (insns)");
	assert_has(text, "total 50000 insns");
	/* -u is about time; an instruction has no microseconds. */
	assert_lacks(text, " us");
	free(text);
	json_decref(run);
}

static void test_emulated_time_is_labelled(void **state)
{
	const struct report_opts opts = { .unit = REPORT_UNIT_US };
	json_t *run = sample_run();
	char *text;

	(void)state;
	json_object_set_new(environment(run), "clock", json_string("host"));
	text = report_of(run, &opts);
	assert_has(text,
		   "host time under TCG emulation: not a performance figure");
	assert_has(text, "Faults (us)");
	assert_has(text, "total 50.000 us");
	assert_lacks(text, "insns");
	free(text);

	json_object_del(environment(run), "accel");
	text = report_of(run, NULL);
	assert_has(text, "host time\n");
	free(text);
	json_decref(run);
}

static void test_phase_table(void **state)
{
	json_t *run = sample_run();
	char *text = report_of(run, NULL);

	(void)state;
	assert_has(text,
		   "  phase    insns  fast  broken  requested  executed\n"
		   "  enable     200     0       0          0         0\n"
		   "  dirty 1    600    16       8          1         1\n");
	free(text);

	json_object_set_new(json_array_get(json_object_get(run, "phases"), 1),
			    "vm", json_integer(2));
	text = report_of(run, NULL);
	assert_has(text, "  vm 2 dirty 1    600");
	free(text);
	json_decref(run);
}

static void test_splits_by_cause_and_level(void **state)
{
	json_t *run = sample_run();
	char *text;

	(void)state;
	json_array_append_new(json_object_get(run, "splits"),
			      json_pack("{s:s, s:i, s:i, s:i, s:b}", "cause",
					"enable", "from_level", 2, "to_level",
					1, "count", 3, "failed", 1));
	text = report_of(run, NULL);
	assert_has(text, "  fault   2M -> 4K       8    done\n");
	assert_has(text, "  enable  1G -> 2M       3  failed\n");
	free(text);
	json_decref(run);
}

static void test_losses_come_first(void **state)
{
	const struct report_opts quiet = { .quiet = true };
	json_t *run = sample_run();
	char *text = report_of(run, NULL);

	(void)state;
	assert_has(text, "complete: yes, nothing was lost");
	free(text);

	json_object_set_new(run, "complete", json_false());
	json_object_set_new(json_object_get(run, "losses"), "record_drops",
			    json_integer(17));
	/* -q keeps warnings about lost data. */
	text = report_of(run, &quiet);
	assert_has(text, "NO, every figure is a lower bound; lost: "
			 "record_drops 17\n");
	assert_lacks(text, "kernel:");
	free(text);

	json_object_set_new(json_object_get(run, "losses"), "record_drops",
			    json_integer(0));
	text = report_of(run, NULL);
	assert_has(text, "was cut short");
	free(text);
	json_decref(run);
}

static void test_empty_sections_say_why(void **state)
{
	struct run *empty = run__new();
	json_t *run = run__json(empty);
	char *text;

	(void)state;
	json_object_set_new(
		run, "probes",
		json_pack("[{s:s,s:s,s:s,s:b,s:i}, {s:s,s:s,s:s,s:b,s:i}]",
			  "fact", "faults", "backend", "tracepoint", "hook",
			  "kvm_gstage_fault", "attached", 1, "misses", 0,
			  "fact", "splits", "backend", "fentry", "hook",
			  "kvm_split", "attached", 0, "misses", 0));
	text = report_of(run, NULL);
	assert_has(text, "Faults: none (the probe kvm_gstage_fault was "
			 "attached)\n");
	assert_has(text, "Splits: none seen; the probe kvm_split was not "
			 "attached\n");
	/* These come with the event of a fault. */
	assert_has(text, "Prot updates: none (the probe kvm_gstage_fault was "
			 "attached)\n");
	assert_has(text, "Write-protects: none seen; this run had no probe "
			 "for them\n");
	assert_has(text, "Checks: none were made\n");
	free(text);
	run__free(empty);
}

static void test_counts_only(void **state)
{
	json_t *run = sample_run(), *rows = json_object_get(run, "faults");
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < json_array_size(rows); i++)
		json_object_del(json_array_get(rows, i), "latency");
	text = report_of(run, NULL);
	assert_has(text, "Faults (counts only: latency was not measured)");
	assert_lacks(text, "Fault latency");
	free(text);
	json_decref(run);
}

static void test_lost_pages_and_failed_checks(void **state)
{
	json_t *run = sample_run();
	char *text;

	(void)state;
	json_object_set_new(json_object_get(run, "guest"), "pages_lost",
			    json_integer(2));
	json_array_append_new(json_object_get(run, "checks"),
			      json_pack("{s:s, s:b, s:s}", "name", "pages",
					"ok", 0, "detail", "2\033[2J lost"));
	text = report_of(run, NULL);
	assert_has(text, "lost 2  <-- dirty logging lost pages");
	assert_has(text, "Checks: 1 of 2 passed\n  FAILED pages: 2?[2J lost\n");
	assert_lacks(text, "\033");
	free(text);
	json_decref(run);
}

/* Holds of mmu_lock are shown where they were measured, and only there. */
static void test_holds_of_mmu_lock(void **state)
{
	json_t *run = sample_run();
	json_t *phase = json_array_get(json_object_get(run, "phases"), 1);
	char *text;

	(void)state;
	text = report_of(run, NULL);
	assert_lacks(text, "mmu_lock");
	free(text);

	json_object_set_new(run, "locks",
			    json_pack("[{s:s, s:i, s:o}]", "mode", "write",
				      "count", 3, "held",
				      sample_hist("ns", 1000, 2, 3000)));
	json_object_set_new(phase, "locks",
			    json_pack("[{s:s, s:i, s:i, s:i}]", "mode", "write",
				      "count", 3, "held_ns", 5000, "longest_ns",
				      3000));
	text = report_of(run, NULL);
	assert_has(text, "Holds of mmu_lock (insns)\n");
	assert_has(text, "dirty 1  write      3  5000     3000\n");
	assert_has(text, "mmu_lock held, mode write\n");
	free(text);
	json_decref(run);
}

static void test_json_has_quantiles(void **state)
{
	json_t *run = sample_run(), *json = report_json(run, "x.json");
	json_t *latency, *p50;

	(void)state;
	assert_string_equal(run_str(json, "schema"), "gstage-report/1");
	assert_string_equal(run_str(json, "file"), "x.json");
	assert_string_equal(run_str(json, "time_unit"), "insns");
	latency = json_object_get(
		json_array_get(json_object_get(json, "faults"), 0), "latency");
	/* 15 times 3000 and once 5000 */
	assert_int_equal(run_int(latency, "mean"), 3125);
	p50 = json_object_get(json_object_get(latency, "quantiles"), "p50");
	assert_int_equal(run_int(p50, "ge"), 3000);
	assert_int_equal(run_int(p50, "le"), 3071);
	/* The run itself is not touched. */
	assert_string_equal(run_str(run, "schema"), RUN_SCHEMA);
	json_decref(json);
	json_decref(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_told),
		cmocka_unit_test(test_instructions_are_called_so),
		cmocka_unit_test(test_emulated_time_is_labelled),
		cmocka_unit_test(test_phase_table),
		cmocka_unit_test(test_splits_by_cause_and_level),
		cmocka_unit_test(test_losses_come_first),
		cmocka_unit_test(test_empty_sections_say_why),
		cmocka_unit_test(test_counts_only),
		cmocka_unit_test(test_lost_pages_and_failed_checks),
		cmocka_unit_test(test_holds_of_mmu_lock),
		cmocka_unit_test(test_json_has_quantiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
