/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting a leaf that was split, or that should have been. */
#ifndef GSTAGE_BPF_SPLITS_BPF_H
#define GSTAGE_BPF_SPLITS_BPF_H

#include "bpf/state.bpf.h"
#include "bpf/walk.bpf.h"

static __always_inline void emit_split(__u32 vm, __u64 gpa, __u32 from,
				       __u32 to, __u32 cause, int ret)
{
	struct gstage_rec rec = {
		.kind = GSTAGE_REC_SPLIT,
		.gpa = gpa,
		.from = from,
		.to = to,
		.cause = cause,
		.ret = ret,
	};

	emit(vm, &rec);
}

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

	if (cfg_events)
		emit_split(p.vm_index, gpa, from, to, cause, ret);
	return 0;
}

#endif /* GSTAGE_BPF_SPLITS_BPF_H */
