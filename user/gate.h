/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gates: how much worse an arm may be than the first one. They are judged on
 * the JSON of a comparison (gstage-compare/2, docs/compare.md), so that a gate
 * and a table can never disagree.
 *
 *   GATE   = METRIC=LIMIT
 *   METRIC = SECTION.NAME of a row ("fault-mean.fast-write", "phase.enable"),
 *            or a short form: faults.p50 p90 p99 p99.9 max mean total count,
 *            SECTION.count (all rows of a section of counts together)
 *   LIMIT  = REL% | ABS | REL%+ABS; of the last, both must be exceeded. ABS is
 *            in the unit of the row.
 */
#ifndef GSTAGE_USER_GATE_H
#define GSTAGE_USER_GATE_H

#include <jansson.h>
#include <stddef.h>

struct gates;

/*
 * Add the gates of @text, separated by commas, to *gates, which is made when it
 * is NULL. 0, or -EINVAL with one line in @reason, or -ENOMEM.
 */
int gates_parse(struct gates **gates, const char *text, char *reason,
		size_t reason_size);

/*
 * Judge every gate for every arm but the first and the one of --band. Sets in
 * @comparison "gates" [{gate, row, arm, limit, value, verdict, text}], verdict
 * "pass", "fail" or "unknown", and "verdict" {status, text}: status 0, 1 (a gate
 * failed) or 5 (none failed, one is unknown). 0 or -ENOMEM.
 */
int gates_judge(const struct gates *gates, json_t *comparison);

void gates_free(struct gates *gates);

#endif /* GSTAGE_USER_GATE_H */
