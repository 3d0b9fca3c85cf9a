// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the BPF side leaves, added up and written as a run: two CPUs with known
 * counts must become a file that validation accepts and that says the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf_hist.h"
#include "sample.h"
#include "user/tally.h"

static void add_fault(struct gstage_row *row, unsigned int phase,
		      unsigned int path, uint64_t ns)
{
	row->phases[phase].faults[path][GSTAGE_ACCESS_WRITE]++;
	put(&row->fault_ns[path][GSTAGE_ACCESS_WRITE], ns);
}

/* Two phases; CPU 0 splits 8 leaves in faults, CPU 1 has fast faults. */
static struct tally *sample_tally(void)
{
	struct gstage_row *rows = calloc(2, sizeof(*rows));
	struct tally *t = calloc(1, sizeof(*t));
	int i;

	assert_non_null(rows);
	assert_non_null(t);
	t->nr_phases = 2;
	t->phases[0] = (struct gstage_phase){
		.vm = 1,
		.kind = GSTAGE_PHASE_ENABLE,
		.entered = 1,
		.start_ns = 1000,
		.end_ns = 1500,
		.duration_ns = 500,
	};
	t->phases[1] = (struct gstage_phase){
		.vm = 1,
		.kind = GSTAGE_PHASE_DIRTY,
		.round = 1,
		.entered = 1,
		.start_ns = 1500,
	};
	t->vms[0].kvm = 1;
	t->vms[0].ordinal = 1;
	t->vms[0].phase = 1;
	t->vms[0].since_ns = 1500;

	for (i = 0; i < 8; i++)
		add_fault(&rows[0], 1, GSTAGE_PATH_SPLIT, 14000);
	rows[0].phases[1].splits[GSTAGE_CAUSE_FAULT][1] = 8;
	rows[0].phases[1].failed_splits[GSTAGE_CAUSE_FAULT][2] = 1;
	rows[0].phases[1].fault_flushes[0] = 8;
	rows[0].phases[1].fault_flushes[1] = 8;
	for (i = 0; i < 100; i++)
		add_fault(&rows[1], 1, GSTAGE_PATH_FAST, 3000 + i);
	rows[1].phases[1].fault_flushes[0] = 100;
	rows[1].phases[1].prots[GSTAGE_PROT_CHANGED] = 100;
	rows[1].phases[0].wp_leaves[GSTAGE_CAUSE_ENABLE][1] = 8;
	rows[1].phases[0].flush_requests[GSTAGE_FLUSH_RANGE] = 1;
	rows[1].phases[0].flush_bytes[GSTAGE_FLUSH_RANGE] = 16 << 20;
	put(&rows[1].flush_sizes[GSTAGE_FLUSH_RANGE], 16 << 20);
	rows[1].phases[0].flush_executed[GSTAGE_FLUSH_RANGE] = 1;
	rows[1].phases[0].fences[GSTAGE_FLUSH_RANGE] = 1;

	tally_add_row(t, &rows[0]);
	tally_add_row(t, &rows[1]);
	free(rows);
	return t;
}

/* The run of @t, which validation must accept. */
static struct run *run_of(struct tally *t, bool counts_only)
{
	struct run *run = run__new();
	json_t *root = run__json(run);
	char reason[256] = "";

	tally_close_phases(t, 2500);
	json_object_set_new(root, "environment", sample_environment());
	assert_int_equal(tally_to_run(t, root, counts_only), 0);
	assert_int_equal(tally_check(t, root, counts_only, true), 0);
	if (run__validate(root, reason, sizeof(reason)))
		fail_msg("%s", reason);
	return run;
}

/* Row @i of the array @name. */
static json_t *row(struct run *run, const char *name, size_t i)
{
	json_t *item = json_array_get(json_object_get(run__json(run), name), i);

	assert_non_null(item);
	return item;
}

