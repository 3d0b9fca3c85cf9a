/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What the BPF programs leave and the front end reads: the ABI of the maps.
 *
 * Counters live in one row per possible CPU and one slot per phase, so that a
 * count needs no lock, no hash and no clearing: an interval is the difference
 * of two readings. The kernel side only adds, user space only reads; both see
 * all zeroes before the first event.
 */
#ifndef GSTAGE_BPF_GSTAGE_H
#define GSTAGE_BPF_GSTAGE_H

#include <linux/types.h>

#include "bpf/hist.h"

/*
 * The way a fault took. The numbers are those of the tracepoint series less 1;
 * ERROR is its POISON, and every fault that failed.
 */
#define GSTAGE_PATH_FAST 0
#define GSTAGE_PATH_PROT 1
#define GSTAGE_PATH_SPLIT 2
#define GSTAGE_PATH_MAP 3
#define GSTAGE_PATH_RETRY 4
#define GSTAGE_PATH_ERROR 5
#define GSTAGE_NR_PATHS 6

/* scause less 20: instruction, load and store guest page faults. 2 is none. */
#define GSTAGE_ACCESS_EXEC 0
#define GSTAGE_ACCESS_READ 1
#define GSTAGE_ACCESS_WRITE 3
#define GSTAGE_NR_ACCESSES 4

/* What a leaf is changed for. */
#define GSTAGE_CAUSE_FAULT 0
#define GSTAGE_CAUSE_ENABLE 1
#define GSTAGE_CAUSE_CLEAR 2
#define GSTAGE_CAUSE_GET 3
#define GSTAGE_NR_CAUSES 4

/* What became of a permission update. */
#define GSTAGE_PROT_CHANGED 0
#define GSTAGE_PROT_UNCHANGED 1
#define GSTAGE_PROT_LOST_RACE 2 /* tries, not updates */
#define GSTAGE_NR_PROTS 3

/* Reach of a fence: one leaf, several, everything of the VM; VS-stage. */
#define GSTAGE_FLUSH_PAGE 0
#define GSTAGE_FLUSH_RANGE 1
#define GSTAGE_FLUSH_VMID 2
#define GSTAGE_FLUSH_VVMA 3
#define GSTAGE_NR_FLUSHES 4

/* How mmu_lock was taken. */
#define GSTAGE_LOCK_READ 0
#define GSTAGE_LOCK_WRITE 1
#define GSTAGE_NR_LOCKS 2

/* 4K, 2M, 1G, and whatever is above. */
#define GSTAGE_NR_LEVELS 4

/*
 * What a VM is doing. A phase is one (VM, kind, round) and may be entered
 * several times: CLEAR comes in chunks.
 */
#define GSTAGE_PHASE_POPULATE 0 /* before the first log operation */
#define GSTAGE_PHASE_ENABLE 1
#define GSTAGE_PHASE_DIRTY 2 /* round: GETs of the first logged slot + 1 */
#define GSTAGE_PHASE_GET 3
#define GSTAGE_PHASE_CLEAR 4 /* round: the one harvested by the last GET */
#define GSTAGE_PHASE_DISABLE 5
#define GSTAGE_PHASE_AFTER 6 /* no slot is logged any more */
#define GSTAGE_NR_PHASE_KINDS 7

/*
 * 20 rounds of dirty, get and clear; 48 KiB of counters for each CPU. A phase
 * that finds no slot is counted in the last one and in phase_overflow.
 */
#define GSTAGE_MAX_PHASES 64

/* VMs alive at the same time below one traced process. */
#define GSTAGE_MAX_VMS 8

/* KVM has fewer slots. */
#define GSTAGE_NO_SLOT 0xffffffff

