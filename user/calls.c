// SPDX-License-Identifier: GPL-2.0-only
/*
 * See calls.h. Only the instructions are known that compilers make calls, tail calls
 * and addresses of (these do not branch to another function); a call through a pointer
 * is found where the address is taken. Data between the code may look like a call: it makes one too
 * many, and whoever asks wants to know of none.
 */
#include "user/calls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* The RISC-V Instruction Set Manual, volume I, RV32/64G instruction listings. */
#define OP_IMM 0x13
#define OP_AUIPC 0x17
#define OP_JALR 0x67
#define OP_JAL 0x6f
#define IS_SHORT_JUMP(insn) ((insn & 0xe003) == 0xa001) /* c.j */
#define FUNCT3(insn) (insn >> 12 & 7)
#define RD(insn) (insn >> 7 & 31)
#define RS1(insn) (insn >> 15 & 31)

/*
 * The two halves of an address are a few instructions apart, in bytes here; what is
 * further away is another value in the same register.
 */
#define MAX_APART 64

struct place {
	size_t section;
	uint64_t address;
};

struct calls {
	struct place *list;
	size_t nr;
	size_t room;
};

/* What auipc left in a register. */
struct upper {
	uint64_t value;
	uint64_t at; /* the instruction */
	bool is_valid;
};

struct calls *calls__new(void)
{
	return calloc(1, sizeof(struct calls));
}

int calls__add(struct calls *c, size_t section, uint64_t address)
{
	if (c->nr == c->room) {
		size_t room = c->room ? 2 * c->room : 4096;
		void *list = realloc(c->list, room * sizeof(*c->list));

		if (!list)
			return -ENOMEM;
		c->list = list;
		c->room = room;
	}
	c->list[c->nr].section = section;
	c->list[c->nr++].address = address;
	return 0;
}

/* The lowest @bits of @value, of which the highest is the sign. */
static int64_t sign_extend(uint32_t value, unsigned int bits)
{
	return (int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits);
}

/* @n bits of @insn from bit @from on, to be bit @to of an immediate. */
static uint32_t take(uint32_t insn, unsigned int from, unsigned int n,
		     unsigned int to)
{
	return (insn >> from & ((1U << n) - 1)) << to;
}

static int64_t offset_of_jal(uint32_t insn)
{
	return sign_extend(take(insn, 31, 1, 20) | take(insn, 12, 8, 12) |
				   take(insn, 20, 1, 11) |
				   take(insn, 21, 10, 1),
			   21);
}

/* Of c.j. */
static int64_t offset_of_short(uint16_t insn)
{
	return sign_extend(take(insn, 12, 1, 11) | take(insn, 8, 1, 10) |
				   take(insn, 9, 2, 8) | take(insn, 6, 1, 7) |
				   take(insn, 7, 1, 6) | take(insn, 2, 1, 5) |
				   take(insn, 11, 1, 4) | take(insn, 3, 3, 1),
			   12);
}

/* Where @insn at @pc leads, or the address that it makes; false: nowhere. */
static bool find_target(uint32_t insn, uint64_t pc, struct upper uppers[32],
			uint64_t *target)
{
	struct upper *upper = &uppers[RS1(insn)];

	switch (insn & 0x7f) {
	case OP_JAL:
		*target = pc + offset_of_jal(insn);
		return true;
	case OP_AUIPC:
		upper = &uppers[RD(insn)];
		upper->value = pc + sign_extend(insn & 0xfffff000, 32);
		upper->at = pc;
		upper->is_valid = true;
		return false;
	case OP_JALR:
	case OP_IMM: /* addi */
		if (FUNCT3(insn) || !upper->is_valid ||
		    pc - upper->at > MAX_APART)
			return false;
		*target = upper->value + sign_extend(insn >> 20, 12);
		return true;
	default:
		return false;
	}
}

int calls__scan(struct calls *c, size_t section, const unsigned char *code,
		size_t size, uint64_t address)
{
	struct upper uppers[32] = {};
	size_t at = 0, len;
	uint64_t target;

	for (; at + 2 <= size; at += len) {
		uint32_t insn = code[at] | (uint32_t)code[at + 1] << 8;
		bool is_found;

		len = 2;
		if ((insn & 3) != 3) {
			target = address + at + offset_of_short(insn);
			is_found = IS_SHORT_JUMP(insn);
		} else if (at + 4 > size) {
			break;
		} else {
			insn |= (uint32_t)code[at + 2] << 16 |
				(uint32_t)code[at + 3] << 24;
			is_found = find_target(insn, address + at, uppers,
					       &target);
			len = 4;
		}
		if (is_found && calls__add(c, section, target))
			return -ENOMEM;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

void calls__sort(struct calls *c)
{
	if (c->nr)
		qsort(c->list, c->nr, sizeof(*c->list), by_place);
}

int calls__count(const struct calls *c, size_t section, uint64_t address)
{
	const struct place wanted = { .section = section, .address = address };
	size_t lo = 0, hi = c->nr;
	int n = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_place(&c->list[mid], &wanted) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < c->nr && !by_place(&c->list[lo], &wanted); lo++)
		n++;
	return n;
}

void calls__free(struct calls *c)
{
	if (!c)
		return;
	free(c->list);
	free(c);
}
