/* SPDX-License-Identifier: GPL-2.0-only */
/* The log that the plugin writes, read back: see plugin.c for its format. */
#ifndef GSTAGE_ORACLE_TIMELINE_H
#define GSTAGE_ORACLE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_CODE_BYTES 16
#define TIMELINE_NO_OFFSET UINT64_MAX

/* One fence instruction, or one block of code of a module. */
struct timeline_place {
	bool is_block;
	uint64_t vaddr;
	uint64_t offset; /* of a fence, in RAM; TIMELINE_NO_OFFSET: not known */
	uint8_t code[TIMELINE_CODE_BYTES];
	uint32_t nr_code; /* bytes */
};

struct timeline_event {
	uint32_t place;
	bool is_first; /* it runs for the first time; else: it ran so often */
	uint64_t count;
};

struct timeline {
	int api; /* of the plugin */
	int nr_harts;
	struct timeline_place *places;
	size_t nr_places;
	struct timeline_event *events;
	size_t nr_events;
};

/* 0, or -1 after saying why not; a log that was cut short is refused. */
int timeline__read(struct timeline *t, const char *path);
void timeline__free(struct timeline *t);

#endif /* GSTAGE_ORACLE_TIMELINE_H */
