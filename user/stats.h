/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics over boots. A value is one figure of one boot (a median, a
 * quantile, a duration): boots are independent of each other, the thousands of
 * events inside of one are not, so they are never pooled.
 *
 * Values must be finite. Functions that allocate return 0, -ENOMEM or -EINVAL
 * (no values, or one that is not finite).
 */
#ifndef GSTAGE_USER_STATS_H
#define GSTAGE_USER_STATS_H

#include <stdbool.h>
#include <stddef.h>

struct stats_interval {
	double lo, hi;
};

/* The median of @n values in any order; NAN when there are none. */
double stats_median(const double *x, size_t n);

/* Quantile @q of @n ascending values, R's type 7; NAN when there are none. */
double stats_quantile(const double *sorted, size_t n, double q);

/*
 * Mann-Whitney: could @a and @b be draws from one distribution? Two-sided.
 * u counts the pairs in which b is larger, ties as one half.
 */
struct stats_mwu {
	double u;
	double p;
	bool exact; /* p is from the permutations, not from a normal law */
};

int stats_mwu(const double *a, size_t na, const double *b, size_t nb,
	      struct stats_mwu *out);

/* The smallest p that so many values can give: 2 / C(na + nb, na). */
double stats_mwu_min_p(size_t na, size_t nb);

/*
 * Holm's adjustment of @n p values: taking all rows whose adjusted p is
 * below alpha, the chance that one of them or more is a false one is alpha. @p
 * and @adjusted may be the same.
 */
int stats_holm(const double *p, size_t n, double *adjusted);

/*
 * The ratio of the medians b / a and a bootstrap interval for it: boots of each
 * arm drawn with replacement @resamples times, from @seed on. -EINVAL also when
 * the median of @a is not positive.
 */
int stats_ratio_interval(const double *a, size_t na, const double *b, size_t nb,
			 double confidence, unsigned int resamples,
			 unsigned long seed, double *ratio,
			 struct stats_interval *out);

/*
 * The smallest change, relative to the median of @a, that stats_mwu() would
 * find at @alpha with probability @power in as many boots with as much spread;
 * INFINITY when so few never can. For a shift of a normal law.
 */
int stats_detectable(const double *a, size_t na, const double *b, size_t nb,
		     double alpha, double power, double *relative);

/*
 * The rule by which a row of host time is said to differ: its p after Holm is
 * below @alpha, the interval of the ratio leaves out 1, and the ratio lies
 * outside of what a repetition of the first arm showed (@band, NULL without).
 */
bool stats_is_shown(double p_holm, double alpha, double ratio,
		    struct stats_interval interval,
		    const struct stats_interval *band);

#endif /* GSTAGE_USER_STATS_H */
