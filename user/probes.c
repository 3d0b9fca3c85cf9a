// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of what serves which fact, and nothing else knows: see probes.h.
 *
 * The function backend hooks only functions that are called from another file
 * than their own, or through a pointer: without link-time optimization these
 * calls cannot be inlined, and their arguments are those of the source. A static
 * function may have lost some (make_xfence_request() of clang 19 has). What could
 * still go unseen is looked for in user/coverage.c.
 */
#include "user/probes.h"

#include <stdio.h>
#include <string.h>

/*
 * They are attached in this order and detached in the other: a fault that is
 * counted is then one whose latency is seen, too, and a hold that is seen to
 * begin is seen to end.
 */
static const struct probe probes[] = {
	{ "on_fault", "kvm_gstage_fault", HOOK_TRACEPOINT, false },
	{ "on_split", "kvm_mmu_split_huge_page", HOOK_TRACEPOINT, false },
	{ "on_hfence_request", "kvm_hfence_request", HOOK_TRACEPOINT, false },
	/* At its end an operation is judged in the phase that it was. */
	{ "check_dirty_log", "kvm_dirty_log", HOOK_TRACEPOINT, false },
	{ "on_dirty_log", "kvm_dirty_log", HOOK_TRACEPOINT, false },
	{ "on_memory", "kvm_arch_prepare_memory_region", HOOK_FENTRY, false },
	{ "on_destroy_vm", "kvm_arch_destroy_vm", HOOK_FENTRY, false },
	/* There are none without debugfs. */
	{ "on_reset", "kvm_stat_data_clear", HOOK_FENTRY, true },
	{ "on_reset_vms", "vm_stat_clear", HOOK_FENTRY, true },
	{ "on_reset_vcpus", "vcpu_stat_clear", HOOK_FENTRY, true },

	/* A range is entered after it is marked as one. */
	{ "fn_range_done", "kvm_arch_flush_remote_tlbs_range", HOOK_FEXIT,
	  false },
	{ "fn_range", "kvm_arch_flush_remote_tlbs_range", HOOK_FENTRY, false },
	{ "fn_flush_gpa", "kvm_riscv_hfence_gvma_vmid_gpa", HOOK_FENTRY,
	  false },
	{ "fn_flush_vmid", "kvm_riscv_hfence_gvma_vmid_all", HOOK_FENTRY,
	  true },
	{ "fn_flush_vm", "kvm_flush_remote_tlbs", HOOK_FENTRY, true },
	{ "fn_vvma_asid_gva", "kvm_riscv_hfence_vvma_asid_gva", HOOK_FENTRY,
	  true },
	{ "fn_vvma_asid_all", "kvm_riscv_hfence_vvma_asid_all", HOOK_FENTRY,
	  true },
	{ "fn_vvma_gva", "kvm_riscv_hfence_vvma_gva", HOOK_FENTRY, true },
	{ "fn_vvma_all", "kvm_riscv_hfence_vvma_all", HOOK_FENTRY, true },
	{ "fn_hfences", "kvm_riscv_hfence_process", HOOK_FENTRY, false },
	{ "fn_flush_all", "kvm_riscv_tlb_flush_process", HOOK_FENTRY, false },
	{ "fn_flush_vvma", "kvm_riscv_hfence_vvma_all_process", HOOK_FENTRY,
	  true },
	{ "fn_split", "kvm_riscv_gstage_split_huge", HOOK_FENTRY, false },
	{ "fn_split_done", "kvm_riscv_gstage_split_huge", HOOK_FEXIT, false },
	{ "fn_wp_range", "kvm_riscv_gstage_wp_range", HOOK_FENTRY, false },
	{ "fn_wp_range_done", "kvm_riscv_gstage_wp_range", HOOK_FEXIT, false },
	/* Since 7.3; before that CLEAR and GET go through wp_range. */
	{ "fn_wp_masked", "kvm_riscv_gstage_wp_pt_masked", HOOK_FENTRY, true },
	{ "fn_wp_masked_done", "kvm_riscv_gstage_wp_pt_masked", HOOK_FEXIT,
	  true },
	{ "fn_log_op", "kvm_arch_sync_dirty_log", HOOK_FENTRY, false },
	{ "fn_flush_slot", "kvm_arch_flush_shadow_memslot", HOOK_FENTRY,
	  false },
	{ "fn_set_slot", "kvm_arch_prepare_memory_region", HOOK_FENTRY, false },
	{ "fn_ioctl", "kvm_vm_ioctl", HOOK_FENTRY, false },
	{ "fn_ioctl_done", "kvm_vm_ioctl", HOOK_FEXIT, false },
	{ "fn_mapped", "kvm_riscv_mmu_map", HOOK_FEXIT, false },
	{ "fn_map_page_done", "kvm_riscv_gstage_map_page", HOOK_FEXIT, false },
	{ "fn_map_page", "kvm_riscv_gstage_map_page", HOOK_FENTRY, false },
	{ "fn_topup", "kvm_mmu_topup_memory_cache", HOOK_FEXIT, false },
	{ "fn_mmio_load", "kvm_riscv_vcpu_mmio_load", HOOK_FENTRY, false },
	{ "fn_mmio_store", "kvm_riscv_vcpu_mmio_store", HOOK_FENTRY, false },
	{ "fn_redirect", "kvm_riscv_vcpu_trap_redirect", HOOK_FENTRY, false },
	{ "fn_run_done", "vcpu_put", HOOK_FENTRY, false },
	{ "fn_cpu", "kvm_riscv_vcpu_exit", HOOK_FENTRY, false },
	{ "fn_exit", "kvm_riscv_vcpu_exit", HOOK_FENTRY, false },
	{ "fn_exit_timed", "kvm_riscv_vcpu_exit", HOOK_FENTRY, false },

	{ "check_wp", "kvm_gstage_wp", HOOK_TRACEPOINT, false },
	{ "check_split", "kvm_mmu_split_huge_page", HOOK_TRACEPOINT, false },
	{ "check_hfence_request", "kvm_hfence_request", HOOK_TRACEPOINT,
	  false },
	{ "check_write_lock", "_raw_write_lock", HOOK_FENTRY, true },
	{ "check_unmap", "kvm_unmap_gfn_range", HOOK_FENTRY, true },
	{ "check_age", "kvm_age_gfn", HOOK_FENTRY, true },
	{ "check_request_all", "kvm_make_all_cpus_request", HOOK_FENTRY, true },
	{ "check_flush_all", "kvm_riscv_tlb_flush_process", HOOK_FENTRY, true },
	{ "on_write_unlock", "_raw_write_unlock", HOOK_FENTRY, false },
	{ "on_write_lock", "_raw_write_lock", HOOK_FEXIT, false },
	{ "on_read_unlock", "_raw_read_unlock", HOOK_FENTRY, false },
	{ "on_read_lock", "_raw_read_lock", HOOK_FEXIT, false },

	{ "on_exit", "kvm_exit", HOOK_TRACEPOINT, false },
	{ "on_entry", "kvm_entry", HOOK_TRACEPOINT, false },
	{ "stall_fault_done", "kvm_riscv_mmu_map", HOOK_FEXIT, false },
	{ "stall_fault", "kvm_riscv_mmu_map", HOOK_FENTRY, false },
	{ "stall_fences_done", "kvm_riscv_hfence_process", HOOK_FEXIT, false },
	{ "stall_fences", "kvm_riscv_hfence_process", HOOK_FENTRY, false },
	{ "stall_flush_done", "kvm_riscv_tlb_flush_process", HOOK_FEXIT,
	  false },
	{ "stall_flush", "kvm_riscv_tlb_flush_process", HOOK_FENTRY, false },
	{ "stall_vvma_done", "kvm_riscv_hfence_vvma_all_process", HOOK_FEXIT,
	  false },
	{ "stall_vvma", "kvm_riscv_hfence_vvma_all_process", HOOK_FENTRY,
	  false },
	{ "stall_fence_i_done", "kvm_riscv_fence_i_process", HOOK_FEXIT,
	  false },
	{ "stall_fence_i", "kvm_riscv_fence_i_process", HOOK_FENTRY, false },
	{ "stall_write_locked", "_raw_write_lock", HOOK_FEXIT, false },
	{ "stall_write_lock", "_raw_write_lock", HOOK_FENTRY, false },
	{ "stall_read_locked", "_raw_read_lock", HOOK_FEXIT, false },
	{ "stall_read_lock", "_raw_read_lock", HOOK_FENTRY, false },
};