static void test_counts_of_all_cpus(void **state)
{
	struct tally *t = sample_tally();
	struct run *run;
	json_t *item;

	(void)state;
	run = run_of(t, false);

	item = row(run, "faults", 0);
	assert_string_equal(run_str(item, "path"), "fast");
	assert_int_equal(run_int(item, "count"), 100);
	item = json_object_get(item, "latency");
	assert_int_equal(run_int(item, "count"), 100);
	assert_int_equal(run_int(item, "min"), 3000);
	assert_int_equal(run_int(item, "max"), 3099);
	item = row(run, "faults", 1);
	assert_string_equal(run_str(item, "path"), "split");
	assert_int_equal(run_int(json_object_get(item, "latency"), "sum"),
			 8 * 14000);

	item = row(run, "splits", 0);
	assert_string_equal(run_str(item, "cause"), "fault");
	assert_int_equal(run_int(item, "from_level"), 1);
	assert_int_equal(run_int(item, "to_level"), 0);
	assert_int_equal(run_int(item, "count"), 8);
	assert_true(
		json_is_true(json_object_get(row(run, "splits", 1), "failed")));

	item = row(run, "write_protects", 0);
	assert_string_equal(run_str(item, "phase"), "enable");
	assert_int_equal(run_int(item, "count"), 8);
	run__free(run);
	free(t);
}

/* A fault asks for a fence of its leaf, whatever the size of that. */
static void test_fences_of_faults_are_page_requests(void **state)
{
	struct tally *t = sample_tally();
	struct run *run = run_of(t, false);
	json_t *item = row(run, "flush_requests", 0);

	(void)state;
	assert_string_equal(run_str(item, "kind"), "page");
	assert_int_equal(run_int(item, "count"), 116);
	assert_int_equal(run_int(item, "bytes"), 108 * 4096 + 8 * (2 << 20));
	assert_int_equal(run_int(json_object_get(item, "size"), "count"), 116);
	assert_int_equal(run_int(row(run, "phases", 1), "flush_requests"), 116);
	assert_int_equal(run_int(row(run, "phases", 0), "flush_requests"), 1);
	run__free(run);
	free(t);
}

/* Where a member lies in the kernel is its index here, shifted so that it shows. */
static void put_layout(struct gstage_stats *layout)
{
	__u64 *at = (__u64 *)layout;
	size_t i;

	for (i = 0; i < GSTAGE_NR_STATS; i++)
		at[i] = GSTAGE_NR_RAW - 1 - i;
}

#define STAT(raw, member)                     \
	(((__u64 *)(raw))[GSTAGE_NR_RAW - 1 - \
			  offsetof(struct gstage_stats, member) / 8])

/* 40 write faults that split 2 leaves, 8 of them for nothing, and a CLEAR. */
static struct tally *stats_tally(void)
{
	struct gstage_raw_stats *raw = calloc(2, sizeof(*raw));
	struct tally *t = calloc(1, sizeof(*t));
	struct gstage_stats layout;

	assert_non_null(raw);
	assert_non_null(t);
	put_layout(&layout);
	t->nr_phases = 2;
	t->phases[0].vm = t->phases[1].vm = 1;
	t->phases[0].kind = GSTAGE_PHASE_DIRTY;
	t->phases[0].round = 1;
	t->phases[1].kind = GSTAGE_PHASE_CLEAR;
	t->phases[1].round = 1;
	STAT(&raw[0], fast_faults) = 38;
	STAT(&raw[0], slow_faults[GSTAGE_PATH_SPLIT - 1][2]) = 2;
	STAT(&raw[0], slow_faults[GSTAGE_PATH_MAP - 1][0]) = 1;
	STAT(&raw[0], spurious_faults) = 8;
	STAT(&raw[0], lost_races) = 3;
	STAT(&raw[0], fault_splits[0]) = 2;
	STAT(&raw[0], fault_flushes[0]) = 32;
	STAT(&raw[0], fault_flushes[1]) = 2;
	STAT(&raw[0], full_queues) = 5;
	STAT(&raw[0], flush_executed[GSTAGE_FLUSH_VMID]) = 1;
	STAT(&raw[0], fences[GSTAGE_FLUSH_VMID]) = 1;
	STAT(&raw[1], other_splits[1]) = 1;
	STAT(&raw[1], failed_other_splits) = 1;
	STAT(&raw[1], wp_leaves[0]) = 512;
	STAT(&raw[1], other_flushes[0]) = 4;
	/* One of a page, two of 3 pages, one of 512. */
	STAT(&raw[1], range_flushes[1]) = 1;
	STAT(&raw[1], range_flushes[2]) = 2;
	STAT(&raw[1], range_flushes[10]) = 1;
	STAT(&raw[1], range_pages) = 1 + 6 + 512;
	STAT(&raw[1], vvma_flushes) = 7;
	tally_add_stats(t, 0, &raw[0], &layout);
	tally_add_stats(t, 1, &raw[1], &layout);
	free(raw);
	return t;
}

