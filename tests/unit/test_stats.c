// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics against known answers: published tables, enumeration of all
 * permutations, examples worked out by hand. tests/sim/stats.c is about how
 * they behave in the long run.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/stats.h"

#define assert_near(x, expected, tolerance)                                \
	do {                                                               \
		double got_ = (x), want_ = (expected);                     \
		if (!(fabs(got_ - want_) <= (tolerance)))                  \
			fail_msg("%s is %.9g, not %.9g", #x, got_, want_); \
	} while (0)

static double mwu_p(const double *a, size_t na, const double *b, size_t nb)
{
	struct stats_mwu mwu;

	assert_int_equal(stats_mwu(a, na, b, nb, &mwu), 0);
	return mwu.p;
}

/* Samples without ties in which b is larger in exactly @u pairs. */
static double p_of_u(size_t na, size_t nb, size_t u)
{
	double a[32], b[32];
	size_t i;

	for (i = 0; i < na; i++)
		a[i] = (double)i;
	for (i = 0; i < nb; i++) {
		size_t below = u / nb + (i < u % nb);

		b[i] = (double)below - 0.5 - 0.001 * (double)i;
	}
	return mwu_p(a, na, b, nb);
}

/*
 * The largest u that is significant at 0.05, two-sided, as every table of the
 * Mann-Whitney statistic has it.
 */
static void test_published_critical_values(void **state)
{
	static const struct {
		size_t na, nb, u;
	} table[] = {
		{ 4, 4, 0 },   { 5, 5, 2 },    { 6, 6, 5 },    { 7, 7, 8 },
		{ 8, 8, 13 },  { 9, 9, 17 },   { 10, 10, 23 }, { 5, 8, 6 },
		{ 6, 10, 11 }, { 10, 15, 39 }, { 15, 15, 64 }, { 20, 20, 127 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(p_of_u(table[i].na, table[i].nb, table[i].u) <=
			    0.05);
		assert_true(p_of_u(table[i].na, table[i].nb, table[i].u + 1) >
			    0.05);
		/* The arms may change places. */
		assert_near(p_of_u(table[i].na, table[i].nb, table[i].u),
			    p_of_u(table[i].nb, table[i].na, table[i].u),
			    1e-12);
	}
}

/* Counted by hand: of C(6,3) = 20 picks two are as far apart as 1 2 3, 4 5 6. */
static void test_small_samples_by_hand(void **state)
{
	static const double a[] = { 1, 2, 3 }, b[] = { 4, 5, 6 };
	static const double c[] = { 1, 2, 4 }, d[] = { 3, 5, 6 };
	struct stats_mwu mwu;

	(void)state;
	assert_int_equal(stats_mwu(a, 3, b, 3, &mwu), 0);
	assert_true(mwu.exact);
	assert_near(mwu.u, 9, 0);
	assert_near(mwu.p, 2.0 / 20, 1e-12);
	assert_int_equal(stats_mwu(b, 3, a, 3, &mwu), 0);
	assert_near(mwu.u, 0, 0);
	assert_near(mwu_p(c, 3, d, 3), 4.0 / 20, 1e-12);
	assert_near(mwu_p(a, 1, b, 1), 1, 1e-12);
}

/* p by going through every pick of nb out of all, with mid-ranks. */
static double enumerate_p(const double *a, size_t na, const double *b,
			  size_t nb)
{
	size_t n = na + nb, i, j, nr = 0, nr_far = 0;
	double x[16], rank[16], observed = 0, mean;
	unsigned int mask;

	for (i = 0; i < n; i++)
		x[i] = i < na ? a[i] : b[i - na];
	for (i = 0; i < n; i++) {
		rank[i] = 0.5;
		for (j = 0; j < n; j++)
			rank[i] += x[j] < x[i] ? 1 : x[j] == x[i] ? 0.5 : 0;
		if (i >= na)
			observed += rank[i];
	}
	mean = (double)nb * (double)(n + 1) / 2;
	for (mask = 0; mask < 1U << n; mask++) {
		double sum = 0;

		if ((size_t)__builtin_popcount(mask) != nb)
			continue;
		for (i = 0; i < n; i++)
			sum += mask & 1U << i ? rank[i] : 0;
		nr++;
		nr_far += fabs(sum - mean) >= fabs(observed - mean) - 1e-9;
	}
	return (double)nr_far / (double)nr;
}

static void test_ties_against_enumeration(void **state)
{
	uint32_t seed = 1;
	double a[7], b[7];
	size_t na, nb, i;
	int k;

	(void)state;
	for (k = 0; k < 200; k++) {
		na = 1 + (seed >> 8) % 7;
		nb = 1 + (seed >> 16) % 7;
		/* Few values: ties are the rule. */
		for (i = 0; i < na; i++) {
			seed = seed * 1664525 + 1013904223;
			a[i] = seed >> 29;
		}
		for (i = 0; i < nb; i++) {
			seed = seed * 1664525 + 1013904223;
			b[i] = seed >> 29;
		}
		assert_near(mwu_p(a, na, b, nb), enumerate_p(a, na, b, nb),
			    1e-12);
	}
}

static void test_equal_values_show_nothing(void **state)
{
	static const double a[] = { 7, 7, 7, 7, 7 };
	double many[60];
	size_t i;

	(void)state;
	assert_near(mwu_p(a, 5, a, 5), 1, 1e-12);
	for (i = 0; i < 60; i++)
		many[i] = 7;
	assert_near(mwu_p(many, 30, many + 30, 30), 1, 1e-12);
}

/* Beyond the exact law: R's wilcox.test(exact = FALSE) for 1..30 and 11..40. */
static void test_many_values_use_the_normal_law(void **state)
{
	double a[30], b[30], variance, z;
	struct stats_mwu mwu;
	size_t i;

	(void)state;
	for (i = 0; i < 30; i++) {
		a[i] = (double)i + 1;
		b[i] = (double)i + 11.25;
	}
	assert_int_equal(stats_mwu(a, 30, b, 30, &mwu), 0);
	assert_false(mwu.exact);
	/* b is larger than all of a but the (20 - i) next: 900 - 190 pairs. */
	assert_near(mwu.u, 900 - 190, 0);
	variance = 30.0 * 30 * 61 / 12;
	z = (710 - 450 - 0.5) / sqrt(variance);
	assert_near(mwu.p, erfc(z / sqrt(2)), 1e-12);
}

static void test_what_is_no_sample_is_refused(void **state)
{
	static const double good[] = { 1, 2 }, nan[] = { 1, NAN };
	static const double inf[] = { INFINITY }, zero[] = { 0, 0 };
	struct stats_interval interval;
	struct stats_mwu mwu;
	double x;

	(void)state;
	assert_int_equal(stats_mwu(good, 0, good, 2, &mwu), -EINVAL);
	assert_int_equal(stats_mwu(good, 2, nan, 2, &mwu), -EINVAL);
	assert_int_equal(stats_mwu(inf, 1, good, 2, &mwu), -EINVAL);
	assert_int_equal(stats_ratio_interval(good, 2, nan, 2, 0.95, 10, 1, &x,
					      &interval),
			 -EINVAL);
	/* There is no ratio to nothing. */
	assert_int_equal(stats_ratio_interval(zero, 2, good, 2, 0.95, 10, 1, &x,
					      &interval),
			 -EINVAL);
	assert_int_equal(stats_detectable(zero, 2, good, 2, 0.05, 0.8, &x),
			 -EINVAL);
	assert_true(isnan(stats_median(good, 0)));
	assert_true(isnan(stats_quantile(good, 0, 0.5)));
}

/* 2 / C(2n, n) */
static void test_smallest_p(void **state)
{
	(void)state;
	assert_near(stats_mwu_min_p(4, 4), 2.0 / 70, 1e-12);
	assert_near(stats_mwu_min_p(5, 5), 2.0 / 252, 1e-12);
	assert_near(stats_mwu_min_p(6, 6), 2.0 / 924, 1e-12);
	assert_near(stats_mwu_min_p(8, 8), 2.0 / 12870, 1e-12);
	assert_near(stats_mwu_min_p(10, 10), 2.0 / 184756, 1e-12);
	assert_near(stats_mwu_min_p(1, 1), 1, 1e-12);
	assert_near(stats_mwu_min_p(0, 5), 1, 0);
	assert_near(p_of_u(5, 5, 0), stats_mwu_min_p(5, 5), 1e-12);
}

/*
 * By hand: .005 x 4, .01 x 3, .03 x 2, .04 x 1, each at least the one before.
 */
static void test_holm(void **state)
{
	static const double p[] = { 0.01, 0.04, 0.03, 0.005 };
	static const double expected[] = { 0.03, 0.06, 0.06, 0.02 };
	double adjusted[4], same[] = { 0.01, 0.04, 0.03, 0.005 };
	double large[] = { 0.5, 0.9 };
	size_t i;

	(void)state;
	assert_int_equal(stats_holm(p, 4, adjusted), 0);
	assert_int_equal(stats_holm(same, 4, same), 0);
	for (i = 0; i < 4; i++) {
		assert_near(adjusted[i], expected[i], 1e-12);
		assert_near(same[i], expected[i], 1e-12);
	}
	assert_int_equal(stats_holm(large, 2, large), 0);
	assert_near(large[0], 1, 1e-12);
	assert_near(large[1], 1, 1e-12);
	assert_int_equal(stats_holm(p, 0, adjusted), 0);
}

/* R: quantile(1:10, c(.25, .9), type = 7) is 3.25 and 9.1. */
static void test_quantiles(void **state)
{
	static const double x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	static const double odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 2 };

	(void)state;
	assert_near(stats_quantile(x, 10, 0.25), 3.25, 1e-12);
	assert_near(stats_quantile(x, 10, 0.9), 9.1, 1e-12);
	assert_near(stats_quantile(x, 10, 1), 10, 0);
	assert_near(stats_median(odd, 3), 5, 0);
	assert_near(stats_median(even, 4), 2.5, 0);
	assert_near(odd[0], 9, 0);
}

/*
 * Two boots: a median is the smaller, the mean of both, or the larger one with
 * chances of 1/4, 1/2, 1/4; so the 40 % interval is the middle one, and the
 * 95 % interval goes from end to end.
 */
static void test_interval_of_two_boots(void **state)
{
	static const double a[] = { 5 }, b[] = { 10, 20 };
	struct stats_interval interval, again;
	double ratio;

	(void)state;
	assert_int_equal(stats_ratio_interval(a, 1, b, 2, 0.95, 2000, 1, &ratio,
					      &interval),
			 0);
	assert_near(ratio, 3, 1e-12);
	assert_near(interval.lo, 2, 1e-12);
	assert_near(interval.hi, 4, 1e-12);
	assert_int_equal(stats_ratio_interval(a, 1, b, 2, 0.4, 2000, 1, &ratio,
					      &interval),
			 0);
	assert_near(interval.lo, 3, 1e-12);
	assert_near(interval.hi, 3, 1e-12);
	/* The same seed gives the same interval. */
	assert_int_equal(stats_ratio_interval(a, 1, b, 2, 0.6, 50, 7, &ratio,
					      &interval),
			 0);
	assert_int_equal(stats_ratio_interval(a, 1, b, 2, 0.6, 50, 7, &ratio,
					      &again),
			 0);
	assert_near(interval.lo, again.lo, 0);
	assert_near(interval.hi, again.hi, 0);
}

/*
 * Ten boots with a standard deviation of 1: a t test has power 0.8 at 1.32
 * standard deviations, and the rank test is 95.5 % as efficient (Lehmann,
 * section 2.4), which is 1.35; small samples need a little more.
 */
static void test_detectable_effect(void **state)
{
	/* Normal scores, scaled to a standard deviation of 1. */
	static const double z[] = { -1.615, -1.051, -0.688, -0.394, -0.129,
				    0.129,  0.394,  0.688,  1.051,  1.615 };
	double a[10], relative, closer;
	size_t i;

	(void)state;
	for (i = 0; i < 10; i++)
		a[i] = 100 + z[i];
	assert_int_equal(stats_detectable(a, 10, a, 10, 0.05, 0.8, &relative),
			 0);
	assert_near(relative, 0.0137, 0.0010);
	/* A stricter alpha needs more. */
	assert_int_equal(stats_detectable(a, 10, a, 10, 0.005, 0.8, &closer),
			 0);
	assert_true(closer > relative);
	/* Three against three have no p below 0.1. */
	assert_int_equal(stats_detectable(a, 3, a, 3, 0.05, 0.8, &relative), 0);
	assert_true(isinf(relative));
}

static void test_rule(void **state)
{
	const struct stats_interval above = { 1.02, 1.10 }, over = { 0.9, 1.1 };
	const struct stats_interval band = { 0.97, 1.08 };

	(void)state;
	assert_true(stats_is_shown(0.01, 0.05, 1.06, above, NULL));
	assert_false(stats_is_shown(0.05, 0.05, 1.06, above, NULL));
	assert_false(stats_is_shown(0.01, 0.05, 1.06, over, NULL));
	assert_false(stats_is_shown(0.01, 0.05, 1.06, above, &band));
	assert_true(stats_is_shown(0.01, 0.05, 1.09, above, &band));
	assert_false(stats_is_shown(NAN, 0.05, 1.09, above, &band));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_critical_values),
		cmocka_unit_test(test_small_samples_by_hand),
		cmocka_unit_test(test_ties_against_enumeration),
		cmocka_unit_test(test_equal_values_show_nothing),
		cmocka_unit_test(test_many_values_use_the_normal_law),
		cmocka_unit_test(test_what_is_no_sample_is_refused),
		cmocka_unit_test(test_smallest_p),
		cmocka_unit_test(test_holm),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_interval_of_two_boots),
		cmocka_unit_test(test_detectable_effect),
		cmocka_unit_test(test_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
