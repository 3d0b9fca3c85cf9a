// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host time: boots are the replicates, and nothing is said without many of them.
 * A row differs when a rank test says so after Holm's correction for all rows,
 * the interval of the ratio excludes 1, the ratio is outside the band of two
 * equal arms, and clock and buckets are fine enough to show it.
 */
#include "user/compare_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/run.h"
#include "user/stats.h"

#define ALPHA 0.05
#define CONFIDENCE 0.95
#define POWER 0.8
#define RESAMPLES 2000
#define SEED 1 /* the same files give the same intervals */

/* With 4 the smallest p value of two arms is 0.029: one row could just do. */
#define LEAST_BOOTS 5
#define MOST_BOOTS 1000

/* What the boots of one arm say about a row. */
struct sample {
	double *values;
	size_t n;
	double median, resolution;
};

/* One arm against the first in one row. */
struct test {
	const struct sample *a, *b;
	bool is_possible; /* enough boots, and the statistics could be had */
	double ratio, p, p_holm, detectable;
	struct stats_interval interval;
	bool is_shown;
};

/* Everything of the table, [row * nr_arms + arm]. */
struct host_table {
	struct compare_context *context;
	const struct figure_table *figures;
	struct sample *samples;
	struct test *tests;
};

static struct sample *sample_at(const struct host_table *table, size_t row,
				size_t arm)
{
	return &table->samples[row * table->context->nr_arms + arm];
}

static struct test *test_at(const struct host_table *table, size_t row,
			    size_t arm)
{
	return &table->tests[row * table->context->nr_arms + arm];
}

static bool is_band(const struct host_table *table, size_t arm)
{
	return table->context->arms[arm].is_band;
}

static int take_sample(const struct host_table *table, size_t row, size_t arm)
{
	const struct compare_arm *arms = table->context->arms;
	const struct figure *figures = table->figures->rows[row].of_boots +
				       figures_first_boot(arms, arm);
	struct sample *sample = sample_at(table, row, arm);
	size_t i;

	sample->values = calloc(arms[arm].nr_runs, sizeof(double));
	if (!sample->values)
		return -1;
	for (i = 0; i < arms[arm].nr_runs; i++) {
		if (!figures[i].is_present)
			continue;
		sample->values[sample->n++] = figures[i].value;
		sample->resolution =
			fmax(sample->resolution, figures[i].resolution);
	}
	if (sample->n)
		sample->median = stats_median(sample->values, sample->n);
	return 0;
}

static bool has_enough(const struct test *test)
{
	return test->a->n >= LEAST_BOOTS && test->b->n >= LEAST_BOOTS;
}

/* p values first: how many rows are corrected must be known for the rest. */
static void test_ranks(struct test *test)
{
	struct stats_mwu mwu;

	if (!has_enough(test) || test->a->median <= 0 ||
	    stats_mwu(test->a->values, test->a->n, test->b->values, test->b->n,
		      &mwu))
		return;
	test->p = mwu.p;
	test->is_possible = true;
}

/* Holm over one set of tests: those of the band, or all the others. */
static int correct(struct host_table *table, bool of_band, size_t *nrp)
{
	size_t nr_arms = table->context->nr_arms;
	size_t nr_all = table->figures->nr_rows * nr_arms, i, nr = 0;
	double *p = calloc(2 * nr_all + 1, sizeof(*p));

	if (!p)
		return -1;
	for (i = 0; i < nr_all; i++) {
		if (table->tests[i].is_possible &&
		    is_band(table, i % nr_arms) == of_band)
			p[nr++] = table->tests[i].p;
	}
	if (stats_holm(p, nr, p + nr_all)) {
		free(p);
		return -1;
	}
	nr = 0;
	for (i = 0; i < nr_all; i++) {
		if (table->tests[i].is_possible &&
		    is_band(table, i % nr_arms) == of_band)
			table->tests[i].p_holm = p[nr_all + nr++];
	}
	free(p);
	*nrp = nr;
	return 0;
}

/* The ratio, its interval, and what these boots could have shown. */
static void estimate(struct test *test, double alpha)
{
	const struct sample *a = test->a, *b = test->b;
	double least = fmax(a->resolution, b->resolution) / a->median;

	if (stats_ratio_interval(a->values, a->n, b->values, b->n, CONFIDENCE,
				 RESAMPLES, SEED, &test->ratio,
				 &test->interval) ||
	    stats_detectable(a->values, a->n, b->values, b->n, alpha, POWER,
			     &test->detectable)) {
		test->is_possible = false;
		return;
	}
	test->detectable = fmax(test->detectable, least);
}

