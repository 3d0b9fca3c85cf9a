/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold of dirty logging, judged on a run file. What each check says
 * and cannot see is in docs/check.md. Leaf module: jansson only.
 */
#ifndef GSTAGE_USER_CHECK_H
#define GSTAGE_USER_CHECK_H

#include <jansson.h>
#include <stddef.h>

enum check_state {
	CHECK_HELD,
	CHECK_BROKEN,
	CHECK_UNKNOWN, /* this run cannot tell; the detail says why */
};

struct check_verdict {
	const char *name;
	enum check_state state;
	char detail[512];
	/* Of a broken one, where the run has it: borrowed from the run. */
	const json_t *first;
};

/* Number of checks, and the name of each. */
size_t check_count(void);
const char *check_name(size_t i);

/* Judge check @i of @run, a valid run file's root. */
void check_judge(const json_t *run, size_t i, struct check_verdict *verdict);

#endif /* GSTAGE_USER_CHECK_H */
