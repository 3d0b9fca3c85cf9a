/* SPDX-License-Identifier: GPL-2.0-only */
/* A comparison (docs/compare.md, JSON) for other readers than a terminal. */
#ifndef GSTAGE_USER_COMPARE_FORMAT_H
#define GSTAGE_USER_COMPARE_FORMAT_H

#include <jansson.h>
#include <stdio.h>

/*
 * KTAP, version 1: a result for each arm (no page lost, no check failed), one
 * for the harness, one for each gate; every row is a diagnostic line of
 * key=value. 0 or -errno.
 */
int compare_print_ktap(FILE *out, const json_t *comparison);

/*
 * At most 72 columns, to paste into a cover letter: what was compared on what,
 * how often, and what differs. 0 or -errno.
 */
int compare_print_mail(FILE *out, const json_t *comparison);

#endif /* GSTAGE_USER_COMPARE_FORMAT_H */
