/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what is left behind: send SIGKILL to this process or to its
 * parent (the tracer) while a log operation is inside KVM. That needs a second
 * CPU, and the operation to take longer than the delay.
 */
#ifndef DIRTYGUEST_KILLER_H
#define DIRTYGUEST_KILLER_H

#include <linux/types.h>

enum dg_kill {
	DG_KILL_NOBODY,
	DG_KILL_SELF,
	DG_KILL_PARENT,
	DG_NR_KILLS,
};

/*
 * The operation begins now: kill @who @delay_ns later, on another CPU. Returns
 * when the other thread only waits for that. 0 or -errno.
 */
int killer__go(enum dg_kill who, __u64 delay_ns);

#endif /* DIRTYGUEST_KILLER_H */
