// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM counts by itself, read at the borders of phases: the statistics of a
 * VM and of its vCPUs. The difference between two borders is of the phase between
 * them, whatever the vCPUs are doing meanwhile, and no fault has a hook for it.
 *
 * The borders of a VM come one after the other (dirty_log.bpf.c). What has come
 * since the last one user space asks for (read_vm). Falsified by: the latencies,
 * which come from an event for each fault; whoever sets a statistic to 0, which is
 * counted as a loss.
 */
#include "bpf/stats.bpf.h"

#include "bpf/hook.bpf.h"

struct gstage_raw_stats phase_stats[GSTAGE_MAX_PHASES] = {};
struct gstage_vm_stats vm_stats[GSTAGE_MAX_VMS] = {};
struct gstage_stats stat_layout = {};

/* Under way: one for each VM, and the last for user space. A power of 2. */
#define MAX_READINGS (2 * GSTAGE_MAX_VMS)
#define READING_OF_USER (MAX_READINGS - 1)

static struct reading {
	__u64 head; /* of the array of vCPUs */
	__u64 slots; /* of the node of it that the present vCPU is in */
	__u64 vcpu[GSTAGE_MAX_RAW]; /* of one, to be added */
	struct gstage_raw_stats stats;
} readings[MAX_READINGS] = {};

/* Ours lie side by side, from @first to @last. */
#define BLOCK_OFFSET(type, first) bpf_core_field_offset(struct type, first)
#define BLOCK_BYTES(type, first, last)              \
	(bpf_core_field_offset(struct type, last) + \
	 bpf_core_field_size(struct type, last) -   \
	 bpf_core_field_offset(struct type, first))

#define VCPU_OFFSET BLOCK_OFFSET(kvm_vcpu_stat, gstage_fault_fast)
#define VCPU_BYTES \
	BLOCK_BYTES(kvm_vcpu_stat, gstage_fault_fast, hfence_queue_full)
#define VM_OFFSET BLOCK_OFFSET(kvm_vm_stat, hfence_all)
#define VM_BYTES BLOCK_BYTES(kvm_vm_stat, hfence_all, hfence_range_hist)

/* include/linux/xarray.h: a single entry is the head itself, at index 0. */
#define XA_CHUNK (bpf_core_field_size(struct xa_node, slots) / sizeof(void *))
#define XA_MAX_DEPTH 4
#define XA_IS_NODE(entry) (((entry) & 3) == 2 && (entry) > 4096)
#define XA_TO_NODE(entry) ((entry) - 2)

static __always_inline __u64 read_u64(__u64 at)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
	return value;
}

/* Where the entries around @i of an array begin, or 0. */
static __always_inline __u64 find_slots(__u64 entry, __u64 i)
{
	__u64 node, slots;
	__u8 shift;
	int depth;

	for (depth = 0; depth < XA_MAX_DEPTH && XA_IS_NODE(entry); depth++) {
		node = XA_TO_NODE(entry);
		slots = node + bpf_core_field_offset(struct xa_node, slots);
		if (bpf_probe_read_kernel(
			    &shift, sizeof(shift),
			    (void *)node + bpf_core_field_offset(struct xa_node,
								 shift)))
			return 0;
		if (!shift)
			return slots;
		entry = read_u64(slots +
				 8 * ((i >> (shift & 63)) & (XA_CHUNK - 1)));
	}
	return 0;
}

static __always_inline __u64 vcpu_at(struct reading *r, __u64 i)
{
	if (!XA_IS_NODE(r->head))
		return i ? 0 : r->head;
	if (!(i & (XA_CHUNK - 1)))
		r->slots = find_slots(r->head, i);
	return r->slots ? read_u64(r->slots + 8 * (i & (XA_CHUNK - 1))) : 0;
}

/*
 * A pointer that goes through an array: the compiler is kept from making an index
 * of it, which takes twice the instructions.
 */
#define step(p) barrier_var(p)

/* @data is the number of the reading: it must be on the stack. */
static int add_vcpu(__u64 i, void *data)
{
	struct reading *r = &readings[bounded(*(__u32 *)data, MAX_READINGS)];
	__u64 vcpu = vcpu_at(r, i), *to = i ? r->vcpu : r->stats.vcpus;
	__u64 *sum, n;

	if (!vcpu ||
	    bpf_probe_read_kernel(to, VCPU_BYTES,
				  (void *)vcpu +
					  bpf_core_field_offset(struct kvm_vcpu,
								stat) +
					  VCPU_OFFSET)) {
		add(losses.stat_misses, 1);
		return 0;
	}
	if (!i)
		return 0;
	sum = r->stats.vcpus;
	for (n = 0; n < VCPU_BYTES / 8; n++) {
		*sum++ += *to++;
		step(to);
		step(sum);
	}
	return 0;
}

