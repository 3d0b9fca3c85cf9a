// SPDX-License-Identifier: GPL-2.0-only
/* Reads the log of the plugin: see timeline.h. */
#include "bench/oracle/timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next element of an array that grows by halves, zeroed; NULL: no memory. */
static void *grow(void **array, size_t *nr, size_t size)
{
	char *grown = *array;

	if (!(*nr & (*nr - 1))) {
		grown = realloc(grown, (*nr ? 2 * *nr : 1) * size);
		if (!grown)
			return NULL;
		*array = grown;
	}
	return memset(grown + (*nr)++ * size, 0, size);
}

static int read_code(struct timeline_place *p, const char *hex)
{
	size_t len = strlen(hex);

	if (!len || len % 2 || len / 2 > sizeof(p->code))
		return -EINVAL;
	for (size_t i = 0; i < len / 2; i++) {
		if (sscanf(hex + 2 * i, "%2hhx", &p->code[i]) != 1)
			return -EINVAL;
	}
	p->nr_code = len / 2;
	return 0;
}

static int read_place(struct timeline *t, const char *line)
{
	struct timeline_place *p =
		grow((void **)&t->places, &t->nr_places, sizeof(*p));
	char offset[24] = "-", code[2 * TIMELINE_CODE_BYTES + 1];
	size_t id;
	int got;

	if (!p)
		return -ENOMEM;
	p->is_block = line[0] == 'b';
	p->offset = TIMELINE_NO_OFFSET;
	if (p->is_block)
		got = 1 + sscanf(line, "b %zu %" SCNx64 " %32s", &id, &p->vaddr,
				 code);
	else
		got = sscanf(line, "f %zu %" SCNx64 " %23s %32s", &id,
			     &p->vaddr, offset, code);
	if (got != 4 || id != t->nr_places - 1)
		return -EINVAL;
	if (strcmp(offset, "-"))
		p->offset = strtoull(offset, NULL, 16);
	return read_code(p, code);
}

static int read_event(struct timeline *t, const char *line)
{
	struct timeline_event *e =
		grow((void **)&t->events, &t->nr_events, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->is_first = line[0] == '@';
	if (e->is_first ? sscanf(line, "@ %" SCNu32, &e->place) != 1 :
			  sscanf(line, "+ %" SCNu32 " %" SCNu64, &e->place,
				 &e->count) != 2)
		return -EINVAL;
	return e->place < t->nr_places ? 0 : -EINVAL;
}

/* 1 at the end of the log, 0, or -errno. */
static int read_line(struct timeline *t, const char *line, size_t nr)
{
	if (nr == 1)
		return sscanf(line, "gstage-oracle 1 %d %d", &t->api,
			      &t->nr_harts) == 2 ?
			       0 :
			       -EINVAL;
	switch (line[0]) {
	case 'f':
	case 'b':
		return read_place(t, line);
	case '+':
	case '@':
		return read_event(t, line);
	case 'e':
		return strcmp(line, "end\n") ? -EINVAL : 1;
	}
	return -EINVAL;
}

int timeline__read(struct timeline *t, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0, nr = 0;
	int err = 0;

	memset(t, 0, sizeof(*t));
	if (!file) {
		fprintf(stderr, "oracle-resolve: cannot read %s: %s\n", path,
			strerror(errno));
		return -1;
	}
	while (!err && getline(&line, &room, file) > 0)
		err = read_line(t, line, ++nr);
	free(line);
	fclose(file);
	if (err == 1)
		return 0;
	if (err)
		fprintf(stderr, "oracle-resolve: %s: line %zu: %s\n", path, nr,
			strerror(-err));
	else
		fprintf(stderr,
			"oracle-resolve: %s has no end: QEMU did not end by itself, or the disk was full\n",
			path);
	return -1;
}

void timeline__free(struct timeline *t)
{
	free(t->places);
	free(t->events);
	memset(t, 0, sizeof(*t));
}