#define NR_PROBES (sizeof(probes) / sizeof(probes[0]))
#define LIST(...)                 \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static const char *const no_members[] = { NULL };

/*
 * KVM counts by itself; its statistics are read at the borders of phases, when a
 * VM is met and when it ends. All facts of them or none: whoever counts some of
 * them by functions would count others twice.
 */
static const char *const tp_stats[] = { "on_dirty_log",
					"on_memory",
					"on_destroy_vm",
					"on_reset",
					"on_reset_vms",
					"on_reset_vcpus",
					NULL };
static const char *const stat_members[] = {
	"kvm_vcpu_stat.gstage_fault_fast", "kvm_vcpu_stat.hfence_queue_full",
	"kvm_vm_stat.hfence_all", "kvm_vm_stat.hfence_range_hist", NULL
};
static const char *const fault_members[] = { "kvm_gstage_fault.fence_ns",
					     NULL };
static const char *const request_members[] = { "kvm_gstage_fault.fence_ns",
					       "kvm_hfence_request.wait_ns",
					       NULL };

/* Which way a fault takes. */
#define FN_PATH                                                        \
	"fn_topup", "fn_map_page", "fn_map_page_done", "fn_mmio_load", \
		"fn_mmio_store", "fn_redirect", "fn_run_done"

