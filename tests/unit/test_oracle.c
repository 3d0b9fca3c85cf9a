// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle after the run: its log is read, a module is found by its code, and
 * the code at an address gets its owner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/oracle/code.h"
#include "bench/oracle/locate.h"
#include "bench/oracle/timeline.h"

#define SECTION_BYTES 4096
#define KERNEL_START 0xffffffff80000000ull

static char path[] = "/tmp/gstage-unit.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int read_log(struct timeline *t, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return timeline__read(t, path);
}

static void test_reads_a_log(void **state)
{
	struct timeline t;

	(void)state;
	assert_int_equal(read_log(&t, "gstage-oracle 1 4 2\n"
				      "f 0 80000002 1000 73000012\n"
				      "b 1 ffffffff00982000 130101\n"
				      "f 2 10 - 73000062\n"
				      "+ 0 23\n"
				      "@ 1\n"
				      "+ 1 18446744073709551615\n"
				      "end\n"),
			 0);
	assert_int_equal(t.api, 4);
	assert_int_equal(t.nr_harts, 2);
	assert_int_equal(t.nr_places, 3);
	assert_false(t.places[0].is_block);
	assert_int_equal(t.places[0].vaddr, 0x80000002);
	assert_int_equal(t.places[0].offset, 0x1000);
	assert_memory_equal(t.places[0].code, "\x73\x00\x00\x12", 4);
	assert_true(t.places[1].is_block);
	assert_int_equal(t.places[1].nr_code, 3);
	assert_int_equal(t.places[2].offset, TIMELINE_NO_OFFSET);
	assert_int_equal(t.nr_events, 3);
	assert_int_equal(t.events[0].count, 23);
	assert_true(t.events[1].is_first);
	assert_int_equal(t.events[2].count, UINT64_MAX);
	timeline__free(&t);
}

static void test_refuses_a_damaged_log(void **state)
{
	static const char *const logs[] = {
		"", /* empty */
		"gstage-oracle 2 1 1\nend\n", /* another format */
		"gstage-oracle 1 1 1\n", /* cut short */
		"gstage-oracle 1 1 1\nf 0 10 - 73000012\n+ 0 1\nen", /* and here */
		"gstage-oracle 1 1 1\n+ 0 1\nend\n", /* counts nothing known */
		"gstage-oracle 1 1 1\nf 1 10 - 73000012\nend\n", /* no place 0 */
		"gstage-oracle 1 1 1\nb 0 10 731\nend\n", /* half a byte */
		"gstage-oracle 1 1 1\nb 0 10\nend\n", /* no code */
		"gstage-oracle 1 1 1\nx\nend\n",
	};

	int said = dup(STDERR_FILENO);

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct timeline t;
		int err;

		/* Why it is refused is not for those who run this. */
		assert_non_null(freopen("/dev/null", "w", stderr));
		err = read_log(&t, logs[i]);
		fflush(stderr);
		dup2(said, STDERR_FILENO);
		assert_int_equal(err, -1);
		timeline__free(&t);
	}
	close(said);
}

/* A section whose bytes are alike nowhere. */
static void fill(uint8_t *bytes)
{
	uint32_t x = 1;

	for (size_t i = 0; i < SECTION_BYTES; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = x >> 24;
	}
}

static void add_block(struct timeline *t, uint64_t base, const uint8_t *bytes,
		      size_t offset)
{
	struct timeline_place *p;

	t->places = realloc(t->places, (t->nr_places + 1) * sizeof(*p));
	assert_non_null(t->places);
	p = &t->places[t->nr_places++];
	memset(p, 0, sizeof(*p));
	p->is_block = true;
	p->vaddr = base + offset;
	p->offset = TIMELINE_NO_OFFSET;
	p->nr_code = sizeof(p->code);
	memcpy(p->code, bytes + offset, p->nr_code);
}

