// SPDX-License-Identifier: GPL-2.0-only
/* Bucket geometry, merging and quantiles; expected values are worked by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/hist.h"

static void test_small_values_have_their_own_bucket(void **state)
{
	uint64_t v;

	(void)state;
	for (v = 0; v < 32; v++) {
		assert_int_equal(hist_index(v), v);
		assert_int_equal(hist_bucket_ge((unsigned int)v), v);
		assert_int_equal(hist_bucket_lt((unsigned int)v), v + 1);
	}
}

static void test_known_buckets(void **state)
{
	(void)state;
	/* 32..33: p = 5, (5 - 4) * 16 + (32 >> 1) = 32; two values wide. */
	assert_int_equal(hist_index(32), 32);
	assert_int_equal(hist_index(33), 32);
	assert_int_equal(hist_index(34), 33);
	/* 1000: p = 9, 5 * 16 + (1000 >> 5 = 31) = 111: [992, 1024). */
	assert_int_equal(hist_index(1000), 111);
	assert_int_equal(hist_bucket_ge(111), 992);
	assert_int_equal(hist_bucket_lt(111), 1024);
	/* 4096: p = 12, 8 * 16 + 16 = 144: [4096, 4352). */
	assert_int_equal(hist_index(4096), 144);
	assert_int_equal(hist_bucket_lt(144), 4352);
	/* 2 MiB: p = 21, 17 * 16 + 16 = 288. */
	assert_int_equal(hist_index(2u << 20), 288);
	/* A 32-bit shift goes wrong from here (1 << 31 in an int). */
	assert_int_equal(hist_index(1ull << 31), 27 * 16 + 16);
}

static void test_ends_of_the_range(void **state)
{
	(void)state;
	assert_int_equal(hist_index((1ull << 36) - 1), 527);
	assert_int_equal(hist_bucket_lt(527), 1ull << 36);
	assert_int_equal(hist_index(1ull << 36), GSTAGE_HIST_BUCKETS);
	assert_int_equal(hist_index(UINT64_MAX), GSTAGE_HIST_BUCKETS);
}

static void test_buckets_tile_the_range(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
		assert_true(hist_bucket_ge(i) < hist_bucket_lt(i));
		assert_int_equal(hist_index(hist_bucket_ge(i)), i);
		assert_int_equal(hist_index(hist_bucket_lt(i) - 1), i);
		/* 6.25 % wide at most. */
		if (i >= 16)
			assert_true((hist_bucket_lt(i) - hist_bucket_ge(i)) *
					    16 <=
				    hist_bucket_ge(i));
	}
}

static void test_empty(void **state)
{
	struct hist h = { 0 };
	uint64_t lo, hi;

	(void)state;
	assert_true(hist_is_consistent(&h));
	assert_int_equal(hist_quantile(&h, 500, &lo, &hi), -ENODATA);
	assert_int_equal(hist_mean(&h), 0);
}

static void test_one_value(void **state)
{
	struct hist h = { 0 };
	uint64_t lo = 1, hi = 1;

	(void)state;
	hist_add(&h, 0);
	assert_true(hist_is_consistent(&h));
	assert_int_equal(hist_quantile(&h, 0, &lo, &hi), 0);
	assert_int_equal(lo, 0);
	assert_int_equal(hi, 0);

	memset(&h, 0, sizeof(h));
	hist_add(&h, 1000);
	assert_int_equal(hist_quantile(&h, 999, &lo, &hi), 0);
	assert_int_equal(lo, 1000);
	assert_int_equal(hi, 1000);
	assert_int_equal(hist_quantile(&h, 1001, &lo, &hi), -EINVAL);
}

