/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to stderr, one line each, prefixed "dirtyguest: "; and the clock. */
#ifndef DIRTYGUEST_DIAG_H
#define DIRTYGUEST_DIAG_H

#include <linux/types.h>
#include <stdbool.h>

/* The run fails or its claim does not hold. */
void dg_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The run goes on, but is not quite what was asked for. */
void dg_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Progress, shown with -v only. Never called inside a timed region. */
void dg_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void dg_set_verbose(bool verbose);

/* CLOCK_MONOTONIC in nanoseconds: what bpf_ktime_get_ns() reads too. */
__u64 dg_now_ns(void);

#endif /* DIRTYGUEST_DIAG_H */