/* Leaves in readings[@nr].stats what the VM at @kvm has counted. */
static __noinline int read_stats(__u32 nr, __u64 kvm)
{
	struct reading *r = &readings[bounded(nr, MAX_READINGS)];
	int nr_vcpus = 0;

	r->head = read_u64(
		kvm + bpf_core_field_offset(struct kvm, vcpu_array.xa_head));
	bpf_probe_read_kernel(
		&nr_vcpus, sizeof(nr_vcpus),
		(void *)kvm + bpf_core_field_offset(struct kvm,
						    online_vcpus.counter));
	if (nr_vcpus > GSTAGE_MAX_VCPUS)
		nr_vcpus = GSTAGE_MAX_VCPUS;
	if (nr_vcpus > 0)
		bpf_loop(nr_vcpus, add_vcpu, &nr, 0);
	else
		__builtin_memset(r->stats.vcpus, 0, sizeof(r->stats.vcpus));
	if (bpf_probe_read_kernel(
		    r->stats.vm, VM_BYTES,
		    (void *)kvm + bpf_core_field_offset(struct kvm, stat) +
			    VM_OFFSET))
		add(losses.stat_misses, 1);
	return nr_vcpus;
}

#define VCPU(member)                                                           \
	((bpf_core_field_offset(struct kvm_vcpu_stat, member) - VCPU_OFFSET) / \
	 8)
#define VM(member)        \
	(GSTAGE_MAX_RAW + \
	 (bpf_core_field_offset(struct kvm_vm_stat, member) - VM_OFFSET) / 8)

__noinline int begin_stats(__u32 vm_index, __u64 kvm)
{
	struct gstage_vm_stats *vm;
	struct reading *r;

	if (!cfg_stats || vm_index >= GSTAGE_MAX_VMS)
		return 0;
	vm = &vm_stats[bounded(vm_index, GSTAGE_MAX_VMS)];
	r = &readings[bounded(vm_index, MAX_READINGS)];
	vm->nr_vcpus = read_stats(vm_index, kvm);
	vm->last = r->stats;
	vm->had_full =
		r->stats.vcpus[VCPU(hfence_queue_full) & (GSTAGE_MAX_RAW - 1)] >
		0;
	return 0;
}

/* Of @nr counters what came since @last is added to @sum. */
static __always_inline void take(__u64 *sum, __u64 *last, const __u64 *now,
				 __u64 nr)
{
	__u64 i;

	for (i = 0; i < nr; i++) {
		/* Less than before: it was set to 0, and that is told. */
		if (*now != *last)
			*sum += *now > *last ? *now - *last : *now;
		*last++ = *now++;
		sum++;
		step(now);
		step(last);
		step(sum);
	}
}

__noinline int take_stats(__u32 vm_index)
{
	__u32 vm_nr = bounded(vm_index, GSTAGE_MAX_VMS);
	struct gstage_vm_stats *vm = &vm_stats[vm_nr];
	const struct reading *r = &readings[vm_nr];
	struct gstage_raw_stats *sum;

	if (!cfg_stats || vm_index >= GSTAGE_MAX_VMS)
		return 0;
	sum = &phase_stats[vms[vm_nr].phase % GSTAGE_MAX_PHASES];
	vm->nr_vcpus = read_stats(vm_nr, vms[vm_nr].kvm);
	__sync_fetch_and_add(&vm->moves, 1);
	take(sum->vcpus, vm->last.vcpus, r->stats.vcpus, VCPU_BYTES / 8);
	take(sum->vm, vm->last.vm, r->stats.vm, VM_BYTES / 8);
	__sync_fetch_and_add(&vm->moves, 1);
	return 0;
}

static __always_inline void tell_layout_of_vcpus(struct gstage_stats *s)
{
	__u32 i;

	s->fast_faults = VCPU(gstage_fault_fast);
	for (i = 0; i < 15; i++)
		s->slow_faults[i / 3][i % 3] = VCPU(gstage_fault) + i;
	s->spurious_faults = VCPU(gstage_fault_spurious);
	s->lost_races = VCPU(gstage_fault_lost);
	s->fault_splits[0] = VCPU(gstage_split_2m);
	s->fault_splits[1] = VCPU(gstage_split_1g);
	s->failed_fault_splits = VCPU(gstage_split_failed);
	s->fault_flushes[0] = VCPU(hfence_4k);
	s->fault_flushes[1] = VCPU(hfence_2m);
	s->fault_flushes[2] = VCPU(hfence_1g);
	s->vvma_flushes = VCPU(hfence_vvma);
	s->flush_executed[GSTAGE_FLUSH_PAGE] = VCPU(hfence_exec_leaf);
	s->flush_executed[GSTAGE_FLUSH_RANGE] = VCPU(hfence_exec_range);
	s->flush_executed[GSTAGE_FLUSH_VMID] = VCPU(hfence_exec_all);
	s->flush_executed[GSTAGE_FLUSH_VVMA] = VCPU(hfence_exec_vvma);
	/* Of one leaf, and of everything, it is one each. */
	s->fences[GSTAGE_FLUSH_PAGE] = VCPU(hfence_exec_leaf);
	s->fences[GSTAGE_FLUSH_RANGE] = VCPU(hfence_exec_range_insns);
	s->fences[GSTAGE_FLUSH_VMID] = VCPU(hfence_exec_all);
	s->fences[GSTAGE_FLUSH_VVMA] = VCPU(hfence_exec_vvma_insns);
	s->full_queues = VCPU(hfence_queue_full);
}

