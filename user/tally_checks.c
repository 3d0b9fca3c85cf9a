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
};

const char *tally_check_name(unsigned int nr)
{
	return nr < GSTAGE_NR_CHECKS ? names[nr] : "unknown";
}

/* What is wrong the first time, with units. */
static void describe_first(const struct gstage_check *c, unsigned int nr,
			   char *buf, size_t size)
{
	char who[32] = "a log operation";

	if (c->vcpu != GSTAGE_NO_VCPU)
		snprintf(who, sizeof(who), "vCPU %u", c->vcpu);

	switch (nr) {
	case GSTAGE_CHECK_LIVELOCK:
		snprintf(buf, size,
			 "%s faulted on GPA 0x%llx %llu times in a row", who,
			 c->gpa, c->size);
		break;
	case GSTAGE_CHECK_LOGGED_LEAF:
		snprintf(
			buf, size,
			"a write of %s to GPA 0x%llx, which is logged, left a leaf of %llu bytes",
			who, c->gpa, c->size);
		break;
	case GSTAGE_CHECK_FLUSH_PROTOCOL:
		snprintf(
			buf, size,
			"%s changed leaves from GPA 0x%llx on, %llu bytes, and no fence covers them",
			who, c->gpa, c->size);
		break;
	case GSTAGE_CHECK_SPURIOUS:
		snprintf(
			buf, size,
			"%s faulted on GPA 0x%llx %llu times in a row, which it was allowed to access",
			who, c->gpa, c->size);
		break;
	default:
		snprintf(
			buf, size,
			"%s asked for more fences than a queue holds (%d), at GPA 0x%llx",
			who, GSTAGE_FENCE_QUEUE, c->gpa);
		break;
	}
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
			     !strncmp(name, "bpf_prog_", 9))) {
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
	row = json_pack("{s:s s:b s:s s:I s:I}", "name", names[nr], "ok",
			!c->broken, "detail", detail, "looked_at",
			(json_int_t)c->checked, "broken",
			(json_int_t)c->broken);
	if (row && c->broken)
		json_object_set_new(row, "first",
				    json_pack("{s:I s:I s:I s:I s:I s:o*}",
					      "vm", (json_int_t)c->vm, "vcpu",
					      c->vcpu == GSTAGE_NO_VCPU ?
						      (json_int_t)-1 :
						      (json_int_t)c->vcpu,
					      "gpa", (json_int_t)c->gpa,
					      "time_ns", (json_int_t)c->time_ns,
					      "after_faults",
					      (json_int_t)c->nr_faults, "stack",
					      stack_json(c, symbol, ctx)));
	if (row && nr == GSTAGE_CHECK_FLUSH_PROTOCOL)
		json_object_set_new(
			row, "flushes",
			json_pack("{s:I s:I s:I s:I}", "missing",
				  (json_int_t)t->checks.flush_missing,
				  "too_small",
				  (json_int_t)t->checks.flush_too_small,
				  "redundant",
				  (json_int_t)t->checks.flush_redundant, "late",
				  (json_int_t)t->checks.flush_late));
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
