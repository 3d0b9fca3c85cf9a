// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor under every tracer of these hooks: programs that do nothing. What
 * they add to a fault is what the kernel takes to call a BPF program there.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define EMPTY(hook, name)   \
	SEC(hook)           \
	int name(void *ctx) \
	{                   \
		(void)ctx;  \
		return 0;   \
	}

EMPTY("?tp_btf/kvm_gstage_fault", events_fault)
EMPTY("?tp_btf/kvm_dirty_log", events_dirty_log)

EMPTY("?fentry/kvm_riscv_mmu_map", pair_entry)
EMPTY("?fexit/kvm_riscv_mmu_map", pair_exit)
