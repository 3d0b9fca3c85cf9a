// SPDX-License-Identifier: GPL-2.0-only
/* Tables of figures, and the counts of a run; see compare_figures.h. */
#include "user/compare_figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/out.h"
#include "user/run.h"

size_t figures_first_boot(const struct compare_arm *arms, size_t arm)
{
	size_t first = 0, i;

	for (i = 0; i < arm; i++)
		first += arms[i].nr_runs;
	return first;
}

void figures_init(struct figure_table *table, size_t nr_boots)
{
	*table = (struct figure_table){ .nr_boots = nr_boots };
}

void figures_free(struct figure_table *table)
{
	size_t i;

	for (i = 0; i < table->nr_rows; i++)
		free(table->rows[i].of_boots);
	free(table->rows);
	table->rows = NULL;
	table->nr_rows = 0;
}

void figures_collect(struct figure_table *table, const struct compare_arm *arms,
		     size_t nr_arms, figures_add_fn add)
{
	size_t boot = 0, a, r;

	for (a = 0; a < nr_arms; a++) {
		for (r = 0; r < arms[a].nr_runs; r++)
			add(table, boot++, arms[a].runs[r]);
	}
}

/* A new row behind the last one of its section; NULL on no memory. */
static struct figure_row *insert_row(struct figure_table *table,
				     const char *section, const char *name,
				     const char *unit)
{
	size_t at = table->nr_rows, i, room;
	struct figure_row *rows, *row;
	struct figure *of_boots;

	if (table->nr_rows == table->room) {
		room = table->room ? 2 * table->room : 64;
		rows = realloc(table->rows, room * sizeof(*rows));
		if (!rows)
			return NULL;
		table->rows = rows;
		table->room = room;
	}
	of_boots = calloc(table->nr_boots, sizeof(*of_boots));
	if (!of_boots)
		return NULL;
	for (i = 0; i < table->nr_rows; i++) {
		if (!strcmp(table->rows[i].section, section))
			at = i + 1;
	}
	row = &table->rows[at];
	memmove(row + 1, row, (table->nr_rows - at) * sizeof(*row));
	table->nr_rows++;
	*row = (struct figure_row){ .unit = unit, .of_boots = of_boots };
	snprintf(row->section, sizeof(row->section), "%s", section);
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

struct figure_row *figures_row(struct figure_table *table, const char *section,
			       const char *name, const char *unit)
{
	struct figure_row *row;
	size_t i;

	for (i = 0; i < table->nr_rows; i++) {
		row = &table->rows[i];
		if (!strcmp(row->name, name) && !strcmp(row->section, section))
			return row;
	}
	row = insert_row(table, section, name, unit);
	if (!row)
		table->err = -ENOMEM;
	return row;
}

static void add_count(struct figure_table *table, size_t boot,
		      const char *section, const char *name, const char *unit,
		      json_int_t n)
{
	struct figure_row *row = figures_row(table, section, name, unit);
	struct figure *figure;

	if (!row)
		return;
	figure = &row->of_boots[boot];
	figure->is_present = true;
	figure->whole = run_add(figure->whole, n);
	figure->value = (double)figure->whole;
}

void figures_row_name(char *buf, size_t size, const json_t *row,
		      const char *const *keys)
{
	size_t used = 0;

	*buf = '\0';
	for (; *keys && used < size; keys++) {
		const json_t *value = json_object_get(row, *keys);
		const char *separator = used ? " " : "";

		if (json_is_integer(value))
			used += (size_t)snprintf(
				buf + used, size - used, "%s%s",
				!strcmp(*keys, "to_level") ? " -> " : separator,
				out_level(json_integer_value(value)));
		else if (json_is_true(value))
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s", separator, *keys);
		else if (json_is_string(value))
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s", separator,
						 json_string_value(value));
	}
}

/* --- counts --- */

/* Which member of which rows is which exact count. */
static const struct count_source {
	const char *array;
	const char *member;
	const char *section;
	const char *unit;
	const char *keys[5];
} count_sources[] = {
	{ "faults", "count", "faults", "count", { "path", "access" } },
	{ "splits",
	  "count",
	  "splits",
	  "count",
	  { "cause", "from_level", "to_level", "failed" } },
	{ "prot_updates", "count", "prot updates", "count", { "outcome" } },
	{ "write_protects",
	  "count",
	  "write-protects",
	  "count",
	  { "phase", "level" } },
	{ "flush_requests", "count", "flush requests", "count", { "kind" } },
	{ "flush_requests", "bytes", "flush bytes", "bytes", { "kind" } },
	{ "flush_requests",
	  "fallbacks",
	  "flush fallbacks",
	  "count",
	  { "kind" } },
	{ "flush_executed", "count", "flushes executed", "count", { "kind" } },
	{ "flush_executed", "fences", "fences", "count", { "kind" } },
	{ "locks", "count", "lock holds", "count", { "mode" } },
};

void figures_add_counts(struct figure_table *table, size_t boot,
			const json_t *run)
{
	static const char *const pages[] = { "pages_written", "pages_reported",
					     "pages_lost" };
	static const char *const names[] = { "written", "reported", "lost" };
	const json_t *faults = json_object_get(run, "faults");
	const json_t *guest = json_object_get(run, "guest");
	char name[96];
	size_t i, r;

	/* A fault may take another path in another arm: only the sum tells. */
	for (r = 0; r < json_array_size(faults); r++)
		add_count(table, boot, "faults", FIGURES_ALL_PATHS, "count",
			  run_int(json_array_get(faults, r), "count"));

	for (i = 0; i < sizeof(count_sources) / sizeof(*count_sources); i++) {
		const struct count_source *source = &count_sources[i];
		const json_t *rows = json_object_get(run, source->array);

		for (r = 0; r < json_array_size(rows); r++) {
			const json_t *row = json_array_get(rows, r);

			if (!json_object_get(row, source->member))
				continue;
			figures_row_name(name, sizeof(name), row, source->keys);
			add_count(table, boot, source->section, name,
				  source->unit, run_int(row, source->member));
		}
	}
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (json_object_get(guest, pages[i]))
			add_count(table, boot, "guest pages", names[i], "pages",
				  run_int(guest, pages[i]));
	}
}
