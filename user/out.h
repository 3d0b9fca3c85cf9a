/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text for people: tables that fit 80 columns and histograms in the layout of
 * the bcc tools. Knows histograms, nothing of runs or JSON.
 */
#ifndef GSTAGE_USER_OUT_H
#define GSTAGE_USER_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "user/hist.h"

#define OUT_WIDTH 80

/*
 * A table of text cells, filled row by row. No call fails visibly: what goes
 * wrong (no memory) is remembered and returned by out_table__print().
 */
struct out_table;

struct out_table *out_table__new(void);

/* Declare the columns first, left to right; the first is aligned left. */
void out_table__column(struct out_table *table, const char *header);

void out_table__cell(struct out_table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Print with the narrowest columns that fit. A table wider than 80 columns is
 * continued below, its first column repeated. 0 or -errno.
 */
int out_table__print(const struct out_table *table, FILE *out);

/* The same, and free it, whatever became of it. NULL: no memory for it. */
int out_table__finish(struct out_table *table, FILE *out);

/* NULL is fine. */
void out_table__free(struct out_table *table);

/* How to show a quantity: value / divisor with so many decimals, and its unit. */
struct out_scale {
	const char *unit;
	uint64_t divisor;
	unsigned int decimals;
};

struct out_hist_opts {
	struct out_scale scale;
	unsigned int resolution; /* rows per octave: 1, 2, 4, 8, 16; 0: fitting */
	uint64_t step; /* of the clock: no finer rows than this; 0: unknown */
};

/* @v in @scale, without the unit; returns @buf. Truncates like a clock does. */
const char *out_scaled(char *buf, size_t size, uint64_t v,
		       const struct out_scale *scale);

/*
 * The bars of @h: rows between the first and the last that is not empty, both
 * bounds inclusive. Prints nothing when empty.
 */
void out_hist_rows(FILE *out, const struct hist *h,
		   const struct out_hist_opts *opts);

/* Two lines: count, min, max, mean, total; then quantiles as bucket ranges. */
void out_hist_summary(FILE *out, const struct hist *h,
		      const struct out_scale *scale);

/* "2944..3007", or one number when the bounds meet; "-" when empty. */
const char *out_quantile(char *buf, size_t size, const struct hist *h,
			 unsigned int permille, const struct out_scale *scale);

/* "4K", "2M", "1G": the size of a leaf at @level; "?" when there is none. */
const char *out_level(long long level);

/* "4K", "2M" for whole multiples, otherwise bytes; returns @buf. */
const char *out_bytes(char *buf, size_t size, uint64_t bytes);

/*
 * Text from a file, safe for a terminal: control characters become '?'. Cut to
 * @size. Returns @buf; NULL text gives "-".
 */
const char *out_text(char *buf, size_t size, const char *text);

#endif /* GSTAGE_USER_OUT_H */
