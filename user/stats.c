// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics over boots, on top of GSL: distributions, random numbers, sorting
 * and quantiles are GSL's. What is here is what GSL has not: the exact
 * permutation law of the Mann-Whitney statistic, Holm's adjustment, a
 * percentile bootstrap. `make sim` shows what they are worth.
 */
#include "user/stats.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Up to so many pairs the permutation law is computed; that of 20 against 20
 * takes some ms. Beyond, the normal law is good to a percent of p.
 */
#define MAX_EXACT_PAIRS 400

/* Draws from which the detectable effect is read: 1 % of it, 20 ms. */
#define NR_POWER_DRAWS 2000

static bool all_finite(const double *x, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!isfinite(x[i]))
			return false;
	}
	return n > 0;
}

double stats_quantile(const double *sorted, size_t n, double q)
{
	if (!n)
		return NAN;
	return gsl_stats_quantile_from_sorted_data(sorted, 1, n, q);
}

double stats_median(const double *x, size_t n)
{
	double *copy = malloc(n * sizeof(*copy));
	double median;

	if (!copy || !n) {
		free(copy);
		return NAN;
	}
	memcpy(copy, x, n * sizeof(*copy));
	/* Selects in place, no sort needed. */
	median = gsl_stats_median(copy, 1, n);
	free(copy);
	return median;
}

/* Both samples in one array, @a first, and the rank order of it. */
struct pooled {
	size_t n;
	double *x;
	size_t *order;
	size_t *rank2; /* twice the mid-rank, so that ties stay integers */
	double tie_sum; /* of t^3 - t over the groups of ties */
};

static void free_pooled(struct pooled *p)
{
	free(p->rank2);
	free(p->order);
	free(p->x);
}

static int pool(struct pooled *p, const double *a, size_t na, const double *b,
		size_t nb)
{
	size_t i, j, k;

	p->n = na + nb;
	p->tie_sum = 0;
	p->x = malloc(p->n * sizeof(*p->x));
	p->order = malloc(p->n * sizeof(*p->order));
	p->rank2 = malloc(p->n * sizeof(*p->rank2));
	if (!p->x || !p->order || !p->rank2)
		return -ENOMEM;
	memcpy(p->x, a, na * sizeof(*a));
	memcpy(p->x + na, b, nb * sizeof(*b));
	gsl_sort_index(p->order, p->x, 1, p->n);
	for (i = 0; i < p->n; i = j) {
		double t;

		for (j = i; j < p->n && p->x[p->order[j]] == p->x[p->order[i]];)
			j++;
		/* Ranks i + 1 to j; their mean, twice. */
		for (k = i; k < j; k++)
			p->rank2[p->order[k]] = i + 1 + j;
		t = (double)(j - i);
		p->tie_sum += t * t * t - t;
	}
	return 0;
}

/*
 * Of all ways to pick @nb of the pooled ranks, the share whose sum is at least
 * as far from the mean as @sum2 (Mann and Whitney 1947; with mid-ranks this is
 * the law given the ties, Lehmann, Nonparametrics, 1975, section 1.4).
 * ways[k * width + s] counts the picks of k ranks with sum s; that of 20 out of
 * 40 is below 2^53, so doubles count exactly.
 */
static int permutation_p(const struct pooled *p, size_t nb, size_t sum2,
			 double *out)
{
	size_t width = p->n * (p->n + 1) + 1, i, k, s, all2 = 0;
	double *ways = calloc((nb + 1) * width, sizeof(*ways));
	double mean2, total = 0, tail = 0;

	if (!ways)
		return -ENOMEM;
	ways[0] = 1;
	for (i = 0; i < p->n; i++) {
		size_t rank = p->rank2[i];

		all2 += rank;
		for (k = i + 1 < nb ? i + 1 : nb; k > 0; k--) {
			double *to = ways + k * width;
			const double *from = ways + (k - 1) * width;

			for (s = all2; s >= rank; s--)
				to[s] += from[s - rank];
		}
	}
	mean2 = (double)all2 * (double)nb / (double)p->n;
	for (s = 0; s <= all2; s++) {
		double n = ways[nb * width + s];

		total += n;
		/* Half a unit of slack for the rounding of the mean. */
		if (fabs((double)s - mean2) >=
		    fabs((double)sum2 - mean2) - 1e-9)
			tail += n;
	}
	free(ways);
	*out = tail / total;
	return 0;
}

