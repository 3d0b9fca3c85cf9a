/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's own statistics of a VM and its vCPUs, as any VMM can read them: from
 * file descriptors, with neither tracer nor root.
 */
#ifndef DIRTYGUEST_KVM_STATS_H
#define DIRTYGUEST_KVM_STATS_H

#include "vm.h"

/*
 * Print them to stdout: "vm NAME VALUE..." and "vcpu N NAME VALUE...", in the
 * kernel's order; a histogram has a value for each of its buckets. Reports what
 * went wrong. 0 or -errno.
 */
int kvm_stats__print(const struct vm *vm);

#endif /* DIRTYGUEST_KVM_STATS_H */
