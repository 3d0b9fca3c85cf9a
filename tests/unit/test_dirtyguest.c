// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirtyguest's plan (which page, write or read, which value) and its oracle.
 *
 * Compile: $(CC) $(CFLAGS) -Ibench/dirtyguest tests/unit/test_dirtyguest.c \
 *	    bench/dirtyguest/pattern.c -lcmocka
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.c"
#include "pattern.h"

#define PAGE_BYTES 4096

static struct dg_pass_params params_of(__u64 nr_pages)
{
	return (struct dg_pass_params){
		.seed = 1,
		.round = 1,
		.nr_vcpus = 1,
		.order = DG_ORDER_SEQ,
		.write_percent = 100,
		.hot_percent = 10,
		.nr_pages = nr_pages,
	};
}

static void test_mix_known_answers(void **state)
{
	(void)state;
	/* First outputs of splitmix64 seeded with 0 and with 1234567. */
	assert_int_equal(dg_mix(0), 0xe220a8397b1dcdafull);
	assert_int_equal(dg_mix(1234567), 6457827717110365317ull);
}

static void test_half_bits(void **state)
{
	(void)state;
	assert_int_equal(dg_half_bits(1), 0);
	assert_int_equal(dg_half_bits(2), 1);
	assert_int_equal(dg_half_bits(4), 1);
	assert_int_equal(dg_half_bits(5), 2);
	assert_int_equal(dg_half_bits(4096), 6);
	assert_int_equal(dg_half_bits(4097), 7);
	assert_int_equal(dg_half_bits(1ull << 32), 16);
}

static void assert_permutation(__u64 n, __u64 key)
{
	char *seen = calloc(n, 1);

	assert_non_null(seen);
	for (__u64 i = 0; i < n; i++) {
		__u64 x = dg_permute(i, n, dg_half_bits(n), key);

		assert_true(x < n);
		assert_false(seen[x]);
		seen[x] = 1;
	}
	free(seen);
}

static void test_permute_is_a_bijection(void **state)
{
	static const __u64 sizes[] = { 1,   2,	 3,   4,    5,	  7,	8,
				       9,   15,	 16,  17,   63,	  64,	65,
				       511, 512, 513, 4095, 4096, 4097, 10007 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_permutation(sizes[i], 0);
		assert_permutation(sizes[i], dg_mix(sizes[i]));
		assert_permutation(sizes[i], UINT64_MAX);
	}
}

static void test_permute_depends_on_key(void **state)
{
	int same = 0, ascending = 0;

	(void)state;
	for (__u64 i = 0; i < 4096; i++) {
		__u64 a = dg_permute(i, 4096, 6, dg_mix(1));

		same += a == dg_permute(i, 4096, 6, dg_mix(2));
		ascending += a + 1 ==
			     dg_permute((i + 1) % 4096, 4096, 6, dg_mix(1));
	}
	/* One of each is expected by chance; 20 would be no chance. */
	assert_true(same < 20);
	assert_true(ascending < 20);
}

static void test_ranges_partition(void **state)
{
	static const struct {
		__u64 nr_pages;
		__u32 nr_vcpus;
	} cases[] = { { 1, 1 },	   { 3, 2 },	 { 4096, 1 },
		      { 4096, 3 }, { 4096, 8 },	 { 4096, 9 },
		      { 4100, 4 }, { 512, 512 }, { 5121, 3 } };

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		__u64 next = 0, first, count;

		for (__u32 v = 0; v < cases[c].nr_vcpus; v++) {
			dg_range(cases[c].nr_pages, cases[c].nr_vcpus, v, 0,
				 &first, &count);
			assert_int_equal(first, next);
			assert_true(count > 0);
			next = first + count;
		}
		assert_int_equal(next, cases[c].nr_pages);
	}
}

static void test_pages_begin_at_the_offset(void **state)
{
	struct dg_pass_params params = params_of(4096);
	struct dg_pass pass;
	struct dg_op op;

	(void)state;
	params.first_page = 32;
	dg_pass_init(&pass, &params);
	dg_pass_op(&pass, 0, &op);
	assert_int_equal(op.page, 32);
	dg_pass_op(&pass, 4095, &op);
	assert_int_equal(op.page, 4127);
	params.nr_vcpus = 2;
	params.vcpu = 1;
	dg_pass_init(&pass, &params);
	dg_pass_op(&pass, 0, &op);
	assert_int_equal(op.page, 2080);
}

