// SPDX-License-Identifier: GPL-2.0-only
/* Diagnostics on stderr; see log.h. */
#include "user/log.h"

#include <stdio.h>

static int current_level = LOG_INFO;

void log_set_level(int level)
{
	if (level < LOG_ERR)
		level = LOG_ERR;
	if (level > LOG_TRACE)
		level = LOG_TRACE;
	current_level = level;
}

int log_level(void)
{
	return current_level;
}

void log_vmsg(int level, const char *fmt, va_list ap)
{
	/* One write per message, so that lines of two processes do not mix. */
	char line[LOG_MAX + 100]; /* a verifier log, not only a line */
	int len;

	if (level > current_level)
		return;

	len = vsnprintf(line, sizeof(line), fmt, ap);
	if (len < 0)
		return;
	fprintf(stderr, "gstage: %s%s%s\n",
		level == LOG_WARN ? "warning: " : "", line,
		(size_t)len >= sizeof(line) ? "..." : "");
}

void log_msg(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(level, fmt, ap);
	va_end(ap);
}
