// SPDX-License-Identifier: GPL-2.0-only
/* Messages and the clock: see diag.h. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "diag.h"

static bool is_verbose;

static void say(const char *kind, const char *fmt, va_list ap)
{
	fprintf(stderr, "dirtyguest: %s", kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void dg_err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void dg_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void dg_info(const char *fmt, ...)
{
	va_list ap;

	if (!is_verbose)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void dg_set_verbose(bool verbose)
{
	is_verbose = verbose;
}

__u64 dg_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000ull + (__u64)ts.tv_nsec;
}
