/* SPDX-License-Identifier: GPL-2.0-only */
/* One run: memory, VM and threads are set up, used and taken down again. */
#ifndef DIRTYGUEST_SESSION_H
#define DIRTYGUEST_SESSION_H

#include "options.h"

/*
 * Run as @opts say, print the table, write the result where @opts and the
 * environment variable GSTAGE_GUEST_RESULT want it. Returns the exit status.
 */
int session__run(const struct dg_options *opts);

#endif /* DIRTYGUEST_SESSION_H */
