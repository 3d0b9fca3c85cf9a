/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sequence of a run: populate, enable, then in each round dirty, get and
 * clear, then disable and, if asked for, after. Times each, checks each.
 */
#ifndef DIRTYGUEST_PHASES_H
#define DIRTYGUEST_PHASES_H

#include "check.h"
#include "crew.h"
#include "dirtylog.h"
#include "options.h"
#include "result.h"
#include "vm.h"

/* Everything a run works with; all borrowed. */
struct phases {
	const struct dg_options *opts;
	struct vm *vm;
	struct crew *crew;
	struct dirtylog *log;
	struct check *check;
	struct result *res;
};

/*
 * Run all phases. 0 when all of them ended, whatever the checks say (see
 * result__is_good()); -ETIMEDOUT when a vCPU stood still; else -errno.
 * Reported; res->error says it too.
 */
int phases__run(struct phases *ph);

#endif /* DIRTYGUEST_PHASES_H */
