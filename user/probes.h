/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which facts a trace reports, and what can serve each of them: KVM's statistics
 * and tracepoints (kernel-patches/<base>/tracepoints), or hooks on its functions.
 *
 * Plain C, nothing is loaded: whoever asks brings a view of a kernel, the
 * running one or a file (user/ktypes.h makes both).
 */
#ifndef GSTAGE_USER_PROBES_H
#define GSTAGE_USER_PROBES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fact {
	FACT_LATENCIES, /* of faults, by path and access */
	FACT_FAULTS, /* counts, by path and access */
	FACT_PROT_UPDATES, /* of faults: changed, unchanged */
	FACT_LOST_RACES, /* permission updates that were tried again */
	FACT_FLUSH_EXECUTED,
	FACT_SPLITS,
	FACT_WRITE_PROTECTS,
	FACT_FLUSH_REQUESTS,
	FACT_FLUSH_FALLBACKS, /* requests that found a vCPU's queue full */
	FACT_FLUSH_WAITS, /* how long who asked for a fence waited */
	FACT_PHASES,
	FACT_VM_END,
	FACT_EVENTS, /* only with --events */
	FACT_CHECKS, /* only with --checks */
	FACT_LOCKS, /* only with --locks */
	FACT_EXITS, /* of vCPUs, by cause; only with --exits */
	FACT_STALLS, /* what became of their time; only with --stalls */
	NR_FACTS,
};

enum backend {
	BACKEND_TRACEPOINT,
	BACKEND_FUNCTION,
	NR_BACKENDS,
};

enum hook_kind {
	HOOK_TRACEPOINT,
	HOOK_FENTRY, /* or a kprobe, see bpf/hook.bpf.h */
	HOOK_FEXIT, /* or a kretprobe */
};

/* One BPF program and where it goes. */
struct probe {
	const char *prog;
	const char *hook; /* tracepoint or function */
	enum hook_kind kind;
	bool is_optional; /* the fact is whole without it */
};

/* What serving a fact costs each fault, where hooks are functions. */
enum probe_cost {
	COST_LOW,
	COST_HOOK, /* one more hook: not with --counts */
	COST_HOOKS, /* even more: only with --fences */
};

/* One way to serve a fact. */
struct probe_candidate {
	enum fact fact;
	enum backend backend;
	const char *const *progs; /* names in the table of probes, up to a NULL */
	/* Members that the programs read, "struct.member", up to a NULL. */
	const char *const *members;
	enum probe_cost cost;
};

/* What is asked of a kernel. @ctx is the first member, for the callbacks. */
struct probe_view {
	void *ctx;
	bool (*has_tracepoint)(void *ctx, const char *name);
	/* As a function that can be hooked: its type is known. */
	bool (*has_function)(void *ctx, const char *name);
	bool (*has_member)(void *ctx, const char *type, const char *member);
	/*
	 * How many places call that function or take its address; -1: not known.
	 * NULL: of none.
	 */
	int (*nr_callers)(void *ctx, const char *name);
	/* Why no function can be hooked here, or NULL (ftrace, for one). */
	const char *(*no_functions)(void *ctx);
	bool by_kprobes; /* they are hooked, and not by fentry and fexit */
};

/* What a trace wants. */
struct probe_wish {
	bool is_forced; /* only this backend */
	enum backend backend;
	bool kprobes; /* functions by these, although there is ftrace */
	bool counts_only;
	bool fences; /* those executed, on functions, too; all waits for them */
	bool events;
	bool locks;
	bool checks;
	bool exits;
	bool stalls;
};

enum probe_status {
	PROBE_SERVED,
	PROBE_PARTIAL, /* something of it goes unseen, in this build or in a run */
	PROBE_MISSING,
	PROBE_UNWANTED, /* not part of such a run */
};

struct probe_choice {
	enum fact fact;
	enum probe_status status;
	const struct probe_candidate *candidate; /* NULL: none will do */
	bool by_kprobes; /* as the view of the kernel says */
	char reason[240]; /* why missing or partial, else empty */
};

/* For each fact the first candidate that the kernel has the hooks for. */
void probes_choose(const struct probe_view *view, const struct probe_wish *wish,
		   struct probe_choice choices[NR_FACTS]);

/*
 * Would @candidate do on that kernel? If not, @reason says what is missing, as
 * in "no function make_xfence_request".
 */
bool probes_can_serve(const struct probe_view *view,
		      const struct probe_candidate *candidate, char *reason,
		      size_t size);

/* Is the fact of @choice served, whole or in part? */
bool probes_is_served(const struct probe_choice *choice);

/* Is it, and by @backend? */
bool probes_is_served_by(const struct probe_choice *choice,
			 enum backend backend);

/*
 * Is function @hook called through a table in the kernel's data only? Code does not
 * tell then whether anybody calls it.
 */
bool probes_is_in_table(const char *hook);

/* All programs, in the order in which they are to be attached. */
const struct probe *probes_all(size_t *nr);

/* All candidates, in order of preference for each fact. */
const struct probe_candidate *probes_candidates(size_t *nr);

/*
 * The program that does what @probe does and more, where it is needed for
 * something else, or @probe.
 */
const struct probe *probes_stand_in(const struct probe_choice choices[NR_FACTS],
				    const struct probe *probe);

/* Does a choice that is served need @probe? */
bool probes_is_needed(const struct probe_choice choices[NR_FACTS],
		      const struct probe *probe);

/* Does @candidate name @probe among its programs? */
bool probes_has(const struct probe_candidate *candidate,
		const struct probe *probe);

/* "faults", as in run files. */
const char *probes_fact_name(enum fact fact);

/* "tracepoint", "function": as in the option, and in doctor's output. */
const char *probes_backend_name(enum backend backend);

/*
 * "tracepoint", "fentry", "fexit", and for these "kprobe" and "kretprobe" if they are
 * hooked so: the backend of a row of the run file.
 */
const char *probes_kind_name(enum hook_kind kind, bool by_kprobes);

/* "served", "partial", "missing". */
const char *probes_status_name(enum probe_status status);

/*
 * Append a row of the run file's probes: the part that @probe has in @choice, or
 * for a NULL, that nothing serves it. 0 or -ENOMEM.
 */
int probes_append_row(json_t *array, const struct probe_choice *choice,
		      const struct probe *probe, bool is_attached,
		      uint64_t misses);

/* Take from the run @root what says 0 of facts that are missing. */
void probes_strip(const struct probe_choice choices[NR_FACTS], json_t *root);

#endif /* GSTAGE_USER_PROBES_H */