static __always_inline void tell_layout_of_vm(struct gstage_stats *s)
{
	__u32 i;

	s->other_splits[0] = VM(gstage_eager_split_2m);
	s->other_splits[1] = VM(gstage_eager_split_1g);
	s->failed_other_splits = VM(gstage_eager_split_failed);
	s->wp_leaves[0] = VM(gstage_wp_4k);
	s->wp_leaves[1] = VM(gstage_wp_2m);
	s->wp_leaves[2] = VM(gstage_wp_1g);
	s->other_flushes[0] = VM(hfence_vm_4k);
	s->other_flushes[1] = VM(hfence_vm_2m);
	s->other_flushes[2] = VM(hfence_vm_1g);
	for (i = 0; i < GSTAGE_NR_RANGE_SIZES; i++)
		s->range_flushes[i] = VM(hfence_range_hist) + i;
	s->range_pages = VM(hfence_range_pages);
	s->vmid_flushes = VM(hfence_all);
}

/* --- on request of user space ----------------------------------------------- */

/* The file of a VM, not the one of its statistics, which is called kvm-vm-stats. */
static __always_inline bool is_vm_file(struct file *file)
{
	static const char vm[] = "kvm-vm";
	char name[sizeof(vm)];

	return BPF_CORE_READ(file, f_inode, i_sb, s_magic) ==
		       ANON_INODE_FS_MAGIC &&
	       !bpf_probe_read_kernel(name, sizeof(name),
				      BPF_CORE_READ(file, f_path.dentry,
						    d_name.name)) &&
	       !__builtin_memcmp(name, vm, sizeof(vm));
}

/*
 * The files of all processes, each of them held while the program runs: so a VM is
 * met that was there before tracing began, and its statistics are read when there
 * is no border. A VM whose file was closed is at its end, but for its vCPUs.
 */
SEC("?iter/task_file")
int read_vm(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct gstage_vm_stats *vm;
	struct met met;
	__u32 i;

	if (!cfg_stats)
		return 0;
	/* After the last file there is none. */
	if (!file || !ctx->task) {
		tell_layout_of_vcpus(&stat_layout);
		tell_layout_of_vm(&stat_layout);
		return 0;
	}
	if (!is_vm_file(file))
		return 0;
	met.kvm = (__u64)BPF_CORE_READ(file, private_data);
	met.task = (__u64)ctx->task;
	i = find_vm(&met);
	if (i >= GSTAGE_MAX_VMS)
		return 0;
	vm = &vm_stats[bounded(i, GSTAGE_MAX_VMS)];
	/* Before: what a border takes meanwhile is not taken twice. */
	vm->now_moves = __sync_fetch_and_add(&vm->moves, 0);
	read_stats(READING_OF_USER, met.kvm);
	vm->now = readings[READING_OF_USER].stats;
	vm->now_kvm = met.kvm;
	return 0;
}

/* --- whoever sets them to 0 -------------------------------------------------- */

static __always_inline int handle_reset(const struct kvm *kvm, bool is_of_vcpu,
					__u64 offset, __u64 value)
{
	__u64 bytes = is_of_vcpu ? VCPU_BYTES : VM_BYTES;
	__u32 i;

	offset -= is_of_vcpu ? VCPU_OFFSET : VM_OFFSET;
	if (value || offset >= bytes)
		return 0;
	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (vms[i].kvm && (!kvm || vms[i].kvm == (__u64)kvm)) {
			add(losses.stat_resets, 1);
			break;
		}
	}
	return 0;
}

/* One of a VM. */
ON_ENTRY(kvm_stat_data_clear, on_reset, void *data, __u64 value)
{
	const struct kvm_stat_data *stat = data;

	return handle_reset(BPF_CORE_READ(stat, kvm),
			    BPF_CORE_READ(stat, kind) == KVM_STAT_VCPU,
			    BPF_CORE_READ(stat, desc, offset), value);
}

/* One of all VMs. */
ON_ENTRY(vm_stat_clear, on_reset_vms, void *offset, __u64 value)
{
	return handle_reset(NULL, false, (__u64)offset, value);
}

ON_ENTRY(vcpu_stat_clear, on_reset_vcpus, void *offset, __u64 value)
{
	return handle_reset(NULL, true, (__u64)offset, value);
}