static void test_statistics_of_kvm(void **state)
{
	struct tally *t = stats_tally();
	struct run *run = run_of(t, true);
	json_t *item;

	(void)state;
	item = row(run, "faults", 0);
	assert_string_equal(run_str(item, "path"), "fast");
	assert_int_equal(run_int(item, "count"), 38);
	item = row(run, "faults", 1);
	assert_string_equal(run_str(item, "path"), "split");
	assert_string_equal(run_str(item, "access"), "write");
	assert_string_equal(run_str(row(run, "faults", 2), "access"), "exec");
	assert_int_equal(run_int(row(run, "prot_updates", 0), "count"), 30);
	assert_int_equal(run_int(row(run, "prot_updates", 1), "count"), 8);
	assert_int_equal(run_int(row(run, "prot_updates", 2), "count"), 3);
	/* What is not of a fault is of the operation that the phase is. */
	item = row(run, "splits", 1);
	assert_string_equal(run_str(item, "cause"), "clear");
	assert_true(json_is_true(json_object_get(item, "failed")));
	item = row(run, "splits", 2);
	assert_string_equal(run_str(item, "cause"), "clear");
	assert_int_equal(run_int(item, "from_level"), 2);
	item = row(run, "write_protects", 0);
	assert_string_equal(run_str(item, "phase"), "clear");
	assert_int_equal(run_int(item, "count"), 512);
	run__free(run);
	free(t);
}

static void test_sizes_of_ranges(void **state)
{
	struct tally *t = stats_tally();
	struct run *run = run_of(t, true);
	json_t *item, *sizes;

	(void)state;
	item = row(run, "flush_requests", 0);
	assert_string_equal(run_str(item, "kind"), "page");
	assert_int_equal(run_int(item, "count"), 32 + 2 + 4 + 1);
	assert_int_equal(run_int(item, "bytes"), 37 * 4096 + 2 * (2 << 20));
	item = row(run, "flush_requests", 1);
	assert_string_equal(run_str(item, "kind"), "range");
	assert_int_equal(run_int(item, "count"), 3);
	assert_int_equal(run_int(item, "bytes"), 518 * 4096);
	sizes = json_object_get(item, "sizes");
	assert_int_equal(json_array_size(sizes), 2);
	assert_int_equal(run_int(json_array_get(sizes, 0), "ge"), 2 * 4096);
	assert_int_equal(run_int(json_array_get(sizes, 0), "lt"), 4 * 4096);
	assert_int_equal(run_int(json_array_get(sizes, 0), "count"), 2);
	assert_int_equal(run_int(json_array_get(sizes, 1), "ge"), 2 << 20);
	item = row(run, "flush_requests", 2);
	assert_string_equal(run_str(item, "kind"), "vvma");
	assert_null(json_object_get(item, "bytes"));
	run__free(run);
	free(t);
}

/* A reading that is older than the last border adds nothing. */
static void test_statistics_since(void **state)
{
	struct gstage_raw_stats now = {}, last = {}, since;

	(void)state;
	now.vcpus[3] = 9;
	last.vcpus[3] = 4;
	now.vm[5] = 1;
	last.vm[5] = 2;
	tally_stats_since(&since, &now, &last);
	assert_int_equal(since.vcpus[3], 5);
	assert_int_equal(since.vm[5], 0);
}

