/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BPF program where it is attached. One on the return of a function is two if it is
 * a kretprobe: PROG, and PROG_call, which notes the arguments in the map PROG_calls
 * (bpf/hook.bpf.h).
 */
#ifndef GSTAGE_USER_HOOK_H
#define GSTAGE_USER_HOOK_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

struct hook {
	struct bpf_program *prog;
	struct bpf_program *call_prog; /* NULL: it needs none */
	struct bpf_map *calls; /* the same */
	struct bpf_link *link; /* NULL: not attached */
	struct bpf_link *call_link;
	uint64_t misses; /* of links that are detached */
};

/* Make @hook that of program @name of @obj, which outlives it: to be loaded or not. */
void hook_init(struct hook *hook, const struct bpf_object *obj,
	       const char *name);

/* Before @obj is loaded. A map that nobody needs is not made. */
void hook_set_loaded(struct hook *hook, bool is_loaded);

bool hook_is_loaded(const struct hook *hook);

/* 0 or -errno; whatever is attached then is the caller's to detach. */
int hook_attach(struct hook *hook);

void hook_detach(struct hook *hook);

/* How often the kernel left it out, so far. */
uint64_t hook_misses(const struct hook *hook);

#endif /* GSTAGE_USER_HOOK_H */
