// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms as text. The layout of the bars is that of print_log2_hist() in
 * bcc's libbpf-tools, which people already read in KVM mails; the rows may be
 * finer than an octave, since the buckets are.
 */
#include "user/out.h"

#include <inttypes.h>
#include <string.h>

/* More rows than this hide the shape instead of showing it. */
#define FITTING_ROWS 20

/* A longer run of empty rows is shown as one row "...". */
#define LONGEST_GAP 2

#define FINEST (1u << GSTAGE_HIST_SUB_BITS)

/* As many as the narrowest columns leave room for. */
#define STARS "****************************************"

struct rows {
	unsigned int resolution;
	uint64_t first_ge; /* of the first row that is not empty */
	uint64_t last_ge; /* of the last */
	uint64_t largest_count;
	unsigned int nr_lines;
};

/* Columns: of a bound, of a count, and what is left of the page for bars. */
struct layout {
	const struct out_scale *scale;
	int bound;
	int count;
	int stars;
};

/* Width of the row that holds @v: its octave divided, but never below 1. */
static uint64_t row_width(uint64_t v, unsigned int resolution)
{
	uint64_t octave = v ? 1ull << (63 - __builtin_clzll(v)) : 1;

	return octave > resolution ? octave / resolution : 1;
}

/* Values in [@ge, @lt); row bounds are bucket bounds. */
static uint64_t count_between(const struct hist *h, uint64_t ge, uint64_t lt)
{
	unsigned int i;
	uint64_t n = 0;

	for (i = hist_index(ge);
	     i < GSTAGE_HIST_BUCKETS && hist_bucket_ge(i) < lt; i++)
		n += h->buckets[i];
	return n;
}

static unsigned int gap_lines(unsigned int nr_empty)
{
	return nr_empty > LONGEST_GAP ? 1 : nr_empty;
}

static void measure_rows(const struct hist *h, unsigned int resolution,
			 struct rows *rows)
{
	uint64_t end = 1ull << GSTAGE_HIST_MAX_POW, ge, lt, n;
	unsigned int nr_empty = 0;

	memset(rows, 0, sizeof(*rows));
	rows->resolution = resolution;
	for (ge = 0; ge < end; ge = lt) {
		lt = ge + row_width(ge, resolution);
		n = count_between(h, ge, lt);
		if (!n) {
			nr_empty++;
			continue;
		}
		if (!rows->nr_lines)
			rows->first_ge = ge;
		else
			rows->nr_lines += gap_lines(nr_empty);
		rows->nr_lines++;
		nr_empty = 0;
		rows->last_ge = ge;
		if (n > rows->largest_count)
			rows->largest_count = n;
	}
}

/* The finest rows that fit, and that a clock of this step can tell apart. */
static void choose_rows(const struct hist *h, const struct out_hist_opts *opts,
			struct rows *rows)
{
	unsigned int resolution;

	if (opts->resolution) {
		measure_rows(h, opts->resolution, rows);
		return;
	}
	for (resolution = FINEST; resolution >= 1; resolution /= 2) {
		measure_rows(h, resolution, rows);
		if (rows->nr_lines <= FITTING_ROWS &&
		    row_width(rows->first_ge, resolution) >= opts->step)
			break;
	}
	if (!resolution)
		measure_rows(h, 1, rows);
}

/* The widths of bcc, with room taken from the bars for very large figures. */
static struct layout layout_of(const struct rows *rows,
			       const struct out_scale *scale)
{
	uint64_t last_lt =
		rows->last_ge + row_width(rows->last_ge, rows->resolution);
	struct layout layout = { .scale = scale, .bound = 10, .count = 8 };
	char text[32];
	int len;

	len = (int)strlen(out_scaled(text, sizeof(text), last_lt - 1, scale));
	if (len > layout.bound)
		layout.bound = len;
	len = snprintf(text, sizeof(text), "%" PRIu64, rows->largest_count);
	if (len > layout.count)
		layout.count = len;
	layout.stars = OUT_WIDTH - (2 * layout.bound + layout.count + 12);
	return layout;
}

