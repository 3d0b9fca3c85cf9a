// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits and the time of vCPUs: from what the BPF side leaves to the run file
 * and the report. An interrupt and an exception of one code are two causes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf_hist.h"
#include "sample.h"
#include "user/report.h"
#include "user/tally.h"

/* Exits of one cause, each but the last followed by an entry after @ns. */
static void exit_many(struct gstage_exits *e, unsigned int code,
		      unsigned int nr, unsigned int nr_entries, uint64_t ns)
{
	struct gstage_exit *exit = &e->list[e->nr_causes];
	unsigned int i;

	e->index[code] = ++e->nr_causes;
	exit->count = nr;
	for (i = 0; i < nr_entries; i++)
		put(&exit->host_ns, ns);
}

/*
 * vCPU 0: timer interrupts and load access faults, both of code 5. vCPU 3, which
 * came first, has ended.
 */
static struct tally *sample_tally(struct gstage_exits *exits)
{
	struct tally *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->nr_phases = 1;
	t->phases[0] = (struct gstage_phase){
		.vm = 1,
		.kind = GSTAGE_PHASE_DIRTY,
		.round = 2,
		.entered = 1,
		.start_ns = 1000,
		.end_ns = 101000,
		.duration_ns = 100000,
	};
	exits[0].vm = exits[1].vm = 1;
	exits[0].vcpu = 3;
	exit_many(&exits[0], 23, 10, 9, 3000);
	exit_many(&exits[1], GSTAGE_EXIT_INTERRUPT + 5, 2, 2, 800);
	exit_many(&exits[1], 5, 1, 1, 2000);
	exits[1].stalls[0] = (struct gstage_stall){
		.ns = {
			[GSTAGE_DOING_REST] = 25000,
			[GSTAGE_DOING_GUEST] = 50000,
			[GSTAGE_DOING_FAULT] = 19000,
			[GSTAGE_DOING_LOCK] = 1000,
			[GSTAGE_DOING_FENCES] = 5000,
		},
	};
	t->exits = exits;
	t->nr_exits = 2;
	return t;
}

/* The row of that vCPU, interrupt bit and code; NULL if there is none. */
static json_t *find_exit(const json_t *root, int vcpu, bool is_interrupt,
			 int code)
{
	json_t *rows = json_object_get(root, "exits"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (run_int(row, "vcpu") == vcpu &&
		    run_int(row, "code") == code &&
		    json_is_true(json_object_get(row, "interrupt")) ==
			    is_interrupt)
			return row;
	}
	return NULL;
}

static json_t *sample_exits(void)
{
	struct gstage_exits *exits = calloc(2, sizeof(*exits));
	struct tally *t;
	json_t *run = sample_run();

	assert_non_null(exits);
	t = sample_tally(exits);
	assert_int_equal(tally_exits_to_run(t, run), 0);
	assert_null(json_object_get(run, "stalls"));
	assert_int_equal(tally_stalls_to_run(t, run), 0);
	free(t);
	free(exits);
	return run;
}

static void test_the_interrupt_bit_is_kept(void **state)
{
	json_t *run = sample_exits(), *row;
	char reason[256] = "";

	(void)state;
	if (run__validate(run, reason, sizeof(reason)))
		fail_msg("%s", reason);
	assert_int_equal(json_array_size(json_object_get(run, "exits")), 3);
	row = json_array_get(json_object_get(run, "exits"), 0);
	assert_int_equal(run_int(row, "vcpu"), 0);
	row = find_exit(run, 0, true, 5);
	assert_string_equal(run_str(row, "cause"), "timer interrupt");
	assert_int_equal(run_int(row, "count"), 2);
	assert_int_equal(run_int(json_object_get(row, "host"), "sum"), 1600);
	row = find_exit(run, 0, false, 5);
	assert_string_equal(run_str(row, "cause"), "load access fault");
	assert_int_equal(run_int(row, "count"), 1);
	/* The last exit of a vCPU has no end. */
	row = find_exit(run, 3, false, 23);
	assert_string_equal(run_str(row, "cause"), "store guest page fault");
	assert_int_equal(run_int(row, "count"), 10);
	assert_int_equal(run_int(json_object_get(row, "host"), "count"), 9);
	json_decref(run);
}

static void test_names_of_causes(void **state)
{
	(void)state;
	assert_string_equal(tally_exit_name(false, 10), "ecall from the guest");
	assert_string_equal(tally_exit_name(true, 9), "external interrupt");
	assert_string_equal(tally_exit_name(false, 9),
			    "ecall from the hypervisor");
	assert_string_equal(tally_exit_name(true, 20), "other interrupt");
	assert_string_equal(tally_exit_name(false, 31), "other exception");
	assert_string_equal(tally_exit_name(false, 16), "double trap");
	/* Above what an index of 32 would tell apart. */
	assert_string_equal(tally_exit_name(true, 35),
			    "low-priority RAS interrupt");
	assert_string_equal(tally_exit_name(true, 63), "other interrupt");
	assert_string_equal(tally_exit_name(false, 4711), "other exception");
}

