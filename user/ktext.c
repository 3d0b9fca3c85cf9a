// SPDX-License-Identifier: GPL-2.0-only
/*
 * See ktext.h. Read is the memory around the hooked functions: all code of KVM is in
 * one piece, as a module and built in, and around it is nothing, or other code.
 */
#include "user/ktext.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/ktext.h"
#include "ktext.skel.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"

/* KVM's code is some 300 KiB; built in it has neighbours, of which none calls it. */
#define MAX_AROUND (1 << 20)
/* The calls of these are looked for in KVM; they themselves are elsewhere. */
#define OWN_PREFIX "kvm_"

struct text {
	struct ktext_bpf *skel;
	uint64_t *addresses; /* by hook, 0: not found */
	uint64_t first; /* page of the first hooked function */
	uint64_t last;
	uint64_t start; /* of what was read */
	unsigned char *code;
	size_t size;
};

/* 0 or -errno: of the system call, or what the program returns. */
static int run(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	return err ? err : (int)opts.retval;
}

static int open_programs(struct text *t)
{
	int err;

	t->skel = ktext_bpf__open();
	if (!t->skel)
		return -errno;
	/* See session.c: a kernel without CONFIG_NET. */
	err = bpf_map__set_autocreate(t->skel->maps.bss, true);
	return err ? err : ktext_bpf__load(t->skel);
}

static bool is_of_kvm(const char *name)
{
	return !strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX));
}

/* Each takes a search through all symbols of the module. */
static bool is_repeated(const struct probe *probes, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++) {
		if (probes[i].kind != HOOK_TRACEPOINT &&
		    !strcmp(probes[i].hook, probes[at].hook))
			return true;
	}
	return false;
}

/* Its address in *@address; -ENOENT: it is not in this kernel. */
static int find_function(struct text *t, const char *prefix, const char *name,
			 uint64_t *address)
{
	struct ktext *request = &t->skel->bss->ktext;
	int err;

	snprintf(request->name, sizeof(request->name), "%s%s", prefix, name);
	err = run(t->skel->progs.find_function);
	*address = err ? 0 : request->address;
	return err;
}

static int find_functions(struct text *t, const struct probe *probes, size_t nr)
{
	size_t i;

	t->first = UINT64_MAX;
	for (i = 0; i < nr; i++) {
		const char *name = probes[i].hook;
		int err = -ENOENT;
		uint64_t page;

		if (probes[i].kind == HOOK_TRACEPOINT || is_repeated(probes, i))
			continue;
		/* With its name first no other module is searched. */
		if (is_of_kvm(name))
			err = find_function(t, "kvm:", name, &t->addresses[i]);
		if (err == -ENOENT)
			err = find_function(t, "", name, &t->addresses[i]);
		if (err == -ENOENT)
			continue; /* not in this kernel */
		if (err)
			return err;
		if (!is_of_kvm(name))
			continue;
		page = t->addresses[i] & ~(uint64_t)(KTEXT_PAGE - 1);
		t->first = page < t->first ? page : t->first;
		t->last = page > t->last ? page : t->last;
	}
	return t->first > t->last ? -ENOENT : 0;
}

static int read_at(struct text *t, uint64_t address, unsigned char *page)
{
	struct ktext *request = &t->skel->bss->ktext;
	int err;

	request->address = address;
	err = run(t->skel->progs.read_page);
	if (!err)
		memcpy(page, request->page, KTEXT_PAGE);
	return err;
}

/*
 * All that is there from MAX_AROUND before the first hooked function to MAX_AROUND
 * behind the last one, without a hole between them.
 */
static int read_code(struct text *t)
{
	uint64_t at, end = t->last + MAX_AROUND;
	int err = 0;

	if (t->last - t->first > 16 * MAX_AROUND)
		return -ERANGE; /* no KVM is as large: not what we look for */
	t->start = t->first - MAX_AROUND;
	t->code = malloc(end - t->start);
	if (!t->code)
		return -ENOMEM;
	/* Downwards, so that only what adjoins is taken. */
	for (at = t->first; at > t->start; at -= KTEXT_PAGE) {
		if (read_at(t, at - KTEXT_PAGE,
			    t->code + (at - KTEXT_PAGE - t->start)))
			break;
	}
	memmove(t->code, t->code + (at - t->start), t->first - at);
	t->start = at;
	for (at = t->first; at < end; at += KTEXT_PAGE) {
		err = read_at(t, at, t->code + (at - t->start));
		if (err)
			break;
	}
	t->size = at - t->start;
	return at > t->last ? 0 : err;
}

static int count_callers(const struct text *t, const struct probe *probes,
			 size_t nr, struct ktypes *k)
{
	struct calls *calls = calls__new();
	int err = -ENOMEM;
	size_t i;

	if (!calls)
		return err;
	err = calls__scan(calls, 0, t->code, t->size, t->start);
	calls__sort(calls);
	for (i = 0; i < nr && !err; i++) {
		if (t->addresses[i] && !probes_is_in_table(probes[i].hook))
			err = ktypes__set_callers(
				k, probes[i].hook,
				calls__count(calls, 0, t->addresses[i]));
	}
	calls__free(calls);
	return err;
}

int ktext_look(struct ktypes *k)
{
	uint64_t start_ns = clock_now_ns();
	size_t nr;
	const struct probe *probes = probes_all(&nr);
	struct text t = { .addresses = calloc(nr, sizeof(*t.addresses)) };
	/* What it has to say is no matter of the user's: ours is enough. */
	libbpf_print_fn_t printer = libbpf_set_print(NULL);
	int err = t.addresses ? open_programs(&t) : -ENOMEM;

	if (!err)
		err = find_functions(&t, probes, nr);
	if (!err)
		err = read_code(&t);
	if (!err)
		err = count_callers(&t, probes, nr, k);
	if (err == -ENOMEM)
		pr_err("no memory to look for calls of KVM's functions");
	else if (err)
		pr_dbg("cannot look for calls of KVM's functions: %s",
		       strerror(-err));
	else
		pr_dbg("looked for calls of KVM's functions in %zu KiB of code, %" PRIu64
		       " us",
		       t.size >> 10, (clock_now_ns() - start_ns) / 1000);
	libbpf_set_print(printer);
	ktext_bpf__destroy(t.skel);
	free(t.code);
	free(t.addresses);
	return err;
}
