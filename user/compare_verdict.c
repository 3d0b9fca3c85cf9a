// SPDX-License-Identifier: GPL-2.0-only
/* One answer from a comparison; see compare_verdict.h. */
#include "user/compare_verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/exitcode.h"
#include "user/run.h"

struct facts {
	bool has_gates;
	json_int_t gates_status;
	bool is_first_broken; /* the arm that the others are compared with */
	bool is_other_broken;
	bool is_nondeterministic;
};

static struct facts facts_of(const json_t *comparison)
{
	const json_t *broken = json_object_get(comparison, "broken");
	const json_t *arms = json_object_get(comparison, "arms");
	const char *first = run_str(json_array_get(arms, 0), "label");
	struct facts facts = {
		.has_gates =
			json_array_size(json_object_get(comparison, "gates")),
		.gates_status = run_int(json_object_get(comparison, "verdict"),
					"status"),
		.is_nondeterministic = json_is_false(
			json_object_get(comparison, "deterministic")),
	};
	size_t i;

	for (i = 0; i < json_array_size(broken); i++) {
		if (strcmp(run_str(json_array_get(broken, i), "arm"), first))
			facts.is_other_broken = true;
		else
			facts.is_first_broken = true;
	}
	return facts;
}

static json_int_t judge(const struct facts *facts, const char **why)
{
	if (facts->is_first_broken || facts->is_other_broken) {
		*why = "a run lost pages or failed a check";
		return GSTAGE_EX_REGRESSION;
	}
	if (facts->has_gates && facts->gates_status == GSTAGE_EX_REGRESSION)
		return facts->gates_status;
	if (facts->is_nondeterministic) {
		*why = "inconclusive: the same seed gave two results, so the harness has failed, not the kernel";
		return GSTAGE_EX_INCONCLUSIVE;
	}
	if (!facts->has_gates)
		*why = "compared; no gate was given";
	return facts->has_gates ? facts->gates_status : GSTAGE_EX_OK;
}

/* A broken arm is bad whatever its figures; a broken first arm is no measure. */
static json_int_t judge_bisect(const struct facts *facts, const char **why)
{
	json_int_t status;

	if (facts->is_other_broken) {
		*why = "bad: a run lost pages or failed a check";
		return GSTAGE_EX_REGRESSION;
	}
	if (facts->is_first_broken) {
		*why = "cannot be judged: the first arm, which is to be good, lost pages or failed a check";
		return GSTAGE_EX_SKIP;
	}
	if (facts->is_nondeterministic) {
		*why = "cannot be judged: the same seed gave two results";
		return GSTAGE_EX_SKIP;
	}
	if (!facts->has_gates) {
		*why = "cannot be judged: no page was lost, and no gate was given (--fail-on)";
		return GSTAGE_EX_SKIP;
	}
	status = facts->gates_status;
	return status == GSTAGE_EX_OK || status == GSTAGE_EX_REGRESSION ?
		       status :
		       GSTAGE_EX_SKIP;
}

int compare_set_verdict(json_t *comparison, bool bisect)
{
	const struct facts facts = facts_of(comparison);
	const json_t *gates = json_object_get(comparison, "verdict");
	const char *why = NULL;
	json_int_t status = bisect ? judge_bisect(&facts, &why) :
				     judge(&facts, &why);
	json_t *text;

	if (why && facts.has_gates)
		text = json_sprintf("%s; %s", why, run_str(gates, "text"));
	else
		text = json_string(why ? why : run_str(gates, "text"));
	return json_object_set_new(comparison, "verdict",
				   json_pack("{s:I, s:o}", "status", status,
					     "text", text)) ?
		       -ENOMEM :
		       0;
}
