// SPDX-License-Identifier: GPL-2.0-only
/* See features.h. */
#include "user/features.h"

#include <stdio.h>

#define SPLIT "kvm_riscv_gstage_split_huge"
/* Static, and so inlined by some compilers. */
#define FAST "kvm_riscv_mmu_dirty_log_write_fault_fast"
#define FAST_HELPER "kvm_riscv_gstage_try_update_pte"
/* Nothing else in KVM takes a rwlock for reading. */
#define FAST_LOCK "_raw_read_lock"
#define EAGER_MEMBER "pgd_split_page_cache"
#define EAGER_PARAMETER "eager_page_split"
#define MASKED_WP "kvm_riscv_gstage_wp_pt_masked"

static const struct {
	const char *name;
	const char *meaning;
} features[NR_FEATURES] = {
	[FEATURE_SPLIT_ON_FAULT] = {
		"split-on-fault",
		"a write to a logged huge leaf splits it (without, it fails with EEXIST)",
	},
	[FEATURE_FAST_FAULT] = {
		"fast-write-fault",
		"write faults on 4K leaves take mmu_lock for reading only",
	},
	[FEATURE_EAGER_SPLIT] = {
		"eager-split",
		"huge leaves are split when logging starts",
	},
	[FEATURE_EAGER_PARAMETER] = {
		"eager-parameter",
		"kvm.eager_page_split turns that off",
	},
	[FEATURE_MASKED_WP] = {
		"masked-write-protect",
		"CLEAR protects only the pages it names, not those between",
	},
	[FEATURE_TRACEPOINTS] = {
		"tracepoints",
		"the series in kernel-patches/<base>/tracepoints",
	},
};

static const char *const tracepoints[] = {
	"kvm_dirty_log", "kvm_gstage_fault",   "kvm_mmu_split_huge_page",
	"kvm_gstage_wp", "kvm_hfence_request", "kvm_hfence_exec",
};

#define NR_TRACEPOINTS (sizeof(tracepoints) / sizeof(tracepoints[0]))

static void set(struct feature_finding *finding, bool is_there,
		const char *kind, const char *name)
{
	finding->state = is_there ? FEATURE_PRESENT : FEATURE_ABSENT;
	snprintf(finding->evidence, sizeof(finding->evidence), "%s%s %s",
		 is_there ? "" : "no ", kind, name);
}

static bool has_function(const struct feature_view *view, const char *name)
{
	return view->probes.has_function(view->probes.ctx, name);
}

/*
 * Where it was inlined, its lock tells; of a running kernel only its helper is
 * seen, which other versions of KVM have, too.
 */
static void find_fast_fault(const struct feature_view *view,
			    struct feature_finding *finding)
{
	if (has_function(view, FAST)) {
		set(finding, true, "function", FAST);
	} else if (!has_function(view, FAST_HELPER)) {
		set(finding, false, "function", FAST_HELPER);
	} else if (view->calls) {
		set(finding, view->calls(view->ctx, FAST_LOCK), "call of",
		    FAST_LOCK);
	} else {
		finding->state = FEATURE_UNKNOWN;
		snprintf(
			finding->evidence, sizeof(finding->evidence),
			"%s is there, who calls it is not seen here (gstage doctor kvm.ko tells)",
			FAST_HELPER);
	}
}

static void find_eager_split(const struct feature_view *view,
			     struct feature_finding *finding)
{
	if (view->has_types)
		set(finding,
		    view->probes.has_member(view->probes.ctx, "kvm_arch",
					    EAGER_MEMBER),
		    "member", "kvm_arch." EAGER_MEMBER);
	else
		set(finding, has_function(view, "mmu_split_huge_pages"),
		    "function", "mmu_split_huge_pages");
	/* It may be inlined: its absence says nothing. */
	if (!view->has_types && finding->state == FEATURE_ABSENT)
		finding->state = FEATURE_UNKNOWN;
}

static void find_tracepoints(const struct feature_view *view,
			     struct feature_finding *finding)
{
	size_t i;

	for (i = 0; i < NR_TRACEPOINTS; i++) {
		if (view->probes.has_tracepoint(view->probes.ctx,
						tracepoints[i]))
			continue;
		set(finding, false, "tracepoint", tracepoints[i]);
		return;
	}
	set(finding, true, "tracepoint", "kvm_gstage_fault and five others");
}

void features_find(const struct feature_view *view,
		   struct feature_finding findings[NR_FEATURES])
{
	set(&findings[FEATURE_SPLIT_ON_FAULT], has_function(view, SPLIT),
	    "function", SPLIT);
	find_fast_fault(view, &findings[FEATURE_FAST_FAULT]);
	find_eager_split(view, &findings[FEATURE_EAGER_SPLIT]);
	set(&findings[FEATURE_EAGER_PARAMETER],
	    view->has_parameter(view->ctx, EAGER_PARAMETER), "parameter",
	    EAGER_PARAMETER);
	set(&findings[FEATURE_MASKED_WP], has_function(view, MASKED_WP),
	    "function", MASKED_WP);
	find_tracepoints(view, &findings[FEATURE_TRACEPOINTS]);
}

const char *feature_name(enum feature feature)
{
	return features[feature].name;
}

const char *feature_meaning(enum feature feature)
{
	return features[feature].meaning;
}

const char *feature_state_name(enum feature_state state)
{
	static const char *const names[] = {
		[FEATURE_ABSENT] = "no",
		[FEATURE_PRESENT] = "yes",
		[FEATURE_UNKNOWN] = "?",
	};

	return names[state];
}