static const char *const fn_faults[] = { "fn_exit", FN_PATH, NULL };
/* fn_exit_timed stands in for fn_exit. */
static const char *const fn_latencies[] = { "fn_exit_timed", FN_PATH,
					    "fn_mapped", NULL };
static const char *const fn_prots[] = {
	"fn_exit_timed", FN_PATH,	  "fn_mapped", "fn_flush_gpa",
	"fn_range",	 "fn_range_done", NULL
};
static const char *const fn_requests[] = {
	"fn_range_done",    "fn_range",
	"fn_flush_gpa",	    "fn_flush_vmid",
	"fn_vvma_asid_gva", "fn_vvma_asid_all",
	"fn_vvma_gva",	    "fn_vvma_all",
	"fn_flush_vm",	    NULL
};
static const char *const fn_executed[] = { "fn_cpu", "fn_hfences",
					   "fn_flush_all", "fn_flush_vvma",
					   NULL };
static const char *const fn_phases[] = { "fn_ioctl",	  "fn_ioctl_done",
					 "fn_log_op",	  "fn_set_slot",
					 "fn_flush_slot", NULL };
static const char *const fn_splits[] = { "fn_exit",	  FN_PATH,
					 "fn_split",	  "fn_split_done",
					 "fn_ioctl",	  "fn_ioctl_done",
					 "fn_log_op",	  "fn_set_slot",
					 "fn_flush_slot", NULL };
static const char *const fn_wps[] = { "fn_wp_range",   "fn_wp_range_done",
				      "fn_wp_masked",  "fn_wp_masked_done",
				      "fn_ioctl",      "fn_ioctl_done",
				      "fn_log_op",     "fn_set_slot",
				      "fn_flush_slot", NULL };

/* In any kernel: the tracepoints are not of our series. */
static const char *const exits[] = { "on_exit", "on_entry", NULL };
static const char *const exit_members[] = { "kvm_vcpu.vcpu_idx", NULL };

