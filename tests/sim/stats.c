// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the statistics of `gstage compare` are worth, by simulation of the very
 * functions it calls: false alarms between equal arms, power at known shifts,
 * coverage of the interval. Prints a table and fails when a bound is broken.
 *
 * Seeded, so that a run repeats. Bounds allow four standard errors of the
 * simulation, less than one failure in ten thousand by chance.
 */
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/stats.h"

#define ALPHA 0.05
/* What is drawn; with TEST_FULL=1 ten times as much. */
#define NR_COMPARISONS 1000
#define NR_COVERAGES 400
static size_t nr_comparisons = NR_COMPARISONS;
static size_t nr_coverages = NR_COVERAGES;
#define RESAMPLES 1000
#define MOST_BOOTS 20
#define MOST_ROWS 20

static gsl_rng *rng;
static bool is_broken;

/* What one boot of a machine might give: 1 on average or nearly so. */
typedef double (*law_fn)(void);

static double normal_law(void)
{
	return 1 + gsl_ran_gaussian(rng, 0.05);
}

/* Skewed, with boots that are far off, as on a busy host. */
static double lognormal_law(void)
{
	return gsl_ran_lognormal(rng, 0, 0.3);
}

/* A coarse clock: few different values, many ties. */
static double coarse_law(void)
{
	return 10 + floor(4 * gsl_rng_uniform(rng));
}

static void verdict(bool ok)
{
	printf("  %s\n", ok ? "ok" : "BROKEN");
	is_broken |= !ok;
}

static double standard_error(double p, double n)
{
	return sqrt(p * (1 - p) / n);
}

static void draw(double *x, size_t n, law_fn law, double factor)
{
	size_t i;

	for (i = 0; i < n; i++)
		x[i] = factor * law();
}

/* Is one of @nr_rows rows said to differ, by compare's rule? */
static bool is_alarm(size_t n, size_t nr_rows, law_fn law, double factor)
{
	static double a[MOST_ROWS][MOST_BOOTS], b[MOST_ROWS][MOST_BOOTS];
	double p[MOST_ROWS], ratio;
	struct stats_interval interval;
	struct stats_mwu mwu;
	size_t r;

	for (r = 0; r < nr_rows; r++) {
		draw(a[r], n, law, 1);
		draw(b[r], n, law, factor);
		if (stats_mwu(a[r], n, b[r], n, &mwu))
			abort();
		p[r] = mwu.p;
	}
	if (stats_holm(p, nr_rows, p))
		abort();
	for (r = 0; r < nr_rows; r++) {
		/* The interval costs most of the time and can only take back. */
		if (p[r] >= ALPHA)
			continue;
		if (stats_ratio_interval(a[r], n, b[r], n, 1 - ALPHA, RESAMPLES,
					 1, &ratio, &interval))
			abort();
		if (stats_is_shown(p[r], ALPHA, ratio, interval, NULL))
			return true;
	}
	return false;
}

static void simulate_false_alarms(void)
{
	static const struct {
		const char *name;
		law_fn law;
	} laws[] = {
		{ "normal", normal_law },
		{ "lognormal", lognormal_law },
		{ "coarse clock", coarse_law },
	};
	static const size_t boots[] = { 5, 6, 10 }, rows[] = { 1, 20 };
	size_t l, n, r, i;

	printf("False alarms: %zu comparisons of equal arms, bound %.2f\n",
	       nr_comparisons, ALPHA);
	for (l = 0; l < 3; l++) {
		for (n = 0; n < 3; n++) {
			for (r = 0; r < 2; r++) {
				double rate, alarms = 0;

				for (i = 0; i < nr_comparisons; i++)
					alarms += is_alarm(boots[n], rows[r],
							   laws[l].law, 1);
				rate = alarms / nr_comparisons;
				printf("  %-12s %2zu boots, %2zu row(s): %.4f",
				       laws[l].name, boots[n], rows[r], rate);
				verdict(rate <=
					ALPHA + 4 * standard_error(
							    ALPHA,
							    nr_comparisons));
			}
		}
	}
}

/*
 * Power of the test alone at a shift of the mean by so many standard
 * deviations. The expected figures are from an independent program (1500
 * simulations each, so they are good to 0.026 at two standard errors).
 */
