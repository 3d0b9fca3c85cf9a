/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of every boot of a comparison: tables of rows (section, name) with
 * one figure for each boot. Collected once, then judged by class in
 * compare_exact.c and compare_host.c. Internal to compare_*.c.
 */
#ifndef GSTAGE_USER_COMPARE_FIGURES_H
#define GSTAGE_USER_COMPARE_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/compare.h"

#define FIGURES_ALL_PATHS "all paths"

struct figure {
	bool is_present;
	json_int_t whole; /* what is shown */
	double value; /* what is judged: a mean is not rounded here */
	/* Two equal things may differ by this much: the clock's, a bucket's. */
	double resolution;
	uint64_t events; /* holds that a sum of holds is made of */
	/* Of a quantile: the range that holds it, and a hash of everything. */
	uint64_t lo, hi, digest;
};

struct figure_row {
	char section[24];
	char name[96];
	char path[80]; /* of a quantile row; then name is "PATH QUANTILE" */
	const char *quantile; /* or NULL */
	const char *unit;
	struct figure *of_boots;
};

struct figure_table {
	struct figure_row *rows; /* of a section together, in order of coming */
	size_t nr_rows, room, nr_boots;
	int err; /* of any call; the rows are then not to be used */
};

/* Boots are numbered through all arms; this is the first one of @arm. */
size_t figures_first_boot(const struct compare_arm *arms, size_t arm);

void figures_init(struct figure_table *table, size_t nr_boots);
void figures_free(struct figure_table *table);

/* The row, made when it is not there yet; NULL, and table->err, on no memory. */
struct figure_row *figures_row(struct figure_table *table, const char *section,
			       const char *name, const char *unit);

/* The name of a row of a run: the words of its @keys, and levels as sizes. */
void figures_row_name(char *buf, size_t size, const json_t *row,
		      const char *const *keys);

/* Each adds the figures of one class of boot number @boot, which is @run. */
void figures_add_counts(struct figure_table *table, size_t boot,
			const json_t *run);
void figures_add_insns(struct figure_table *table, size_t boot,
		       const json_t *run);
void figures_add_quantiles(struct figure_table *table, size_t boot,
			   const json_t *run);
void figures_add_host_time(struct figure_table *table, size_t boot,
			   const json_t *run);

typedef void (*figures_add_fn)(struct figure_table *table, size_t boot,
			       const json_t *run);

/* All boots of all arms; table->err tells what went wrong. */
void figures_collect(struct figure_table *table, const struct compare_arm *arms,
		     size_t nr_arms, figures_add_fn add);

/* The step of the clock of @run, at least 1. */
double figures_clock_step(const json_t *run);

#endif /* GSTAGE_USER_COMPARE_FIGURES_H */
