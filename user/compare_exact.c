// SPDX-License-Identifier: GPL-2.0-only
/*
 * Figures in which any difference is real: counts, and instructions of QEMU's
 * counter. Boots with the same seed must repeat them; boots with other seeds
 * show whether a figure is one of the kernel's, or of the seed's.
 */
#include "user/compare_tables.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/run.h"

/* Seeds shift instructions by 0.01 % or less; more is another workload. */
#define AGREEMENT 0.001

/* A row under judgement: one figure of each boot, and what the arms make of it. */
struct exact_row {
	const struct compare_context *context;
	const struct figure_row *figures;
	enum exact_kind kind;
};

struct summary {
	size_t n;
	json_int_t median, min, max; /* as shown */
	double low, high; /* as judged */
	double resolution;
	uint64_t lo, hi; /* the range of all ranges of a quantile */
	bool agree;
	bool has_conflict; /* the same seed twice, and two results */
	size_t low_boot, high_boot;
};

static bool is_same(const struct figure *a, const struct figure *b)
{
	return a->is_present == b->is_present && a->whole == b->whole &&
	       a->value == b->value && a->lo == b->lo && a->hi == b->hi &&
	       a->digest == b->digest;
}

static int compare_ints(const void *a, const void *b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

	return x < y ? -1 : x > y;
}

static void widen(struct summary *sum, const struct figure *figure, size_t boot)
{
	if (!sum->n || figure->value < sum->low) {
		sum->low = figure->value;
		sum->low_boot = boot;
	}
	if (!sum->n || figure->value > sum->high) {
		sum->high = figure->value;
		sum->high_boot = boot;
	}
	if (!sum->n || figure->lo < sum->lo)
		sum->lo = figure->lo;
	if (!sum->n || figure->hi > sum->hi)
		sum->hi = figure->hi;
	sum->resolution = fmax(sum->resolution, figure->resolution);
	sum->n++;
}

/*
 * Summarise one arm. A boot that repeats its twin adds nothing. The median of
 * an even number is the lower one: a value that was seen. @values has room for
 * all boots.
 */
static void summarise(const struct exact_row *row, size_t arm,
		      json_int_t *values, struct summary *sum)
{
	const struct compare_context *context = row->context;
	size_t first = figures_first_boot(context->arms, arm);
	size_t end = first + context->arms[arm].nr_runs, nr_seeds = 0, b;

	memset(sum, 0, sizeof(*sum));
	for (b = first; b < end; b++) {
		const struct figure *figure = &row->figures->of_boots[b];
		size_t twin = context->twins[b];

		if (twin != b) {
			if (is_same(figure, &row->figures->of_boots[twin]))
				continue;
			sum->has_conflict = true;
		}
		nr_seeds++;
		/* With the same probes a count that is not there is 0. */
		if (!figure->is_present && row->kind != EXACT_COUNTS)
			continue;
		widen(sum, figure, b);
		values[sum->n - 1] = figure->whole;
	}
	if (!sum->n)
		return;
	qsort(values, sum->n, sizeof(*values), compare_ints);
	sum->median = values[(sum->n - 1) / 2];
	sum->min = values[0];
	sum->max = values[sum->n - 1];
	sum->agree = !sum->has_conflict && sum->n == nr_seeds;
	if (row->kind == EXACT_COUNTS)
		sum->agree = sum->agree && sum->min == sum->max;
	else if (row->kind == EXACT_INSNS)
		sum->agree = sum->agree &&
			     sum->high - sum->low <=
				     fmax(AGREEMENT * (double)sum->median,
					  sum->resolution);
}

static size_t nr_seeds_of(const struct compare_context *context, size_t arm)
{
	size_t first = figures_first_boot(context->arms, arm), nr = 0, r;

	for (r = 0; r < context->arms[arm].nr_runs; r++)
		nr += context->twins[first + r] == first + r;
	return nr;
}

/* Are the boots of @arm and of the first arm the same, seed by seed? */
static bool repeats_first_arm(const struct exact_row *row, size_t arm)
{
	const struct compare_context *context = row->context;
	size_t first = figures_first_boot(context->arms, arm);
	size_t end = first + context->arms[arm].nr_runs, b;

	if (nr_seeds_of(context, arm) != nr_seeds_of(context, 0))
		return false;
	for (b = first; b < end; b++) {
		size_t partner = context->partners[b];

		if (partner == SIZE_MAX ||
		    !is_same(&row->figures->of_boots[b],
			     &row->figures->of_boots[partner]))
			return false;
	}
	return true;
}

/* How far apart two ranges are; 0 or less when they meet. */
static double gap_between(double a_low, double a_high, double b_low,
			  double b_high)
{
	return fmax(b_low - a_high, a_low - b_high);
}