static void simulate_power(void)
{
	static const struct {
		size_t n;
		double sd, expected;
	} cases[] = {
		{ 5, 1, 0.22 },	 { 5, 2, 0.68 },  { 5, 3, 0.95 },
		{ 8, 1, 0.42 },	 { 8, 2, 0.95 },  { 8, 3, 1.00 },
		{ 10, 1, 0.50 }, { 10, 2, 0.98 }, { 10, 3, 1.00 },
	};
	double a[MOST_BOOTS], b[MOST_BOOTS];
	struct stats_mwu mwu;
	size_t c, i, k;

	printf("Power of the rank test at a known shift\n");
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		double found = 0;

		for (i = 0; i < nr_comparisons; i++) {
			draw(a, cases[c].n, normal_law, 1);
			draw(b, cases[c].n, normal_law, 1);
			for (k = 0; k < cases[c].n; k++)
				b[k] += 0.05 * cases[c].sd;
			if (stats_mwu(a, cases[c].n, b, cases[c].n, &mwu))
				abort();
			found += mwu.p < ALPHA;
		}
		found /= nr_comparisons;
		printf("  %2zu boots, %.0f sd: %.3f, expected %.2f", cases[c].n,
		       cases[c].sd, found, cases[c].expected);
		verdict(fabs(found - cases[c].expected) <= 0.045);
	}
}

/* At the effect that stats_detectable() names, is it found as often as said? */
static void simulate_detectable(void)
{
	static const size_t boots[] = { 5, 6, 8, 10, 15 };
	double a[MOST_BOOTS], b[MOST_BOOTS], relative, sd;
	struct stats_mwu mwu;
	size_t n, i, k;

	printf("Detectable effect: power 0.80 at the shift it names\n");
	for (n = 0; n < 5; n++) {
		double found = 0, mean_sd = 0;

		for (i = 0; i < nr_comparisons; i++) {
			draw(a, boots[n], normal_law, 1);
			draw(b, boots[n], normal_law, 1);
			if (stats_detectable(a, boots[n], b, boots[n], ALPHA,
					     0.8, &relative))
				abort();
			mean_sd += relative * stats_median(a, boots[n]) / 0.05 /
				   nr_comparisons;
		}
		sd = mean_sd;
		for (i = 0; i < nr_comparisons; i++) {
			draw(a, boots[n], normal_law, 1);
			draw(b, boots[n], normal_law, 1);
			for (k = 0; k < boots[n]; k++)
				b[k] += 0.05 * sd;
			if (stats_mwu(a, boots[n], b, boots[n], &mwu))
				abort();
			found += mwu.p < ALPHA;
		}
		found /= nr_comparisons;
		printf("  %2zu boots: %.2f sd, found %.3f", boots[n], sd,
		       found);
		verdict(fabs(found - 0.8) <= 0.05);
	}
}

static void simulate_coverage(void)
{
	static const size_t boots[] = { 5, 6, 8, 10, 20 };
	double a[MOST_BOOTS], b[MOST_BOOTS], ratio;
	struct stats_interval interval;
	size_t n, i;

	printf("Coverage of the 95 %% interval of the ratio, bound 0.90\n");
	for (n = 0; n < 5; n++) {
		double covered = 0;

		for (i = 0; i < nr_coverages; i++) {
			draw(a, boots[n], normal_law, 1);
			draw(b, boots[n], normal_law, 1.1);
			if (stats_ratio_interval(a, boots[n], b, boots[n],
						 1 - ALPHA, RESAMPLES, i,
						 &ratio, &interval))
				abort();
			covered += interval.lo <= 1.1 && interval.hi >= 1.1;
		}
		covered /= nr_coverages;
		printf("  %2zu boots: %.3f", boots[n], covered);
		verdict(covered >= 0.90);
	}
}

int main(void)
{
	const char *full = getenv("TEST_FULL");

	if (full && !strcmp(full, "1")) {
		nr_comparisons *= 10;
		nr_coverages *= 10;
	}
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!rng)
		return ENOMEM;
	gsl_rng_set(rng, 20261124);
	simulate_false_alarms();
	simulate_power();
	simulate_detectable();
	simulate_coverage();
	gsl_rng_free(rng);
	return is_broken;
}
