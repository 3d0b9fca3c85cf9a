/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of a report about VM exits; only for report.c. */
#ifndef GSTAGE_USER_REPORT_EXITS_H
#define GSTAGE_USER_REPORT_EXITS_H

#include <jansson.h>
#include <stdio.h>

#include "user/out.h"

/* Nothing for runs without --exits. 0 or -errno. */
int report_print_exits(FILE *out, const json_t *run,
		       const struct out_scale *scale);

#endif /* GSTAGE_USER_REPORT_EXITS_H */