static const char *const walk_members[] = { "kvm_vcpu.vcpu_idx",
					    "kvm_vcpu_arch.mmu_page_cache",
					    "kvm_gstage.pgd_levels",
					    "kvm_arch.pgd_phys", NULL };
static const char *const queue_members[] = { "kvm_vcpu.vcpu_idx",
					     "kvm_vcpu_arch.hfence_queue",
					     "kvm_vcpu_arch.last_exit_cpu",
					     NULL };

/* By fact, the better one first. */
static const struct probe_candidate candidates[] = {
	{ FACT_LATENCIES, BACKEND_TRACEPOINT, LIST("on_fault"), fault_members,
	  COST_LOW },
	{ FACT_LATENCIES, BACKEND_FUNCTION, fn_latencies, walk_members,
	  COST_LOW },
	{ FACT_FAULTS, BACKEND_TRACEPOINT, tp_stats, stat_members, COST_LOW },
	{ FACT_FAULTS, BACKEND_FUNCTION, fn_faults, walk_members, COST_LOW },
	{ FACT_PROT_UPDATES, BACKEND_TRACEPOINT, tp_stats, stat_members,
	  COST_LOW },
	{ FACT_PROT_UPDATES, BACKEND_FUNCTION, fn_prots, walk_members,
	  COST_HOOK },
	{ FACT_LOST_RACES, BACKEND_TRACEPOINT, tp_stats, stat_members,
	  COST_LOW },
	{ FACT_FLUSH_EXECUTED, BACKEND_TRACEPOINT, tp_stats, stat_members,
	  COST_LOW },
	{ FACT_FLUSH_EXECUTED, BACKEND_FUNCTION, fn_executed, queue_members,
	  COST_HOOKS },
	{ FACT_SPLITS, BACKEND_TRACEPOINT, tp_stats, stat_members, COST_LOW },
	{ FACT_SPLITS, BACKEND_FUNCTION, fn_splits, walk_members, COST_LOW },
	{ FACT_WRITE_PROTECTS, BACKEND_TRACEPOINT, tp_stats, stat_members,
	  COST_LOW },
	{ FACT_WRITE_PROTECTS, BACKEND_FUNCTION, fn_wps, walk_members,
	  COST_LOW },
	{ FACT_FLUSH_REQUESTS, BACKEND_TRACEPOINT, tp_stats, stat_members,
	  COST_LOW },
	{ FACT_FLUSH_REQUESTS, BACKEND_FUNCTION, fn_requests, no_members,
	  COST_HOOK },
	{ FACT_FLUSH_FALLBACKS, BACKEND_TRACEPOINT, tp_stats, stat_members,
	  COST_LOW },
	{ FACT_FLUSH_WAITS, BACKEND_TRACEPOINT,
	  LIST("on_fault", "on_hfence_request"), request_members, COST_HOOKS },
	{ FACT_FLUSH_WAITS, BACKEND_TRACEPOINT, LIST("on_fault"), fault_members,
	  COST_LOW },
	{ FACT_PHASES, BACKEND_TRACEPOINT, LIST("on_dirty_log"), no_members,
	  COST_LOW },
	{ FACT_PHASES, BACKEND_FUNCTION, fn_phases, no_members, COST_LOW },
	{ FACT_VM_END, BACKEND_FUNCTION, LIST("on_destroy_vm"), no_members,
	  COST_LOW },
	{ FACT_EVENTS, BACKEND_TRACEPOINT,
	  LIST("on_split", "on_hfence_request"), request_members, COST_LOW },
	{ FACT_EVENTS, BACKEND_FUNCTION, fn_splits, walk_members, COST_LOW },
	{ FACT_CHECKS, BACKEND_TRACEPOINT,
	  LIST("check_dirty_log", "check_wp", "check_split",
	       "check_hfence_request", "on_fault", "check_write_lock",
	       "check_unmap", "check_age", "check_request_all",
	       "check_flush_all"),
	  request_members, COST_LOW },
	{ FACT_LOCKS, BACKEND_FUNCTION,
	  LIST("on_write_unlock", "on_write_lock", "on_read_unlock",
	       "on_read_lock"),
	  no_members, COST_LOW },
	{ FACT_EXITS, BACKEND_TRACEPOINT, exits, exit_members, COST_LOW },
	{ FACT_STALLS, BACKEND_FUNCTION,
	  LIST("on_exit", "on_entry", "stall_fault_done", "stall_fault",
	       "stall_fences_done", "stall_fences", "stall_flush_done",
	       "stall_flush", "stall_vvma_done", "stall_vvma",
	       "stall_fence_i_done", "stall_fence_i", "stall_write_locked",
	       "stall_write_lock", "stall_read_locked", "stall_read_lock"),
	  exit_members, COST_LOW },
};

