// SPDX-License-Identifier: GPL-2.0-only
/*
 * To which phases an interval belongs. Whatever the turns are, its parts are as
 * long as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/gstage.h"
#include "bpf/turns.h"

/* dirty 1, get, clear, dirty 2, as the reviewed example of a live guest. */
enum { DIRTY_1 = 3, GET, CLEAR, DIRTY_2 };

static void live_guest(struct gstage_turns *turns)
{
	memset(turns, 0, sizeof(*turns));
	turns_add(turns, 0, DIRTY_1);
	turns_add(turns, 10, GET);
	turns_add(turns, 20, CLEAR);
	turns_add(turns, 50, DIRTY_2);
}

/* As spend_by_turns() does; returns the number of turns it looked at. */
static __u64 split(const struct gstage_turns *turns, __u64 since_ns,
		   __u64 end_ns, __u64 ns[GSTAGE_MAX_PHASES])
{
	struct gstage_span span = { since_ns, end_ns };
	__u64 i, nr = turns->nr, sum = 0;

	memset(ns, 0, GSTAGE_MAX_PHASES * sizeof(ns[0]));
	for (i = 0; i < GSTAGE_KEPT_TURNS && span.end_ns > since_ns; i++) {
		const struct gstage_turn *turn = turns_at(turns, nr, i);
		__u64 part = turns_take(turn, nr, i, &span);

		ns[turn->phase] += part;
		sum += part;
	}
	assert_int_equal(sum, end_ns - since_ns);
	return i;
}

static void test_each_phase_has_its_part(void **state)
{
	struct gstage_turns turns;
	__u64 ns[GSTAGE_MAX_PHASES];

	(void)state;
	live_guest(&turns);
	/* In the guest all the time. */
	split(&turns, 1, 60, ns);
	assert_int_equal(ns[DIRTY_1], 9);
	assert_int_equal(ns[GET], 10);
	assert_int_equal(ns[CLEAR], 30);
	assert_int_equal(ns[DIRTY_2], 10);
	/* A fault that waits for CLEAR. */
	split(&turns, 6, 55, ns);
	assert_int_equal(ns[DIRTY_1], 4);
	assert_int_equal(ns[GET], 10);
	assert_int_equal(ns[CLEAR], 30);
	assert_int_equal(ns[DIRTY_2], 5);
	/* In one phase that is over. */
	split(&turns, 25, 45, ns);
	assert_int_equal(ns[CLEAR], 20);
	/* To the nanosecond in which it began, and from it. */
	split(&turns, 10, 20, ns);
	assert_int_equal(ns[GET], 10);
}

static void test_only_what_is_needed_is_looked_at(void **state)
{
	struct gstage_turns turns;
	__u64 ns[GSTAGE_MAX_PHASES];

	(void)state;
	live_guest(&turns);
	assert_int_equal(split(&turns, 50, 60, ns), 1);
	assert_int_equal(split(&turns, 49, 60, ns), 2);
	assert_int_equal(split(&turns, 60, 60, ns), 0);
}

static void test_a_turn_that_comes_too_late(void **state)
{
	struct gstage_turns turns;
	__u64 ns[GSTAGE_MAX_PHASES];

	(void)state;
	live_guest(&turns);
	/* Another CPU added the last two after the interval had ended. */
	split(&turns, 5, 15, ns);
	assert_int_equal(ns[DIRTY_1], 5);
	assert_int_equal(ns[GET], 5);
}

static void test_before_the_first_turn(void **state)
{
	struct gstage_turns turns;
	__u64 ns[GSTAGE_MAX_PHASES];

	(void)state;
	memset(&turns, 0, sizeof(turns));
	turns_add(&turns, 100, 7);
	split(&turns, 90, 120, ns);
	assert_int_equal(ns[7], 30);
	split(&turns, 90, 95, ns);
	assert_int_equal(ns[7], 5);
}

/* CLEAR in more chunks than are kept, while a vCPU is elsewhere. */
static void test_more_turns_than_are_kept(void **state)
{
	const __u64 nr = 10 * GSTAGE_MAX_TURNS + 3, kept = GSTAGE_KEPT_TURNS;
	struct gstage_turns turns;
	__u64 ns[GSTAGE_MAX_PHASES];

	(void)state;
	memset(&turns, 0, sizeof(turns));
	for (__u64 i = 0; i < nr; i++)
		turns_add(&turns, 10 * i, i % 2 ? CLEAR : DIRTY_2);
	assert_int_equal(split(&turns, 0, 10 * nr, ns), kept);
	/* The oldest that is kept, a CLEAR or not, stands for those before it. */
	assert_int_equal(ns[(nr - kept) % 2 ? CLEAR : DIRTY_2],
			 (kept + 1) / 2 * 10 + 10 * (nr - kept));
	assert_int_equal(ns[(nr - kept) % 2 ? DIRTY_2 : CLEAR], kept / 2 * 10);
	/* One that all turns of are kept is exact. */
	split(&turns, 10 * (nr - 4) + 5, 10 * nr, ns);
	assert_int_equal(ns[(nr - 1) % 2 ? CLEAR : DIRTY_2], 20);
	assert_int_equal(ns[(nr - 1) % 2 ? DIRTY_2 : CLEAR], 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_phase_has_its_part),
		cmocka_unit_test(test_only_what_is_needed_is_looked_at),
		cmocka_unit_test(test_a_turn_that_comes_too_late),
		cmocka_unit_test(test_before_the_first_turn),
		cmocka_unit_test(test_more_turns_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
