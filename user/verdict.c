// SPDX-License-Identifier: GPL-2.0-only
/* See verdict.h. */
#include "user/verdict.h"

#include <stdio.h>
#include <string.h>

/*
 * The function that maps a page, and its name before the G-stage code had files of
 * its own. The version is never asked: distributions take patches back.
 */
#define MAP "kvm_riscv_mmu_map"
#define OLD_MAP "kvm_riscv_gstage_map"

static bool is_old_kvm(const struct probe_view *view)
{
	return !view->has_function(view->ctx, MAP) &&
	       view->has_function(view->ctx, OLD_MAP);
}

const struct obstacle *verdict_of_functions(struct ktypes *k,
					    const struct host *host,
					    bool want_kprobes)
{
	bool can_direct = ktypes__has_function(k, "register_ftrace_direct");
	bool can_kprobe = ktypes__has_function(k, "create_local_trace_kprobe");
	bool by_kprobes = want_kprobes || (!can_direct && can_kprobe);
	const struct obstacle *found =
		by_kprobes ? host_kprobe_obstacle(host, can_kprobe) :
			     host_function_obstacle(host, can_direct);

	ktypes__set_functions(k, by_kprobes, found ? found->what : NULL);
	return found;
}

const char *verdict_remedy(const struct probe_view *view,
			   const struct probe_choice *choice,
			   const struct obstacle *functions)
{
	if (functions && strstr(choice->reason, functions->what))
		return functions->remedy;
	if (is_old_kvm(view))
		return "run a kernel whose KVM has the newer G-stage code, as Linux 7.2 and 7.3 have";
	if (strstr(choice->reason, "nobody calls"))
		return choice->fact == FACT_VM_END ||
				       choice->fact == FACT_STALLS ||
				       choice->fact == FACT_LOCKS ?
			       "build KVM without link-time optimization (CONFIG_LTO_NONE=y)" :
			       "build KVM without link-time optimization (CONFIG_LTO_NONE=y), or load a kvm.ko with the series in kernel-patches/<base>/tracepoints";
	if (choice->fact == FACT_LOCKS)
		return "build the kernel with CONFIG_PREEMPTION=y or CONFIG_DEBUG_SPINLOCK=y: rwlocks are then out of line";
	if (choice->fact == FACT_VM_END)
		return NULL;
	return "load a kvm.ko with the series in kernel-patches/<base>/tracepoints";
}

static void say(struct verdict *v, const char *id, const char *remedy)
{
	snprintf(v->remedy, sizeof(v->remedy), "%s", remedy);
	v->obstacle = (struct obstacle){
		.id = id,
		.what = v->what,
		.remedy = v->remedy,
		.is_fatal = true,
	};
}

static void refuse(const struct probe_view *view, const struct probe_wish *wish,
		   const struct probe_choice *choice,
		   const struct obstacle *functions, struct verdict *v)
{
	const char *remedy = verdict_remedy(view, choice, functions);

	if (choice->fact == FACT_LOCKS)
		snprintf(v->what, sizeof(v->what),
			 "--locks: holds of mmu_lock cannot be seen: %s",
			 choice->reason);
	else if (choice->fact == FACT_CHECKS || choice->fact == FACT_EXITS ||
		 choice->fact == FACT_STALLS)
		snprintf(v->what, sizeof(v->what), "--%s: %s",
			 probes_fact_name(choice->fact), choice->reason);
	else if (is_old_kvm(view))
		snprintf(
			v->what, sizeof(v->what),
			"faults cannot be seen: the G-stage code of this KVM is an older one (function " OLD_MAP
			", no " MAP ")");
	else
		snprintf(v->what, sizeof(v->what), "faults cannot be seen: %s",
			 choice->reason);
	say(v,
	    choice->fact != FACT_FAULTS ? probes_fact_name(choice->fact) :
	    is_old_kvm(view)		? "old-kvm" :
					  "faults",
	    remedy ?: "nothing is known that changes it");
	if (choice->fact == FACT_FAULTS && wish->is_forced &&
	    wish->backend == BACKEND_TRACEPOINT && !is_old_kvm(view))
		snprintf(v->remedy, sizeof(v->remedy),
			 "%s, or try --backend auto", remedy);
}

bool verdict_is_enough(const struct probe_view *view,
		       const struct probe_wish *wish,
		       const struct probe_choice choices[NR_FACTS],
		       const struct obstacle *functions, struct verdict *v)
{
	static const enum fact needed[] = { FACT_FAULTS, FACT_CHECKS,
					    FACT_LOCKS, FACT_EXITS,
					    FACT_STALLS };
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (choices[needed[i]].status != PROBE_MISSING)
			continue;
		refuse(view, wish, &choices[needed[i]], functions, v);
		return false;
	}
	return true;
}
