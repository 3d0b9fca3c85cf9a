/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Can this host be traced? Asked before anything is loaded, because the kernel
 * answers all of these with the same few error numbers.
 */
#ifndef GSTAGE_USER_PREFLIGHT_H
#define GSTAGE_USER_PREFLIGHT_H

#include <stdbool.h>
#include <sys/types.h>

/* 0, or -errno after saying what is missing and what to do about it. */
int preflight_check(void);

/* Is @pid there, and has it a KVM VM? 0 or -errno, reported. */
int preflight_check_pid(pid_t pid);

/* Can holds of mmu_lock be seen? 0 or -errno, reported. */
int preflight_check_locks(void);

/*
 * Which of these @nr functions does the running KVM or kernel have? Types are read
 * once for all of them, which takes most of the time.
 */
void preflight_find_kvm_functions(const char *const *names, bool *found,
				  size_t nr);

#endif /* GSTAGE_USER_PREFLIGHT_H */