#define NR_CANDIDATES (sizeof(candidates) / sizeof(candidates[0]))

static const char *const fact_names[NR_FACTS] = {
	[FACT_LATENCIES] = "latencies",
	[FACT_FAULTS] = "faults",
	[FACT_PROT_UPDATES] = "prot_updates",
	[FACT_LOST_RACES] = "lost_races",
	[FACT_FLUSH_EXECUTED] = "flush_executed",
	[FACT_SPLITS] = "splits",
	[FACT_WRITE_PROTECTS] = "write_protects",
	[FACT_FLUSH_REQUESTS] = "flush_requests",
	[FACT_FLUSH_FALLBACKS] = "flush_fallbacks",
	[FACT_FLUSH_WAITS] = "flush_waits",
	[FACT_PHASES] = "phases",
	[FACT_VM_END] = "vm_end",
	[FACT_EVENTS] = "events",
	[FACT_CHECKS] = "checks",
	[FACT_LOCKS] = "locks",
	[FACT_EXITS] = "exits",
	[FACT_STALLS] = "stalls",
};

/* What no function shows, whatever the build. */
static const char *const only_tracepoints[NR_FACTS] = {
	[FACT_LOST_RACES] =
		"no function shows a lost race without a hook more in each fault",
	[FACT_FLUSH_FALLBACKS] =
		"which queues were full is known inside of a static function only",
	[FACT_FLUSH_WAITS] =
		"how long a request takes no function shows without two hooks more in each fault",
	[FACT_CHECKS] = "the checks look at what only tracepoints tell",
};

const char *probes_fact_name(enum fact fact)
{
	return fact_names[fact];
}

const char *probes_backend_name(enum backend backend)
{
	return backend == BACKEND_TRACEPOINT ? "tracepoint" : "function";
}

const char *probes_kind_name(enum hook_kind kind, bool by_kprobes)
{
	static const char *const names[][2] = {
		[HOOK_TRACEPOINT] = { "tracepoint", "tracepoint" },
		[HOOK_FENTRY] = { "fentry", "kprobe" },
		[HOOK_FEXIT] = { "fexit", "kretprobe" },
	};

	return names[kind][by_kprobes];
}

const struct probe *probes_all(size_t *nr)
{
	*nr = NR_PROBES;
	return probes;
}

const struct probe_candidate *probes_candidates(size_t *nr)
{
	*nr = NR_CANDIDATES;
	return candidates;
}

static const struct probe *find_probe(const char *prog)
{
	size_t i;

	for (i = 0; i < NR_PROBES; i++) {
		if (!strcmp(probes[i].prog, prog))
			return &probes[i];
	}
	return NULL;
}

/* Hooks first, then members: the first is what one would mend. */
static bool has_hook(const struct probe_view *view, const struct probe *probe,
		     char *reason, size_t size)
{
	const char *why;

	if (probe->kind == HOOK_TRACEPOINT) {
		if (view->has_tracepoint(view->ctx, probe->hook))
			return true;
		snprintf(reason, size, "no tracepoint %s", probe->hook);
		return false;
	}
	why = view->no_functions ? view->no_functions(view->ctx) : NULL;
	if (why) {
		snprintf(reason, size, "%s", why);
		return false;
	}
	if (view->has_function(view->ctx, probe->hook))
		return true;
	snprintf(reason, size,
		 "no function %s (inlined, renamed or not in this version)",
		 probe->hook);
	return false;
}

