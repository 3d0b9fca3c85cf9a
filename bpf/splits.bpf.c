// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dirty logging does to the leaves: huge ones split, with the cause and
 * the level, or not split because of an error; and leaves of any level that
 * lost write permission. Leaves are counted, never calls.
 */
#include "bpf/state.bpf.h"

static __always_inline int handle_split(const struct kvm *kvm, __u64 gpa,
					__u32 from, __u32 to, __u32 cause,
					int ret)
{
	struct place p;

	if (!find_place(kvm, &p) || cause >= GSTAGE_NR_CAUSES)
		return 0;

	if (ret)
		add(p.counts->failed_splits[cause][clamp_level(from)], 1);
	else
		add(p.counts->splits[cause][clamp_level(from)], 1);

	if (cfg_events) {
		struct gstage_rec rec = {
			.kind = GSTAGE_REC_SPLIT,
			.gpa = gpa,
			.from = from,
			.to = to,
			.cause = cause,
			.ret = ret,
		};

		emit(p.vm_index, &rec);
	}
	return 0;
}

SEC("tp_btf/kvm_gstage_split")
int BPF_PROG(on_split, struct kvm *kvm, __u64 gpa, __u32 from, __u32 to,
	     unsigned int cause, int ret, bool flushed)
{
	return handle_split(kvm, gpa, from, to, cause, ret);
}

SEC("tp_btf/kvm_gstage_wp")
int BPF_PROG(on_wp, struct kvm *kvm, __u64 gpa, __u64 size, unsigned int cause,
	     unsigned int level0, unsigned int level1, unsigned int level2)
{
	struct place p;

	if (!find_place(kvm, &p) || cause >= GSTAGE_NR_CAUSES)
		return 0;

	add(p.counts->wp_leaves[cause][0], level0);
	if (level1)
		add(p.counts->wp_leaves[cause][1], level1);
	if (level2)
		add(p.counts->wp_leaves[cause][2], level2);
	return 0;
}