static void test_finds_a_module(void **state)
{
	static uint8_t bytes[SECTION_BYTES];
	struct code_section section = { ".text", bytes, SECTION_BYTES };
	struct code module = { .sections = &section, .nr_sections = 1 };
	const uint64_t bases[] = { 0xffffffff00982000, 0xffffffff01000100 };
	struct placements p;
	struct timeline t = {};

	(void)state;
	fill(bytes);
	/* Loaded twice; a fourth of the blocks is relocated code. */
	for (size_t b = 0; b < 2; b++) {
		for (size_t i = 0; i < 8; i++) {
			add_block(&t, bases[b], bytes, 100 + 200 * i);
			if (i % 4 == 0)
				t.places[t.nr_places - 1].code[5] ^= 1;
		}
	}
	/* Two blocks that are alike elsewhere are a coincidence. */
	add_block(&t, 0xffffffff05000000, bytes, 500);
	add_block(&t, 0xffffffff05000000, bytes, 700);

	assert_int_equal(placements__find(&p, &module, &t), 0);
	assert_int_equal(p.nr, 2);
	for (size_t b = 0; b < 2; b++) {
		const struct placement *at =
			placements__at(&p, &module, bases[b] + 4095);

		assert_non_null(at);
		assert_int_equal(at->base, bases[b]);
		assert_int_equal(at->nr_blocks, 8);
		assert_int_equal(at->nr_alike, 6);
		assert_null(placements__at(&p, &module, bases[b] - 1));
		assert_null(placements__at(&p, &module, bases[b] + 4096));
	}
	assert_null(placements__at(&p, &module, 0xffffffff05000000 + 500));
	placements__free(&p);
	free(t.places);
}

static void test_whose_fence_it_is(void **state)
{
	static uint8_t bytes[SECTION_BYTES];
	struct code_section section = { ".text", bytes, SECTION_BYTES };
	struct code module = { .sections = &section, .nr_sections = 1 };
	const struct code kernel = { .image_start = KERNEL_START,
				     .image_end = KERNEL_START + 0x800000 };
	struct placement at = { .base = 0xffffffff00982000 };
	const struct placements placed = { &at, 1 };
	static const struct {
		uint64_t vaddr, offset;
		enum where where;
		uint64_t address;
	} cases[] = {
		{ 0x80002a68, 0x2a68, WHERE_FIRMWARE, 0x80002a68 },
		/* A guest without paging believes to be there, too. */
		{ 0x80002a68, 0x5002a68, WHERE_GUEST, 0x80002a68 },
		{ KERNEL_START + 0x5000, 0x205000, WHERE_KERNEL,
		  KERNEL_START + 0x5000 },
		/* Before paging is on. */
		{ 0x80205000, 0x205000, WHERE_KERNEL, KERNEL_START + 0x5000 },
		/* A guest's Linux has the addresses of the host's. */
		{ KERNEL_START + 0x5000, 0x6205000, WHERE_GUEST,
		  KERNEL_START + 0x5000 },
		{ KERNEL_START + 0x5000, TIMELINE_NO_OFFSET, WHERE_KERNEL,
		  KERNEL_START + 0x5000 },
		{ 0xffffffff00982010, 0x7000010, WHERE_MODULE, 0x10 },
		{ 0x10000, 0x7000000, WHERE_GUEST, 0x10000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct timeline_place p = { .vaddr = cases[i].vaddr,
						  .offset = cases[i].offset };
		uint64_t address;
		size_t in;

		assert_int_equal(where_is(&p, &kernel, &module, &placed,
					  &address, &in),
				 cases[i].where);
		assert_int_equal(address, cases[i].address);
	}
}

static void test_finds_a_function(void **state)
{
	struct code_function functions[] = {
		{ "a", 0, 0x10, 0x10 },
		{ "b", 0, 0x20, 0x8 },
		{ "c", 1, 0x0, 0x20 },
	};
	const struct code code = { .functions = functions, .nr_functions = 3 };

	(void)state;
	assert_null(code__find(&code, 0, 0xf));
	assert_string_equal(code__find(&code, 0, 0x10)->name, "a");
	assert_string_equal(code__find(&code, 0, 0x1f)->name, "a");
	assert_string_equal(code__find(&code, 0, 0x20)->name, "b");
	assert_null(code__find(&code, 0, 0x28));
	assert_string_equal(code__find(&code, 1, 0x1f)->name, "c");
	assert_null(code__find(&code, 2, 0x10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_log),
		cmocka_unit_test(test_refuses_a_damaged_log),
		cmocka_unit_test(test_finds_a_module),
		cmocka_unit_test(test_whose_fence_it_is),
		cmocka_unit_test(test_finds_a_function),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