/* Of a VM that runs on, a vCPU may be between its count and its event. */
static void test_a_vm_that_runs_on(void **state)
{
	struct tally *t = sample_tally();
	uint64_t *nr =
		&t->sum.phases[1].faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE];
	struct run *run = run__new();
	json_t *checks = json_object_get(run__json(run), "checks");
	size_t i;

	(void)state;
	t->nr_vcpus = 2;
	*nr += 2;
	assert_int_equal(tally_check(t, run__json(run), false, false), 0);
	*nr += 1;
	assert_int_equal(tally_check(t, run__json(run), false, false), 0);
	*nr -= 10;
	assert_int_equal(tally_check(t, run__json(run), false, false), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(json_is_true(json_object_get(
					 json_array_get(checks, i), "ok")),
				 i != 1);
	run__free(run);
	free(t);
}

static void test_open_phase_is_closed(void **state)
{
	struct tally *t = sample_tally();
	struct run *run;
	json_t *item;

	(void)state;
	tally_close_phases(t, 2500);
	tally_close_phases(t, 9999); /* closed once, it stays closed */
	run = run_of(t, false);
	item = row(run, "phases", 1);
	assert_string_equal(run_str(item, "name"), "dirty 1");
	assert_int_equal(run_int(item, "end_ns"), 2500);
	assert_int_equal(run_int(item, "duration_ns"), 1000);
	run__free(run);
	free(t);
}

static void test_counts_only_has_no_histograms(void **state)
{
	struct tally *t = sample_tally();
	struct run *run = run_of(t, true);
	json_t *item = row(run, "faults", 0);

	(void)state;
	assert_int_equal(run_int(item, "count"), 100);
	assert_null(json_object_get(item, "latency"));
	run__free(run);
	free(t);
}

/* A duration below 0 and one beyond the last bucket are not hidden. */
static void test_values_without_a_bucket(void **state)
{
	struct tally *t = sample_tally();
	struct run *run;
	json_t *latency;

	(void)state;
	t->sum.phases[1].faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE] += 2;
	t->sum.fault_ns[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE].underflow = 1;
	put(&t->sum.fault_ns[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE],
	    1ull << 36);
	run = run_of(t, false);
	latency = json_object_get(row(run, "faults", 0), "latency");
	assert_int_equal(run_int(latency, "count"), 102);
	assert_int_equal(run_int(latency, "underflow"), 1);
	assert_int_equal(run_int(latency, "overflow"), 1);
	run__free(run);
	free(t);
}

static void test_a_missing_value_fails_the_check(void **state)
{
	struct tally *t = sample_tally();
	struct run *run = run__new();
	json_t *checks = json_object_get(run__json(run), "checks");

	(void)state;
	t->sum.phases[1].faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE]++;
	assert_int_equal(tally_check(t, run__json(run), false, true), 0);
	assert_true(json_is_false(
		json_object_get(json_array_get(checks, 0), "ok")));
	run__free(run);
	free(t);
}

static const json_t *check_named(struct run *run, const char *name)
{
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(run__json(run), "checks"), i,
			   check) {
		if (!strcmp(run_str(check, "name"), name))
			return check;
	}
	fail_msg("no check %s", name);
	return NULL;
}

static void expect_detail(struct run *run, const char *name, bool ok,
			  const char *detail)
{
	const json_t *check = check_named(run, name);

	assert_int_equal(json_is_true(json_object_get(check, "ok")), ok);
	assert_string_equal(run_str(check, "detail"), detail);
}

/* Broken by a log operation: no vCPU, and what it left undone. */
static void break_splits(struct tally *t)
{
	struct gstage_check *c = &t->checks.list[GSTAGE_CHECK_SPLIT_COMPLETE];

	c->checked = 3;
	c->broken = 2;
	c->vcpu = GSTAGE_NO_VCPU;
	c->gpa = 0x200000;
	c->size = 0x200000;
	c->time_ns = 5;
	c->phase = 1;
	t->checks.undone = (struct gstage_undone){
		.nr_left = 4,
		.nr_failed = 1,
		.gpa = 0x400000,
		.cause = GSTAGE_CAUSE_CLEAR,
		.error = -12,
	};
}