/* 100 values 1 to 100: by nearest rank p50 is 50, p90 is 90, p99 is 99. */
static void test_quantiles_hold_the_true_value(void **state)
{
	struct hist h = { 0 };
	uint64_t v, lo, hi;

	(void)state;
	for (v = 1; v <= 100; v++)
		hist_add(&h, v);
	assert_int_equal(h.count, 100);
	assert_int_equal(h.sum, 5050);
	assert_int_equal(hist_mean(&h), 51); /* 50.5 */

	assert_int_equal(hist_quantile(&h, 500, &lo, &hi), 0);
	assert_int_equal(lo, 50); /* [50, 52) */
	assert_int_equal(hi, 51);
	assert_int_equal(hist_quantile(&h, 900, &lo, &hi), 0);
	assert_int_equal(lo, 88); /* [88, 92) */
	assert_int_equal(hi, 91);
	assert_int_equal(hist_quantile(&h, 990, &lo, &hi), 0);
	assert_int_equal(lo, 96); /* [96, 100) */
	assert_int_equal(hi, 99);
	/* Smallest and largest are exact. */
	assert_int_equal(hist_quantile(&h, 0, &lo, &hi), 0);
	assert_int_equal(lo, 1);
	assert_int_equal(hi, 1);
	assert_int_equal(hist_quantile(&h, 999, &lo, &hi), 0);
	assert_int_equal(lo, 100);
	assert_int_equal(hi, 100);
}

static void test_overflow_is_counted(void **state)
{
	struct hist h = { 0 };
	uint64_t lo, hi;

	(void)state;
	hist_add(&h, 5);
	hist_add(&h, 6);
	hist_add(&h, 1ull << 36);
	hist_add(&h, 1ull << 40);
	assert_int_equal(h.count, 4);
	assert_int_equal(h.overflow, 2);
	assert_true(hist_is_consistent(&h));
	assert_int_equal(hist_quantile(&h, 750, &lo, &hi), 0);
	assert_int_equal(lo, 1ull << 36);
	assert_int_equal(hi, 1ull << 40);
}

static void test_underflow_is_lowest(void **state)
{
	struct hist h = { 0 };
	uint64_t lo = 7, hi = 7;

	(void)state;
	hist_add(&h, 100);
	hist_add(&h, 200);
	h.count++;
	h.underflow++;
	assert_true(hist_is_consistent(&h));
	assert_int_equal(hist_quantile(&h, 100, &lo, &hi), 0);
	assert_int_equal(lo, 0);
	assert_int_equal(hi, 0);
	assert_int_equal(hist_quantile(&h, 600, &lo, &hi), 0);
	assert_true(lo <= 100 && hi >= 100);
	assert_int_equal(hist_mean(&h), 150);
}

static void test_merge(void **state)
{
	struct hist a = { 0 }, b = { 0 }, empty = { 0 };

	(void)state;
	hist_add(&a, 100);
	hist_add(&b, 7);
	hist_add(&b, 1ull << 36);

	hist_merge(&a, &empty);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.min, 100);

	hist_merge(&a, &b);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.sum, 107 + (1ull << 36));
	assert_int_equal(a.min, 7);
	assert_int_equal(a.max, 1ull << 36);
	assert_int_equal(a.overflow, 1);
	assert_true(hist_is_consistent(&a));

	hist_merge(&empty, &a);
	assert_memory_equal(&empty, &a, sizeof(a));
}

static void test_inconsistency_is_seen(void **state)
{
	struct hist good = { 0 }, h;

	(void)state;
	hist_add(&good, 1000);
	hist_add(&good, 2000);

	h = good;
	h.count++;
	assert_false(hist_is_consistent(&h));
	h = good;
	h.sum = 10; /* below 992 + 1984 */
	assert_false(hist_is_consistent(&h));
	h = good;
	h.sum = 4000; /* above 1023 + 2047 */
	assert_false(hist_is_consistent(&h));
	h = good;
	h.min = 900; /* another bucket than the first one in use */
	assert_false(hist_is_consistent(&h));
	h = good;
	h.max = 5000;
	assert_false(hist_is_consistent(&h));
	h = good;
	h.min = 3000;
	assert_false(hist_is_consistent(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_values_have_their_own_bucket),
		cmocka_unit_test(test_known_buckets),
		cmocka_unit_test(test_ends_of_the_range),
		cmocka_unit_test(test_buckets_tile_the_range),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_one_value),
		cmocka_unit_test(test_quantiles_hold_the_true_value),
		cmocka_unit_test(test_overflow_is_counted),
		cmocka_unit_test(test_underflow_is_lowest),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_inconsistency_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