static void test_ranges_keep_blocks_whole(void **state)
{
	__u64 first, count;

	(void)state;
	/* 8 blocks for 3 vCPUs: 2, 3 and 3 blocks. */
	dg_range(4096, 3, 0, 0, &first, &count);
	assert_int_equal(first, 0);
	assert_int_equal(count, 1024);
	dg_range(4096, 3, 1, 0, &first, &count);
	assert_int_equal(first, 1024);
	assert_int_equal(count, 1536);
	dg_range(4096, 3, 2, 0, &first, &count);
	assert_int_equal(first, 2560);
	assert_int_equal(count, 1536);
}

static void test_ranges_overlap(void **state)
{
	__u64 first, count;

	(void)state;
	for (__u32 v = 0; v < 4; v++) {
		dg_range(100, 4, v, 1, &first, &count);
		assert_int_equal(first, 0);
		assert_int_equal(count, 100);
	}
}

static void test_seq_visits_in_order(void **state)
{
	struct dg_pass_params p = params_of(1000);
	struct dg_pass pass;
	struct dg_op op;

	(void)state;
	dg_pass_init(&pass, &p);
	assert_int_equal(pass.nr_ops, 1000);
	for (__u64 i = 0; i < 1000; i++) {
		dg_pass_op(&pass, i, &op);
		assert_int_equal(op.page, i);
		assert_true(op.is_write);
	}
}

static void test_random_visits_each_page_once(void **state)
{
	struct dg_pass_params p = params_of(1000);
	char seen[1000] = { 0 };
	struct dg_pass pass;
	struct dg_op op;

	(void)state;
	p.order = DG_ORDER_RANDOM;
	dg_pass_init(&pass, &p);
	assert_int_equal(pass.nr_ops, 1000);
	for (__u64 i = 0; i < 1000; i++) {
		dg_pass_op(&pass, i, &op);
		assert_true(op.page < 1000);
		assert_false(seen[op.page]);
		seen[op.page] = 1;
	}
}

static void test_stride_visits_each_block_once(void **state)
{
	struct dg_pass_params p = params_of(4096 + 100);
	struct dg_pass pass;
	struct dg_op op;

	(void)state;
	p.order = DG_ORDER_STRIDE2M;
	for (p.round = 1; p.round < 50; p.round++) {
		dg_pass_init(&pass, &p);
		assert_int_equal(pass.nr_ops, 9);
		for (__u64 i = 0; i < 9; i++) {
			dg_pass_op(&pass, i, &op);
			assert_int_equal(op.page / DG_BLOCK_PAGES, i);
			/* The last block has 100 pages only. */
			assert_true(op.page < 4096 + 100);
		}
	}
}

static void test_hot_stays_in_its_window(void **state)
{
	struct dg_pass_params p = params_of(1000);
	struct dg_pass first, pass;
	struct dg_op op;

	(void)state;
	p.order = DG_ORDER_HOT;
	dg_pass_init(&first, &p);
	assert_int_equal(first.hot_pages, 100);
	assert_true(first.hot_first <= 900);
	for (p.round = 1; p.round < 10; p.round++) {
		dg_pass_init(&pass, &p);
		assert_int_equal(pass.nr_ops, 1000);
		assert_int_equal(pass.hot_first, first.hot_first);
		for (__u64 i = 0; i < 1000; i++) {
			dg_pass_op(&pass, i, &op);
			assert_true(op.page >= first.hot_first);
			assert_true(op.page < first.hot_first + 100);
		}
	}
	p.hot_percent = 1;
	p.nr_pages = 5;
	dg_pass_init(&pass, &p);
	assert_int_equal(pass.hot_pages, 1);
	p.hot_percent = 100;
	dg_pass_init(&pass, &p);
	assert_int_equal(pass.hot_pages, 5);
	assert_int_equal(pass.hot_first, 0);
}

