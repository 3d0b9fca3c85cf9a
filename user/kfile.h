/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that does not run: an Image, a vmlinux or a kvm.ko, and what it says
 * about itself without being booted.
 */
#ifndef GSTAGE_USER_KFILE_H
#define GSTAGE_USER_KFILE_H

#include <stdbool.h>
#include <stddef.h>

struct kfile;

enum kfile_kind {
	KFILE_IMAGE, /* flat: types, no symbols */
	KFILE_VMLINUX,
	KFILE_KVM, /* kvm.ko */
};

/* What became of a function in this build. */
enum kfile_function {
	KFILE_FUNCTION_ABSENT, /* not in the sources, or inlined everywhere */
	KFILE_FUNCTION_HOOKABLE,
	KFILE_FUNCTION_UNHOOKABLE, /* ftrace has no entry for it */
	KFILE_FUNCTION_CALLED, /* of the kernel, called by this module */
};

/* 0 or -errno, reported. *kp is the caller's to free. */
int kfile__open(const char *path, struct kfile **kp);

enum kfile_kind kfile__kind(const struct kfile *k);

/* The path it was opened by. */
const char *kfile__path(const struct kfile *k);

/* The version that it says it is (for people only), or "". */
const char *kfile__release(const struct kfile *k);

/* Its type information; NULL without. As long as @k lives. */
const void *kfile__btf(const struct kfile *k, size_t *size);

bool kfile__has_symbols(const struct kfile *k);

/* Has ftrace an entry for any function of @k? Else its kernel was built without. */
bool kfile__has_sites(const struct kfile *k);

enum kfile_function kfile__function(const struct kfile *k, const char *name);

/*
 * How many places of this file call that function, or take its address; -1: there is
 * no symbol that would tell. Of a vmlinux only its code is looked at: it does not tell
 * what data points to.
 */
int kfile__callers(const struct kfile *k, const char *name);

/*
 * What the compiler made of a function that is not there by its name, as in
 * "gstage_map_page.constprop.0", or NULL.
 */
const char *kfile__variant(const struct kfile *k, const char *name);

/* Any symbol that it defines. */
bool kfile__has_symbol(const struct kfile *k, const char *name);

/* Of the module. */
bool kfile__has_parameter(const struct kfile *k, const char *name);

void kfile__free(struct kfile *k);

#endif /* GSTAGE_USER_KFILE_H */
