/* SPDX-License-Identifier: GPL-2.0-only */
/* Measuring the bracket cost on the running kernel. Only for session.c. */
#ifndef GSTAGE_USER_BRACKET_RUN_H
#define GSTAGE_USER_BRACKET_RUN_H

#include <bpf/libbpf.h>

#include "user/bracket.h"
#include "user/probes.h"

/*
 * Load what the measurement takes, where latencies are wanted and the kernel can
 * do it; before the programs are loaded.
 */
void bracket_run_set_programs(struct bpf_object *obj,
			      const struct probe_choice choices[NR_FACTS],
			      const struct probe_view *view);

struct bracket_hooks;

/*
 * Measure. The programs of @obj are loaded and no other one is attached; @shared
 * is theirs. What could not be measured is unknown in *@b, with the reason.
 * Counters of the programs are not 0 afterwards. The hooks stay where they are,
 * for taking one off may wait 100 ms for the kernel; nothing calls them but tests
 * of BPF. NULL: no memory.
 */
struct bracket_hooks *bracket_run(struct bpf_object *obj,
				  const struct probe_choice choices[NR_FACTS],
				  struct gstage_bracket *shared,
				  struct bracket *b);

/* @hooks may be NULL. */
void bracket_hooks_free(struct bracket_hooks *hooks);

#endif /* GSTAGE_USER_BRACKET_RUN_H */