static __u64 count_writes(const struct dg_pass *pass)
{
	__u64 nr = 0;
	struct dg_op op;

	for (__u64 i = 0; i < pass->nr_ops; i++) {
		dg_pass_op(pass, i, &op);
		nr += op.is_write;
	}
	return nr;
}

static void test_write_share_is_exact(void **state)
{
	struct dg_pass_params p = params_of(4096);
	struct dg_pass pass;

	(void)state;
	for (p.write_percent = 0; p.write_percent <= 100; p.write_percent++) {
		dg_pass_init(&pass, &p);
		assert_int_equal(count_writes(&pass),
				 4096 * p.write_percent / 100);
	}
}

/* Two passes that differ in one parameter must not store the same values. */
static void assert_values_differ(const struct dg_pass_params *a,
				 const struct dg_pass_params *b)
{
	struct dg_pass pass_a, pass_b;
	struct dg_op op_a, op_b;

	dg_pass_init(&pass_a, a);
	dg_pass_init(&pass_b, b);
	for (__u64 i = 0; i < pass_a.nr_ops && i < pass_b.nr_ops; i++) {
		dg_pass_op(&pass_a, i, &op_a);
		dg_pass_op(&pass_b, i, &op_b);
		assert_int_not_equal(op_a.value, op_b.value);
	}
}

static void test_values_tell_passes_apart(void **state)
{
	struct dg_pass_params a = params_of(4096), b = a;

	(void)state;
	b.round = 2;
	assert_values_differ(&a, &b);
	b = a;
	b.seed = 2;
	assert_values_differ(&a, &b);
	a.nr_vcpus = b.nr_vcpus = 2;
	a.overlap = b.overlap = 1;
	b.vcpu = 1;
	assert_values_differ(&a, &b);
}

/* What the guest does, done by the host. */
static void work_off(const struct dg_pass *pass, __u64 *memory)
{
	struct dg_op op;

	for (__u64 i = 0; i < pass->nr_ops; i++) {
		dg_pass_op(pass, i, &op);
		if (op.is_write)
			memory[op.page * (PAGE_BYTES / 8) + pass->vcpu] =
				op.value;
	}
}

#define NR_PAGES 130 /* not whole bitmap words */
#define SLOT_PAGES 200

static void test_oracle_accepts_what_it_predicted(void **state)
{
	__u64 *memory = calloc(NR_PAGES, PAGE_BYTES);
	struct dg_pass_params p = params_of(NR_PAGES);
	__u64 bitmap[4] = { 0 }, nr;
	struct check_values values;
	struct check_log log;
	struct check check;
	struct dg_pass pass;

	(void)state;
	assert_non_null(memory);
	assert_int_equal(check__new(&check, 2, NR_PAGES, SLOT_PAGES), 0);
	p.nr_vcpus = 2;
	p.overlap = 1;
	p.order = DG_ORDER_HOT;
	p.write_percent = 50;
	for (p.round = 1; p.round < 4; p.round++) {
		check__begin_round(&check);
		memset(bitmap, 0, sizeof(bitmap));
		for (p.vcpu = 0; p.vcpu < 2; p.vcpu++) {
			dg_pass_init(&pass, &p);
			work_off(&pass, memory);
			nr = check__record(&check, &pass);
			assert_int_equal(nr, NR_PAGES / 2);
		}
		check__values(&check, memory, &values);
		assert_int_equal(values.nr_wrong, 0);
		memcpy(bitmap, check.written, sizeof(bitmap));
		check__log(&check, bitmap, &log);
		assert_true(log.pages_written > 0);
		assert_true(log.pages_written <= 13);
		assert_int_equal(log.pages_reported, log.pages_written);
		assert_int_equal(log.pages_lost, 0);
		assert_int_equal(log.pages_spurious, 0);
	}
	check__free(&check);
	free(memory);
}

