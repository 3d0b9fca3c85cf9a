/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict parsing of option values: the whole string or an error. Signs, blanks,
 * empty strings and trailing characters are refused.
 *
 * All return 0, -EINVAL (not of this form) or -ERANGE (of this form, but too
 * large or outside the allowed range); the result is written only on success.
 */
#ifndef GSTAGE_USER_OPTS_H
#define GSTAGE_USER_OPTS_H

#include <stdint.h>
#include <sys/types.h>

/* Decimal, or hexadecimal with 0x. */
int parse_u64(const char *s, uint64_t *v);

/* As parse_u64, and the value must be within [@min, @max]. */
int parse_u64_range(const char *s, uint64_t min, uint64_t max, uint64_t *v);

/*
 * A duration in nanoseconds: decimal digits and one of ns, us, ms, s, m, h; a
 * bare number is seconds. Fractions are refused: write 500ms. 0 is -ERANGE.
 */
int parse_duration_ns(const char *s, uint64_t *ns);

/*
 * A size in bytes: decimal or hexadecimal digits and one of K, M, G, T (powers
 * of 1024, either case); a bare number is bytes.
 */
int parse_size_bytes(const char *s, uint64_t *bytes);

/* A process id, 1 to the kernel's largest (4194304). */
int parse_pid(const char *s, pid_t *pid);

/* "is not a number", "is out of range": the reason for a parser's result. */
const char *parse_strerror(int err);

#endif /* GSTAGE_USER_OPTS_H */