static const char *judge_quantile(const struct exact_row *row, size_t arm,
				  const struct summary *a,
				  const struct summary *b)
{
	double step = figures_clock_step(row->context->arms[0].runs[0]);

	if (repeats_first_arm(row, arm) ||
	    (a->lo == a->hi && b->lo == b->hi && a->lo == b->lo))
		return "equal";
	/* The largest of all events is the one that a tick of the timer hit. */
	if (!strcmp(row->figures->quantile, "max"))
		return "unknown";
	if (gap_between((double)a->lo, (double)a->hi, (double)b->lo,
			(double)b->hi) > step)
		return "differs";
	return "unknown";
}

/*
 * What clock and ticks can do to both. A duration that is short in one arm has no
 * room for more than a plain tick, however long it is in the other. A sum or a mean
 * is as coarse as that of more steps, or of fewer events.
 */
static double resolution_of(const struct exact_row *row,
			    const struct summary *a, const struct summary *b)
{
	if (!strcmp(row->figures->section, "phase"))
		return fmin(a->resolution, b->resolution);
	return fmax(a->resolution, b->resolution);
}

/* The verdict on @arm against the first. */
static const char *judge(const struct exact_row *row, size_t arm,
			 const struct summary *a, const struct summary *b)
{
	double gap;

	if (!a->n || !b->n)
		return "unknown";
	if (a->has_conflict || b->has_conflict)
		return "varies";
	if (row->kind == EXACT_QUANTILES)
		return judge_quantile(row, arm, a, b);
	if (row->kind == EXACT_COUNTS) {
		if (!a->agree || !b->agree)
			return "varies";
		return a->median == b->median ? "equal" : "differs";
	}
	if (repeats_first_arm(row, arm))
		return "equal";
	/* What seeds do is in the spread: a difference beyond it is real. */
	gap = gap_between(a->low, a->high, b->low, b->high);
	if (gap > resolution_of(row, a, b) &&
	    ((a->agree && b->agree) ||
	     gap > fmax(a->high - a->low, b->high - b->low)))
		return "differs";
	return a->agree && b->agree ? "unknown" : "varies";
}

static json_t *cell_json(const struct exact_row *row, const struct summary *sum)
{
	if (!sum->n)
		return json_null();
	if (row->kind == EXACT_QUANTILES)
		return json_pack("{s:I, s:I, s:I}", "n", (json_int_t)sum->n,
				 "ge", (json_int_t)sum->lo, "le",
				 (json_int_t)sum->hi);
	if (row->kind == EXACT_INSNS)
		return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:b}", "n",
				 (json_int_t)sum->n, "median", sum->median,
				 "min", sum->min, "max", sum->max, "low",
				 sum->low, "high", sum->high, "agree",
				 sum->agree);
	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "n", (json_int_t)sum->n,
			 "median", sum->median, "min", sum->min, "max",
			 sum->max, "agree", sum->agree);
}

/* b / a, or null when there is none: an arm lacks it, or a is 0. */
static json_t *ratio_json(double a, double b)
{
	return a > 0 ? json_real(b / a) : json_null();
}

/* Smallest and largest ratio that the two ranges allow. */
static json_t *ratio_range_json(const struct summary *a,
				const struct summary *b, bool equal)
{
	if (!a->n || !b->n || !a->lo)
		return json_null();
	if (equal)
		return json_pack("[f, f]", 1.0, 1.0);
	return json_pack("[f, f]", (double)b->lo / (double)a->hi,
			 (double)b->hi / (double)a->lo);
}

