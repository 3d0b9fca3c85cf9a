// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code of the running kernel, read on request: nothing is hooked. So calls of a
 * function are found without /proc/kcore, which a kernel may not have, and without
 * reading all of /proc/kallsyms. Each program returns 0 or -errno.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "bpf/ktext.h"

char LICENSE[] SEC("license") = "GPL";

struct ktext ktext = {};

SEC("syscall")
int find_function(void *ctx)
{
	return bpf_kallsyms_lookup_name(ktext.name, sizeof(ktext.name), 0,
					&ktext.address);
}

SEC("syscall")
int read_page(void *ctx)
{
	return bpf_probe_read_kernel(ktext.page, sizeof(ktext.page),
				     (void *)ktext.address);
}
