/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report of one run: text for people (80 columns), JSON for programs.
 * Used by `gstage report` and by `gstage trace` when it ends.
 */
#ifndef GSTAGE_USER_REPORT_H
#define GSTAGE_USER_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum report_unit {
	REPORT_UNIT_NS = 0,
	REPORT_UNIT_US,
	REPORT_UNIT_MS,
};

/* All zero is the default report. */
struct report_opts {
	enum report_unit unit; /* display only; ignored for instructions */
	unsigned int resolution; /* histogram rows per octave, 0: what fits */
	bool quiet; /* no environment header, no explanations */
	bool verbose; /* per-probe lines, options, every check */
};

/*
 * Print the whole report of @run, which has passed run__validate() or comes
 * from run__json(). 0, or -errno when @out cannot be written.
 */
int report_print(FILE *out, const json_t *run, const struct report_opts *opts);

/*
 * The run with quantiles added to every histogram, schema gstage-report/1; a
 * new reference or NULL. @file may be NULL.
 */
json_t *report_json(const json_t *run, const char *file);

#endif /* GSTAGE_USER_REPORT_H */
