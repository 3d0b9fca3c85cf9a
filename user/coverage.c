// SPDX-License-Identifier: GPL-2.0-only
/* See coverage.h. */
#include "user/coverage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static bool is_by_function(const struct probe_choice *choice)
{
	return probes_is_served_by(choice, BACKEND_FUNCTION);
}

static void __attribute__((format(printf, 2, 3)))
make_partial(struct probe_choice *choice, const char *fmt, ...)
{
	va_list ap;

	if (!is_by_function(choice) || choice->status == PROBE_PARTIAL)
		return;
	choice->status = PROBE_PARTIAL;
	va_start(ap, fmt);
	vsnprintf(choice->reason, sizeof(choice->reason), fmt, ap);
	va_end(ap);
}

/*
 * A fault of the fast path that changed a permission has asked for a fence. If
 * none of them ever did, their requests go past the hook.
 */
static void judge_fast_faults(const struct tally *t,
			      struct probe_choice choices[NR_FACTS])
{
	struct gstage_phase_counts total;
	uint64_t n, nr_requests = 0;
	unsigned int i;

	tally_total(t, &total);
	n = total.faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE];
	for (i = 0; i < GSTAGE_NR_LEVELS; i++)
		nr_requests += total.fault_flushes[i];
	/* With tracepoints they come with the faults. */
	if (!n || nr_requests || !is_by_function(&choices[FACT_FLUSH_REQUESTS]))
		return;
	make_partial(
		&choices[FACT_FLUSH_REQUESTS],
		"none of %" PRIu64
		" fast faults was seen to ask for a fence: kvm_riscv_hfence_gvma_vmid_gpa is inlined there",
		n);
	make_partial(
		&choices[FACT_PROT_UPDATES],
		"the fences that tell a change of permission were not seen");
}

void coverage_judge(const struct tally *t,
		    struct probe_choice choices[NR_FACTS])
{
	const struct gstage_coverage *c = &t->coverage;

	if (c->faults_unseen) {
		make_partial(&choices[FACT_FAULTS],
			     "%llu faults were mapped and not seen to begin",
			     c->faults_unseen);
		make_partial(&choices[FACT_LATENCIES],
			     "%llu faults were mapped and not seen to begin",
			     c->faults_unseen);
	}
	if (c->fences_unseen)
		make_partial(
			&choices[FACT_FLUSH_EXECUTED],
			"%llu fences were asked for and executed while a queue was emptied",
			c->fences_unseen);
	if (c->scans_cut)
		make_partial(
			&choices[FACT_WRITE_PROTECTS],
			"%llu passes went over more than can be looked through",
			c->scans_cut);
	judge_fast_faults(t, choices);
}
