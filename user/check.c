// SPDX-License-Identifier: GPL-2.0-only
/* Judges what must hold on a run file; see check.h. */
#include "user/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/out.h"
#include "user/run.h"

static void set(struct check_verdict *v, enum check_state state,
		const char *detail)
{
	v->state = state;
	snprintf(v->detail, sizeof(v->detail), "%s", detail);
}

/* Looked at while the run was traced: its row is in the run's checks. */
static void judge_traced(const json_t *run, struct check_verdict *v)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(run, "checks"), i, row) {
		if (strcmp(run_str(row, "name"), v->name))
			continue;
		set(v,
		    json_is_true(json_object_get(row, "ok")) ? CHECK_HELD :
							       CHECK_BROKEN,
		    run_str(row, "detail"));
		v->first = json_object_get(row, "first");
		if (v->state == CHECK_HELD &&
		    json_object_get(row, "looked_at") &&
		    !run_int(row, "looked_at"))
			set(v, CHECK_UNKNOWN,
			    "nothing happened that could break it");
		return;
	}
	set(v, CHECK_UNKNOWN, "not looked at: gstage trace --checks does");
}

/* The guest's memory against what the log reported. */
static void judge_lost_dirty(const json_t *run, struct check_verdict *v)
{
	const json_t *guest = json_object_get(run, "guest");
	json_int_t lost, wrong;

	if (!json_object_get(guest, "pages_written")) {
		set(v, CHECK_UNKNOWN,
		    "the workload does not compare its memory with the log (dirtyguest does)");
		return;
	}
	lost = run_int(guest, "pages_lost");
	wrong = run_int(guest, "values_wrong");
	v->state = lost || wrong ? CHECK_BROKEN : CHECK_HELD;
	snprintf(v->detail, sizeof(v->detail),
		 "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
		 " pages written were not reported, %" JSON_INTEGER_FORMAT
		 " had another value than was written",
		 lost, run_int(guest, "pages_written"), wrong);
}

static json_int_t count_splits(const json_t *of, const char *cause, bool failed)
{
	const json_t *row;
	json_int_t n = 0;
	size_t i;

	json_array_foreach(json_object_get(of, "splits"), i, row) {
		if (json_is_true(json_object_get(row, "failed")) != failed)
			continue;
		if (!cause || !strcmp(run_str(row, "cause"), cause))
			n = run_add(n, run_int(row, "count"));
	}
	return n;
}

/*
 * Leaves split by faults, but for those that were faster than a log operation
 * which would have split them a moment later.
 */
static json_int_t count_late_splits(const json_t *run)
{
	static const char *const during[] = { "enable", "get", "clear" };
	json_int_t n = count_splits(run, "fault", false);
	const json_t *phase;
	size_t i, j;

	json_array_foreach(json_object_get(run, "phases"), i, phase) {
		const char *name = run_str(phase, "name");

		for (j = 0; j < sizeof(during) / sizeof(during[0]); j++) {
			if (!strncmp(name, during[j], strlen(during[j])))
				n -= count_splits(phase, "fault", false);
		}
	}
	return n;
}

/*
 * Where leaves are split before they are written, each operation on the log has
 * split what it found, and no later write finds a huge leaf. With an initially
 * set log they are split by CLEAR and writable until then, so that holds, too.
 */
static void judge_split_complete(const json_t *run, struct check_verdict *v)
{
	const json_t *env = json_object_get(run, "environment");
	json_int_t failed = count_splits(run, NULL, true);
	json_int_t late = count_late_splits(run);

	judge_traced(run, v);
	if (v->state == CHECK_BROKEN)
		return;
	if (failed) {
		v->state = CHECK_BROKEN;
		snprintf(v->detail, sizeof(v->detail),
			 "%" JSON_INTEGER_FORMAT
			 " tries to split huge leaves failed",
			 failed);
	} else if (strcmp(run_str(env, "eager_page_split"), "Y")) {
		set(v, CHECK_UNKNOWN,
		    "this KVM splits when a page is written, not before; no split failed");
	} else if (late > 0) {
		v->state = CHECK_BROKEN;
		snprintf(v->detail, sizeof(v->detail),
			 "%" JSON_INTEGER_FORMAT
			 " huge leaves were left to be split by faults",
			 late);
	} else {
		v->state = CHECK_HELD;
		snprintf(
			v->detail, sizeof(v->detail),
			"%" JSON_INTEGER_FORMAT
			" leaves were split before they were written, none later",
			run_add(count_splits(run, "enable", false),
				run_add(count_splits(run, "clear", false),
					count_splits(run, "get", false))));
	}
}

/* Somebody has to read while somebody else splits. */
static void judge_holes(const json_t *run, struct check_verdict *v)
{
	judge_traced(run, v);
	if (v->state == CHECK_HELD &&
	    run_int(json_object_get(run, "environment"), "harts") == 1)
		set(v, CHECK_UNKNOWN,
		    "on one hart no vCPU runs while another one splits");
}

static const struct {
	const char *name;
	void (*judge)(const json_t *run, struct check_verdict *v);
} checks[] = {
	{ "lost-dirty", judge_lost_dirty },
	{ "logged-leaf", judge_traced },
	{ "flush-protocol", judge_traced },
	{ "livelock", judge_traced },
	{ "split-complete", judge_split_complete },
	{ "spurious", judge_traced },
	{ "holes", judge_holes },
	{ "fence-queue", judge_traced },
};

size_t check_count(void)
{
	return sizeof(checks) / sizeof(checks[0]);
}

const char *check_name(size_t i)
{
	return i < check_count() ? checks[i].name : NULL;
}

void check_judge(const json_t *run, size_t i, struct check_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->name = check_name(i);
	checks[i].judge(run, verdict);
}