/* The interval of the arm that repeats the first, with 1 in it; or NULL. */
static const struct test *band_of(const struct host_table *table, size_t row,
				  struct stats_interval *band)
{
	size_t a;

	for (a = 1; a < table->context->nr_arms; a++) {
		const struct test *test = test_at(table, row, a);

		if (!is_band(table, a) || !test->is_possible)
			continue;
		band->lo = fmin(test->interval.lo, 1);
		band->hi = fmax(test->interval.hi, 1);
		return test;
	}
	return NULL;
}

static bool judge(const struct host_table *table, size_t row, size_t arm)
{
	const struct test *test = test_at(table, row, arm), *band_test = NULL;
	double difference = test->b->median - test->a->median;
	struct stats_interval band;

	if (!test->is_possible ||
	    fabs(difference) <= fmax(test->a->resolution, test->b->resolution))
		return false;
	if (!is_band(table, arm))
		band_test = band_of(table, row, &band);
	/* Where two equal arms differ, a difference means nothing. */
	if (band_test && band_test->is_shown)
		return false;
	return stats_is_shown(test->p_holm, ALPHA, test->ratio, test->interval,
			      band_test ? &band : NULL);
}

/* Boots an arm, of both arms alike, with which @nr rows can show anything. */
static unsigned int needed_for(size_t nr)
{
	unsigned int n = LEAST_BOOTS;

	while (n < MOST_BOOTS &&
	       stats_mwu_min_p(n, n) * (double)(nr ? nr : 1) >= ALPHA)
		n++;
	return n;
}

/*
 * Can the boots show anything at all? In an arm with too few of them no test
 * was made, so count the rows that would have had one.
 */
static void check_boots(struct host_table *table)
{
	struct compare_context *context = table->context;
	size_t nr = 0, r, a;
	bool enough = true;

	for (r = 0; r < table->figures->nr_rows; r++) {
		for (a = 1; a < context->nr_arms; a++) {
			const struct test *test = test_at(table, r, a);

			if (!is_band(table, a) && test->a->n && test->b->n)
				nr++;
		}
	}
	for (a = 1; a < context->nr_arms; a++) {
		size_t na = context->arms[0].nr_runs;
		size_t nb = context->arms[a].nr_runs;

		if (na < LEAST_BOOTS || nb < LEAST_BOOTS ||
		    stats_mwu_min_p(na, nb) * (double)nr >= ALPHA)
			enough = false;
	}
	if (!enough)
		context->boots_needed = needed_for(nr);
}

static int take_samples(struct host_table *table)
{
	size_t r, a;

	for (r = 0; r < table->figures->nr_rows; r++) {
		for (a = 0; a < table->context->nr_arms; a++) {
			if (take_sample(table, r, a))
				return -1;
			test_at(table, r, a)->a = sample_at(table, r, 0);
			test_at(table, r, a)->b = sample_at(table, r, a);
			if (a)
				test_ranks(test_at(table, r, a));
		}
	}
	return 0;
}

/* Arm by arm: rows of one arm mostly have the same number of boots and tests. */
static void estimate_all(struct host_table *table, size_t nr_tests,
			 size_t nr_band_tests)
{
	size_t r, a;

	for (a = 1; a < table->context->nr_arms; a++) {
		size_t nr = is_band(table, a) ? nr_band_tests : nr_tests;

		for (r = 0; r < table->figures->nr_rows; r++) {
			if (test_at(table, r, a)->is_possible)
				estimate(test_at(table, r, a),
					 ALPHA / (double)nr);
		}
	}
}

static void judge_arms(struct host_table *table, bool bands)
{
	size_t r, a;

	for (a = 1; a < table->context->nr_arms; a++) {
		if (is_band(table, a) != bands)
			continue;
		for (r = 0; r < table->figures->nr_rows; r++)
			test_at(table, r, a)->is_shown = judge(table, r, a);
	}
}

static int run_tests(struct host_table *table)
{
	size_t nr_tests, nr_band_tests;

	if (take_samples(table) || correct(table, false, &nr_tests) ||
	    correct(table, true, &nr_band_tests))
		return -1;
	estimate_all(table, nr_tests, nr_band_tests);
	/* The others are judged by the band. */
	judge_arms(table, true);
	judge_arms(table, false);
	return 0;
}