/* With correction for ties and continuity: Lehmann, section 1.3. */
static double normal_p(const struct pooled *p, size_t na, size_t nb, double u)
{
	double n = (double)p->n, pairs = (double)na * (double)nb;
	double variance = pairs / 12 * (n + 1 - p->tie_sum / (n * (n - 1)));
	double distance = fabs(u - pairs / 2) - 0.5;

	if (variance <= 0 || distance <= 0)
		return 1;
	return 2 * gsl_cdf_ugaussian_Q(distance / sqrt(variance));
}

int stats_mwu(const double *a, size_t na, const double *b, size_t nb,
	      struct stats_mwu *out)
{
	struct pooled p;
	size_t i, sum2 = 0;
	int err;

	if (!all_finite(a, na) || !all_finite(b, nb))
		return -EINVAL;
	err = pool(&p, a, na, b, nb);
	if (err)
		goto out;
	for (i = na; i < p.n; i++)
		sum2 += p.rank2[i];
	out->u = (double)sum2 / 2 - (double)(nb * (nb + 1)) / 2;
	out->exact = na * nb <= MAX_EXACT_PAIRS;
	if (out->exact)
		err = permutation_p(&p, nb, sum2, &out->p);
	else
		out->p = normal_p(&p, na, nb, out->u);
out:
	free_pooled(&p);
	return err;
}

double stats_mwu_min_p(size_t na, size_t nb)
{
	if (!na || !nb)
		return 1;
	return fmin(1, 2 * exp(-gsl_sf_lnchoose((unsigned int)(na + nb),
						(unsigned int)na)));
}

/* Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979. */
int stats_holm(const double *p, size_t n, double *adjusted)
{
	size_t *order, i;
	double *sorted, largest = 0;

	if (!n)
		return 0;
	order = malloc(n * sizeof(*order));
	sorted = malloc(n * sizeof(*sorted));
	if (!order || !sorted) {
		free(order);
		free(sorted);
		return -ENOMEM;
	}
	gsl_sort_index(order, p, 1, n);
	for (i = 0; i < n; i++)
		sorted[i] = p[order[i]];
	for (i = 0; i < n; i++) {
		largest = fmax(largest, fmin(1, (double)(n - i) * sorted[i]));
		adjusted[order[i]] = largest;
	}
	free(sorted);
	free(order);
	return 0;
}

static double resampled_median(const gsl_rng *rng, const double *x, size_t n,
			       double *scratch)
{
	size_t i;

	for (i = 0; i < n; i++)
		scratch[i] = x[gsl_rng_uniform_int(rng, n)];
	return gsl_stats_median(scratch, 1, n);
}

/*
 * Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap,
 * 1993, section 13.3). BCa needs the jackknife, which is wrong for a median;
 * `make sim` prints the coverage of this one.
 */
int stats_ratio_interval(const double *a, size_t na, const double *b, size_t nb,
			 double confidence, unsigned int resamples,
			 unsigned long seed, double *ratio,
			 struct stats_interval *out)
{
	size_t room = na > nb ? na : nb;
	double *scratch = NULL, *ratios = NULL, base;
	gsl_rng *rng = NULL;
	unsigned int i;
	int err = -ENOMEM;

	if (!all_finite(a, na) || !all_finite(b, nb) || !resamples)
		return -EINVAL;
	base = stats_median(a, na);
	if (!(base > 0))
		return -EINVAL;
	*ratio = stats_median(b, nb) / base;

	scratch = malloc(room * sizeof(*scratch));
	ratios = malloc(resamples * sizeof(*ratios));
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!scratch || !ratios || !rng)
		goto out;
	gsl_rng_set(rng, seed);
	for (i = 0; i < resamples; i++) {
		double ma = resampled_median(rng, a, na, scratch);
		double mb = resampled_median(rng, b, nb, scratch);

		/* A median of 0 can come out of values around 0. */
		ratios[i] = ma > 0 ? mb / ma : *ratio;
	}
	gsl_sort(ratios, 1, resamples);
	out->lo = stats_quantile(ratios, resamples, (1 - confidence) / 2);
	out->hi = stats_quantile(ratios, resamples, (1 + confidence) / 2);
	err = 0;
out:
	if (rng)
		gsl_rng_free(rng);
	free(ratios);
	free(scratch);
	return err;
}