struct gstage_phase_counts {
	__u64 faults[GSTAGE_NR_PATHS][GSTAGE_NR_ACCESSES];
	/* [cause][level of the leaf that was broken] */
	__u64 splits[GSTAGE_NR_CAUSES][GSTAGE_NR_LEVELS];
	__u64 failed_splits[GSTAGE_NR_CAUSES][GSTAGE_NR_LEVELS];
	__u64 prots[GSTAGE_NR_PROTS];
	/* [cause][level]: leaves that lost write permission */
	__u64 wp_leaves[GSTAGE_NR_CAUSES][GSTAGE_NR_LEVELS];
	/* Requests made by faults, by level of the leaf. */
	__u64 fault_flushes[GSTAGE_NR_LEVELS];
	/* Requests made elsewhere. */
	__u64 flush_requests[GSTAGE_NR_FLUSHES];
	__u64 flush_bytes[GSTAGE_NR_FLUSHES];
	/* vCPUs whose queue was full, by what was asked for. */
	__u64 flush_fallbacks[GSTAGE_NR_FLUSHES];
	__u64 flush_executed[GSTAGE_NR_FLUSHES];
	/* Fence instructions that this took. */
	__u64 fences[GSTAGE_NR_FLUSHES];
};

/* Levels of leaves that KVM maps. */
#define GSTAGE_NR_LEAVES 3

/* Bucket i of a range of fences: 2^(i-1) to 2^i - 1 pages of 4K; the last is open. */
#define GSTAGE_NR_RANGE_SIZES 32

/*
 * What KVM counts by itself: the statistics of a VM, and those of its vCPUs added
 * up. Nothing but counters, so that it is an array, too.
 */
struct gstage_stats {
	/* [path but the fast one][exec, read, write] */
	__u64 slow_faults[GSTAGE_NR_PATHS - 1][3];
	__u64 fast_faults;
	__u64 spurious_faults; /* nothing to change; among fast and prot */
	__u64 lost_races;
	/* In faults, and outside, by level of the leaf less 1. */
	__u64 fault_splits[GSTAGE_NR_LEAVES - 1];
	__u64 other_splits[GSTAGE_NR_LEAVES - 1];
	__u64 failed_fault_splits;
	__u64 failed_other_splits;
	__u64 wp_leaves[GSTAGE_NR_LEAVES];
	/* Requests of fences. */
	__u64 fault_flushes[GSTAGE_NR_LEAVES];
	__u64 other_flushes[GSTAGE_NR_LEAVES];
	__u64 range_flushes[GSTAGE_NR_RANGE_SIZES];
	__u64 range_pages;
	__u64 vmid_flushes;
	__u64 vvma_flushes;
	/* Executed, and instructions that it took. */
	__u64 flush_executed[GSTAGE_NR_FLUSHES];
	__u64 fences[GSTAGE_NR_FLUSHES];
	__u64 full_queues;
};

#define GSTAGE_NR_STATS (sizeof(struct gstage_stats) / sizeof(__u64))

/*
 * The same as it lies in the kernel: where what is user space is told by the
 * layout, a struct gstage_stats of indices.
 */
#define GSTAGE_MAX_RAW 64

struct gstage_raw_stats {
	__u64 vcpus[GSTAGE_MAX_RAW];
	__u64 vm[GSTAGE_MAX_RAW];
};

#define GSTAGE_NR_RAW (sizeof(struct gstage_raw_stats) / sizeof(__u64))

/* Of a VM that is followed. */
struct gstage_vm_stats {
	/* At the last border of its phases. */
	struct gstage_raw_stats last;
	/* Now, when user space asked last; since the same border if moves is. */
	struct gstage_raw_stats now;
	__u64 now_kvm;
	__u32 moves; /* two for each border, odd while it takes place */
	__u32 now_moves;
	__u32 nr_vcpus; /* at the last border */
	__u32 had_full; /* a queue, before it was followed */
};

/*
 * count is not kept, it is the sum of the buckets and of under- and overflow.
 * neg_min is ~min, so that zero means "nothing yet" for it, too.
 */
struct gstage_hist {
	__u64 sum;
	__u64 neg_min;
	__u64 max;
	__u64 underflow;
	__u64 overflow;
	__u64 buckets[GSTAGE_HIST_BUCKETS];
};

