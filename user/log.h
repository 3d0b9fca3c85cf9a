/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diagnostics. Everything goes to stderr, one line per message, prefixed with
 * "gstage: "; stdout belongs to data. The text carries no trailing newline.
 */
#ifndef GSTAGE_USER_LOG_H
#define GSTAGE_USER_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_ERR = 0, /* the command fails */
	LOG_WARN = 1, /* the result is poorer than asked for; kept by -q */
	LOG_INFO = 2, /* progress; the default, dropped by -q */
	LOG_DBG = 3, /* -v */
	LOG_TRACE = 4, /* -vv: what libbpf says */
};

/* Bytes of one message; the rest is cut. */
#define LOG_MAX 16000

/* Show messages up to @level; values outside the enum are clamped. */
void log_set_level(int level);

/* The level in force, to skip work that would only feed a hidden message. */
int log_level(void);

void log_msg(int level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_vmsg(int level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#define pr_err(...) log_msg(LOG_ERR, __VA_ARGS__)
#define pr_warn(...) log_msg(LOG_WARN, __VA_ARGS__)
#define pr_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define pr_dbg(...) log_msg(LOG_DBG, __VA_ARGS__)

#endif /* GSTAGE_USER_LOG_H */
