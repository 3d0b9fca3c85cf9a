/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on functions of the kernel, of two makes from one source.
 *
 * Most kernels have ftrace, whose calls BPF trampolines take over: fentry and
 * fexit, with typed arguments that are read like any memory. Where ftrace is not
 * built in, kprobes serve (bpf.mk compiles each file once more, with
 * GSTAGE_KPROBES): the arguments are then those of the registers, what they point
 * to is read by helper, and as a return has no arguments, those of its call are
 * kept until then. On RISC-V a kprobe is a breakpoint or two: many times the
 * instructions, so never where ftrace is there.
 *
 *	ON_ENTRY(function, program, arguments...)
 *	ON_RETURN(function, program, arguments...)
 *	ON_RESULT(function, program, all arguments, and what was returned)
 *	{
 *		return 0;
 *	}
 */
#ifndef GSTAGE_BPF_HOOK_BPF_H
#define GSTAGE_BPF_HOOK_BPF_H

#include "bpf/kvm.bpf.h"

#ifndef GSTAGE_KPROBES

#define ON_ENTRY(func, name, args...) \
	SEC("?fentry/" #func)         \
	int BPF_PROG(name, ##args)
#define ON_RETURN(func, name, args...) \
	SEC("?fexit/" #func)           \
	int BPF_PROG(name, ##args)
#define ON_RESULT(func, name, args...) ON_RETURN(func, name, ##args)

/* @member of what @p, an argument of a hook, points to. */
#define kget(p, member) ((p)->member)

#else

#include <asm/ptrace.h>

#define NR_REG_ARGS 8

/* A call under way: its arguments, and in the place after the last its result. */
struct call {
	unsigned long long values[NR_REG_ARGS + 1];
};

/* All vCPUs of a VM (GSTAGE_MAX_VCPUS) may be in a function, and some threads more. */
#define MAX_CALLS 1536

/*
 * By stack pointer: the same at entry and return, and that of no other call, not even
 * of one in an interrupt of this thread. No storage of tasks: on RISC-V the kernel refuses to make one in a kprobe since that takes its memory from
 * kmalloc_nolock(), which wants a compare-and-exchange of 16 bytes.
 */
struct calls_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_CALLS);
	__type(key, __u64);
	__type(value, struct call);
};

static __always_inline void read_args(const struct user_regs_struct *regs,
				      unsigned long long *args)
{
	args[0] = regs->a0;
	args[1] = regs->a1;
	args[2] = regs->a2;
	args[3] = regs->a3;
	args[4] = regs->a4;
	args[5] = regs->a5;
	args[6] = regs->a6;
	args[7] = regs->a7;
}

static __always_inline int note_call(void *calls,
				     const struct user_regs_struct *regs)
{
	struct call call = {};
	__u64 sp = regs->sp;

	read_args(regs, call.values);
	bpf_map_update_elem(calls, &sp, &call, BPF_ANY);
	return 0;
}

#define ON_ENTRY(func, name, args...)                                       \
	static __always_inline int name##_with(unsigned long long *ctx);    \
	SEC("?kprobe/" #func) int name(const struct user_regs_struct *regs) \
	{                                                                   \
		unsigned long long ctx[NR_REG_ARGS];                        \
                                                                            \
		read_args(regs, ctx);                                       \
		return name##_with(ctx);                                    \
	}                                                                   \
	static __always_inline int BPF_PROG(name##_with, ##args)

#define ON_KRETPROBE(func, name, result, args...)                              \
	static __always_inline int name##_with(unsigned long long *ctx);       \
	struct calls_map name##_calls SEC(".maps");                            \
	SEC("?kprobe/" #func)                                                  \
	int name##_call(const struct user_regs_struct *regs)                   \
	{                                                                      \
		return note_call(&name##_calls, regs);                         \
	}                                                                      \
	SEC("?kretprobe/" #func) int name(const struct user_regs_struct *regs) \
	{                                                                      \
		__u64 sp = regs->sp;                                           \
		struct call *call = bpf_map_lookup_elem(&name##_calls, &sp);   \
                                                                               \
		/* There was no room, or the program above was left out. */    \
		if (!call) {                                                   \
			add(losses.call_misses, 1);                            \
			return 0;                                              \
		}                                                              \
		if ((result) >= 0)                                             \
			call->values[result] = regs->a0;                       \
		name##_with(call->values);                                     \
		bpf_map_delete_elem(&name##_calls, &sp);                       \
		return 0;                                                      \
	}                                                                      \
	static __always_inline int BPF_PROG(name##_with, ##args)

#define ON_RETURN(func, name, args...) ON_KRETPROBE(func, name, -1, ##args)
#define ON_RESULT(func, name, args...) \
	ON_KRETPROBE(func, name, ___bpf_narg(args) - 1, ##args)

#define kget(p, member) BPF_CORE_READ(p, member)

#endif /* GSTAGE_KPROBES */
#endif /* GSTAGE_BPF_HOOK_BPF_H */
