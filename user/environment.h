/* SPDX-License-Identifier: GPL-2.0-only */
/* Where and how a run was measured, for the run file's `environment`. */
#ifndef GSTAGE_USER_ENVIRONMENT_H
#define GSTAGE_USER_ENVIRONMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Resolution of the clock that KVM stamps faults with, in nanoseconds: the
 * timebase of the device tree. 1 if it is not known.
 */
uint64_t environment_clock_resolution_ns(void);

/* Does the KVM that runs here split huge leaves before they are written? */
bool environment_is_eager(void);

/*
 * What is known here, and over it the members of the JSON object in the
 * environment variable GSTAGE_ENVIRONMENT: only the one who started the
 * machine knows what emulates it and how. A new reference, NULL after
 * reporting. @cmdline: the traced command, NULL-terminated, or NULL.
 */
json_t *environment_new(char *const *cmdline, pid_t pid, bool counts_only);

#endif /* GSTAGE_USER_ENVIRONMENT_H */
