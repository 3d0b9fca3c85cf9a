// SPDX-License-Identifier: GPL-2.0-only
/* Tables and single values as text; see out.h. Histograms: out_hist.c. */
#include "user/out.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 2
#define GAP 2

struct out_table {
	size_t nr_columns;
	size_t nr_cells; /* the headers are the first nr_columns of them */
	size_t room;
	char **cells;
	int err;
};

struct out_table *out_table__new(void)
{
	return calloc(1, sizeof(struct out_table));
}

/* Takes over @text; NULL is lack of memory. */
static void append(struct out_table *table, char *text)
{
	char **cells;
	size_t room;

	if (table->nr_cells == table->room) {
		room = table->room ? 2 * table->room : 64;
		cells = realloc(table->cells, room * sizeof(*cells));
		if (!cells) {
			table->err = -ENOMEM;
			free(text);
			return;
		}
		table->cells = cells;
		table->room = room;
	}
	if (!text)
		table->err = -ENOMEM;
	table->cells[table->nr_cells++] = text;
}

void out_table__column(struct out_table *table, const char *header)
{
	if (!table)
		return;
	append(table, strdup(header));
	table->nr_columns = table->nr_cells;
}

void out_table__cell(struct out_table *table, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (!table)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	append(table, text);
}

static size_t column_width(const struct out_table *table, size_t column)
{
	size_t i, len, width = 0;

	for (i = column; i < table->nr_cells; i += table->nr_columns) {
		len = strlen(table->cells[i]);
		if (len > width)
			width = len;
	}
	return width;
}

/* First column, then columns [from, to), of every row. */
static void print_columns(const struct out_table *table, FILE *out, size_t from,
			  size_t to)
{
	size_t row, column;

	for (row = 0; row < table->nr_cells; row += table->nr_columns) {
		fprintf(out, "%*s%-*s", INDENT, "", (int)column_width(table, 0),
			table->cells[row]);
		for (column = from; column < to; column++)
			fprintf(out, "%*s%*s", GAP, "",
				(int)column_width(table, column),
				table->cells[row + column]);
		fputc('\n', out);
	}
}

int out_table__print(const struct out_table *table, FILE *out)
{
	size_t from, to, used;

	if (!table)
		return -ENOMEM;
	if (table->err)
		return table->err;
	if (!table->nr_columns || table->nr_cells % table->nr_columns)
		return -EINVAL;

	for (from = 1; from < table->nr_columns; from = to) {
		used = INDENT + column_width(table, 0);
		for (to = from; to < table->nr_columns; to++) {
			used += GAP + column_width(table, to);
			/* One column too wide for the page is shown anyway. */
			if (used > OUT_WIDTH && to > from)
				break;
		}
		if (from > 1)
			fputc('\n', out);
		print_columns(table, out, from, to);
	}
	return 0;
}

void out_table__free(struct out_table *table)
{
	size_t i;

	if (!table)
		return;
	for (i = 0; i < table->nr_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

int out_table__finish(struct out_table *table, FILE *out)
{
	int err = out_table__print(table, out);

	out_table__free(table);
	return err;
}

const char *out_scaled(char *buf, size_t size, uint64_t v,
		       const struct out_scale *scale)
{
	uint64_t whole = v / scale->divisor, part = v % scale->divisor;
	uint64_t unit = scale->divisor;
	unsigned int i;

	for (i = 0; i < scale->decimals && unit >= 10; i++)
		unit /= 10;
	if (i)
		snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64, whole, (int)i,
			 part / unit);
	else
		snprintf(buf, size, "%" PRIu64, whole);
	return buf;
}

const char *out_level(long long level)
{
	static const char *const names[] = { "4K", "2M", "1G", "512G", "256T" };

	if (level < 0 || level >= (long long)(sizeof(names) / sizeof(names[0])))
		return "?";
	return names[level];
}

const char *out_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const char units[] = "KMGT";
	unsigned int i = 0;

	while (bytes && !(bytes % 1024) && i < sizeof(units) - 1) {
		bytes /= 1024;
		i++;
	}
	if (i)
		snprintf(buf, size, "%" PRIu64 "%c", bytes, units[i - 1]);
	else
		snprintf(buf, size, "%" PRIu64, bytes);
	return buf;
}

const char *out_text(char *buf, size_t size, const char *text)
{
	char *p;

	snprintf(buf, size, "%s", text ? text : "-");
	for (p = buf; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	return buf;
}
