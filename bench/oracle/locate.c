// SPDX-License-Identifier: GPL-2.0-only
/* Finds a module by its code: see locate.h. */
#include "bench/oracle/locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fewer bytes could be anything. */
#define VOTE_BYTES 8
/* A coincidence is alone. */
#define MIN_VOTES 3

#define RAM_START 0x80000000ull
/* Of the firmware in RAM; QEMU's virt machine puts the kernel behind it. */
#define FIRMWARE_BYTES 0x200000ull
/* Addresses of the kernel have all upper bits set. */
#define KERNEL_HALF 0xffffffc000000000ull

struct vote {
	uint64_t base;
	size_t nr;
};

struct votes {
	struct vote *list;
	size_t nr;
};

static int add_vote(struct votes *votes, uint64_t base)
{
	struct vote *grown;

	for (size_t i = 0; i < votes->nr; i++) {
		if (votes->list[i].base == base) {
			votes->list[i].nr++;
			return 0;
		}
	}
	grown = realloc(votes->list, (votes->nr + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	votes->list = grown;
	grown[votes->nr++] = (struct vote){ .base = base, .nr = 1 };
	return 0;
}

/* The only place in the section that has these bytes; NULL: none or several. */
static const uint8_t *find_once(const struct code_section *s,
				const uint8_t *code, size_t nr_code)
{
	const uint8_t *end = s->bytes + s->size;
	const uint8_t *found = memmem(s->bytes, s->size, code, nr_code);

	if (!found || memmem(found + 1, end - found - 1, code, nr_code))
		return NULL;
	return found;
}

static int collect_votes(struct votes *votes, const struct code_section *s,
			 const struct timeline *t)
{
	for (size_t i = 0; i < t->nr_places; i++) {
		const struct timeline_place *p = &t->places[i];
		const uint8_t *found;

		if (!p->is_block || p->nr_code < VOTE_BYTES)
			continue;
		found = find_once(s, p->code, p->nr_code);
		if (found && add_vote(votes, p->vaddr - (found - s->bytes)))
			return -ENOMEM;
	}
	return 0;
}

static int compare_votes(const void *a, const void *b)
{
	const struct vote *v = a, *w = b;

	return v->nr > w->nr ? -1 : v->nr < w->nr;
}

static void count_blocks(struct placement *p, const struct code_section *s,
			 const struct timeline *t)
{
	for (size_t i = 0; i < t->nr_places; i++) {
		const struct timeline_place *b = &t->places[i];
		uint64_t offset = b->vaddr - p->base;

		if (!b->is_block || offset >= s->size)
			continue;
		p->nr_blocks++;
		if (b->nr_code <= s->size - offset &&
		    !memcmp(s->bytes + offset, b->code, b->nr_code))
			p->nr_alike++;
	}
}

static bool overlaps(const struct placements *p, const struct code *module,
		     uint64_t base, uint64_t size)
{
	for (size_t i = 0; i < p->nr; i++) {
		const struct placement *other = &p->list[i];
		uint64_t end =
			other->base + module->sections[other->section].size;

		if (base < end && other->base < base + size)
			return true;
	}
	return false;
}

static int add_placements(struct placements *p, const struct code *module,
			  size_t section, const struct votes *votes,
			  const struct timeline *t)
{
	const struct code_section *s = &module->sections[section];

	for (size_t i = 0; i < votes->nr; i++) {
		struct placement *grown;

		if (votes->list[i].nr < MIN_VOTES)
			break;
		if (overlaps(p, module, votes->list[i].base, s->size))
			continue;
		grown = realloc(p->list, (p->nr + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->list = grown;
		grown[p->nr] = (struct placement){
			.section = section,
			.base = votes->list[i].base,
		};
		count_blocks(&grown[p->nr++], s, t);
	}
	return 0;
}

int placements__find(struct placements *p, const struct code *module,
		     const struct timeline *t)
{
	int err = 0;

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; !err && i < module->nr_sections; i++) {
		struct votes votes = {};

		err = collect_votes(&votes, &module->sections[i], t);
		if (!err && votes.nr) {
			qsort(votes.list, votes.nr, sizeof(*votes.list),
			      compare_votes);
			err = add_placements(p, module, i, &votes, t);
		}
		free(votes.list);
	}
	if (err)
		fprintf(stderr, "oracle-resolve: %s\n", strerror(-err));
	return err ? -1 : 0;
}

void placements__free(struct placements *p)
{
	free(p->list);
	memset(p, 0, sizeof(*p));
}

const struct placement *placements__at(const struct placements *p,
				       const struct code *module,
				       uint64_t vaddr)
{
	for (size_t i = 0; i < p->nr; i++) {
		if (vaddr - p->list[i].base <
		    module->sections[p->list[i].section].size)
			return &p->list[i];
	}
	return NULL;
}

static bool is_kernel(const struct timeline_place *p, const struct code *kernel,
		      uint64_t *address)
{
	uint64_t bytes = kernel->image_end - kernel->image_start;
	uint64_t in_image = p->offset - FIRMWARE_BYTES;

	*address = p->vaddr;
	if (!bytes) /* no vmlinux: nobody else is known to be up there */
		return p->vaddr >= KERNEL_HALF;
	if (p->offset == TIMELINE_NO_OFFSET)
		return p->vaddr - kernel->image_start < bytes;
	if (in_image >= bytes)
		return false;
	/* Linked there, or before paging is on where it lies. */
	*address = kernel->image_start + in_image;
	return p->vaddr == *address || p->vaddr == RAM_START + p->offset;
}

enum where where_is(const struct timeline_place *p, const struct code *kernel,
		    const struct code *module,
		    const struct placements *placements, uint64_t *address,
		    size_t *section)
{
	const struct placement *at;

	*address = p->vaddr;
	*section = 0;
	if (p->offset < FIRMWARE_BYTES && p->vaddr == RAM_START + p->offset)
		return WHERE_FIRMWARE;
	at = placements__at(placements, module, p->vaddr);
	if (at) {
		*address = p->vaddr - at->base;
		*section = at->section;
		return WHERE_MODULE;
	}
	if (is_kernel(p, kernel, address))
		return WHERE_KERNEL;
	return WHERE_GUEST;
}
