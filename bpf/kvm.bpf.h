/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types that the programs read: only their names and fields matter,
 * CO-RE finds the offsets in the running kernel and its modules. Declared here
 * and not taken from a generated vmlinux.h, because KVM is often a module and
 * its types are then in no vmlinux; and so the tracer builds without a kernel.
 */
#ifndef GSTAGE_BPF_KVM_BPF_H
#define GSTAGE_BPF_KVM_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/gstage.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct task_struct {
	int tgid;
	struct task_struct *real_parent;
};

/* Only where it lies is asked, so any structure stands for a lock. */
struct lock {
	int unused;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64]; /* or 16 */
};

struct kvm_mmu_memory_cache {
	int nobjs;
};

/* Of a table of the G-stage, at any level. */
typedef struct {
	unsigned long pgd;
} pgd_t;

struct kvm_vmid {
	unsigned long vmid_version;
};

struct kvm_arch {
	struct kvm_vmid vmid;
	pgd_t *pgd;
	__u64 pgd_phys;
	unsigned long pgd_levels;
	/* Since 7.3: for eager splits, filled while mmu_lock is not held. */
	struct kvm_mmu_memory_cache pgd_split_page_cache;
};

/* Of the tracepoint series, from hfence_all to hfence_range_hist. */
struct kvm_vm_stat {
	atomic64_t hfence_all;
	atomic64_t hfence_range_pages;
	__u64 gstage_wp_4k;
	__u64 gstage_wp_2m;
	__u64 gstage_wp_1g;
	__u64 gstage_eager_split_2m;
	__u64 gstage_eager_split_1g;
	__u64 gstage_eager_split_failed;
	__u64 hfence_vm_4k;
	__u64 hfence_vm_2m;
	__u64 hfence_vm_1g;
	atomic64_t hfence_range_hist[GSTAGE_NR_RANGE_SIZES];
};

struct kvm {
	struct lock mmu_lock;
	struct kvm_arch arch;
	atomic_t online_vcpus;
	struct xarray vcpu_array;
	struct kvm_vm_stat stat;
};

/* Frame numbers, the end excluded. */
struct kvm_gfn_range {
	__u64 start;
	__u64 end;
};

/* Its numbers are below. */
enum kvm_riscv_hfence_type { HFENCE_UNKNOWN };

struct kvm_riscv_hfence {
	enum kvm_riscv_hfence_type type;
	unsigned long order;
	__u64 addr;
	__u64 size;
};

struct kvm_vcpu_arch {
	int last_exit_cpu;
	unsigned long hfence_head;
	unsigned long hfence_tail;
	struct kvm_riscv_hfence hfence_queue[GSTAGE_FENCE_QUEUE];
	struct kvm_mmu_memory_cache mmu_page_cache;
};

struct kvm_vcpu_stat {
	__u64 exits;
	/* Of the tracepoint series, from gstage_fault_fast to hfence_queue_full. */
	__u64 gstage_fault_fast;
	__u64 hfence_4k;
	__u64 hfence_exec_leaf;
	__u64 gstage_fault_spurious;
	__u64 gstage_fault_lost;
	__u64 gstage_fault[15];
	__u64 gstage_split_2m;
	__u64 gstage_split_1g;
	__u64 gstage_split_failed;
	__u64 hfence_2m;
	__u64 hfence_1g;
	__u64 hfence_vvma;
	__u64 hfence_exec_range;
	__u64 hfence_exec_range_insns;
	__u64 hfence_exec_all;
	__u64 hfence_exec_vvma;
	__u64 hfence_exec_vvma_insns;
	__u64 hfence_queue_full;
};

struct kvm_run {
	__u32 exit_reason;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	int vcpu_idx;
	__u64 requests;
	struct kvm_run *run;
	struct kvm_vcpu_arch arch;
	struct kvm_vcpu_stat stat;
};

struct kvm_cpu_trap {
	unsigned long scause;
};

struct kvm_gstage {
	struct kvm *kvm;
	pgd_t *pgd;
	unsigned long pgd_levels;
};

