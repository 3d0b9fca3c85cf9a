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
	struct bpf_link *link; /* NULL: not attached */
	struct bpf_link *call; /* NULL: not attached, or it needs none */
	uint64_t misses; /* of links that are detached */
};

/* Is program @prog of @obj to be loaded? A map that nobody needs is not made. */
void hook_set_loaded(struct bpf_object *obj, const char *prog, bool is_loaded);

/* 0 or -errno; whatever is attached then is the caller's to detach. */
int hook_attach(struct hook *hook, const struct bpf_object *obj,
		const char *prog);

void hook_detach(struct hook *hook);

/* How often the kernel left @prog out, so far. */
uint64_t hook_misses(const struct hook *hook, const struct bpf_object *obj,
		     const char *prog);

#endif /* GSTAGE_USER_HOOK_H */
