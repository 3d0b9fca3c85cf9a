// SPDX-License-Identifier: GPL-2.0-only
/* What --checks looked at, as members of the run file. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "user/run.h"
#include "user/tally.h"

static const char *const names[GSTAGE_NR_CHECKS] = {
	[GSTAGE_CHECK_LIVELOCK] = "livelock",
	[GSTAGE_CHECK_LOGGED_LEAF] = "logged-leaf",
	[GSTAGE_CHECK_FLUSH_PROTOCOL] = "flush-protocol",
	[GSTAGE_CHECK_SPURIOUS] = "spurious",
	[GSTAGE_CHECK_FENCE_QUEUE] = "fence-queue",
	[GSTAGE_CHECK_SPLIT_COMPLETE] = "split-complete",
	[GSTAGE_CHECK_HOLES] = "holes",
};

const char *tally_check_name(unsigned int nr)
{
	return nr < GSTAGE_NR_CHECKS ? names[nr] : "unknown";
}

static void describe_fault(const struct gstage_check *c, unsigned int nr,
			   char *buf, size_t size)
{
	static const char *const formats[GSTAGE_NR_CHECKS] = {
		[GSTAGE_CHECK_LIVELOCK] =
			"vCPU %u faulted on GPA 0x%llx %llu times in a row",
		[GSTAGE_CHECK_LOGGED_LEAF] =
			"a write of vCPU %u to GPA 0x%llx, which is logged, left a leaf of %llu bytes",
		[GSTAGE_CHECK_FLUSH_PROTOCOL] =
			"vCPU %u changed leaves from GPA 0x%llx on, %llu bytes, and no fence covers them",
		[GSTAGE_CHECK_SPURIOUS] =
			"vCPU %u faulted on GPA 0x%llx %llu times in a row, which it was allowed to access",
		[GSTAGE_CHECK_HOLES] =
			"vCPU %u faulted on reading GPA 0x%llx, which had been mapped since logging began",
		[GSTAGE_CHECK_FENCE_QUEUE] =
			"vCPU %u flushed everything and its queue had not been full",
	};

	if (nr == GSTAGE_CHECK_FENCE_QUEUE && c->size == GSTAGE_QUEUE_STUCK) {
		snprintf(
			buf, size,
			"vCPU %u flushed everything and nothing drains its queue, which is full",
			c->vcpu);
		return;
	}
	/* What a format does not ask for is ignored. */
	if (formats[nr])
		snprintf(buf, size, formats[nr], c->vcpu, c->gpa, c->size);
}

static void describe_log_op(const struct gstage_check *c, unsigned int nr,
			    char *buf, size_t size)
{
	switch (nr) {
	case GSTAGE_CHECK_LOGGED_LEAF:
		snprintf(
			buf, size,
			"a log operation left the leaf of %llu bytes at GPA 0x%llx writable",
			c->size, c->gpa);
		break;
	case GSTAGE_CHECK_FLUSH_PROTOCOL:
		snprintf(
			buf, size,
			"a log operation changed leaves from GPA 0x%llx on, %llu bytes, and no fence covers them",
			c->gpa, c->size);
		break;
	case GSTAGE_CHECK_SPLIT_COMPLETE:
		snprintf(
			buf, size,
			"the leaf of %llu bytes at GPA 0x%llx was to be split and was not",
			c->size, c->gpa);
		break;
	case GSTAGE_CHECK_FENCE_QUEUE:
		snprintf(
			buf, size,
			"a log operation asked for more than %d fences in one hold of mmu_lock, at GPA 0x%llx",
			GSTAGE_FENCES_PER_HOLD, c->gpa);
		break;
	}
}

/* What is wrong the first time, with units. */
static void describe_first(const struct gstage_check *c, unsigned int nr,
			   char *buf, size_t size)
{
	buf[0] = '\0';
	if (c->vcpu == GSTAGE_NO_VCPU)
		describe_log_op(c, nr, buf, size);
	else
		describe_fault(c, nr, buf, size);
}

/* The stack by name, from the function on that raised the event. */
static json_t *stack_json(const struct gstage_check *c, symbol_fn symbol,
			  void *ctx)
{
	json_t *stack = json_array();
	unsigned int i;

	for (i = 0; i < GSTAGE_STACK_DEPTH && c->stack[i]; i++) {
		const char *name = symbol ? symbol(ctx, c->stack[i]) : NULL;
		char number[32];

		/* What lies above is the way into our own program. */
		if (name && (!strncmp(name, "bpf_trace_run", 13) ||
			     !strncmp(name, "bpf_prog_", 9) ||
			     !strncmp(name, "__bpf_trace_", 12) ||
			     !strncmp(name, "__traceiter_", 12))) {
			json_array_clear(stack);
			continue;
		}
		if (!name) {
			snprintf(number, sizeof(number), "0x%llx", c->stack[i]);
			name = number;
		}
		json_array_append_new(stack, json_string(name));
	}
	return stack;
}