bool probes_is_in_table(const char *hook)
{
	return !strcmp(hook, "kvm_vm_ioctl");
}

/*
 * Is the function of @probe inlined wherever it is used, so that the hook never
 * fires? One whose absence is no loss may well have no callers in a version.
 */
static bool is_never_called(const struct probe_view *view,
			    const struct probe *probe)
{
	/* A version may take no lock of that kind; inlined, it is no function. */
	if (probe->kind == HOOK_TRACEPOINT || probe->is_optional ||
	    !strncmp(probe->hook, "_raw_", strlen("_raw_")) ||
	    !view->nr_callers || view->nr_callers(view->ctx, probe->hook))
		return false;
	/* Splits in faults are seen in the function around it (fn_map_page). */
	return strcmp(probe->hook, "kvm_riscv_gstage_split_huge") ||
	       view->has_member(view->ctx, "kvm_arch", "pgd_split_page_cache");
}

/* The first of them that @candidate needs, or NULL. */
static const struct probe *find_never_called(const struct probe_view *view,
					     const struct probe_candidate *c,
					     char *reason, size_t size)
{
	size_t i;

	for (i = 0; c->progs[i]; i++) {
		const struct probe *probe = find_probe(c->progs[i]);

		if (!is_never_called(view, probe))
			continue;
		snprintf(
			reason, size,
			"nobody calls %s: it is inlined where it is used, and its hook never fires",
			probe->hook);
		return probe;
	}
	return NULL;
}

/*
 * Each hook of these tells one fault from another: without it what is counted is not
 * too little but wrong. So it is of the hooks at which statistics are read.
 */
static bool is_whole_or_nothing(const struct probe_candidate *c)
{
	return c->fact == FACT_FAULTS || c->fact == FACT_LATENCIES ||
	       c->fact == FACT_PROT_UPDATES || c->progs == tp_stats;
}

bool probes_can_serve(const struct probe_view *view,
		      const struct probe_candidate *candidate, char *reason,
		      size_t size)
{
	char type[64];
	size_t i;

	reason[0] = '\0';
	for (i = 0; candidate->progs[i]; i++) {
		const struct probe *probe = find_probe(candidate->progs[i]);

		if (!probe->is_optional && !has_hook(view, probe, reason, size))
			return false;
	}
	for (i = 0; candidate->members[i]; i++) {
		const char *dot = strchr(candidate->members[i], '.');

		snprintf(type, sizeof(type), "%.*s",
			 (int)(dot - candidate->members[i]),
			 candidate->members[i]);
		if (view->has_member(view->ctx, type, dot + 1))
			continue;
		snprintf(reason, size, "struct %s has no member %s", type,
			 dot + 1);
		return false;
	}
	return !is_whole_or_nothing(candidate) ||
	       !find_never_called(view, candidate, reason, size);
}

static bool is_wanted(enum fact fact, const struct probe_wish *wish)
{
	if (fact == FACT_LATENCIES || fact == FACT_FLUSH_WAITS)
		return !wish->counts_only;
	if (fact == FACT_EVENTS)
		return wish->events;
	if (fact == FACT_CHECKS)
		return wish->checks;
	if (fact == FACT_LOCKS)
		return wish->locks;
	if (fact == FACT_EXITS)
		return wish->exits || wish->stalls;
	if (fact == FACT_STALLS)
		return wish->stalls;
	return true;
}

/* These have the same hooks on any kernel. */
static bool is_of_either(enum fact fact)
{
	return fact == FACT_VM_END || fact == FACT_LOCKS ||
	       fact == FACT_EXITS || fact == FACT_STALLS;
}

static void choose(const struct probe_view *view, const struct probe_wish *wish,
		   struct probe_choice *choice)
{
	enum fact fact = choice->fact;
	char reason[240];
	size_t i, used = 0;

