/* SPDX-License-Identifier: GPL-2.0-only */
/* One answer from a comparison: of its gates, of its runs, and for git bisect. */
#ifndef GSTAGE_USER_COMPARE_VERDICT_H
#define GSTAGE_USER_COMPARE_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Set "verdict" {status, text} of @comparison; status is an exit status. Gates
 * have been judged before (user/gate.h), if there are any: lost pages, failed
 * checks and a harness that is not deterministic come on top. With @bisect the
 * status is one of git bisect: 0, 1 or 125. 0 or -ENOMEM.
 */
int compare_set_verdict(json_t *comparison, bool bisect);

#endif /* GSTAGE_USER_COMPARE_VERDICT_H */