/* Times that mmu_lock was held in one phase, in one mode. */
struct gstage_holds {
	__u64 count;
	__u64 sum_ns;
	__u64 max_ns;
};

/* Only with --locks. */
struct gstage_locks {
	struct gstage_holds phases[GSTAGE_MAX_PHASES][GSTAGE_NR_LOCKS];
	struct gstage_hist held_ns[GSTAGE_NR_LOCKS];
	/* When this CPU took the lock it holds; 0: it holds none. */
	__u64 since_ns[GSTAGE_NR_LOCKS];
};

struct gstage_row {
	struct gstage_phase_counts phases[GSTAGE_MAX_PHASES];
	/* Nanoseconds. */
	struct gstage_hist fault_ns[GSTAGE_NR_PATHS][GSTAGE_NR_ACCESSES];
	/* Bytes; the requests of faults are not in here. Of functions only. */
	struct gstage_hist flush_sizes[GSTAGE_NR_FLUSHES];
	/* Nanoseconds; those of a fault are one, of kind PAGE. */
	struct gstage_hist flush_waits[GSTAGE_NR_FLUSHES];
	struct gstage_locks locks;
	/* On functions: the thread here that wants the fence of a range; 0: none. */
	__u64 range_task;
	__u64 range_gpa;
	__u64 range_bytes;
	/* Of --exits: the vCPU that last entered its guest here, plus 1. */
	__u32 exits_slot; /* 0: it is not followed */
	__u32 pad;
	/* The last VM that was looked at here and is not followed, and for whom. */
	__u64 refused_kvm;
	__u64 refused_task; /* process and thread */
};

struct gstage_phase {
	__u32 vm; /* 1 is the first VM seen */
	__u32 kind;
	__u32 round; /* 0: of none */
	__u32 entered; /* times */
	__u64 start_ns; /* CLOCK_MONOTONIC, entered first */
	__u64 end_ns; /* left last; 0 while it lasts */
	__u64 duration_ns; /* in it, without gaps, up to end_ns */
};

struct gstage_vm {
	__u64 kvm; /* address of its struct kvm; 0: free, or not filled yet */
	__u64 owner; /* the same, by the one who fills the entry */
	__u32 ordinal; /* as in gstage_phase.vm */
	__u32 phase; /* index of the present phase */
	__u32 round;
	__u32 nr_logged; /* slots */
	__u32 first_slot; /* the GETs of this one count the rounds */
	__u32 pad;
	__u64 since_ns; /* start of the present phase, this time */
};

/* Every way to lose something. Any that is not 0 makes the run incomplete. */
struct gstage_losses {
	__u64 phase_overflow; /* phase table full */
	__u64 vm_overflow; /* VM table full: events not counted */
	__u64 op_overflow; /* more log operations of a VM at once than places */
	__u64 record_drops; /* ring buffer full */
	__u64 row_misses; /* CPU without a row: events not counted */
	__u64 call_misses; /* by kprobes: calls whose return nothing is known at */
	__u64 stat_resets; /* somebody set a statistic of KVM to 0 */
	__u64 stat_misses; /* borders at which those of a vCPU could not be read */
	/* Only with --exits. */
	__u64 vcpu_overflow; /* more vCPUs than places: entries not counted */
	__u64 cause_overflow; /* more causes than places, or no known code: exits not counted */
};

/* KVM_MAX_VCPUS of RISC-V; a power of 2. */
#define GSTAGE_MAX_VCPUS 1024

/*
 * The function backend's view of a vCPU (bpf/vcpu.bpf.h): the fault under way,
 * and what its faults did in the present phase. Only the thread of the vCPU
 * writes here. What is counted here moves to the row of a CPU with the first
 * fault of another phase; what is left at the end user space adds itself.
 */
