/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a report that say what the run was and whether to trust it. Only
 * for report.c and compare: others use report.h.
 */
#ifndef GSTAGE_USER_REPORT_ENV_H
#define GSTAGE_USER_REPORT_ENV_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "user/out.h"
#include "user/report.h"

/* How durations of @run are shown; instructions are never scaled. */
struct out_scale report_scale(const json_t *run, enum report_unit unit);

/* What the clock of @run is, in plain words; returns @buf. */
const char *report_clock_words(char *buf, size_t size, const json_t *run);

void report_print_environment(FILE *out, const json_t *run, bool verbose);

/* Says INCOMPLETE and what was lost; one line when nothing was. */
void report_print_losses(FILE *out, const json_t *run);

/* What the workload counted itself. 0 or -errno. */
int report_print_guest(FILE *out, const json_t *run,
		       const struct out_scale *scale);

/* Failed checks always, the others in one line or, @verbose, one by one. */
void report_print_checks(FILE *out, const json_t *run, bool verbose);

#endif /* GSTAGE_USER_REPORT_ENV_H */
