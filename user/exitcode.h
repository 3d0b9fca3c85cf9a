/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit status of every gstage command. Scripts rely on these numbers, so a
 * meaning is never changed and a number never reused.
 */
#ifndef GSTAGE_USER_EXITCODE_H
#define GSTAGE_USER_EXITCODE_H

#define GSTAGE_EX_OK 0 /* done, data complete */
#define GSTAGE_EX_REGRESSION 1 /* a regression or a broken invariant */
#define GSTAGE_EX_USAGE 2 /* bad option, or input that is not a run file */
#define GSTAGE_EX_INCOMPLETE 3 /* events were lost: "complete": false */
#define GSTAGE_EX_IMPOSSIBLE 4 /* not possible here: privilege, BTF, KVM ... */
#define GSTAGE_EX_INCONCLUSIVE 5 /* the data cannot answer the question */
#define GSTAGE_EX_TIMEOUT 124 /* the time limit was reached */
#define GSTAGE_EX_SKIP 125 /* only with --bisect: this one cannot be judged */

#endif /* GSTAGE_USER_EXITCODE_H */