static void test_what_is_lost_is_said(void **state)
{
	struct gstage_exits *exits = calloc(2, sizeof(*exits));
	struct tally *t = sample_tally(exits);
	json_t *run = sample_run(), *losses;

	(void)state;
	t->losses.vcpu_overflow = 3;
	t->losses.cause_overflow = 4;
	assert_int_equal(tally_exits_to_run(t, run), 0);
	losses = json_object_get(run, "losses");
	assert_int_equal(run_int(losses, "vcpu_overflow"), 3);
	assert_int_equal(run_int(losses, "cause_overflow"), 4);
	json_decref(run);
	free(t);
	free(exits);
}

static void test_damaged_files_are_refused(void **state)
{
	json_t *run = sample_exits(), *row = find_exit(run, 3, false, 23);
	char reason[256] = "";

	(void)state;
	json_object_set_new(row, "count", json_integer(8));
	assert_true(run__validate(run, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "exits[2].host"));
	json_object_set_new(row, "count", json_integer(10));
	assert_false(run__validate(run, reason, sizeof(reason)));

	/* The same cause of the same vCPU twice. */
	json_object_set_new(row, "vcpu", json_integer(0));
	json_object_set_new(row, "code", json_integer(5));
	assert_true(run__validate(run, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "exits[2] repeats"));
	json_object_del(row, "interrupt");
	assert_true(run__validate(run, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "exits[2].interrupt is missing"));
	json_decref(run);

	run = sample_exits();
	row = json_array_get(json_object_get(run, "stalls"), 0);
	json_object_set_new(row, "lock_ns", json_integer(-1));
	assert_true(run__validate(run, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "stalls[0].lock_ns"));
	json_decref(run);
}

static void refused(const json_t *run, const char *why)
{
	char reason[256] = "";

	assert_true(run__validate(run, reason, sizeof(reason)));
	if (!strstr(reason, why))
		fail_msg("'%s' is not in: %s", why, reason);
}

static void test_parts_are_no_more_than_the_whole(void **state)
{
	json_t *run = sample_exits(), *row;
	char reason[256] = "";

	(void)state;
	row = json_array_get(json_object_get(run, "stalls"), 0);
	assert_int_equal(run_int(row, "wall_ns"), 100000);
	assert_int_equal(run_int(row, "fault_ns"), 20000);
	assert_int_equal(run_int(row, "lock_ns"), 1000);
	/* Nothing is left for the rest. */
	json_object_set_new(row, "wall_ns", json_integer(75000));
	assert_false(run__validate(run, reason, sizeof(reason)));
	json_object_set_new(row, "wall_ns", json_integer(74999));
	refused(run, "stalls[0].wall_ns is less than its parts");
	/* Not because of what is lost. */
	json_object_set_new(run, "complete", json_false());
	refused(run, "stalls[0].wall_ns is less than its parts");
	json_object_set_new(run, "complete", json_true());
	/* Together they are more than an integer holds. */
	json_object_set_new(row, "wall_ns", json_integer(INT64_MAX));
	json_object_set_new(row, "guest_ns", json_integer(INT64_MAX));
	json_object_set_new(row, "fault_ns", json_integer(INT64_MAX));
	refused(run, "stalls[0].wall_ns is less than its parts");
	json_object_set_new(row, "guest_ns", json_integer(0));
	json_object_set_new(row, "fence_ns", json_integer(0));
	assert_false(run__validate(run, reason, sizeof(reason)));

	json_object_set_new(row, "fault_ns", json_integer(20000));
	json_object_set_new(row, "lock_ns", json_integer(20001));
	refused(run, "stalls[0].lock_ns is more than fault_ns");
	json_decref(run);
}

static char *report_of(const json_t *run)
{
	const struct report_opts opts = { .quiet = true };
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(report_print(out, run, &opts), 0);
	fclose(out);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
}

static void test_report(void **state)
{
	json_t *run = sample_exits();
	char *text = report_of(run);

	(void)state;
	assert_line(text, "VM exits (host: from exit to entry, insns)\n");
	assert_line(text, "timer interrupt      2   1600");
	assert_line(text, "store guest page fault     10  27000");
	assert_line(text, "Time of vCPUs, by phase (insns)\n");
	assert_line(
		text,
		"dirty 2  100000  50.0 %  20.0 %       1.0 %   5.0 %  25.0 %\n");
	free(text);
	json_decref(run);

	/* A second VM. */
	run = sample_exits();
	json_object_set_new(find_exit(run, 3, false, 23), "vm",
			    json_integer(2));
	text = report_of(run);
	assert_line(text, "vm 1, 0         timer interrupt");
	assert_line(text, "vm 2, 3  store guest page fault     10");
	free(text);
	json_decref(run);

	/* Whoever did not ask gets no word of it. */
	run = sample_run();
	text = report_of(run);
	assert_null(strstr(text, "VM exits"));
	assert_null(strstr(text, "Time of vCPUs"));
	free(text);
	json_decref(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_interrupt_bit_is_kept),
		cmocka_unit_test(test_names_of_causes),
		cmocka_unit_test(test_what_is_lost_is_said),
		cmocka_unit_test(test_damaged_files_are_refused),
		cmocka_unit_test(test_parts_are_no_more_than_the_whole),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
