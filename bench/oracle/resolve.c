// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle-resolve: gives names to what the oracle plugin counted, from the
 * kvm.ko and the vmlinux that ran, and writes it as JSON (docs/oracle.md).
 */
#include "bench/oracle/code.h"
#include "bench/oracle/locate.h"
#include "bench/oracle/timeline.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/exitcode.h"

/* One interval more than marks; a mark that was not reached has none. */
#define MAX_MARKS 8

struct options {
	const char *log, *module, *kernel, *output;
	const char *marks[MAX_MARKS];
	size_t nr_marks;
};

struct results {
	struct timeline t;
	struct code module, kernel;
	struct placements placements;
	/* Marks in the order in which they were reached. */
	const char *reached[MAX_MARKS];
	size_t nr_reached;
	/* [place][interval] */
	uint64_t (*counts)[MAX_MARKS + 1];
};

/* Is @p the first block of a function of the module that has this name? */
static bool is_entry_of(const struct results *r, const struct timeline_place *p,
			const char *name)
{
	const struct placement *at =
		placements__at(&r->placements, &r->module, p->vaddr);
	const struct code_function *f;

	if (!p->is_block || !at)
		return false;
	f = code__find(&r->module, at->section, p->vaddr - at->base);
	return f && f->start == p->vaddr - at->base && !strcmp(f->name, name);
}

static bool is_reached(const struct results *r, const char *mark)
{
	for (size_t i = 0; i < r->nr_reached; i++) {
		if (r->reached[i] == mark)
			return true;
	}
	return false;
}

static int count_events(struct results *r, const struct options *o)
{
	r->counts = calloc(r->t.nr_places + 1, sizeof(*r->counts));
	if (!r->counts)
		return -1;
	for (size_t i = 0; i < r->t.nr_events; i++) {
		const struct timeline_event *e = &r->t.events[i];

		if (!e->is_first) {
			r->counts[e->place][r->nr_reached] += e->count;
			continue;
		}
		for (size_t m = 0; m < o->nr_marks; m++) {
			if (!is_reached(r, o->marks[m]) &&
			    is_entry_of(r, &r->t.places[e->place], o->marks[m]))
				r->reached[r->nr_reached++] = o->marks[m];
		}
	}
	return 0;
}

static json_t *counts_json(const struct results *r, const uint64_t *counts)
{
	json_t *list = json_array();

	for (size_t i = 0; i <= r->nr_reached; i++)
		json_array_append_new(list, json_integer(counts[i]));
	return list;
}

static void set_counts(const struct results *r, json_t *to,
		       const uint64_t *counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= r->nr_reached; i++)
		sum += counts[i];
	json_object_set_new(to, "count", json_integer(sum));
	json_object_set_new(to, "counts", counts_json(r, counts));
}

static void set_fence(json_t *to, const uint8_t *code)
{
	uint32_t insn = code[0] | code[1] << 8 | code[2] << 16 |
			(uint32_t)code[3] << 24;
	static const struct {
		uint32_t funct7;
		const char *name;
	} names[] = {
		{ 0x09, "sfence.vma" },	 { 0x0b, "sinval.vma" },
		{ 0x11, "hfence.vvma" }, { 0x13, "hinval.vvma" },
		{ 0x31, "hfence.gvma" }, { 0x33, "hinval.gvma" },
	};
	const char *name = insn == 0x18000073 ? "sfence.w.inval" :
						"sfence.inval.ir";
	bool has_operands = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (insn >> 25 != names[i].funct7)
			continue;
		name = names[i].name;
		has_operands = true;
	}
	json_object_set_new(to, "insn", json_string(name));
	if (!has_operands)
		return;
	/* rs1 is an address, rs2 an ASID or VMID; x0 is all of them. */
	json_object_set_new(to, "address", json_boolean((insn >> 15) & 31));
	json_object_set_new(to, "id", json_boolean((insn >> 20) & 31));
}

static json_t *fences_json(const struct results *r)
{
	static const char *const names[NR_WHERES] = { "firmware", "kernel",
						      "module", "guest" };
	json_t *list = json_array();

	for (size_t i = 0; i < r->t.nr_places; i++) {
		const struct timeline_place *p = &r->t.places[i];
		const struct code_function *f = NULL;
		uint64_t address;
		size_t section;
		enum where where;
		char text[24];
		json_t *fence;

		if (p->is_block)
			continue;
		where = where_is(p, &r->kernel, &r->module, &r->placements,
				 &address, &section);
		if (where == WHERE_MODULE)
			f = code__find(&r->module, section, address);
		/* A kernel's sections lie one behind the other. */
		for (size_t s = 0;
		     where == WHERE_KERNEL && !f && s < r->kernel.nr_sections;
		     s++)
			f = code__find(&r->kernel, s, address);
		fence = json_object();
		json_object_set_new(fence, "where", json_string(names[where]));
		if (f)
			json_object_set_new(fence, "function",
					    json_string(f->name));
		snprintf(text, sizeof(text), "0x%llx",
			 (unsigned long long)p->vaddr);
		json_object_set_new(fence, "at", json_string(text));
		set_fence(fence, p->code);
		set_counts(r, fence, r->counts[i]);
		json_array_append_new(list, fence);
	}
	return list;
}

