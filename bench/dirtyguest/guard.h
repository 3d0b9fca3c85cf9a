/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A time limit on what the host does itself. A KVM ioctl that never comes back
 * must end the program with a message and status 124, not hang the machine.
 */
#ifndef DIRTYGUEST_GUARD_H
#define DIRTYGUEST_GUARD_H

#include <linux/types.h>

/*
 * From now on the process ends after @limit_ns unless the guard is disarmed,
 * saying that phase @name of round @round did. One guard at a time. The message
 * is made here; the signal handler only writes it. Another thread must exist,
 * to run that handler. 0 or -errno.
 */
int guard__arm(const char *name, __u64 round, __u64 limit_ns);

void guard__disarm(void);

#endif /* DIRTYGUEST_GUARD_H */