static json_t *number_json(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static json_t *cell_json(struct sample *sample)
{
	if (!sample->n)
		return json_null();
	qsort(sample->values, sample->n, sizeof(double), compare_doubles);
	return json_pack("{s:I, s:f, s:f, s:f, s:f}", "n",
			 (json_int_t)sample->n, "median", sample->median, "min",
			 sample->values[0], "max",
			 sample->values[sample->n - 1], "resolution",
			 sample->resolution);
}

static json_t *interval_json(const struct stats_interval *interval)
{
	if (!interval || !isfinite(interval->lo) || !isfinite(interval->hi))
		return json_null();
	return json_pack("[f, f]", interval->lo, interval->hi);
}

/* What would have been shown: no test finds what lies inside of the band. */
static double shown_from(const struct test *test, const struct test *band_test,
			 const struct stats_interval *band)
{
	if (!band_test)
		return test->detectable;
	if (band_test->is_shown)
		return INFINITY;
	return fmax(test->detectable, fmax(band->hi - 1, 1 - band->lo));
}

static json_t *versus_json(const struct host_table *table, size_t row,
			   size_t arm)
{
	const struct test *test = test_at(table, row, arm);
	const struct sample *a = test->a, *b = test->b;
	bool both = a->n && b->n, possible = test->is_possible;
	struct stats_interval band;
	const struct test *band_test =
		is_band(table, arm) ? NULL : band_of(table, row, &band);

	return json_pack(
		"{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:[I, I]}",
		"difference",
		both ? json_real(b->median - a->median) : json_null(), "ratio",
		both && a->median > 0 ? json_real(b->median / a->median) :
					json_null(),
		"verdict", test->is_shown ? "differs" : "unknown", "interval",
		interval_json(possible ? &test->interval : NULL), "p",
		possible ? json_real(test->p) : json_null(), "p_holm",
		possible ? json_real(test->p_holm) : json_null(), "detectable",
		possible ? number_json(shown_from(test, band_test, &band)) :
			   json_null(),
		"band", interval_json(band_test ? &band : NULL), "n",
		(json_int_t)a->n, (json_int_t)b->n);
}

static json_t *row_json(const struct host_table *table, size_t r)
{
	const struct figure_row *figures = &table->figures->rows[r];
	json_t *cells = json_array(), *versus = json_array(), *json;
	int err = 0;
	size_t a;

	for (a = 1; a < table->context->nr_arms; a++)
		err |= json_array_append_new(versus, versus_json(table, r, a));
	for (a = 0; a < table->context->nr_arms; a++)
		err |= json_array_append_new(cells,
					     cell_json(sample_at(table, r, a)));
	json = json_pack("{s:s, s:s, s:s, s:o, s:o}", "section",
			 figures->section, "name", figures->name, "unit",
			 figures->unit, "arms", cells, "versus", versus);
	if (figures->quantile) {
		err |= json_object_set_new(json, "path",
					   json_string(figures->path));
		err |= json_object_set_new(json, "quantile",
					   json_string(figures->quantile));
	}
	if (!err)
		return json;
	json_decref(json);
	return NULL;
}

/* Equal arms that differ: the machine was not quiet, or not fair. */
static void note_band(const struct host_table *table)
{
	size_t r, a;

	for (a = 1; a < table->context->nr_arms; a++) {
		const char *first = NULL;
		size_t nr = 0;

		for (r = 0; is_band(table, a) && r < table->figures->nr_rows;
		     r++) {
			if (!test_at(table, r, a)->is_shown)
				continue;
			nr++;
			if (!first)
				first = table->figures->rows[r].name;
		}
		if (nr)
			compare_note(
				table->context,
				"'%s' repeats '%s', but differs in %zu rows (%s): nothing is concluded there",
				table->context->arms[a].label,
				table->context->arms[0].label, nr, first);
	}
}

json_t *compare_host_table(struct compare_context *context)
{
	struct figure_table figures;
	struct host_table table = { .context = context, .figures = &figures };
	json_t *rows = json_array();
	size_t nr, i;
	int err;

	figures_init(&figures, context->nr_boots);
	figures_collect(&figures, context->arms, context->nr_arms,
			figures_add_host_time);
	nr = figures.nr_rows * context->nr_arms;
	table.samples = calloc(nr + 1, sizeof(*table.samples));
	table.tests = calloc(nr + 1, sizeof(*table.tests));
	err = figures.err || !table.samples || !table.tests;
	if (!err)
		err = run_tests(&table);
	for (i = 0; !err && i < figures.nr_rows; i++)
		err = json_array_append_new(rows, row_json(&table, i));
	if (!err) {
		check_boots(&table);
		note_band(&table);
	}
	for (i = 0; table.samples && i < nr; i++)
		free(table.samples[i].values);
	free(table.tests);
	free(table.samples);
	figures_free(&figures);
	if (!err)
		return rows;
	json_decref(rows);
	return NULL;
}