/* Of every function of the module, also those that never ran. */
static json_t *entries_json(const struct results *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->module.nr_functions; i++) {
		const struct code_function *f = &r->module.functions[i];
		uint64_t counts[MAX_MARKS + 1] = {};
		json_t *entry;

		for (size_t k = 0; k < r->placements.nr; k++) {
			const struct placement *at = &r->placements.list[k];

			if (at->section != f->section)
				continue;
			for (size_t j = 0; j < r->t.nr_places; j++) {
				const struct timeline_place *p =
					&r->t.places[j];

				if (!p->is_block ||
				    p->vaddr != at->base + f->start)
					continue;
				for (size_t m = 0; m <= r->nr_reached; m++)
					counts[m] += r->counts[j][m];
			}
		}
		entry = json_object();
		json_object_set_new(entry, "function", json_string(f->name));
		set_counts(r, entry, counts);
		json_array_append_new(list, entry);
	}
	return list;
}

static json_t *placements_json(const struct results *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->placements.nr; i++) {
		const struct placement *p = &r->placements.list[i];
		json_t *at = json_object();
		char text[24];

		snprintf(text, sizeof(text), "0x%llx",
			 (unsigned long long)p->base);
		json_object_set_new(
			at, "section",
			json_string(r->module.sections[p->section].name));
		json_object_set_new(at, "at", json_string(text));
		json_object_set_new(at, "blocks", json_integer(p->nr_blocks));
		json_object_set_new(at, "alike", json_integer(p->nr_alike));
		json_array_append_new(list, at);
	}
	return list;
}

static int write_results(const struct results *r, const char *path)
{
	json_t *root = json_object(), *intervals = json_array();
	int err;

	json_array_append_new(intervals, json_string("start"));
	for (size_t i = 0; i < r->nr_reached; i++)
		json_array_append_new(intervals, json_string(r->reached[i]));
	json_object_set_new(root, "schema", json_string("gstage-oracle/1"));
	json_object_set_new(root, "plugin_api", json_integer(r->t.api));
	json_object_set_new(root, "harts", json_integer(r->t.nr_harts));
	json_object_set_new(root, "intervals", intervals);
	json_object_set_new(root, "module", placements_json(r));
	json_object_set_new(root, "fences", fences_json(r));
	json_object_set_new(root, "entries", entries_json(r));
	err = path ? json_dump_file(root, path, JSON_INDENT(1)) :
		     json_dumpf(root, stdout, JSON_INDENT(1));
	json_decref(root);
	if (err)
		fprintf(stderr, "oracle-resolve: cannot write %s: %s\n",
			path ? path : "the results", strerror(errno));
	return err;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'k':
		o->kernel = arg;
		break;
	case 'm':
		o->module = arg;
		break;
	case 'o':
		o->output = arg;
		break;
	case 's':
		if (o->nr_marks == MAX_MARKS)
			argp_error(state, "more than %d marks", MAX_MARKS);
		o->marks[o->nr_marks++] = arg;
		break;
	case ARGP_KEY_ARG:
		if (o->log)
			argp_usage(state);
		o->log = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option options[] = {
	{ "kernel", 'k', "VMLINUX", 0, "The kernel that ran", 0 },
	{ "module", 'm', "KVM.KO", 0, "The module that was loaded", 0 },
	{ "output", 'o', "FILE", 0, "Write there (default: stdout)", 0 },
	{ "split-at", 's', "FUNCTION", 0,
	  "Begin a new interval where this function of the module is entered for the first time (repeatable)",
	  0 },
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "LOG",
		.doc = "Give names to what the oracle plugin of QEMU counted.",
	};
	struct results r = {};
	struct options o = {};
	int status = GSTAGE_EX_IMPOSSIBLE;

	argp_err_exit_status = GSTAGE_EX_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (timeline__read(&r.t, o.log) ||
	    (o.kernel && code__read(&r.kernel, o.kernel)) ||
	    (o.module && code__read(&r.module, o.module)) ||
	    placements__find(&r.placements, &r.module, &r.t) ||
	    count_events(&r, &o))
		goto out;
	if (!write_results(&r, o.output))
		status = GSTAGE_EX_OK;
out:
	free(r.counts);
	placements__free(&r.placements);
	code__free(&r.kernel);
	code__free(&r.module);
	timeline__free(&r.t);
	return status;
}
