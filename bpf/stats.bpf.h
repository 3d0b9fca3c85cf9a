/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the statistics that KVM keeps of a VM: defined in stats.bpf.c. Nothing
 * is done where counts come from functions.
 */
#ifndef GSTAGE_BPF_STATS_BPF_H
#define GSTAGE_BPF_STATS_BPF_H

#include "bpf/state.bpf.h"

extern struct gstage_vm_stats vm_stats[GSTAGE_MAX_VMS];

/* What the VM at @kvm counts from now on is of the new entry @vm_index. */
int begin_stats(__u32 vm_index, __u64 kvm);

/* What it has counted since the last time is of the phase that it is in. */
int take_stats(__u32 vm_index);

#endif /* GSTAGE_BPF_STATS_BPF_H */
