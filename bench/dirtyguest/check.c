// SPDX-License-Identifier: GPL-2.0-only
/* The oracle: see check.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define PAGE_WORDS 512 /* 64-bit words in a 4K page */
#define WORD_BITS 64

static __u64 bitmap_words(__u64 nr_pages)
{
	return (nr_pages + WORD_BITS - 1) / WORD_BITS;
}

int check__new(struct check *check, __u32 nr_vcpus, __u64 nr_pages,
	       __u64 slot_pages)
{
	memset(check, 0, sizeof(*check));
	check->nr_vcpus = nr_vcpus;
	check->nr_pages = nr_pages;
	check->slot_pages = slot_pages;
	check->expected = calloc(nr_vcpus * nr_pages, sizeof(__u64));
	check->written = calloc(bitmap_words(slot_pages), sizeof(__u64));
	if (check->expected && check->written)
		return 0;
	check__free(check);
	return -ENOMEM;
}

void check__begin_round(struct check *check)
{
	memset(check->written, 0,
	       bitmap_words(check->slot_pages) * sizeof(__u64));
}

__u64 check__record(struct check *check, const struct dg_pass *pass)
{
	__u64 *expected = check->expected + pass->vcpu * check->nr_pages;
	__u64 nr_writes = 0, page;
	struct dg_op op;

	for (__u64 i = 0; i < pass->nr_ops; i++) {
		dg_pass_op(pass, i, &op);
		if (!op.is_write)
			continue;
		page = op.page - check->first_page;
		expected[page] = op.value;
		check->written[page / WORD_BITS] |= 1ull << (page % WORD_BITS);
		nr_writes++;
	}
	return nr_writes;
}

void check__log(const struct check *check, const __u64 *bitmap,
		struct check_log *out)
{
	__u64 nr_words = bitmap_words(check->slot_pages);
	__u64 tail = check->slot_pages % WORD_BITS;

	memset(out, 0, sizeof(*out));
	for (__u64 i = 0; i < nr_words; i++) {
		__u64 written = check->written[i], reported = bitmap[i], lost;

		if (tail && i == nr_words - 1)
			reported &= (1ull << tail) - 1;
		lost = written & ~reported;
		if (lost && !out->pages_lost)
			out->first_lost = check->first_page + i * WORD_BITS +
					  (__u64)__builtin_ctzll(lost);
		out->pages_written += (__u64)__builtin_popcountll(written);
		out->pages_reported += (__u64)__builtin_popcountll(reported);
		out->pages_lost += (__u64)__builtin_popcountll(lost);
		out->pages_spurious +=
			(__u64)__builtin_popcountll(reported & ~written);
	}
}

void check__values(const struct check *check, const void *memory,
		   struct check_values *out)
{
	const volatile __u64 *words = memory;

	memset(out, 0, sizeof(*out));
	for (__u32 vcpu = 0; vcpu < check->nr_vcpus; vcpu++) {
		const __u64 *expected =
			check->expected + vcpu * check->nr_pages;

		for (__u64 page = 0; page < check->nr_pages; page++) {
			__u64 found = words[page * PAGE_WORDS + vcpu];

			if (found == expected[page])
				continue;
			if (!out->nr_wrong++) {
				out->vcpu = vcpu;
				out->page = check->first_page + page;
				out->expected = expected[page];
				out->found = found;
			}
		}
	}
}

void check__free(struct check *check)
{
	free(check->expected);
	free(check->written);
	memset(check, 0, sizeof(*check));
}
