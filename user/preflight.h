/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Can this host be traced? Asked before anything is loaded, because the kernel
 * answers all of these with the same few error numbers.
 */
#ifndef GSTAGE_USER_PREFLIGHT_H
#define GSTAGE_USER_PREFLIGHT_H

#include <stdbool.h>
#include <sys/types.h>

#include "user/ktypes.h"
#include "user/probes.h"

/* 0, or -errno after saying what is missing and what to do about it. */
int preflight_check(void);

/* Is @pid there, and has it a KVM VM? 0 or -errno, reported. */
int preflight_check_pid(pid_t pid);

/*
 * The types of the running KVM, the caller's to free (ktypes__free()). 0 or
 * -errno, reported.
 */
int preflight_open_types(struct ktypes **types);

/*
 * What will serve each fact. What is missing is said; 0, or -errno where it is
 * something that the run cannot do without.
 */
int preflight_choose(struct ktypes *types, const struct probe_wish *wish,
		     struct probe_choice choices[NR_FACTS]);

#endif /* GSTAGE_USER_PREFLIGHT_H */