struct gstage_vcpu {
	__u64 vcpu; /* its address; 0: none yet */
	__u64 task; /* the thread that runs it */
	__u64 start_ns; /* of the fault; only with latencies */
	__u64 leaf_pte; /* before the slow path touched it; 0: none */
	__u32 is_open; /* a fault is under way, as far as is known */
	__u32 path; /* so far */
	__u32 access;
	__u32 phase; /* that the counts are of, plus 1; 0: unused */
	__u32 leaf_level;
	__u32 next_fence; /* of its queue, plus 1; 0: not known */
	__s32 last_cpu; /* it left the guest on */
	__u32 moves; /* odd while the counts move */
	__u32 faults[GSTAGE_NR_PATHS][GSTAGE_NR_ACCESSES];
	/* Requests for 4K, by the path of the fault. */
	__u32 flushes[GSTAGE_NR_PATHS];
	__u32 resolution_ns; /* of the clock, for want of a nearer place */
	__u32 pad[17]; /* up to a power of 2 */
};

/* CPUs with a hint of their own; a power of 2. */
#define GSTAGE_MAX_HINTS 1024

/*
 * What the hooks of each fault look at, side by side: the address of a map's
 * value takes seven instructions to load, and so it is loaded once.
 */
struct gstage_state {
	struct gstage_vm all_vms[GSTAGE_MAX_VMS];
	/*
	 * By CPU, the vCPU that last began a fault there, and so may be running:
	 * GSTAGE_MAX_VCPUS * VM + vCPU.
	 */
	__u64 hints[GSTAGE_MAX_HINTS];
	struct gstage_vcpu vcpus[GSTAGE_MAX_VMS][GSTAGE_MAX_VCPUS];
};

/*
 * What the function backend noticed that its hooks do not see: a function can be
 * inlined in one of its callers and not in another. Any that is not 0 makes a
 * fact partial (user/coverage.c).
 */
struct gstage_coverage {
	__u64 faults_unseen; /* mapped, and never seen to begin */
	__u64 fences_unseen; /* gone from a queue between two looks at it */
	__u64 scans_cut; /* write-protect passes over too much to look through */
	/* Not a shortcoming: guest page faults that are MMIO and the like. */
	__u64 no_memory;
};

/*
 * A fault played on the kernel's own test functions, before anything is traced
 * (bpf/bracket.bpf.c): between its two clock reads is nothing but gstage's. User
 * space writes what is to be played, the programs what came of it.
 */
/* One entry for each level: a walk takes entry n of its table at level n. */
#define GSTAGE_BRACKET_LEVELS 8
struct gstage_bracket {
	/* Page tables before and after the fault; that they are aligned matters. */
	__u64 before[GSTAGE_BRACKET_LEVELS] __attribute__((aligned(64)));
	__u64 after[GSTAGE_BRACKET_LEVELS];
	__u64 gpa;
	__u64 flush_bytes; /* of the fence that the fault asks for, as the next */
	__u64 flush_order;
	__u32 tgid; /* whose calls these are; 0: nobody's */
	__u32 levels; /* of the page tables */
	/* The programs add to these. */
	__u64 nr;
	__u64 sum_ns;
	/* Theirs. */
	__u64 zero; /* the number of the vCPU is read from here */
	__u64 cache; /* addresses, as numbers */
	__u64 before_at;
	__u64 after_at;
};

/*
 * Exits of a vCPU, only with --exits (bpf/exits.bpf.c). A vCPU gets one of these
 * when it first enters the guest, and keeps it to the end of the trace.
 */
#define GSTAGE_MAX_EXIT_VCPUS 64
/* Causes that one vCPU can tell apart; a guest has five or six. */
#define GSTAGE_MAX_EXIT_CAUSES 16
/* scause: the interrupt bit, 6 more of the code. Codes above have no meaning. */
#define GSTAGE_EXIT_INTERRUPT 64
#define GSTAGE_NR_EXIT_CODES 128

