/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tables of a printed comparison share. Internal to compare_print*.c. */
#ifndef GSTAGE_USER_COMPARE_PRINT_H
#define GSTAGE_USER_COMPARE_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "user/out.h"

/* The label of an arm, "-" without one. */
const char *compare_label(const json_t *comparison, size_t arm);

/* Print without blanks at the ends of lines, and free; 0 or -errno. */
int compare_print_table(FILE *out, struct out_table *table);

/* Host time: a table for each arm against the first. 0 or -errno. */
int compare_print_host(FILE *out, const json_t *comparison, bool quiet);

#endif /* GSTAGE_USER_COMPARE_PRINT_H */
