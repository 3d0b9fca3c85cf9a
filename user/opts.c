// SPDX-License-Identifier: GPL-2.0-only
/* Strict parsing of option values; see opts.h. */
#include "user/opts.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* PID_MAX_LIMIT of a 64-bit kernel: no larger process id exists. */
#define PID_LARGEST (4u << 20)

struct suffix {
	const char *name;
	uint64_t factor;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Leading digits of @s; *end is the first character that is none. */
static int parse_digits(const char *s, uint64_t *v, const char **end)
{
	unsigned int base = 10;
	bool overflow = false;
	const char *p = s;
	uint64_t sum = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	for (p = s; (unsigned int)digit_value(*p) < base; p++) {
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit_value(*p), &sum))
			overflow = true;
	}
	if (p == s)
		return -EINVAL;
	*v = sum;
	*end = p;
	return overflow ? -ERANGE : 0;
}

/* Digits and one of @suffixes, the last of which has no name. */
static int parse_scaled(const char *s, const struct suffix *suffixes,
			int (*compare)(const char *, const char *), uint64_t *v)
{
	const char *end = NULL;
	uint64_t digits = 0;
	int err;

	err = parse_digits(s, &digits, &end);
	if (err == -EINVAL)
		return err;
	for (; suffixes->name; suffixes++) {
		if (compare(end, suffixes->name))
			continue;
		if (err ||
		    __builtin_mul_overflow(digits, suffixes->factor, &digits))
			return -ERANGE;
		*v = digits;
		return 0;
	}
	return -EINVAL;
}

int parse_u64(const char *s, uint64_t *v)
{
	static const struct suffix none[] = {
		{ "", 1 },
		{ NULL, 0 },
	};

	return parse_scaled(s, none, strcmp, v);
}

int parse_u64_range(const char *s, uint64_t min, uint64_t max, uint64_t *v)
{
	uint64_t value;
	int err;

	err = parse_u64(s, &value);
	if (err)
		return err;
	if (value < min || value > max)
		return -ERANGE;
	*v = value;
	return 0;
}

int parse_duration_ns(const char *s, uint64_t *ns)
{
	static const struct suffix units[] = {
		{ "", 1000000000ull },
		{ "s", 1000000000ull },
		{ "ms", 1000000ull },
		{ "us", 1000ull },
		{ "ns", 1ull },
		{ "m", 60 * 1000000000ull },
		{ "h", 3600 * 1000000000ull },
		{ NULL, 0 },
	};
	uint64_t value;
	int err;

	/* 0x10s is a typing mistake rather than 16 seconds. */
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return -EINVAL;
	err = parse_scaled(s, units, strcmp, &value);
	if (err)
		return err;
	if (!value)
		return -ERANGE;
	*ns = value;
	return 0;
}

int parse_size_bytes(const char *s, uint64_t *bytes)
{
	static const struct suffix units[] = {
		{ "", 1 },	     { "K", 1ull << 10 }, { "M", 1ull << 20 },
		{ "G", 1ull << 30 }, { "T", 1ull << 40 }, { NULL, 0 },
	};

	return parse_scaled(s, units, strcasecmp, bytes);
}

int parse_pid(const char *s, pid_t *pid)
{
	uint64_t value;
	int err;

	err = parse_u64_range(s, 1, PID_LARGEST, &value);
	if (err)
		return err;
	*pid = (pid_t)value;
	return 0;
}

const char *parse_strerror(int err)
{
	switch (err) {
	case 0:
		return "is fine";
	case -ERANGE:
		return "is out of range";
	default:
		return "is not a number of the expected form";
	}
}
