// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where RISC-V code leads: each form of call that compilers make, as the assembler
 * encodes it, and what only looks like one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "user/calls.h"

#define BASE 0xffffffff80010000UL

static struct calls *scan(const void *code, size_t size)
{
	struct calls *c = calls__new();

	assert_non_null(c);
	assert_int_equal(calls__scan(c, 3, code, size, BASE), 0);
	calls__sort(c);
	return c;
}

/* @target - BASE is where @code leads, @nr times. */
static void expect_target(const uint16_t *code, size_t size, int64_t target,
			  int nr)
{
	struct calls *c = scan(code, size);

	assert_int_equal(calls__count(c, 3, BASE + target), nr);
	assert_int_equal(calls__count(c, 2, BASE + target), 0);
	calls__free(c);
}

#define LEADS_TO(target, nr, ...)                        \
	expect_target((const uint16_t[]){ __VA_ARGS__ }, \
		      sizeof((const uint16_t[]){ __VA_ARGS__ }), target, nr)

static void test_jumps(void **state)
{
	(void)state;
	/* jal ra, .+0x100 */
	LEADS_TO(0x100, 1, 0x00ef, 0x1000);
	/* c.nop; j .-4 */
	LEADS_TO(-2, 1, 0x0001, 0xf06f, 0xffdf);
	/* c.j .+0x10, and c.nop; c.j .-2 */
	LEADS_TO(0x10, 1, 0xa801);
	LEADS_TO(0, 1, 0x0001, 0xbffd);
	/* c.beqz leads to no other function. */
	LEADS_TO(2, 0, 0xc109);
}

static void test_far(void **state)
{
	(void)state;
	/* auipc ra, 0; jalr 0x1f8(ra) */
	LEADS_TO(0x1f8, 1, 0x0097, 0x0000, 0x80e7, 0x1f80);
	/* auipc t1, 0xfffff; jr 0x20(t1): a tail call, backwards */
	LEADS_TO(-0x1000 + 0x20, 1, 0xf317, 0xffff, 0x0067, 0x0203);
	/* auipc a0, 1; c.mv a1, a2; addi a0, a0, -0x14: an address */
	LEADS_TO(0x1000 - 0x14, 1, 0x1517, 0x0000, 0x85b2, 0x0513, 0xfec5);
	/* The same of another register than auipc's: nothing. */
	LEADS_TO(0x1000 - 0x14, 0, 0x1517, 0x0000, 0x85b2, 0x8593, 0xfec5);
	/* jalr 0x1f8(ra) alone, as for a function pointer */
	LEADS_TO(0x1f8, 0, 0x80e7, 0x1f80);
	/* slti is no addi. */
	LEADS_TO(0x1000 - 0x14, 0, 0x1517, 0x0000, 0x85b2, 0x2513, 0xfec5);
}

/* Halves of different addresses are not put together. */
static void test_apart(void **state)
{
	uint16_t code[64] = { 0x0097, 0x0000 };
	struct calls *c;
	size_t i;

	(void)state;
	for (i = 2; i < 62; i++)
		code[i] = 0x0001;
	code[62] = 0x80e7;
	code[63] = 0x1f80;
	c = scan(code, sizeof(code));
	assert_int_equal(calls__count(c, 3, BASE + 0x1f8), 0);
	calls__free(c);
}

static void test_cut(void **state)
{
	static const unsigned char jal[] = { 0xef, 0x00, 0x00, 0x10 };
	struct calls *c;
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(jal); size++) {
		unsigned char *exact = malloc(size ?: 1);
		size_t i;

		for (i = 0; i < size; i++)
			exact[i] = jal[i];
		c = scan(exact, size);
		assert_int_equal(calls__count(c, 3, BASE + 0x100), 0);
		calls__free(c);
		free(exact);
	}
}

static void test_counts(void **state)
{
	struct calls *c = calls__new();
	int i;

	(void)state;
	assert_non_null(c);
	assert_int_equal(calls__count(c, 0, 0), 0);
	/* More than fit at first. */
	for (i = 0; i < 10000; i++)
		assert_int_equal(calls__add(c, i % 2, i / 2 % 100), 0);
	calls__sort(c);
	assert_int_equal(calls__count(c, 0, 0), 50);
	assert_int_equal(calls__count(c, 1, 99), 50);
	assert_int_equal(calls__count(c, 1, 100), 0);
	assert_int_equal(calls__count(c, 2, 0), 0);
	calls__free(c);
	calls__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumps),  cmocka_unit_test(test_far),
		cmocka_unit_test(test_apart),  cmocka_unit_test(test_cut),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