struct kvm_gstage_mapping {
	__u32 level;
};

struct kvm_memory_slot {
	__u32 flags;
	short id;
	__u16 as_id;
};

/* Of the tracepoint series, arch/riscv/include/asm/kvm_gstage.h. */
struct kvm_gstage_fault {
	__u64 gpa;
	__u64 old_pte;
	__u64 new_pte;
	__u64 duration_ns;
	__u64 fence_ns;
	int ret;
	__u32 fences[GSTAGE_NR_LEAVES];
	__u8 path;
	__u8 scause;
	__u8 level;
};

/* And arch/riscv/include/asm/kvm_tlb.h. */
struct kvm_hfence_request {
	struct kvm_vcpu *vcpu; /* whose thread asks, or NULL */
	__u64 addr;
	__u64 size;
	__u64 wait_ns;
	enum kvm_riscv_hfence_type type;
	unsigned int order;
	unsigned int full; /* vCPUs whose queue it was */
};

/* include/linux/fs.h and friends. */
struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

/* What an iterator over the files of processes hands to its program. */
struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

/* virt/kvm/kvm_main.c: a file of debugfs. */
struct kvm_stats_desc {
	__u32 offset;
};

enum kvm_stat_kind { KVM_STAT_VM, KVM_STAT_VCPU };

struct kvm_stat_data {
	struct kvm *kvm;
	const struct kvm_stats_desc *desc;
	enum kvm_stat_kind kind;
};

#pragma clang attribute pop

/* enum kvm_riscv_hfence_type, arch/riscv/include/asm/kvm_tlb.h. */
#define HFENCE_GVMA_VMID_GPA 1
#define HFENCE_GVMA_VMID_ALL 2
/* All VMIDs on all CPUs: these have been used up. */
#define HFENCE_GVMA_ALL 7

/* arch/riscv/include/asm/csr.h */
#define EXC_INST_GUEST_PAGE_FAULT 20
#define EXC_LOAD_GUEST_PAGE_FAULT 21
#define EXC_STORE_GUEST_PAGE_FAULT 23

/* arch/riscv/include/asm/pgtable-bits.h */
#define PAGE_READ (1 << 1)
#define PAGE_WRITE (1 << 2)
#define PAGE_EXEC (1 << 3)
#define PAGE_LEAF (PAGE_READ | PAGE_WRITE | PAGE_EXEC)
#define PAGE_ACCESSED (1 << 6)
#define PAGE_DIRTY (1 << 7)
#define PAGE_SHIFT 12
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))
#define PTE_PFN(pte) (((pte) >> 10) & ((1ULL << 44) - 1))

/* include/uapi/linux/kvm.h; the numbers are for ever. */
#define KVM_MEM_LOG_DIRTY_PAGES 1
#define KVM_EXIT_UNKNOWN 0
#define KVM_GET_DIRTY_LOG 0x4010ae42
#define KVM_CLEAR_DIRTY_LOG 0xc018aec0
#define KVM_SET_USER_MEMORY_REGION 0x4020ae46
#define KVM_SET_USER_MEMORY_REGION2 0x40a0ae49
/* Of struct kvm_userspace_memory_region and its successor. */
#define MEMORY_SIZE_OFFSET 16

/* include/uapi/linux/magic.h */
#define ANON_INODE_FS_MAGIC 0x09041934

/* include/linux/kvm_host.h, without its flags */
#define REQ_TLB_FLUSH 0
#define REQ_MASK 0xff
/* arch/riscv/include/asm/kvm_host.h: drain the queue of fences. */
#define REQ_HFENCE 13

/* enum kvm_dirty_log_op of the tracepoint series, include/linux/kvm_host.h. */
#define DIRTY_LOG_ENABLE 0
#define DIRTY_LOG_DISABLE 1
#define DIRTY_LOG_GET 2
#define DIRTY_LOG_CLEAR 3
/* Of a dirty ring, and of no slot. */
#define DIRTY_LOG_RESET 4

#endif /* GSTAGE_BPF_KVM_BPF_H */