static void print_row(FILE *out, const struct rows *rows, uint64_t ge,
		      uint64_t count, const struct layout *layout)
{
	int stars = (int)((unsigned __int128)count *
			  (unsigned int)layout->stars / rows->largest_count);
	uint64_t lt = ge + row_width(ge, rows->resolution);
	char lo[32], hi[32];

	fprintf(out, "  %*s -> %-*s : %-*" PRIu64 " |%-*.*s|\n", layout->bound,
		out_scaled(lo, sizeof(lo), ge, layout->scale), layout->bound,
		out_scaled(hi, sizeof(hi), lt - 1, layout->scale),
		layout->count, count, layout->stars, stars, STARS);
}

/* The empty rows of [@from, @to): each, or one line for all. */
static void print_gap(FILE *out, const struct rows *rows, uint64_t from,
		      uint64_t to, const struct layout *layout)
{
	unsigned int nr_empty = 0;
	uint64_t ge;

	for (ge = from; ge < to; ge += row_width(ge, rows->resolution))
		nr_empty++;
	if (nr_empty > LONGEST_GAP) {
		fprintf(out, "  %*s%-*s : %-*d |%-*s|\n", layout->bound + 3,
			"...", layout->bound + 1, "", layout->count, 0,
			layout->stars, "");
		return;
	}
	for (ge = from; ge < to; ge += row_width(ge, rows->resolution))
		print_row(out, rows, ge, 0, layout);
}

static void print_rows(FILE *out, const struct hist *h, const struct rows *rows,
		       const struct out_scale *scale)
{
	const struct layout layout = layout_of(rows, scale);
	uint64_t ge, lt, n, gap_ge = rows->first_ge;

	fprintf(out, "  %*s%-*s : %-*s distribution\n", layout.bound, "",
		layout.bound + 4, scale->unit, layout.count, "count");
	for (ge = rows->first_ge; ge <= rows->last_ge; ge = lt) {
		lt = ge + row_width(ge, rows->resolution);
		n = count_between(h, ge, lt);
		if (!n)
			continue;
		print_gap(out, rows, gap_ge, ge, &layout);
		print_row(out, rows, ge, n, &layout);
		gap_ge = lt;
	}
}

void out_hist_rows(FILE *out, const struct hist *h,
		   const struct out_hist_opts *opts)
{
	struct rows rows;

	choose_rows(h, opts, &rows);
	if (rows.nr_lines)
		print_rows(out, h, &rows, &opts->scale);
	if (h->underflow)
		fprintf(out,
			"  below 0 (the clock stepped back): %" PRIu64 "\n",
			h->underflow);
	if (h->overflow)
		fprintf(out, "  2^%d and more: %" PRIu64 "\n",
			GSTAGE_HIST_MAX_POW, h->overflow);
}

const char *out_quantile(char *buf, size_t size, const struct hist *h,
			 unsigned int permille, const struct out_scale *scale)
{
	char first[32], last[32];
	uint64_t lo, hi;

	if (hist_quantile(h, permille, &lo, &hi)) {
		snprintf(buf, size, "-");
		return buf;
	}
	out_scaled(first, sizeof(first), lo, scale);
	out_scaled(last, sizeof(last), hi, scale);
	if (strcmp(first, last))
		snprintf(buf, size, "%s..%s", first, last);
	else
		snprintf(buf, size, "%s", first);
	return buf;
}

/* How many values lie above the rank of the quantile: what it rests on. */
static uint64_t nr_above(const struct hist *h, unsigned int permille)
{
	return (uint64_t)((unsigned __int128)h->count * (1000 - permille) /
			  1000);
}

void out_hist_summary(FILE *out, const struct hist *h,
		      const struct out_scale *scale)
{
	static const unsigned int permille[] = { 500, 900, 990 };
	char min[32], max[32], mean[32], total[32], quantile[72];
	size_t i;

	fprintf(out,
		"  count %" PRIu64 "  min %s  max %s  mean %s  total %s %s\n",
		h->count, out_scaled(min, sizeof(min), h->min, scale),
		out_scaled(max, sizeof(max), h->max, scale),
		out_scaled(mean, sizeof(mean), hist_mean(h), scale),
		out_scaled(total, sizeof(total), h->sum, scale), scale->unit);
	fprintf(out, " ");
	for (i = 0; i < sizeof(permille) / sizeof(permille[0]); i++)
		fprintf(out, " p%u %s%s", permille[i] / 10,
			out_quantile(quantile, sizeof(quantile), h, permille[i],
				     scale),
			i + 1 < sizeof(permille) / sizeof(permille[0]) ? " " :
									 "");
	fprintf(out, " (%" PRIu64 " above)\n", nr_above(h, 990));
}