	choice->status = PROBE_MISSING;
	for (i = 0; i < NR_CANDIDATES; i++) {
		const struct probe_candidate *c = &candidates[i];

		if (c->fact != fact ||
		    (wish->is_forced && !is_of_either(fact) &&
		     c->backend != wish->backend))
			continue;
		if (!probes_can_serve(view, c, reason, sizeof(reason))) {
			;
		} else if (c->cost == COST_HOOK && wish->counts_only) {
			snprintf(
				reason, sizeof(reason),
				"--counts leaves it out: it takes another hook in each fault");
		} else if (c->cost == COST_HOOKS && !wish->fences) {
			snprintf(
				reason, sizeof(reason),
				"it takes a hook more in each fault: --fences");
		} else {
			choice->candidate = c;
			choice->reason[0] = '\0';
			choice->status =
				find_never_called(view, c, choice->reason,
						  sizeof(choice->reason)) ?
					PROBE_PARTIAL :
					PROBE_SERVED;
			return;
		}
		used += snprintf(choice->reason + used,
				 sizeof(choice->reason) - used, "%s%s",
				 used ? "; " : "", reason);
		if (used >= sizeof(choice->reason))
			used = sizeof(choice->reason) - 1;
	}
	if (only_tracepoints[fact] &&
	    !(wish->is_forced && wish->backend == BACKEND_TRACEPOINT))
		snprintf(choice->reason + used, sizeof(choice->reason) - used,
			 "%s%s", used ? "; " : "", only_tracepoints[fact]);
}

void probes_choose(const struct probe_view *view, const struct probe_wish *wish,
		   struct probe_choice choices[NR_FACTS])
{
	enum fact fact;

	memset(choices, 0, NR_FACTS * sizeof(*choices));
	for (fact = 0; fact < NR_FACTS; fact++) {
		choices[fact].fact = fact;
		choices[fact].by_kprobes = view->by_kprobes;
		if (is_wanted(fact, wish))
			choose(view, wish, &choices[fact]);
		else
			choices[fact].status = PROBE_UNWANTED;
	}
}

bool probes_is_served(const struct probe_choice *choice)
{
	return choice->status == PROBE_SERVED ||
	       choice->status == PROBE_PARTIAL;
}

bool probes_is_served_by(const struct probe_choice *choice,
			 enum backend backend)
{
	return probes_is_served(choice) && choice->candidate &&
	       choice->candidate->backend == backend;
}

bool probes_has(const struct probe_candidate *candidate,
		const struct probe *probe)
{
	size_t i;

	for (i = 0; candidate && candidate->progs[i]; i++) {
		if (!strcmp(candidate->progs[i], probe->prog))
			return true;
	}
	return false;
}

static bool is_listed(const struct probe_choice choices[NR_FACTS],
		      const struct probe *probe)
{
	enum fact fact;

	for (fact = 0; fact < NR_FACTS; fact++) {
		if (choices[fact].status != PROBE_MISSING &&
		    probes_has(choices[fact].candidate, probe))
			return true;
	}
	return false;
}

const struct probe *probes_stand_in(const struct probe_choice choices[NR_FACTS],
				    const struct probe *probe)
{
	const struct probe *timed = find_probe("fn_exit_timed");

	return !strcmp(probe->prog, "fn_exit") && is_listed(choices, timed) ?
		       timed :
		       probe;
}

bool probes_is_needed(const struct probe_choice choices[NR_FACTS],
		      const struct probe *probe)
{
	return is_listed(choices, probe) &&
	       probes_stand_in(choices, probe) == probe;
}

const char *probes_status_name(enum probe_status status)
{
	static const char *const names[] = {
		[PROBE_SERVED] = "served",
		[PROBE_PARTIAL] = "partial",
		[PROBE_MISSING] = "missing",
		[PROBE_UNWANTED] = "unwanted",
	};

	return names[status];
}
