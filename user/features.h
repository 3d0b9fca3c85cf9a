/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the known patch series a KVM contains, told by what they brought: a
 * function, a member, a parameter, a tracepoint. Never by the version's name: a
 * distribution takes patches back, and a tree of one's own has any.
 */
#ifndef GSTAGE_USER_FEATURES_H
#define GSTAGE_USER_FEATURES_H

#include "user/probes.h"

enum feature {
	FEATURE_SPLIT_ON_FAULT,
	FEATURE_FAST_FAULT,
	FEATURE_EAGER_SPLIT,
	FEATURE_EAGER_PARAMETER,
	FEATURE_MASKED_WP,
	FEATURE_TRACEPOINTS,
	NR_FEATURES,
};

enum feature_state {
	FEATURE_ABSENT,
	FEATURE_PRESENT,
	FEATURE_UNKNOWN,
};

struct feature_finding {
	enum feature_state state;
	char evidence[160]; /* what was found, or looked for */
};

/* What to look at: @view, and what BTF does not tell. */
struct feature_view {
	struct probe_view probes;
	bool has_types; /* else members cannot be told */
	/* Of the KVM module: "eager_page_split". */
	bool (*has_parameter)(void *ctx, const char *name);
	/*
	 * Does KVM call that function of the kernel? NULL: cannot be told, as where
	 * its code cannot be read.
	 */
	bool (*calls)(void *ctx, const char *name);
	void *ctx; /* of those two */
};

void features_find(const struct feature_view *view,
		   struct feature_finding findings[NR_FEATURES]);

/* "split-on-fault", and what it means. */
const char *feature_name(enum feature feature);
const char *feature_meaning(enum feature feature);

/* "yes", "no", "cannot be told" */
const char *feature_state_name(enum feature_state state);

#endif /* GSTAGE_USER_FEATURES_H */
