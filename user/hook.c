// SPDX-License-Identifier: GPL-2.0-only
/* See hook.h. */
#include "user/hook.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

void hook_init(struct hook *hook, const struct bpf_object *obj,
	       const char *name)
{
	char other[64];

	*hook = (struct hook){
		.prog = bpf_object__find_program_by_name(obj, name),
	};
	snprintf(other, sizeof(other), "%s_call", name);
	hook->call_prog = bpf_object__find_program_by_name(obj, other);
	if (!hook->call_prog)
		return;
	snprintf(other, sizeof(other), "%s_calls", name);
	hook->calls = bpf_object__find_map_by_name(obj, other);
}

void hook_set_loaded(struct hook *hook, bool is_loaded)
{
	bpf_program__set_autoload(hook->prog, is_loaded);
	if (!hook->call_prog)
		return;
	bpf_program__set_autoload(hook->call_prog, is_loaded);
	bpf_map__set_autocreate(hook->calls, is_loaded);
}

bool hook_is_loaded(const struct hook *hook)
{
	return bpf_program__autoload(hook->prog);
}

/* The arguments first, so that no return finds those of another call. */
int hook_attach(struct hook *hook)
{
	if (hook->call_prog) {
		hook->call_link = bpf_program__attach(hook->call_prog);
		if (!hook->call_link)
			return -errno;
	}
	hook->link = bpf_program__attach(hook->prog);
	return hook->link ? 0 : -errno;
}

/*
 * Hits of a kprobe that the kernel left out, as inside of another, and returns that it
 * had no room for. Since Linux 6.9, and 0 of what is none; in a structure of its own,
 * as the header of an older kernel has only the beginning of it.
 */
static uint64_t count_link_misses(const struct bpf_link *link)
{
	struct {
		struct {
			__u32 type;
			__u32 id;
			__u32 prog_id;
		} head;
		__u32 pad;
		struct {
			__u32 type;
			__u64 func_name;
			__u32 name_len;
			__u32 offset;
			__u64 addr;
			__u64 missed;
			__u64 cookie;
		} perf_event;
	} info = {};
	__u32 len = sizeof(info);

	if (!link || bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len) ||
	    info.head.type != BPF_LINK_TYPE_PERF_EVENT)
		return 0;
	return info.perf_event.missed;
}

static uint64_t count_prog_misses(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (!prog || bpf_program__fd(prog) < 0 ||
	    bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		return 0;
	return info.recursion_misses;
}

static uint64_t count_misses_of_links(const struct hook *hook)
{
	return count_link_misses(hook->link) +
	       count_link_misses(hook->call_link);
}

void hook_detach(struct hook *hook)
{
	hook->misses += count_misses_of_links(hook);
	bpf_link__destroy(hook->link);
	bpf_link__destroy(hook->call_link);
	hook->link = hook->call_link = NULL;
}

uint64_t hook_misses(const struct hook *hook)
{
	return hook->misses + count_misses_of_links(hook) +
	       count_prog_misses(hook->prog) +
	       count_prog_misses(hook->call_prog);
}