/* The two ways in which a vCPU breaks it; a log operation has a third. */
static void test_fence_queue_says_how(void **state)
{
	static const struct {
		__u64 size;
		const char *detail;
	} cases[] = {
		{ 3,
		  "vCPU 1 flushed everything and its queue had not been full" },
		{ GSTAGE_QUEUE_STUCK,
		  "vCPU 1 flushed everything and nothing drains its queue, which is full" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally *t = sample_tally();
		struct run *run = run__new();

		t->checks.list[GSTAGE_CHECK_FENCE_QUEUE] =
			(struct gstage_check){ .broken = 1,
					       .vcpu = 1,
					       .size = cases[i].size,
					       .time_ns = 1 };
		assert_int_equal(
			tally_checks_to_run(t, run__json(run), NULL, NULL), 0);
		expect_detail(run, "fence-queue", false, cases[i].detail);
		run__free(run);
		free(t);
	}
}

static void test_checks_are_told(void **state)
{
	struct tally *t = sample_tally();
	struct run *run = run__new();
	const json_t *row;

	(void)state;
	break_splits(t);
	t->checks.list[GSTAGE_CHECK_FENCE_QUEUE].checked = 8;
	t->checks.nr_queues = 1;
	t->checks.queues[0] = (struct gstage_queue){
		.vm = 1, .vcpu = 3, .nr_full = 7, .time_ns = 9, .gpa = 4096
	};
	t->checks.list[GSTAGE_CHECK_HOLES] = (struct gstage_check){
		.broken = 1, .vcpu = 1, .gpa = 4096, .time_ns = 1
	};
	assert_int_equal(tally_checks_to_run(t, run__json(run), NULL, NULL), 0);
	expect_detail(
		run, "split-complete", false,
		"the leaf of 2097152 bytes at GPA 0x200000 was to be split and was not; 2 times in all; 1 splits failed, the first in clear at GPA 0x400000: Cannot allocate memory; log operations left 4 huge leaves");
	row = json_object_get(check_named(run, "split-complete"), "undone");
	assert_int_equal(run_int(row, "left"), 4);
	assert_int_equal(run_int(json_object_get(row, "first_failed"), "errno"),
			 12);
	expect_detail(run, "fence-queue", true,
		      "looked at 8 times; full queues: of 1 vCPU, 7 times");
	row = json_array_get(
		json_object_get(check_named(run, "fence-queue"), "queues"), 0);
	assert_int_equal(run_int(row, "vcpu"), 3);
	assert_int_equal(run_int(row, "full"), 7);
	expect_detail(
		run, "holes", false,
		"vCPU 1 faulted on reading GPA 0x1000, which had been mapped since logging began");
	row = json_object_get(check_named(run, "split-complete"), "first");
	assert_int_equal(run_int(row, "vcpu"), -1);
	assert_true(run_str(row, "phase")[0]);
	run__free(run);
	free(t);
}

static void test_losses_are_named(void **state)
{
	struct tally *t = sample_tally();
	struct run *run = run__new();
	json_t *losses;

	(void)state;
	t->losses.phase_overflow = 1;
	t->losses.vm_overflow = 2;
	t->losses.record_drops = 3;
	t->losses.row_misses = 4;
	t->losses.call_misses = 5;
	t->losses.op_overflow = 6;
	t->losses.stat_resets = 7;
	t->losses.stat_misses = 8;
	assert_int_equal(tally_to_run(t, run__json(run), false), 0);
	losses = json_object_get(run__json(run), "losses");
	assert_int_equal(run_int(losses, "phase_overflow"), 1);
	assert_int_equal(run_int(losses, "vm_overflow"), 2);
	assert_int_equal(run_int(losses, "record_drops"), 3);
	assert_int_equal(run_int(losses, "row_misses"), 4);
	assert_int_equal(run_int(losses, "call_misses"), 5);
	assert_int_equal(run_int(losses, "op_overflow"), 6);
	assert_int_equal(run_int(losses, "stat_resets"), 7);
	assert_int_equal(run_int(losses, "stat_misses"), 8);
	run__free(run);
	free(t);
}

static void test_nothing_at_all(void **state)
{
	struct tally *t = calloc(1, sizeof(*t));
	struct run *run = run_of(t, false);

	(void)state;
	assert_int_equal(
		json_array_size(json_object_get(run__json(run), "faults")), 0);
	run__free(run);
	free(t);
}

/* Two CPUs that held the lock in one phase, and one that still does. */
static void test_holds_of_all_cpus(void **state)
{
	struct gstage_row *rows = calloc(2, sizeof(*rows));
	struct tally *t = sample_tally();
	struct run *run = run__new();
	json_t *root = run__json(run), *item;
	char reason[256] = "";

	(void)state;
	assert_non_null(rows);
	rows[0].locks.phases[1][GSTAGE_LOCK_WRITE] =
		(struct gstage_holds){ 2, 7000, 5000 };
	put(&rows[0].locks.held_ns[GSTAGE_LOCK_WRITE], 2000);
	put(&rows[0].locks.held_ns[GSTAGE_LOCK_WRITE], 5000);
	rows[0].locks.since_ns[GSTAGE_LOCK_READ] = 12345;
	rows[1].locks.phases[1][GSTAGE_LOCK_WRITE] =
		(struct gstage_holds){ 1, 6000, 6000 };
	put(&rows[1].locks.held_ns[GSTAGE_LOCK_WRITE], 6000);
	tally_add_row(t, &rows[0]);
	tally_add_row(t, &rows[1]);
	tally_close_phases(t, 2500);

	json_object_set_new(root, "environment", sample_environment());
	assert_int_equal(tally_to_run(t, root, false), 0);
	assert_null(json_object_get(root, "locks"));
	assert_int_equal(tally_locks_to_run(t, root), 0);
	if (run__validate(root, reason, sizeof(reason)))
		fail_msg("%s", reason);

	assert_int_equal(json_array_size(json_object_get(root, "locks")), 1);
	item = row(run, "locks", 0);
	assert_string_equal(run_str(item, "mode"), "write");
	assert_int_equal(run_int(item, "count"), 3);
	assert_int_equal(run_int(json_object_get(item, "held"), "max"), 6000);
	item = json_array_get(json_object_get(row(run, "phases", 1), "locks"),
			      0);
	assert_int_equal(run_int(item, "count"), 3);
	assert_int_equal(run_int(item, "held_ns"), 13000);
	assert_int_equal(run_int(item, "longest_ns"), 6000);
	assert_int_equal(json_array_size(json_object_get(row(run, "phases", 0),
							 "locks")),
			 0);

	/* A phase cannot hold it more often than the run. */
	json_object_set_new(item, "count", json_integer(4));
	assert_true(run__validate(root, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "locks"));
	run__free(run);
	free(t);
	free(rows);
}

static void test_interval_is_a_difference(void **state)
{
	struct gstage_phase_counts before = { 0 }, now = { 0 }, diff;

	(void)state;
	before.prots[GSTAGE_PROT_CHANGED] = 40;
	now.prots[GSTAGE_PROT_CHANGED] = 100;
	now.fences[GSTAGE_FLUSH_VVMA] = 7; /* the last counter of all */
	tally_subtract(&diff, &now, &before);
	assert_int_equal(diff.prots[GSTAGE_PROT_CHANGED], 60);
	assert_int_equal(diff.fences[GSTAGE_FLUSH_VVMA], 7);
	assert_int_equal(diff.faults[0][0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_of_all_cpus),
		cmocka_unit_test(test_fences_of_faults_are_page_requests),
		cmocka_unit_test(test_statistics_of_kvm),
		cmocka_unit_test(test_sizes_of_ranges),
		cmocka_unit_test(test_statistics_since),
		cmocka_unit_test(test_a_vm_that_runs_on),
		cmocka_unit_test(test_open_phase_is_closed),
		cmocka_unit_test(test_counts_only_has_no_histograms),
		cmocka_unit_test(test_values_without_a_bucket),
		cmocka_unit_test(test_a_missing_value_fails_the_check),
		cmocka_unit_test(test_fence_queue_says_how),
		cmocka_unit_test(test_checks_are_told),
		cmocka_unit_test(test_losses_are_named),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_holds_of_all_cpus),
		cmocka_unit_test(test_interval_is_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
