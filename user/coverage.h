/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Did the hooks on functions see all that they were meant to? A compiler may
 * inline a function where it is called, and a hook on it then sees the rest of
 * its calls, or none: what was counted must never pass for all there was.
 */
#ifndef GSTAGE_USER_COVERAGE_H
#define GSTAGE_USER_COVERAGE_H

#include "user/probes.h"
#include "user/tally.h"

/*
 * Make each choice that functions serve partial, with the reason, where two
 * hooks that must agree do not.
 */
void coverage_judge(const struct tally *t,
		    struct probe_choice choices[NR_FACTS]);

#endif /* GSTAGE_USER_COVERAGE_H */
