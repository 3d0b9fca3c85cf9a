// SPDX-License-Identifier: GPL-2.0-only
/* See ksyms.h. */
#include "user/ksyms.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
	uint64_t address;
	char name[56];
};

struct ksyms {
	struct symbol *list; /* sorted */
	size_t nr;
	size_t room;
	bool is_loaded;
	char text[80];
};

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int add(struct ksyms *k, uint64_t address, const char *name)
{
	if (k->nr == k->room) {
		size_t room = k->room ? 2 * k->room : 4096;
		void *list = realloc(k->list, room * sizeof(*k->list));

		if (!list)
			return -1;
		k->list = list;
		k->room = room;
	}
	k->list[k->nr].address = address;
	snprintf(k->list[k->nr].name, sizeof(k->list[k->nr].name), "%s", name);
	k->nr++;
	return 0;
}

struct ksyms *ksyms__new(void)
{
	return calloc(1, sizeof(struct ksyms));
}

static void load(struct ksyms *k)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], name[256], type;
	uint64_t address;

	k->is_loaded = true;
	while (file && fgets(line, sizeof(line), file)) {
		/* Labels of the compiler are no functions. */
		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type,
			   name) != 3 ||
		    !strchr("tTwW", type) || !address || strchr(".$", name[0]))
			continue;
		if (add(k, address, name))
			break;
	}
	if (file)
		fclose(file);
	if (k->nr)
		qsort(k->list, k->nr, sizeof(*k->list), by_address);
}

const char *ksyms__name(void *ctx, uint64_t address)
{
	struct ksyms *k = ctx;
	size_t lo = 0, hi;

	if (!k->is_loaded)
		load(k);
	hi = k->nr;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->list[mid].address <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	snprintf(k->text, sizeof(k->text), "%s+0x%" PRIx64,
		 k->list[lo - 1].name, address - k->list[lo - 1].address);
	return k->text;
}

void ksyms__free(struct ksyms *k)
{
	if (!k)
		return;
	free(k->list);
	free(k);
}
