/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock that BPF programs read, too (bpf_ktime_get_ns()). */
#ifndef GSTAGE_USER_CLOCK_H
#define GSTAGE_USER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* ns since the machine started, without the time that it was suspended. */
static inline uint64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif /* GSTAGE_USER_CLOCK_H */