static json_t *versus_json(const struct exact_row *row, size_t arm,
			   const struct summary *a, const struct summary *b)
{
	const char *verdict = judge(row, arm, a, b);
	json_int_t va = a->median, vb = b->median;
	bool has_difference = a->n && b->n;
	json_t *json;

	if (row->kind == EXACT_QUANTILES) {
		va = (json_int_t)a->lo;
		vb = (json_int_t)b->lo;
		has_difference = has_difference &&
				 ((a->lo == a->hi && b->lo == b->hi) ||
				  !strcmp(verdict, "equal"));
	}
	json = json_pack("{s:o, s:o, s:s}", "difference",
			 has_difference ? json_integer(vb - va) : json_null(),
			 "ratio",
			 has_difference ? ratio_json((double)va, (double)vb) :
					  json_null(),
			 "verdict", verdict);
	if (row->kind == EXACT_QUANTILES &&
	    json_object_set_new(json, "ratio_range",
				ratio_range_json(a, b,
						 !strcmp(verdict, "equal")))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* What the harness has to say about an arm in a table. */
struct disagreement {
	size_t nr_rows; /* that seeds disagree about */
	size_t nr_conflicts; /* that one seed disagrees with itself about */
	size_t nr_unrepeated; /* that the band does not repeat */
	char example[512];
	char unrepeated[128];
};

static void remember(struct disagreement *seen, const struct exact_row *row,
		     const struct summary *sum)
{
	const struct compare_context *context = row->context;

	if (!sum->n || sum->agree || row->kind == EXACT_QUANTILES)
		return;
	if (sum->has_conflict && !seen->nr_conflicts++)
		*seen->example = '\0';
	seen->nr_rows++;
	if (*seen->example)
		return;
	snprintf(seen->example, sizeof(seen->example),
		 "%s: %s: %" JSON_INTEGER_FORMAT " in %s, %" JSON_INTEGER_FORMAT
		 " in %s",
		 row->figures->section, row->figures->name, sum->min,
		 context->files[sum->low_boot], sum->max,
		 context->files[sum->high_boot]);
}

/* The boots of the band are those of the first arm once more. */
static void check_band(struct disagreement *seen, const struct exact_row *row,
		       size_t arm)
{
	const struct compare_context *context = row->context;

	if (!context->arms[arm].is_band || !context->has_seeds ||
	    repeats_first_arm(row, arm) || seen->nr_unrepeated++)
		return;
	snprintf(seen->unrepeated, sizeof(seen->unrepeated), "%s: %s",
		 row->figures->section, row->figures->name);
}

static void note_disagreements(struct compare_context *context,
			       enum exact_kind kind, size_t nr_rows,
			       const struct disagreement *seen)
{
	const char *what = kind == EXACT_COUNTS ? "counts" : "figures";
	size_t a;

	for (a = 0; a < context->nr_arms; a++) {
		const char *label = context->arms[a].label;

		if (seen[a].nr_conflicts) {
			context->is_nondeterministic = true;
			compare_note(
				context,
				"not deterministic: the same seed gave '%s' two results in %zu of %zu %s (%s)",
				label, seen[a].nr_conflicts, nr_rows, what,
				seen[a].example);
		} else if (seen[a].nr_rows) {
			compare_note(
				context,
				"not deterministic over boots: those of '%s' disagree in %zu of %zu %s (%s)",
				label, seen[a].nr_rows, nr_rows, what,
				seen[a].example);
		}
		if (!seen[a].nr_unrepeated)
			continue;
		context->is_nondeterministic = true;
		compare_note(
			context,
			"not deterministic: '%s' repeats '%s' with the same seeds, but not its %s (%s)",
			label, context->arms[0].label, what,
			seen[a].unrepeated);
	}
}

static json_t *row_json(const struct exact_row *row, json_int_t *values,
			struct summary *sums, struct disagreement *seen)
{
	const struct figure_row *figures = row->figures;
	json_t *cells = json_array(), *versus = json_array(), *json;
	int err = 0;
	size_t a;

	for (a = 0; a < row->context->nr_arms; a++) {
		summarise(row, a, values, &sums[a]);
		remember(&seen[a], row, &sums[a]);
		check_band(&seen[a], row, a);
		err |= json_array_append_new(cells, cell_json(row, &sums[a]));
		if (a)
			err |= json_array_append_new(
				versus,
				versus_json(row, a, &sums[0], &sums[a]));
	}
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

static figures_add_fn collector_of(enum exact_kind kind)
{
	switch (kind) {
	case EXACT_COUNTS:
		return figures_add_counts;
	case EXACT_INSNS:
		return figures_add_insns;
	default:
		return figures_add_quantiles;
	}
}

json_t *compare_exact_table(struct compare_context *context,
			    enum exact_kind kind)
{
	json_int_t *values = calloc(context->nr_boots, sizeof(*values));
	struct summary *sums = calloc(context->nr_arms, sizeof(*sums));
	struct disagreement *seen = calloc(context->nr_arms, sizeof(*seen));
	json_t *rows = json_array();
	struct figure_table table;
	size_t r;
	int err;

	figures_init(&table, context->nr_boots);
	figures_collect(&table, context->arms, context->nr_arms,
			collector_of(kind));
	err = table.err || !values || !sums || !seen;
	for (r = 0; !err && r < table.nr_rows; r++) {
		const struct exact_row row = { context, &table.rows[r], kind };

		err = json_array_append_new(rows,
					    row_json(&row, values, sums, seen));
	}
	if (!err)
		note_disagreements(context, kind, table.nr_rows, seen);
	figures_free(&table);
	free(seen);
	free(sums);
	free(values);
	if (!err)
		return rows;
	json_decref(rows);
	return NULL;
}
