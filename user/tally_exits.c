// SPDX-License-Identifier: GPL-2.0-only
/* VM exits, and what the time of vCPUs went to, as members of the run file. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "user/run.h"
#include "user/tally.h"

/*
 * The privileged specification's names. An interrupt and an exception of one
 * code have nothing in common.
 */
static const char *const exceptions[GSTAGE_EXIT_INTERRUPT] = {
	[0] = "instruction misaligned",
	[1] = "instruction access fault",
	[2] = "illegal instruction",
	[3] = "breakpoint",
	[4] = "load misaligned",
	[5] = "load access fault",
	[6] = "store misaligned",
	[7] = "store access fault",
	[8] = "ecall from user mode",
	[9] = "ecall from the hypervisor",
	[10] = "ecall from the guest",
	[12] = "instruction page fault",
	[13] = "load page fault",
	[15] = "store page fault",
	[16] = "double trap",
	[18] = "software check",
	[19] = "hardware error",
	[20] = "instruction guest page fault",
	[21] = "load guest page fault",
	[22] = "virtual instruction",
	[23] = "store guest page fault",
};

static const char *const interrupts[GSTAGE_EXIT_INTERRUPT] = {
	[1] = "software interrupt",
	[2] = "guest software interrupt",
	[5] = "timer interrupt",
	[6] = "guest timer interrupt",
	[9] = "external interrupt",
	[10] = "guest external interrupt",
	[12] = "external interrupt for a guest",
	[13] = "counter overflow interrupt",
	[35] = "low-priority RAS interrupt",
	[43] = "high-priority RAS interrupt",
};

const char *tally_exit_name(bool is_interrupt, unsigned int code)
{
	const char *name = NULL;

	if (code < GSTAGE_EXIT_INTERRUPT)
		name = is_interrupt ? interrupts[code] : exceptions[code];
	if (name)
		return name;
	return is_interrupt ? "other interrupt" : "other exception";
}

/* Append @row (stolen, may be NULL) to @array. 0 or -ENOMEM. */
static int append(json_t *array, json_t *row)
{
	if (!row || json_array_append_new(array, row))
		return -ENOMEM;
	return 0;
}

static int exit_rows(json_t *array, const struct gstage_exits *e)
{
	unsigned int i;

	for (i = 0; i < GSTAGE_NR_EXIT_CODES; i++) {
		bool is_interrupt = i >= GSTAGE_EXIT_INTERRUPT;
		unsigned int code = i % GSTAGE_EXIT_INTERRUPT;
		const struct gstage_exit *exit;
		struct hist h;

		if (!e->index[i] || e->index[i] > GSTAGE_MAX_EXIT_CAUSES)
			continue;
		exit = &e->list[e->index[i] - 1];
		tally_hist(&h, &exit->host_ns);
		if (append(array,
			   json_pack("{s:i s:i s:s s:b s:i s:I s:o}", "vm",
				     (int)e->vm, "vcpu", (int)e->vcpu, "cause",
				     tally_exit_name(is_interrupt, code),
				     "interrupt", (int)is_interrupt, "code",
				     (int)code, "count",
				     (json_int_t)exit->count, "host",
				     hist_to_json(&h, "ns"))))
			return -ENOMEM;
	}
	return 0;
}

static int stall_row(json_t *array, const struct gstage_exits *e,
		     const struct gstage_stall *s, const char *phase)
{
	json_int_t lock_ns = (json_int_t)s->ns[GSTAGE_DOING_LOCK];
	json_int_t wall_ns = 0;
	unsigned int i;

	for (i = 0; i < GSTAGE_NR_DOINGS; i++)
		wall_ns += (json_int_t)s->ns[i];
	if (!wall_ns)
		return 0;
	return append(
		array,
		json_pack("{s:i s:i s:s s:I s:I s:I s:I s:I}", "vm", (int)e->vm,
			  "vcpu", (int)e->vcpu, "phase", phase, "wall_ns",
			  wall_ns, "guest_ns",
			  (json_int_t)s->ns[GSTAGE_DOING_GUEST], "fault_ns",
			  (json_int_t)s->ns[GSTAGE_DOING_FAULT] + lock_ns,
			  "fence_ns", (json_int_t)s->ns[GSTAGE_DOING_FENCES],
			  "lock_ns", lock_ns));
}

static int stall_rows(json_t *array, const struct gstage_exits *e,
		      const struct tally *t)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < t->nr_phases; i++) {
		char name[32];

		tally_phase_name(&t->phases[i], name, sizeof(name));
		err = stall_row(array, e, &e->stalls[i], name);
	}
	return err;
}

static int by_vcpu(const void *pa, const void *pb)
{
	const struct gstage_exits *a = *(const struct gstage_exits *const *)pa;
	const struct gstage_exits *b = *(const struct gstage_exits *const *)pb;

	if (a->vm != b->vm)
		return a->vm < b->vm ? -1 : 1;
	return a->vcpu < b->vcpu ? -1 : a->vcpu > b->vcpu;
}

/* They have their places in the order in which they came; a file by number. */
static void sort_vcpus(const struct tally *t,
		       const struct gstage_exits *list[GSTAGE_MAX_EXIT_VCPUS])
{
	uint32_t i;

	for (i = 0; i < t->nr_exits; i++)
		list[i] = &t->exits[i];
	qsort(list, t->nr_exits, sizeof(list[0]), by_vcpu);
}

int tally_exits_to_run(const struct tally *t, json_t *root)
{
	json_t *exits = json_array(), *losses = json_object_get(root, "losses");
	const struct gstage_exits *list[GSTAGE_MAX_EXIT_VCPUS] = { NULL };
	int err = 0;
	uint32_t i;

	sort_vcpus(t, list);
	err |= json_object_set_new(root, "exits", exits);
	err |= json_object_set_new(losses, "vcpu_overflow",
				   json_integer(t->losses.vcpu_overflow));
	err |= json_object_set_new(losses, "cause_overflow",
				   json_integer(t->losses.cause_overflow));
	for (i = 0; !err && i < t->nr_exits; i++)
		err = exit_rows(exits, list[i]);
	return err ? -ENOMEM : 0;
}

int tally_stalls_to_run(const struct tally *t, json_t *root)
{
	const struct gstage_exits *list[GSTAGE_MAX_EXIT_VCPUS] = { NULL };
	json_t *stalls = json_array();
	int err;
	uint32_t i;

	sort_vcpus(t, list);
	err = json_object_set_new(root, "stalls", stalls);
	for (i = 0; !err && i < t->nr_exits; i++)
		err = stall_rows(stalls, list[i], t);
	return err ? -ENOMEM : 0;
}
