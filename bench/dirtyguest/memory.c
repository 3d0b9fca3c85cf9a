// SPDX-License-Identifier: GPL-2.0-only
/* Host memory of the backings: see memory.h. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "abi.h"
#include "diag.h"
#include "memory.h"

/* Linux 6.1 and later; older C library headers lack it. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define SHIFT_2M 21
#define SHIFT_1G 30

static const unsigned int backing_shift[DG_NR_BACKINGS] = {
	[DG_BACKING_4K] = DG_PAGE_SHIFT,
	[DG_BACKING_THP] = SHIFT_2M,
	[DG_BACKING_HUGETLB_2M] = SHIFT_2M,
	[DG_BACKING_HUGETLB_1G] = SHIFT_1G,
};

size_t memory__page_bytes(enum dg_backing backing)
{
	return (size_t)1 << backing_shift[backing];
}

static bool is_hugetlb(enum dg_backing backing)
{
	return backing == DG_BACKING_HUGETLB_2M ||
	       backing == DG_BACKING_HUGETLB_1G;
}

static void say_no_hugetlb(const struct dg_options *opts, size_t bytes, int err)
{
	size_t page_bytes = memory__page_bytes(opts->backing);
	size_t nr = bytes / page_bytes;
	const char *size = opts->backing == DG_BACKING_HUGETLB_1G ? "1G" : "2M";

	if (err == -ENOMEM)
		dg_err("%s: %zu free pages of %s are needed: echo %zu > /sys/kernel/mm/hugepages/hugepages-%zukB/nr_hugepages, or boot with hugepagesz=%s hugepages=%zu",
		       dg_backing_names[opts->backing], nr, size, nr,
		       page_bytes / 1024, size, nr);
	else
		dg_err("%s: the kernel has no huge pages of %s (%s): it needs CONFIG_HUGETLBFS, and for 1G memory for one page",
		       dg_backing_names[opts->backing], size, strerror(-err));
}

static int map_hugetlb(struct memory *mem, const struct dg_options *opts)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		    (int)(backing_shift[opts->backing] << MAP_HUGE_SHIFT);
	void *p;
	int err;

	p = mmap(NULL, mem->backing_bytes, PROT_READ | PROT_WRITE, flags, -1,
		 0);
	if (p == MAP_FAILED) {
		err = -errno;
		say_no_hugetlb(opts, mem->backing_bytes, err);
		return err;
	}
	mem->backing = mem->map_base = p;
	mem->map_bytes = mem->backing_bytes;
	return 0;
}

/* MemAvailable of /proc/meminfo in bytes, or 0 when it cannot be told. */
static __u64 available_bytes(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file;

	file = fopen("/proc/meminfo", "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	}
	fclose(file);
	return kib * 1024;
}

/*
 * All of it will be touched, and what does not fit would be swapped, or this
 * process killed, in the middle of a measurement.
 */
static int check_available(const struct memory *mem,
			   const struct dg_options *opts)
{
	__u64 available = available_bytes();

	if (!available || mem->backing_bytes <= available)
		return 0;
	dg_err("%s: %zu MiB are needed, %llu MiB are available: use a smaller --size or free memory",
	       dg_backing_names[opts->backing], mem->backing_bytes >> 20,
	       available >> 20);
	return -ENOMEM;
}

/* Ordinary memory, its start aligned to 2M so that a 2M leaf could cover it. */
static int map_anonymous(struct memory *mem, const struct dg_options *opts)
{
	const size_t align = (size_t)1 << SHIFT_2M;
	bool thp = opts->backing == DG_BACKING_THP;
	void *p;
	int err;

	err = check_available(mem, opts);
	if (err)
		return err;
	mem->map_bytes = mem->backing_bytes + align;
	p = mmap(NULL, mem->map_bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		err = -errno;
		dg_err("mmap of %zu bytes: %s", mem->map_bytes, strerror(-err));
		return err;
	}
	mem->map_base = p;
	mem->backing = (void *)(((uintptr_t)p + align - 1) & ~(align - 1));

	if (!madvise(mem->backing, mem->backing_bytes,
		     thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		return 0;
	/* A kernel without THP cannot make huge pages: as the 4k backing wants. */
	if (!thp)
		return 0;
	err = -errno;
	dg_err("thp: madvise(MADV_HUGEPAGE): %s: the kernel needs CONFIG_TRANSPARENT_HUGEPAGE",
	       strerror(-err));
	return err;
}

/*
 * Collapsing a block that is one huge page already succeeds at once, so this
 * both repairs and verifies. True when the block is one huge page.
 */
static bool collapse(void *block, size_t bytes, int *err)
{
	if (!madvise(block, bytes, MADV_COLLAPSE))
		return true;
	*err = errno;
	return false;
}

static int verify_thp(struct memory *mem)
{
	const size_t step = (size_t)1 << SHIFT_2M;
	int why = 0;

	mem->nr_huge = 0;
	for (__u64 i = 0; i < mem->nr_blocks; i++)
		mem->nr_huge +=
			collapse((char *)mem->backing + i * step, step, &why);

	if (mem->nr_huge == mem->nr_blocks)
		return 0;
	if (mem->nr_huge) {
		dg_warn("thp: only %llu of %llu blocks of 2 MiB are huge pages (%s)",
			mem->nr_huge, mem->nr_blocks, strerror(why));
		return 0;
	}
	dg_err("thp: none of %llu blocks of 2 MiB became a huge page (%s): enable them with echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, or free memory",
	       mem->nr_blocks, strerror(why));
	return -ENOMEM;
}

static void touch(struct memory *mem, size_t bytes, size_t step)
{
	volatile char *p = mem->backing;

	for (size_t i = 0; i < bytes; i += step)
		p[i] = 0;
}

int memory__map(struct memory *mem, const struct dg_options *opts)
{
	size_t page_bytes = memory__page_bytes(opts->backing);
	size_t offset = opts->slot_offset_pages * DG_PAGE_BYTES;
	int err;

	memset(mem, 0, sizeof(*mem));
	mem->bytes = dg_options__slot_pages(opts) * DG_PAGE_BYTES;
	mem->gpa = DG_TEST_GPA + offset;
	mem->backing_bytes = (offset + mem->bytes + page_bytes - 1) /
			     page_bytes * page_bytes;
	mem->nr_blocks =
		(offset + opts->size_bytes + page_bytes - 1) / page_bytes;

	if (is_hugetlb(opts->backing))
		err = map_hugetlb(mem, opts);
	else
		err = map_anonymous(mem, opts);
	if (err)
		goto out;

	mem->base = (char *)mem->backing + offset;
	touch(mem, offset + opts->size_bytes,
	      is_hugetlb(opts->backing) ? page_bytes : DG_PAGE_BYTES);

	mem->nr_huge = mem->nr_blocks;
	if (opts->backing == DG_BACKING_THP)
		err = verify_thp(mem);
out:
	if (err)
		memory__unmap(mem);
	return err;
}

void memory__unmap(struct memory *mem)
{
	if (mem->map_base)
		munmap(mem->map_base, mem->map_bytes);
	memset(mem, 0, sizeof(*mem));
}