/* What is told of a check besides its verdict; appended to @buf. */
static void describe_more(const struct tally *t, unsigned int nr, char *buf,
			  size_t size)
{
	const struct gstage_undone *undone = &t->checks.undone;
	const struct gstage_check *c = &t->checks.list[nr];
	size_t len = strlen(buf);
	uint64_t nr_full = 0;
	unsigned int i;

	if (nr == GSTAGE_CHECK_SPLIT_COMPLETE && undone->nr_failed)
		snprintf(
			buf + len, size - len,
			"; %llu splits failed, the first in %s at GPA 0x%llx: %s; log operations left %llu huge leaves",
			undone->nr_failed, tally_cause_name(undone->cause),
			undone->gpa, strerror(-undone->error), undone->nr_left);
	else if (nr == GSTAGE_CHECK_SPLIT_COMPLETE && c->broken)
		snprintf(buf + len, size - len,
			 "; log operations left %llu huge leaves",
			 undone->nr_left);
	if (nr != GSTAGE_CHECK_FENCE_QUEUE || !t->checks.nr_queues)
		return;
	for (i = 0; i < t->checks.nr_queues && i < GSTAGE_MAX_QUEUES; i++)
		nr_full += t->checks.queues[i].nr_full;
	snprintf(buf + len, size - len,
		 "; full queues: of %llu vCPU%s, %" PRIu64 " times",
		 t->checks.nr_queues, t->checks.nr_queues == 1 ? "" : "s",
		 nr_full);
}

static json_t *queues_json(const struct tally *t)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < t->checks.nr_queues && i < GSTAGE_MAX_QUEUES; i++) {
		const struct gstage_queue *q = &t->checks.queues[i];

		json_array_append_new(array,
				      json_pack("{s:I s:I s:I s:I s:I}", "vm",
						(json_int_t)q->vm, "vcpu",
						(json_int_t)q->vcpu, "full",
						(json_int_t)q->nr_full, "gpa",
						(json_int_t)q->gpa, "time_ns",
						(json_int_t)q->time_ns));
	}
	return array;
}

static json_t *undone_json(const struct tally *t)
{
	const struct gstage_undone *undone = &t->checks.undone;
	json_t *row = json_pack("{s:I s:I s:I}", "left",
				(json_int_t)undone->nr_left, "failed",
				(json_int_t)undone->nr_failed, "unjudged",
				(json_int_t)t->checks.unjudged_ops);

	if (row && undone->nr_failed)
		json_object_set_new(row, "first_failed",
				    json_pack("{s:I s:s s:i}", "gpa",
					      (json_int_t)undone->gpa, "cause",
					      tally_cause_name(undone->cause),
					      "errno", -undone->error));
	return row;
}

/* Members that one check alone has. */
static void set_own(const struct tally *t, unsigned int nr, json_t *row)
{
	switch (nr) {
	case GSTAGE_CHECK_FLUSH_PROTOCOL:
		json_object_set_new(
			row, "flushes",
			json_pack("{s:I s:I s:I s:I}", "missing",
				  (json_int_t)t->checks.flush_missing,
				  "too_small",
				  (json_int_t)t->checks.flush_too_small,
				  "redundant",
				  (json_int_t)t->checks.flush_redundant, "late",
				  (json_int_t)t->checks.flush_late));
		break;
	case GSTAGE_CHECK_FENCE_QUEUE:
		json_object_set_new(
			row, "most_fences",
			json_integer((json_int_t)t->checks.most_fences));
		json_object_set_new(row, "queues", queues_json(t));
		break;
	case GSTAGE_CHECK_SPLIT_COMPLETE:
		json_object_set_new(row, "undone", undone_json(t));
		break;
	}
}

static json_t *first_json(const struct tally *t, const struct gstage_check *c,
			  symbol_fn symbol, void *ctx)
{
	char phase[32];

	return json_pack(
		"{s:I s:I s:I s:I s:I s:I s:s s:o*}", "vm", (json_int_t)c->vm,
		"vcpu",
		c->vcpu == GSTAGE_NO_VCPU ? (json_int_t)-1 :
					    (json_int_t)c->vcpu,
		"gpa", (json_int_t)c->gpa, "size", (json_int_t)c->size,
		"time_ns", (json_int_t)c->time_ns, "after_faults",
		(json_int_t)c->nr_faults, "phase",
		tally_phase_name(&t->phases[c->phase % GSTAGE_MAX_PHASES],
				 phase, sizeof(phase)),
		"stack", stack_json(c, symbol, ctx));
}

static json_t *check_json(const struct tally *t, unsigned int nr,
			  symbol_fn symbol, void *ctx)
{
	const struct gstage_check *c = &t->checks.list[nr];
	char detail[512], first[256], more[40] = "";
	json_t *row;

	if (c->broken) {
		describe_first(c, nr, first, sizeof(first));
		if (c->broken > 1)
			snprintf(more, sizeof(more), "; %llu times in all",
				 c->broken);
		snprintf(detail, sizeof(detail), "%s%s", first, more);
	} else {
		snprintf(detail, sizeof(detail), "looked at %llu times",
			 c->checked);
	}
	describe_more(t, nr, detail, sizeof(detail));
	row = json_pack("{s:s s:b s:s s:I s:I}", "name", names[nr], "ok",
			!c->broken, "detail", detail, "looked_at",
			(json_int_t)c->checked, "broken",
			(json_int_t)c->broken);
	if (row && c->broken)
		json_object_set_new(row, "first",
				    first_json(t, c, symbol, ctx));
	if (row)
		set_own(t, nr, row);
	return row;
}

int tally_checks_to_run(const struct tally *t, json_t *root, symbol_fn symbol,
			void *symbol_ctx)
{
	json_t *array = json_object_get(root, "checks");
	unsigned int nr;

	for (nr = 0; nr < GSTAGE_NR_CHECKS; nr++) {
		json_t *row = check_json(t, nr, symbol, symbol_ctx);

		if (!row || json_array_append_new(array, row))
			return -ENOMEM;
	}
	return 0;
}
