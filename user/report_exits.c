// SPDX-License-Identifier: GPL-2.0-only
/* The tables of --exits: exits by cause, and what a vCPU's time went to. */
#include "user/report_exits.h"

#include "user/run.h"

/* "0", or "vm 2, 0" where there are several VMs. */
static void vcpu_cell(struct out_table *table, const json_t *row, bool has_vms)
{
	if (has_vms)
		out_table__cell(table,
				"vm %" JSON_INTEGER_FORMAT
				", %" JSON_INTEGER_FORMAT,
				run_int(row, "vm"), run_int(row, "vcpu"));
	else
		out_table__cell(table, "%" JSON_INTEGER_FORMAT,
				run_int(row, "vcpu"));
}

static void exit_row(struct out_table *table, const json_t *row, bool has_vms,
		     const struct out_scale *scale)
{
	struct hist h = {};
	char buf[64];

	hist_from_json(json_object_get(row, "host"), &h);
	vcpu_cell(table, row, has_vms);
	out_table__cell(table, "%s",
			out_text(buf, sizeof(buf), run_str(row, "cause")));
	out_table__cell(table, "%" JSON_INTEGER_FORMAT, run_int(row, "count"));
	out_table__cell(table, "%s",
			out_scaled(buf, sizeof(buf), h.sum, scale));
	out_table__cell(table, "%s",
			h.count ? out_scaled(buf, sizeof(buf), h.sum / h.count,
					     scale) :
				  "-");
	out_table__cell(table, "%s",
			out_quantile(buf, sizeof(buf), &h, 500, scale));
	out_table__cell(table, "%s",
			out_quantile(buf, sizeof(buf), &h, 990, scale));
}

static int print_exits(FILE *out, const json_t *rows,
		       const struct out_scale *scale)
{
	static const char *const columns[] = { "vcpu", "cause", "exits", "host",
					       "mean", "p50",	"p99" };
	struct out_table *table = out_table__new();
	bool has_vms = run_has_several_vms(rows);
	size_t i;

	fprintf(out, "\nVM exits (host: from exit to entry, %s)\n",
		scale->unit);
	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		out_table__column(table, columns[i]);
	for (i = 0; i < json_array_size(rows); i++)
		exit_row(table, json_array_get(rows, i), has_vms, scale);
	return out_table__finish(table, out);
}

static void share_cell(struct out_table *table, json_int_t part,
		       json_int_t wall)
{
	out_table__cell(table, "%.1f %%",
			wall ? 100.0 * (double)part / (double)wall : 0);
}

static int print_stalls(FILE *out, const json_t *rows,
			const struct out_scale *scale)
{
	static const char *const columns[] = { "vcpu",	 "phase",  "time",
					       "guest",	 "faults", "of it lock",
					       "fences", "rest" };
	struct out_table *table = out_table__new();
	bool has_vms = run_has_several_vms(rows);
	char buf[64];
	size_t i;

	fprintf(out, "\nTime of vCPUs, by phase (%s)\n", scale->unit);
	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		out_table__column(table, columns[i]);
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		json_int_t wall = run_int(row, "wall_ns");
		json_int_t guest = run_int(row, "guest_ns");
		json_int_t fault = run_int(row, "fault_ns");
		json_int_t fence = run_int(row, "fence_ns");

		vcpu_cell(table, row, has_vms);
		out_table__cell(table, "%s",
				out_text(buf, sizeof(buf),
					 run_str(row, "phase")));
		out_table__cell(table, "%s",
				out_scaled(buf, sizeof(buf), (uint64_t)wall,
					   scale));
		share_cell(table, guest, wall);
		share_cell(table, fault, wall);
		share_cell(table, run_int(row, "lock_ns"), wall);
		share_cell(table, fence, wall);
		share_cell(table, wall - guest - fault - fence, wall);
	}
	return out_table__finish(table, out);
}

int report_print_exits(FILE *out, const json_t *run,
		       const struct out_scale *scale)
{
	const json_t *exits = json_object_get(run, "exits");
	const json_t *stalls = json_object_get(run, "stalls");
	int err = 0;

	/* An option that was not given is no finding. */
	if (!exits)
		return 0;
	if (!json_array_size(exits))
		fprintf(out, "\nVM exits: none seen\n");
	else
		err = print_exits(out, exits, scale);
	if (!err && json_array_size(stalls))
		err = print_stalls(out, stalls, scale);
	return err;
}