/* The largest u with P(U <= u) <= alpha / 2, without ties; -1: there is none. */
static int critical_u(size_t na, size_t nb, double alpha, long *critical)
{
	struct stats_mwu mwu = { 0 };
	double *a = malloc(na * sizeof(*a)), *b = malloc(nb * sizeof(*b));
	long lo = -1, hi = (long)(na * nb / 2);
	size_t i;
	int err = a && b ? 0 : -ENOMEM;

	/* b is below a in na * nb - u pairs: b[i] moves up one a at a time. */
	for (i = 0; !err && i < na; i++)
		a[i] = (double)i;
	while (!err && lo < hi) {
		long u = lo + (hi - lo + 1) / 2;

		for (i = 0; i < nb; i++) {
			size_t below = (size_t)u / nb + (i < (size_t)u % nb);

			/* Above `below` of a, and no two alike. */
			b[i] = (double)below - 0.5 -
			       (double)i / (double)(4 * nb);
		}
		err = stats_mwu(a, na, b, nb, &mwu);
		if (mwu.p <= alpha)
			lo = u;
		else
			hi = u - 1;
	}
	*critical = lo;
	free(b);
	free(a);
	return err;
}

/*
 * The shift, in standard deviations, that is found with probability @power. In
 * one draw from the normal law, U after a shift d is the number of pairs with
 * a - b > d, so U is at most u from the (pairs - u)th smallest difference on:
 * that is the shift at which this draw would first have been found. Its
 * quantile @power over the draws is the answer; Noether's formula (1987) is its
 * limit for many boots, and useless for five.
 */
static int detectable_sd(size_t na, size_t nb, double alpha, double power,
			 double *sd)
{
	double *draw = malloc((na + nb) * sizeof(*draw));
	double *pairs = malloc(na * nb * sizeof(*pairs));
	double *shifts = malloc(NR_POWER_DRAWS * sizeof(*shifts));
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t i, j, k;
	long u = -1;
	int err = -ENOMEM;

	if (!draw || !pairs || !shifts || !rng)
		goto out;
	err = critical_u(na, nb, alpha, &u);
	*sd = INFINITY;
	if (err || u < 0)
		goto out;
	gsl_rng_set(rng, 1);
	for (k = 0; k < NR_POWER_DRAWS; k++) {
		for (i = 0; i < na + nb; i++)
			draw[i] = gsl_ran_ugaussian_ratio_method(rng);
		for (i = 0; i < na; i++) {
			for (j = 0; j < nb; j++)
				pairs[i * nb + j] = draw[i] - draw[na + j];
		}
		shifts[k] = gsl_stats_select(pairs, 1, na * nb,
					     na * nb - 1 - (size_t)u);
	}
	gsl_sort(shifts, 1, NR_POWER_DRAWS);
	*sd = stats_quantile(shifts, NR_POWER_DRAWS, power);
out:
	if (rng)
		gsl_rng_free(rng);
	free(shifts);
	free(pairs);
	free(draw);
	return err;
}

/* Rows of one table ask for the same again and again. */
static int cached_detectable_sd(size_t na, size_t nb, double alpha,
				double power, double *sd)
{
	static struct {
		size_t na, nb;
		double alpha, power, sd;
	} last;
	int err;

	if (last.na != na || last.nb != nb || last.alpha != alpha ||
	    last.power != power) {
		err = detectable_sd(na, nb, alpha, power, sd);
		if (err)
			return err;
		last.na = na;
		last.nb = nb;
		last.alpha = alpha;
		last.power = power;
		last.sd = *sd;
	}
	*sd = last.sd;
	return 0;
}

int stats_detectable(const double *a, size_t na, const double *b, size_t nb,
		     double alpha, double power, double *relative)
{
	double squares, median, sd;
	int err;

	if (!all_finite(a, na) || !all_finite(b, nb))
		return -EINVAL;
	median = stats_median(a, na);
	if (!(median > 0))
		return -EINVAL;
	*relative = INFINITY;
	if (na + nb < 3 || stats_mwu_min_p(na, nb) > alpha)
		return 0;

	err = cached_detectable_sd(na, nb, alpha, power, &sd);
	if (err)
		return err;
	/* The spread inside of the arms, whatever lies between them. */
	squares = gsl_stats_tss(a, 1, na) + gsl_stats_tss(b, 1, nb);
	*relative = sd * sqrt(squares / (double)(na + nb - 2)) / median;
	return 0;
}

bool stats_is_shown(double p_holm, double alpha, double ratio,
		    struct stats_interval interval,
		    const struct stats_interval *band)
{
	if (!(p_holm < alpha) || (interval.lo <= 1 && interval.hi >= 1))
		return false;
	return !band || ratio < band->lo || ratio > band->hi;
}
