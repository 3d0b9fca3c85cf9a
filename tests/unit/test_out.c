// SPDX-License-Identifier: GPL-2.0-only
/* Tables and histograms as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/out.h"

static const struct out_scale ns = { "ns", 1, 0 };
static const struct out_scale us = { "us", 1000, 3 };

static void assert_lines_fit(const char *text)
{
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len > OUT_WIDTH)
			fail_msg("%zu columns: %.*s", len, (int)len, text);
	}
}

static void test_scaled(void **state)
{
	static const struct out_scale ms = { "ms", 1000000, 3 };
	char buf[32];

	(void)state;
	assert_string_equal(out_scaled(buf, sizeof(buf), 0, &ns), "0");
	assert_string_equal(out_scaled(buf, sizeof(buf), UINT64_MAX, &ns),
			    "18446744073709551615");
	assert_string_equal(out_scaled(buf, sizeof(buf), 1, &us), "0.001");
	assert_string_equal(out_scaled(buf, sizeof(buf), 2944, &us), "2.944");
	assert_string_equal(out_scaled(buf, sizeof(buf), 1999999, &ms),
			    "1.999");
}

static void test_names_of_sizes(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(out_level(0), "4K");
	assert_string_equal(out_level(1), "2M");
	assert_string_equal(out_level(2), "1G");
	assert_string_equal(out_level(-1), "?");
	assert_string_equal(out_level(5), "?");
	assert_string_equal(out_bytes(buf, sizeof(buf), 0), "0");
	assert_string_equal(out_bytes(buf, sizeof(buf), 4096), "4K");
	assert_string_equal(out_bytes(buf, sizeof(buf), 4097), "4097");
	assert_string_equal(out_bytes(buf, sizeof(buf), 3ull << 30), "3G");
	assert_string_equal(out_bytes(buf, sizeof(buf), 1ull << 60),
			    "1048576T");
}

static void test_text_is_harmless(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(out_text(buf, sizeof(buf), "a\033[2J\n"), "a?[2J?");
	assert_string_equal(out_text(buf, sizeof(buf), "123456789"), "1234567");
	assert_string_equal(out_text(buf, sizeof(buf), NULL), "-");
}

static void test_table_aligns(void **state)
{
	struct out_table *table = out_table__new();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	out_table__column(table, "what");
	out_table__column(table, "n");
	out_table__cell(table, "a");
	out_table__cell(table, "%d", 100);
	out_table__cell(table, "longer");
	out_table__cell(table, "%d", 7);
	assert_int_equal(out_table__print(table, out), 0);
	fclose(out);
	assert_string_equal(text, "  what      n\n"
				  "  a       100\n"
				  "  longer    7\n");
	free(text);
	out_table__free(table);
	out_table__free(NULL);
}

static void test_wide_table_continues(void **state)
{
	struct out_table *table = out_table__new();
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	out_table__column(table, "row");
	for (i = 0; i < 12; i++)
		out_table__column(table, "a-column");
	out_table__cell(table, "first");
	for (i = 0; i < 12; i++)
		out_table__cell(table, "%zu", i);
	assert_int_equal(out_table__print(table, out), 0);
	fclose(out);
	assert_lines_fit(text);
	/* Both parts begin with the first column. */
	assert_non_null(strstr(strstr(text, "first") + 1, "first"));
	assert_non_null(strstr(text, "11\n"));
	free(text);
	out_table__free(table);
}

static void test_ragged_table_is_an_error(void **state)
{
	struct out_table *table = out_table__new();

	(void)state;
	out_table__column(table, "a");
	out_table__column(table, "b");
	out_table__cell(table, "1");
	assert_int_equal(out_table__print(table, stdout), -EINVAL);
	assert_int_equal(out_table__print(NULL, stdout), -ENOMEM);
	out_table__free(table);
}

