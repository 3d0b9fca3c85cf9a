// SPDX-License-Identifier: GPL-2.0-only
/* Option values: the whole string or an error, and nothing written on error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/opts.h"

#define UNTOUCHED 0xdeadull

struct good {
	const char *text;
	uint64_t value;
};

struct bad {
	const char *text;
	int err;
};

typedef int (*parse_fn)(const char *s, uint64_t *v);

static void check_good(parse_fn parse, const struct good *cases, size_t nr)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < nr; i++) {
		v = UNTOUCHED;
		if (parse(cases[i].text, &v) || v != cases[i].value)
			fail_msg("'%s' gives %llu", cases[i].text,
				 (unsigned long long)v);
	}
}

static void check_bad(parse_fn parse, const struct bad *cases, size_t nr)
{
	uint64_t v;
	size_t i;
	int err;

	for (i = 0; i < nr; i++) {
		v = UNTOUCHED;
		err = parse(cases[i].text, &v);
		if (err != cases[i].err)
			fail_msg("'%s' gives %d, not %d", cases[i].text, err,
				 cases[i].err);
		assert_int_equal(v, UNTOUCHED);
	}
}

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static void test_u64(void **state)
{
	static const struct good good[] = {
		{ "0", 0 },
		{ "00", 0 },
		{ "007", 7 },
		{ "42", 42 },
		{ "0x0", 0 },
		{ "0xFf", 255 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
	};
	static const struct bad bad[] = {
		{ "", -EINVAL },
		{ " ", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 ", -EINVAL },
		{ "+1", -EINVAL },
		{ "-1", -EINVAL },
		{ "1.5", -EINVAL },
		{ "1e3", -EINVAL },
		{ "0x", -EINVAL },
		{ "x1", -EINVAL },
		{ "12k", -EINVAL },
		{ "1\n", -EINVAL },
		{ "18446744073709551616", -ERANGE },
		{ "0x10000000000000000", -ERANGE },
		{ "99999999999999999999999999", -ERANGE },
		/* Not a number at all beats too large. */
		{ "99999999999999999999999999x", -EINVAL },
	};

	(void)state;
	check_good(parse_u64, good, NR(good));
	check_bad(parse_u64, bad, NR(bad));
}

static void test_u64_range(void **state)
{
	uint64_t v = UNTOUCHED;

	(void)state;
	assert_int_equal(parse_u64_range("1", 1, 16, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(parse_u64_range("16", 1, 16, &v), 0);
	assert_int_equal(v, 16);
	assert_int_equal(parse_u64_range("0", 1, 16, &v), -ERANGE);
	assert_int_equal(parse_u64_range("17", 1, 16, &v), -ERANGE);
	assert_int_equal(parse_u64_range("a", 1, 16, &v), -EINVAL);
	assert_int_equal(v, 16);
}

static void test_duration(void **state)
{
	static const struct good good[] = {
		{ "10", 10000000000ull },
		{ "10s", 10000000000ull },
		{ "500ms", 500000000ull },
		{ "7us", 7000ull },
		{ "1ns", 1 },
		{ "2m", 120000000000ull },
		{ "1h", 3600000000000ull },
		{ "18446744073s", 18446744073000000000ull },
	};
	static const struct bad bad[] = {
		{ "", -EINVAL },
		{ "s", -EINVAL },
		{ "10 s", -EINVAL },
		{ "10S", -EINVAL },
		{ "10sec", -EINVAL },
		{ "1.5s", -EINVAL },
		{ "-1s", -EINVAL },
		{ "0x10", -EINVAL },
		{ "0", -ERANGE },
		{ "0ms", -ERANGE },
		{ "18446744074s", -ERANGE },
		{ "99999999999999999999h", -ERANGE },
	};

	(void)state;
	check_good(parse_duration_ns, good, NR(good));
	check_bad(parse_duration_ns, bad, NR(bad));
}

static void test_size(void **state)
{
	static const struct good good[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "4K", 4096 },
		{ "4k", 4096 },
		{ "16M", 16ull << 20 },
		{ "1G", 1ull << 30 },
		{ "2T", 2ull << 40 },
		{ "0x10K", 16384 },
		{ "16777215T", 16777215ull << 40 },
	};
	static const struct bad bad[] = {
		{ "", -EINVAL },
		{ "K", -EINVAL },
		{ "4KB", -EINVAL },
		{ "4 K", -EINVAL },
		{ "-4K", -EINVAL },
		{ "4KiB", -EINVAL },
		{ "1.5G", -EINVAL },
		{ "16777216T", -ERANGE },
		{ "18446744073709551616", -ERANGE },
	};

	(void)state;
	check_good(parse_size_bytes, good, NR(good));
	check_bad(parse_size_bytes, bad, NR(bad));
}

static void test_pid(void **state)
{
	pid_t pid = -1;

	(void)state;
	assert_int_equal(parse_pid("1", &pid), 0);
	assert_int_equal(pid, 1);
	assert_int_equal(parse_pid("4194304", &pid), 0);
	assert_int_equal(pid, 4194304);
	assert_int_equal(parse_pid("0", &pid), -ERANGE);
	assert_int_equal(parse_pid("4194305", &pid), -ERANGE);
	assert_int_equal(parse_pid("4294967297", &pid), -ERANGE);
	assert_int_equal(parse_pid("-1", &pid), -EINVAL);
	assert_int_equal(parse_pid("self", &pid), -EINVAL);
	assert_int_equal(pid, 4194304);
}

static void test_reasons_differ(void **state)
{
	(void)state;
	assert_string_not_equal(parse_strerror(-EINVAL),
				parse_strerror(-ERANGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_u64_range),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_pid),
		cmocka_unit_test(test_reasons_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