struct gstage_exit {
	__u64 count;
	/*
	 * To the next entry, whatever comes between; ns. Of the last, none. Of an
	 * interrupt it is the rest: it is handled before kvm_exit.
	 */
	struct gstage_hist host_ns;
};

/*
 * What a vCPU does, only with --stalls: at any time one of these, so that what
 * it did in a phase adds up to the time it had.
 */
#define GSTAGE_DOING_REST 0 /* on the way in or out, other exits, user space */
/* In the guest, and in the host's handlers of interrupts that end that. */
#define GSTAGE_DOING_GUEST 1
#define GSTAGE_DOING_FAULT 2 /* in kvm_riscv_mmu_map(), but for DOING_LOCK */
#define GSTAGE_DOING_LOCK 3 /* there, until mmu_lock is had */
#define GSTAGE_DOING_FENCES \
	4 /* in the functions that execute what was asked for */
#define GSTAGE_NR_DOINGS 5

struct gstage_stall {
	__u64 ns[GSTAGE_NR_DOINGS];
};

struct gstage_exits {
	__u32 vm; /* ordinal, as in gstage_phase.vm */
	__u32 vcpu; /* its id */
	__u32 nr_causes;
	__u32 last; /* cause of the last exit: an index of list[] */
	/* By interrupt bit and code: index in list[] plus 1; 0: none so far. */
	__u8 index[GSTAGE_NR_EXIT_CODES];
	struct gstage_exit list[GSTAGE_MAX_EXIT_CAUSES];
	struct gstage_stall stalls[GSTAGE_MAX_PHASES];
	/* Where it is; user space has no use for it. */
	__u64 task; /* the thread that runs it */
	__u64 exit_ns; /* 0: never left it */
	__u64 since_ns; /* stalls[] has its time up to here; 0: it has none yet */
	__u32 is_in_guest;
	__u32 doing;
	__u32 vm_index;
	__u32 pad;
};

/* What must hold, only with --checks (bpf/checks.bpf.c, docs/check.md). */
#define GSTAGE_CHECK_LIVELOCK 0
#define GSTAGE_CHECK_LOGGED_LEAF 1
#define GSTAGE_CHECK_FLUSH_PROTOCOL 2
#define GSTAGE_CHECK_SPURIOUS 3
#define GSTAGE_CHECK_FENCE_QUEUE 4
#define GSTAGE_CHECK_SPLIT_COMPLETE 5
#define GSTAGE_CHECK_HOLES 6
#define GSTAGE_NR_CHECKS 7

/* Faults in a row of one vCPU on one page, and no log operation between. */
#define GSTAGE_LIVELOCK_FAULTS 100
/* The same, where the leaf allowed the access already. */
#define GSTAGE_SPURIOUS_FAULTS 3
/* KVM_RISCV_VCPU_MAX_HFENCE: fences that the queue of a vCPU holds. */
#define GSTAGE_FENCE_QUEUE 64
/*
 * Fences that a log operation may ask for in one hold of mmu_lock. One is enough
 * for all that it changes meanwhile; an eighth of a queue is no coincidence.
 */
#define GSTAGE_FENCES_PER_HOLD 8
/* vCPUs whose queue was full, each with a count of its own. */
#define GSTAGE_MAX_QUEUES 64

#define GSTAGE_STACK_DEPTH 24

struct gstage_check {
	__u64 checked; /* times that it could have been broken */
	__u64 broken; /* times that it was */
	/* Of the first time: */
	__u64 time_ns; /* CLOCK_MONOTONIC; 0: there is none */
	__u64 gpa;
	__u64 size; /* bytes, or what the check counts */
	__u64 nr_faults; /* seen before, of all VMs */
	__u32 vm;
	__u32 vcpu; /* GSTAGE_NO_VCPU: in an ioctl */
	__u32 phase; /* index of the VM's phase */
	__u32 pad;
	__u64 stack[GSTAGE_STACK_DEPTH]; /* kernel, innermost first, 0 at its end */
};

#define GSTAGE_NO_VCPU 0xffffffff