static void test_oracle_counts_lost_and_spurious(void **state)
{
	struct dg_pass_params p = params_of(NR_PAGES);
	struct check_log log;
	struct check check;
	struct dg_pass pass;
	__u64 bitmap[4];

	(void)state;
	assert_int_equal(check__new(&check, 1, NR_PAGES, SLOT_PAGES), 0);
	dg_pass_init(&pass, &p);
	assert_int_equal(check__record(&check, &pass), NR_PAGES);

	memset(bitmap, 0xff, sizeof(bitmap));
	check__log(&check, bitmap, &log);
	assert_int_equal(log.pages_written, NR_PAGES);
	/* Bits beyond the slot are not pages. */
	assert_int_equal(log.pages_reported, SLOT_PAGES);
	assert_int_equal(log.pages_lost, 0);
	assert_int_equal(log.pages_spurious, SLOT_PAGES - NR_PAGES);

	bitmap[1] &= ~(3ull << 5);
	check__log(&check, bitmap, &log);
	assert_int_equal(log.pages_lost, 2);
	assert_int_equal(log.first_lost, 69);

	memset(bitmap, 0, sizeof(bitmap));
	check__log(&check, bitmap, &log);
	assert_int_equal(log.pages_lost, NR_PAGES);
	assert_int_equal(log.first_lost, 0);
	assert_int_equal(log.pages_reported, 0);
	check__free(&check);
}

static void test_oracle_finds_a_wrong_word(void **state)
{
	__u64 *memory = calloc(NR_PAGES, PAGE_BYTES);
	struct dg_pass_params p = params_of(NR_PAGES);
	struct check_values values;
	struct check check;
	struct dg_pass pass;

	(void)state;
	assert_non_null(memory);
	assert_int_equal(check__new(&check, 1, NR_PAGES, NR_PAGES), 0);
	dg_pass_init(&pass, &p);
	work_off(&pass, memory);
	check__record(&check, &pass);
	memory[77 * (PAGE_BYTES / 8)] ^= 1;
	check__values(&check, memory, &values);
	assert_int_equal(values.nr_wrong, 1);
	assert_int_equal(values.page, 77);
	assert_int_equal(values.expected ^ values.found, 1);
	check__free(&check);
	free(memory);
}

/* A page not written in a round must keep the value of an earlier one. */
static void test_oracle_remembers_earlier_rounds(void **state)
{
	__u64 *memory = calloc(NR_PAGES, PAGE_BYTES);
	struct dg_pass_params p = params_of(NR_PAGES);
	struct check_values values;
	struct check check;
	struct dg_pass pass;

	(void)state;
	assert_non_null(memory);
	assert_int_equal(check__new(&check, 1, NR_PAGES, NR_PAGES), 0);
	dg_pass_init(&pass, &p);
	work_off(&pass, memory);
	check__record(&check, &pass);
	p.round = 2;
	p.write_percent = 30;
	check__begin_round(&check);
	dg_pass_init(&pass, &p);
	check__record(&check, &pass);
	/* The guest did nothing: exactly the 39 new values are missing. */
	check__values(&check, memory, &values);
	assert_int_equal(values.nr_wrong, 39);
	work_off(&pass, memory);
	check__values(&check, memory, &values);
	assert_int_equal(values.nr_wrong, 0);
	check__free(&check);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mix_known_answers),
		cmocka_unit_test(test_half_bits),
		cmocka_unit_test(test_permute_is_a_bijection),
		cmocka_unit_test(test_permute_depends_on_key),
		cmocka_unit_test(test_ranges_partition),
		cmocka_unit_test(test_ranges_keep_blocks_whole),
		cmocka_unit_test(test_pages_begin_at_the_offset),
		cmocka_unit_test(test_ranges_overlap),
		cmocka_unit_test(test_seq_visits_in_order),
		cmocka_unit_test(test_random_visits_each_page_once),
		cmocka_unit_test(test_stride_visits_each_block_once),
		cmocka_unit_test(test_hot_stays_in_its_window),
		cmocka_unit_test(test_write_share_is_exact),
		cmocka_unit_test(test_values_tell_passes_apart),
		cmocka_unit_test(test_oracle_accepts_what_it_predicted),
		cmocka_unit_test(test_oracle_counts_lost_and_spurious),
		cmocka_unit_test(test_oracle_finds_a_wrong_word),
		cmocka_unit_test(test_oracle_remembers_earlier_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
