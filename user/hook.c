// SPDX-License-Identifier: GPL-2.0-only
/* See hook.h. */
#include "user/hook.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

static struct bpf_program *find_call(const struct bpf_object *obj,
				     const char *prog)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_call", prog);
	return bpf_object__find_program_by_name(obj, name);
}

void hook_set_loaded(struct bpf_object *obj, const char *prog, bool is_loaded)
{
	struct bpf_program *call = find_call(obj, prog);
	char name[64];

	bpf_program__set_autoload(bpf_object__find_program_by_name(obj, prog),
				  is_loaded);
	if (!call)
		return;
	bpf_program__set_autoload(call, is_loaded);
	snprintf(name, sizeof(name), "%s_calls", prog);
	bpf_map__set_autocreate(bpf_object__find_map_by_name(obj, name),
				is_loaded);
}

/* The arguments first, so that no return finds those of another call. */
int hook_attach(struct hook *hook, const struct bpf_object *obj,
		const char *prog)
{
	struct bpf_program *call = find_call(obj, prog);

	if (call) {
		hook->call = bpf_program__attach(call);
		if (!hook->call)
			return -errno;
	}
	hook->link = bpf_program__attach(
		bpf_object__find_program_by_name(obj, prog));
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

void hook_detach(struct hook *hook)
{
	hook->misses +=
		count_link_misses(hook->link) + count_link_misses(hook->call);
	bpf_link__destroy(hook->link);
	bpf_link__destroy(hook->call);
	hook->link = hook->call = NULL;
}

uint64_t hook_misses(const struct hook *hook, const struct bpf_object *obj,
		     const char *prog)
{
	return hook->misses + count_link_misses(hook->link) +
	       count_link_misses(hook->call) +
	       count_prog_misses(bpf_object__find_program_by_name(obj, prog)) +
	       count_prog_misses(find_call(obj, prog));
}