static char *rows_of(const struct hist *h, unsigned int resolution,
		     uint64_t step, const struct out_scale *scale)
{
	const struct out_hist_opts opts = {
		.scale = *scale,
		.resolution = resolution,
		.step = step,
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	out_hist_rows(out, h, &opts);
	fclose(out);
	assert_lines_fit(text);
	return text;
}

static void add(struct hist *h, uint64_t v, int count)
{
	while (count--)
		hist_add(h, v);
}

#define FULL "****************************************"
#define HALF "********************                    "
#define NONE "                                        "

static void test_octave_rows(void **state)
{
	struct hist h = { 0 };
	char *text;

	(void)state;
	add(&h, 1, 2);
	add(&h, 3, 4);
	add(&h, 9, 1);
	text = rows_of(&h, 1, 0, &ns);
	assert_string_equal(
		text, "            ns             : count    distribution\n"
		      "           1 -> 1          : 2        |" HALF "|\n"
		      "           2 -> 3          : 4        |" FULL "|\n"
		      "           4 -> 7          : 0        |" NONE "|\n"
		      "           8 -> 15         : 1        |**********"
		      "                              |\n");
	free(text);
}

static void test_long_gap_is_one_row(void **state)
{
	struct hist h = { 0 };
	char *text;

	(void)state;
	add(&h, 2944, 2);
	add(&h, 40000, 1);
	text = rows_of(&h, 16, 0, &us);
	assert_string_equal(
		text, "            us             : count    distribution\n"
		      "       2.944 -> 3.071      : 2        |" FULL "|\n"
		      "            ...            : 0        |" NONE "|\n"
		      "      38.912 -> 40.959     : 1        |" HALF "|\n");
	free(text);
}

/* A clock of 100 cannot fill rows of 64: that would look like a comb. */
static void test_rows_are_no_finer_than_the_clock(void **state)
{
	struct hist h = { 0 };
	char *fine, *coarse;

	(void)state;
	add(&h, 1100, 1);
	add(&h, 1200, 1);
	fine = rows_of(&h, 0, 0, &ns);
	coarse = rows_of(&h, 0, 100, &ns);
	assert_non_null(strstr(fine, "1088 -> 1151"));
	assert_non_null(strstr(coarse, "1024 -> 1151"));
	free(coarse);
	free(fine);
}

static void test_many_values_still_fit_a_page(void **state)
{
	struct hist h = { 0 };
	unsigned int lines = 0;
	char *text, *p;
	uint64_t v;

	(void)state;
	for (v = 1; v < 1000000; v = v * 9 / 8 + 1)
		hist_add(&h, v);
	text = rows_of(&h, 0, 0, &ns);
	for (p = text; *p; p++)
		lines += *p == '\n';
	assert_in_range(lines, 15, 22);
	free(text);
}

/* Bars give way; a figure is never cut, and the page never left. */
static void test_large_figures_keep_to_the_page(void **state)
{
	struct hist h = { 0 };
	char *text;

	(void)state;
	add(&h, (1ull << 36) - 1, 1);
	add(&h, 7, 1);
	h.buckets[7] += 1234567890122ull;
	h.count += 1234567890122ull;
	text = rows_of(&h, 1, 0, &us);
	assert_non_null(strstr(text, "1234567890123"));
	assert_non_null(strstr(text, "34359738.368 -> 68719476.735"));
	free(text);
}

static void test_what_has_no_bucket_is_said(void **state)
{
	struct hist h = { 0 };
	char *text;

	(void)state;
	add(&h, 1ull << 40, 3);
	h.count++;
	h.underflow++;
	text = rows_of(&h, 0, 0, &ns);
	assert_string_equal(text, "  below 0 (the clock stepped back): 1\n"
				  "  2^36 and more: 3\n");
	free(text);

	memset(&h, 0, sizeof(h));
	text = rows_of(&h, 0, 0, &ns);
	assert_string_equal(text, "");
	free(text);
}

static void test_summary(void **state)
{
	struct hist h = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	add(&h, 3000, 150);
	add(&h, 5000, 50);
	out_hist_summary(out, &h, &ns);
	fclose(out);
	assert_string_equal(
		text,
		"  count 200  min 3000  max 5000  mean 3500  total 700000 ns\n"
		"  p50 3000..3071  p90 4864..5000  p99 4864..5000 (2 above)\n");
	free(text);
}

static void test_quantile_text(void **state)
{
	struct hist h = { 0 };
	char buf[72];

	(void)state;
	assert_string_equal(out_quantile(buf, sizeof(buf), &h, 500, &ns), "-");
	add(&h, 7, 3);
	assert_string_equal(out_quantile(buf, sizeof(buf), &h, 500, &ns), "7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scaled),
		cmocka_unit_test(test_names_of_sizes),
		cmocka_unit_test(test_text_is_harmless),
		cmocka_unit_test(test_table_aligns),
		cmocka_unit_test(test_wide_table_continues),
		cmocka_unit_test(test_ragged_table_is_an_error),
		cmocka_unit_test(test_octave_rows),
		cmocka_unit_test(test_long_gap_is_one_row),
		cmocka_unit_test(test_rows_are_no_finer_than_the_clock),
		cmocka_unit_test(test_many_values_still_fit_a_page),
		cmocka_unit_test(test_large_figures_keep_to_the_page),
		cmocka_unit_test(test_what_has_no_bucket_is_said),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_quantile_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
