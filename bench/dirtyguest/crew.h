/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The threads that run the vCPUs, one each, and the barrier between them and
 * the host's main thread. Exactly one side runs at a time and the other
 * sleeps, so one hart is enough and nobody spins; but see crew__every().
 */
#ifndef DIRTYGUEST_CREW_H
#define DIRTYGUEST_CREW_H

#include <linux/types.h>
#include <stdbool.h>

#include "vm.h"

struct crew;

/*
 * Start a thread per vCPU of @vm, which must outlive the crew. With @pin, vCPU
 * i stays on the i-th CPU this process may use (modulo their number); with @fifo
 * none gives way to another before it is done. NULL with errno; reported.
 */
struct crew *crew__new(struct vm *vm, bool pin, bool fifo);

/*
 * Let every vCPU run until it stores @code to the port, and return when the
 * last one has. A vCPU whose progress counter stands still for @limit_ns is
 * stopped and named, with the address it was about to touch: -ETIMEDOUT.
 * -EIO when a guest failed or left in a way nobody expects. Reported, with
 * @phase in the message.
 */
int crew__run(struct crew *crew, const char *phase, __u32 code, __u64 limit_ns);

/*
 * From now on crew__run() calls @fn every @ns while the vCPUs run, until it
 * returns an error, which becomes that of crew__run() when they are done. NULL:
 * no more.
 */
void crew__every(struct crew *crew, __u64 ns, int (*fn)(void *ctx), void *ctx);

/* Duration of the vCPU's part of the last crew__run(), in nanoseconds. */
__u64 crew__vcpu_ns(const struct crew *crew, __u32 vcpu);

/* How often KVM had no memory to run a vCPU (ENOMEM), which was then tried again. */
__u64 crew__nr_refused(const struct crew *crew);

/*
 * End and join the threads. Accepts NULL. False when a thread does not come
 * out of the kernel: the VM must then be left as it is.
 */
bool crew__free(struct crew *crew);

#endif /* DIRTYGUEST_CREW_H */
