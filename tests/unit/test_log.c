// SPDX-License-Identifier: GPL-2.0-only
/* Diagnostics: levels, the prefix, one line each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/log.h"

static char captured[65536]; /* as much as a pipe holds */

/* What @say writes to stderr. */
static const char *capture(void (*say)(void))
{
	int fds[2], saved;
	ssize_t len;

	assert_int_equal(pipe(fds), 0);
	fflush(stderr);
	saved = dup(2);
	dup2(fds[1], 2);
	close(fds[1]);
	say();
	fflush(stderr);
	dup2(saved, 2); /* closes the last writer of the pipe */
	close(saved);
	len = read(fds[0], captured, sizeof(captured) - 1);
	close(fds[0]);
	captured[len > 0 ? len : 0] = '\0';
	return captured;
}

static void say_all(void)
{
	pr_err("bad %d", 1);
	pr_warn("poor");
	pr_info("so");
	pr_dbg("detail");
	log_msg(LOG_TRACE, "more");
}

static void test_levels(void **state)
{
	(void)state;
	log_set_level(LOG_ERR);
	assert_string_equal(capture(say_all), "gstage: bad 1\n");
	log_set_level(LOG_WARN);
	assert_string_equal(capture(say_all),
			    "gstage: bad 1\ngstage: warning: poor\n");
	log_set_level(LOG_INFO);
	assert_string_equal(
		capture(say_all),
		"gstage: bad 1\ngstage: warning: poor\ngstage: so\n");
	log_set_level(LOG_TRACE);
	assert_non_null(strstr(capture(say_all), "gstage: more\n"));
}

static void test_level_is_clamped(void **state)
{
	(void)state;
	log_set_level(-5);
	assert_int_equal(log_level(), LOG_ERR);
	log_set_level(99);
	assert_int_equal(log_level(), LOG_TRACE);
}

static void say_long(void)
{
	char text[50000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	pr_err("%s", text);
}

static void test_long_text_is_cut(void **state)
{
	size_t len;

	(void)state;
	len = strlen(capture(say_long));
	assert_in_range(len, 1000, 40000);
	assert_string_equal(captured + len - 4, "...\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_level_is_clamped),
		cmocka_unit_test(test_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