/*
 * As size of FENCE_QUEUE, of a vCPU: its queue was full and nothing was to drain
 * it. Else the flushes of everything that it has made with a place free.
 */
#define GSTAGE_QUEUE_STUCK 0

/* A vCPU whose queue of fences was full: it flushes everything instead. */
struct gstage_queue {
	__u32 vm; /* ordinal */
	__u32 vcpu;
	__u64 nr_full;
	/* Of the first time: */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 gpa;
};

/* What a log operation left undone. */
struct gstage_undone {
	__u64 nr_left; /* huge leaves that it should have split */
	__u64 nr_failed; /* splits, in faults, too */
	/* Of the first that failed: */
	__u64 gpa;
	__u32 cause; /* GSTAGE_CAUSE_* */
	__s32 error; /* -errno */
};

struct gstage_checks {
	struct gstage_check list[GSTAGE_NR_CHECKS];
	/* Of FLUSH_PROTOCOL, ranges; also in broken, but for the redundant. */
	__u64 flush_missing;
	__u64 flush_too_small;
	__u64 flush_redundant;
	__u64 flush_late; /* mmu_lock was taken again before; see checks.bpf.c */
	/* Of FENCE_QUEUE. */
	__u64 most_fences; /* asked for by a log operation in one hold of mmu_lock */
	__u64 nr_queues; /* may exceed GSTAGE_MAX_QUEUES: those are not listed */
	struct gstage_queue queues[GSTAGE_MAX_QUEUES];
	/* Of SPLIT_COMPLETE. */
	struct gstage_undone undone;
	/* Operations in which MMU notifiers unmapped something: not judged. */
	__u64 unjudged_ops;
	/* Events of vCPUs and slots whose numbers are too high to be followed. */
	__u64 untracked_vcpus;
	__u64 untracked_slots;
};

/* Rare records, only with --events. A record starts with its kind. */
#define GSTAGE_REC_SPLIT 1
#define GSTAGE_REC_LOG_OP 2
#define GSTAGE_REC_QUEUE_FULL 3
/* With --checks: a check is broken for the first time. */
#define GSTAGE_REC_BROKEN 4

struct gstage_rec {
	__u32 kind;
	__u32 vm;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	/* SPLIT, QUEUE_FULL: guest-physical address. LOG_OP: slot. */
	__u64 gpa;
	/* QUEUE_FULL: bytes. */
	__u64 size;
	/*
	 * SPLIT: levels from and to, cause. LOG_OP: operation, 1 at its end.
	 * QUEUE_FULL: vCPUs whose queue it was. BROKEN: GSTAGE_CHECK_*, vCPU.
	 */
	__u32 from;
	__u32 to;
	__u32 cause;
	/* 0 or -errno. */
	__s32 ret;
};

_Static_assert(sizeof(struct gstage_phase_counts) == 792, "ABI");
_Static_assert(sizeof(struct gstage_hist) == 4264, "ABI");
_Static_assert(sizeof(struct gstage_holds) == 24, "ABI");
_Static_assert(sizeof(struct gstage_phase) == 40, "ABI");
_Static_assert(sizeof(struct gstage_vm) == 48, "ABI");
_Static_assert(sizeof(struct gstage_rec) == 48, "ABI");
_Static_assert(sizeof(struct gstage_vcpu) == 256, "ABI");
_Static_assert(sizeof(struct gstage_check) == 256, "ABI");
_Static_assert(sizeof(struct gstage_queue) == 32, "ABI");
_Static_assert(sizeof(struct gstage_undone) == 32, "ABI");
_Static_assert(sizeof(struct gstage_exit) == 4272, "ABI");
_Static_assert(sizeof(struct gstage_stall) == 40, "ABI");
_Static_assert(sizeof(struct gstage_exits) == 71096, "ABI");
_Static_assert(sizeof(struct gstage_bracket) == 256, "ABI");

#endif /* GSTAGE_BPF_GSTAGE_H */
