/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is what a kernel can serve enough for a trace? Told in the same words by `gstage
 * trace`, which refuses, and by `gstage doctor`, which explains.
 */
#ifndef GSTAGE_USER_VERDICT_H
#define GSTAGE_USER_VERDICT_H

#include "user/host.h"
#include "user/ktypes.h"
#include "user/probes.h"

/* An obstacle with room for its texts. */
struct verdict {
	struct obstacle obstacle;
	char what[400];
	char remedy[240];
};

/*
 * True if a trace can do without all that is missing in @choices, made of @view and
 * @wish; else *v says what it cannot do without. @functions: see below.
 */
bool verdict_is_enough(const struct probe_view *view,
		       const struct probe_wish *wish,
		       const struct probe_choice choices[NR_FACTS],
		       const struct obstacle *functions, struct verdict *v);

/*
 * Why no function can be hooked on @host, whose types are @k, or NULL; and let the
 * view of @k say so, and whether it is by kprobes: where there is no ftrace, or if
 * @want_kprobes. A host with nothing known (of a file) is one of zeros.
 */
const struct obstacle *verdict_of_functions(struct ktypes *k,
					    const struct host *host,
					    bool want_kprobes);

/*
 * What changes it that @choice is missing; NULL: nothing that is known.
 * @functions: of verdict_of_functions().
 */
const char *verdict_remedy(const struct probe_view *view,
			   const struct probe_choice *choice,
			   const struct obstacle *functions);

#endif /* GSTAGE_USER_VERDICT_H */
