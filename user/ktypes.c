// SPDX-License-Identifier: GPL-2.0-only
/* See ktypes.h. */
#include "user/ktypes.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#define KVM_BTF "/sys/kernel/btf/kvm"

struct caller_count {
	const char *name;
	int nr;
};

struct ktypes {
	struct btf *vmlinux;
	struct btf *kvm; /* NULL: built in */
	const char *no_functions;
	bool by_kprobes;
	struct caller_count *callers;
	size_t nr_callers; /* of these */
};

int ktypes__open(const char *vmlinux, const char *kvm, struct ktypes **kp,
		 const char **what)
{
	struct ktypes *k = calloc(1, sizeof(*k));
	int err = -ENOMEM;

	*what = vmlinux;
	if (!k)
		return err;
	k->vmlinux = btf__parse(vmlinux, NULL);
	if (!k->vmlinux) {
		err = -errno;
		goto out;
	}
	if (kvm) {
		*what = kvm;
		k->kvm = btf__parse_split(kvm, k->vmlinux);
		if (!k->kvm) {
			err = -errno;
			goto out;
		}
	}
	*kp = k;
	return 0;
out:
	ktypes__free(k);
	return err;
}

int ktypes__open_data(const void *vmlinux, size_t size, const char *kvm,
		      struct ktypes **kp)
{
	struct ktypes *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->vmlinux = btf__new(vmlinux, size);
	if (k->vmlinux && kvm)
		k->kvm = btf__parse_split(kvm, k->vmlinux);
	if (k->vmlinux && (!kvm || k->kvm)) {
		*kp = k;
		return 0;
	}
	ktypes__free(k);
	return -EINVAL;
}

int ktypes__open_running(struct ktypes **kp, const char **what)
{
	return ktypes__open(VMLINUX_BTF, access(KVM_BTF, F_OK) ? NULL : KVM_BTF,
			    kp, what);
}

/* A split BTF is searched with its base. */
static const struct btf *all_of(const struct ktypes *k)
{
	return k->kvm ? k->kvm : k->vmlinux;
}

bool ktypes__has_tracepoint(void *ktypes, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(all_of(ktypes), type, BTF_KIND_TYPEDEF) >=
	       0;
}

bool ktypes__has_function(void *ktypes, const char *name)
{
	return btf__find_by_name_kind(all_of(ktypes), name, BTF_KIND_FUNC) >= 0;
}

bool ktypes__has_member(void *ktypes, const char *type, const char *member)
{
	const struct btf *btf = all_of(ktypes);
	const struct btf_type *t;
	const struct btf_member *m;
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	unsigned int i;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, id);
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), member))
			return true;
	}
	return false;
}

static const char *no_functions(void *ktypes)
{
	const struct ktypes *k = ktypes;

	return k->no_functions;
}

void ktypes__set_functions(struct ktypes *k, bool by_kprobes, const char *why)
{
	k->by_kprobes = by_kprobes;
	k->no_functions = why;
}

int ktypes__set_callers(struct ktypes *k, const char *name, int nr)
{
	void *list =
		realloc(k->callers, (k->nr_callers + 1) * sizeof(*k->callers));

	if (!list)
		return -ENOMEM;
	k->callers = list;
	k->callers[k->nr_callers++] =
		(struct caller_count){ .name = name, .nr = nr };
	return 0;
}

bool ktypes__has_callers(const struct ktypes *k)
{
	return k->nr_callers;
}

static int nr_callers(void *ktypes, const char *name)
{
	const struct ktypes *k = ktypes;
	size_t i;

	for (i = 0; i < k->nr_callers; i++) {
		if (!strcmp(k->callers[i].name, name))
			return k->callers[i].nr;
	}
	return -1;
}

struct probe_view ktypes__view(struct ktypes *k)
{
	return (struct probe_view){
		.ctx = k,
		.has_tracepoint = ktypes__has_tracepoint,
		.has_function = ktypes__has_function,
		.has_member = ktypes__has_member,
		.nr_callers = nr_callers,
		.no_functions = no_functions,
		.by_kprobes = k->by_kprobes,
	};
}

void ktypes__free(struct ktypes *k)
{
	if (!k)
		return;
	free(k->callers);
	btf__free(k->kvm);
	btf__free(k->vmlinux);
	free(k);
}
