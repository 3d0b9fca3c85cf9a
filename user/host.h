/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine offers to a tracer, besides the code of its KVM: privilege,
 * type information, KVM at all, and a kernel that lets functions be hooked. Read
 * first, judged afterwards, so that `gstage trace` refuses with the same words as
 * `gstage doctor` explains with.
 */
#ifndef GSTAGE_USER_HOST_H
#define GSTAGE_USER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_kvm {
	HOST_KVM_NONE, /* not loaded, not built in, or it found no H extension */
	HOST_KVM_MODULE,
	HOST_KVM_BUILT_IN,
};

struct host {
	char machine[65]; /* of uname */
	char release[65];
	bool is_privileged;
	bool has_bpf; /* the system call */
	bool is_bpf_refused; /* it is there, and not for us, privileged or not */
	bool has_vmlinux_btf;
	bool has_module_btf; /* of kvm */
	bool has_hypervisor; /* the H extension; true if nobody knows */
	bool has_dev_kvm;
	enum host_kvm kvm;
	bool is_ftrace_off;
	bool is_kprobes_off;
	bool is_jit_off;
	bool is_locked_down; /* confidentiality: BPF may not read the kernel */
	uint64_t clock_resolution_ns; /* 0: not known */
};

/* One thing in the way. Texts are constant, or live as long as the host. */
struct obstacle {
	const char *id; /* for programs: never changed, never used again */
	const char *what; /* and how it was seen */
	const char *remedy; /* the command or CONFIG that changes it */
	bool is_fatal; /* nothing can be traced */
};

#define HOST_MAX_OBSTACLES 12

/* Read it; @root is put before each path ("" for this machine). */
void host_read(struct host *h, const char *root);

/*
 * One step of the clock that KVM and BPF read, in ns: the timebase of the device
 * tree. 0: not known.
 */
uint64_t host_clock_resolution_ns(const char *root);

/*
 * All that is in the way, in the order in which one would mend it; but what is
 * said below.
 */
size_t host_obstacles(const struct host *h,
		      struct obstacle list[HOST_MAX_OBSTACLES]);

/*
 * Why no function can be hooked here, or NULL; @can_direct: the kernel has what
 * BPF hooks functions with.
 */
const struct obstacle *host_function_obstacle(const struct host *h,
					      bool can_direct);

/* The same by kprobes; @can_kprobe: BPF can have them. */
const struct obstacle *host_kprobe_obstacle(const struct host *h,
					    bool can_kprobe);

/* That they are hooked by kprobes, for want of ftrace. */
const struct obstacle *host_slow_functions(void);

#endif /* GSTAGE_USER_HOST_H */
