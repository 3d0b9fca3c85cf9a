/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the types (BTF) of a kernel and of its KVM, built in or a module, say
 * about its tracepoints, functions and structures.
 */
#ifndef GSTAGE_USER_KTYPES_H
#define GSTAGE_USER_KTYPES_H

#include "user/probes.h"

struct ktypes;

/*
 * Of the files @vmlinux and @kvm: BTF alone, or ELF with a section .BTF; @kvm
 * may be NULL for KVM built in. 0, or -errno, and *what is then the file that
 * cannot be read. *kp is the caller's to free.
 */
int ktypes__open(const char *vmlinux, const char *kvm, struct ktypes **kp,
		 const char **what);

/*
 * The same with the types of the kernel in memory: those of a flat image are in no
 * file of their own. 0 or -errno.
 */
int ktypes__open_data(const void *vmlinux, size_t size, const char *kvm,
		      struct ktypes **kp);

/* Of the running kernel (/sys/kernel/btf). */
int ktypes__open_running(struct ktypes **kp, const char **what);

bool ktypes__has_tracepoint(void *ktypes, const char *name);
bool ktypes__has_function(void *ktypes, const char *name);
/* Is there a struct @type with that member? */
bool ktypes__has_member(void *ktypes, const char *type, const char *member);

/*
 * How functions are hooked, and @why none can be, whatever the types say; NULL: they
 * can.
 */
void ktypes__set_functions(struct ktypes *k, bool by_kprobes, const char *why);

/* So many places call function @name (a constant) or take its address. 0 or -ENOMEM. */
int ktypes__set_callers(struct ktypes *k, const char *name, int nr);

/* Is the number known of any function? */
bool ktypes__has_callers(const struct ktypes *k);

/* For probes_choose(), as long as @k lives. */
struct probe_view ktypes__view(struct ktypes *k);

void ktypes__free(struct ktypes *k);

#endif /* GSTAGE_USER_KTYPES_H */
