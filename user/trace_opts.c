// SPDX-License-Identifier: GPL-2.0-only
/* The command line of gstage trace: see trace_opts.h. */
#include "user/trace_opts.h"

#include <argp.h>
#include <string.h>

#include "bpf/gstage.h"
#include "user/opts.h"

enum {
	KEY_FORCE = 0x2000,
	KEY_BACKEND,
	KEY_CHECKS,
	KEY_COUNTS,
	KEY_EVENTS,
	KEY_EXITS,
	KEY_FENCES,
	KEY_LOCKS,
	KEY_PHASES,
	KEY_RING,
	KEY_STALLS,
	KEY_STOP,
};

static const char doc[] =
	"Count what dirty logging does to the guests of this host: G-stage page "
	"faults by path and how long they took, huge leaves split, permission "
	"updates, write-protects and fences. Traces COMMAND and what it starts, "
	"or the VMs of a process (-p), or all VMs, until it ends, Ctrl-C is "
	"pressed or the duration is over.\v"
	"Exit status: 0 done; 1 a check of the run failed; 2 usage; 3 events were lost, the run file says "
	"\"complete\": false; 4 tracing is not possible here. A COMMAND that "
	"fails gives its own status (128 + N for signal N), as a shell would.\n\n"
	"EXAMPLES\n"
	"  gstage trace -o run.json -- dirtyguest --backing hugetlb-2m\n"
	"  gstage trace -p $(pidof qemu-system-riscv64) -i 1 -d 30\n"
	"  gstage trace --counts -q -- ./dirty_log_perf_test -b 16M\n";

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Only VMs of this process and its children",
	  0 },
	{ "duration", 'd', "TIME", 0,
	  "Stop after 10, 10s, 500ms, 2m (default: no limit)", 0 },
	{ "interval", 'i', "TIME", 0,
	  "Print every TIME what came since, from zero each time", 0 },
	{ "output", 'o', "FILE", 0, "Write a run file, too", 0 },
	{ "force", KEY_FORCE, NULL, 0, "Replace FILE if it is there", 0 },
	{ "counts", KEY_COUNTS, NULL, 0,
	  "Only count: no histograms of latencies and sizes, at less cost", 0 },
	{ "backend", KEY_BACKEND, "NAME", 0,
	  "tracepoint, function, or kprobe (functions without ftrace): what to hook; auto (default) takes for each fact the first that is there",
	  0 },
	{ "checks", KEY_CHECKS, NULL, 0,
	  "Look at what must hold while memory is logged, too (gstage check)",
	  0 },
	{ "stop-on-broken", KEY_STOP, NULL, 0,
	  "With --checks: stop, and end COMMAND, when one is broken", 0 },
	{ "events", KEY_EVENTS, NULL, 0,
	  "Print each split, log operation and full fence queue as it happens",
	  0 },
	{ "exits", KEY_EXITS, NULL, 0,
	  "Count the exits of each vCPU by cause, and how long the host took, too (costs more than the rest of a trace)",
	  0 },
	{ "stalls", KEY_STALLS, NULL, 0,
	  "The same, and what the time of each vCPU went to: guest, faults, fences, waits for mmu_lock (costs more still; the hooks are in what they measure)",
	  0 },
	{ "fences", KEY_FENCES, NULL, 0,
	  "Count the fences that vCPUs execute where KVM does not count them itself; where it does, show how long every request waited, not only those of faults; at more cost",
	  0 },
	{ "locks", KEY_LOCKS, NULL, 0,
	  "Measure how long mmu_lock is held, too (every rwlock of the kernel then costs a little)",
	  0 },
	{ "timestamp", 'T', NULL, 0, "Put the time of day before each interval",
	  0 },
	{ "max-phases", KEY_PHASES, "N", 0,
	  "Phases to tell apart, 1 to 64 (default 64)", 0 },
	{ "ring-size", KEY_RING, "BYTES", 0,
	  "Buffer for --events, a power of 2 from 4K (default 256K)", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static void check_value(struct argp_state *state, const char *option,
			const char *arg, int err)
{
	if (err)
		argp_error(state, "%s: '%s' %s", option, arg,
			   parse_strerror(err));
}

static void parse_ring(struct trace_opts *opts, struct argp_state *state,
		       const char *arg)
{
	check_value(state, "--ring-size", arg,
		    parse_size_bytes(arg, &opts->ring_bytes));
	if (opts->ring_bytes < 4096 || opts->ring_bytes > 1ULL << 30 ||
	    opts->ring_bytes & (opts->ring_bytes - 1))
		argp_error(
			state,
			"--ring-size: '%s' is not a power of 2 from 4K to 1G",
			arg);
}

static void parse_backend(struct trace_opts *opts, struct argp_state *state,
			  const char *arg)
{
	opts->is_backend_forced = strcmp(arg, "auto");
	opts->kprobes = !strcmp(arg, "kprobe");
	if (opts->kprobes) {
		opts->backend = BACKEND_FUNCTION;
		return;
	}
	for (opts->backend = 0; opts->backend < NR_BACKENDS; opts->backend++) {
		if (!opts->is_backend_forced ||
		    !strcmp(arg, probes_backend_name(opts->backend)))
			return;
	}
	argp_error(
		state,
		"--backend: '%s' is none of auto, tracepoint, function, kprobe",
		arg);
}

static void check_opts(struct trace_opts *opts, struct argp_state *state)
{
	if (opts->pid && opts->cmdline)
		argp_error(state, "-p and a COMMAND contradict each other");
	if (opts->timestamps && !opts->interval_ns)
		argp_error(state, "-T needs -i");
	if (opts->force && !opts->output)
		argp_error(state, "--force needs -o");
	if (opts->stop_on_broken && !opts->checks)
		argp_error(state, "--stop-on-broken needs --checks");
	if (opts->checks && opts->counts_only)
		argp_error(state,
			   "--checks and --counts contradict each other");
}

/* Options that only say yes. False: it is none of them. */
static bool parse_flag(struct trace_opts *opts, int key)
{
	switch (key) {
	case 'T':
		opts->timestamps = true;
		break;
	case KEY_FORCE:
		opts->force = true;
		break;
	case KEY_COUNTS:
		opts->counts_only = true;
		break;
	case KEY_CHECKS:
		opts->checks = true;
		break;
	case KEY_STOP:
		opts->stop_on_broken = true;
		break;
	case KEY_EVENTS:
		opts->events = true;
		break;
	case KEY_EXITS:
		opts->exits = true;
		break;
	case KEY_STALLS:
		opts->exits = opts->stalls = true;
		break;
	case KEY_FENCES:
		opts->fences = true;
		break;
	case KEY_LOCKS:
		opts->locks = true;
		break;
	default:
		return false;
	}
	return true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->common;
		break;
	case 'p':
		check_value(state, "-p", arg, parse_pid(arg, &opts->pid));
		break;
	case 'd':
		check_value(state, "-d", arg,
			    parse_duration_ns(arg, &opts->duration_ns));
		break;
	case 'i':
		check_value(state, "-i", arg,
			    parse_duration_ns(arg, &opts->interval_ns));
		break;
	case 'o':
		opts->output = arg;
		break;
	case KEY_BACKEND:
		parse_backend(opts, state, arg);
		break;
	case KEY_PHASES:
		check_value(state, "--max-phases", arg,
			    parse_u64_range(arg, 1, GSTAGE_MAX_PHASES,
					    &opts->max_phases));
		break;
	case KEY_RING:
		parse_ring(opts, state, arg);
		break;
	case ARGP_KEY_ARGS:
		opts->cmdline = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		check_opts(opts, state);
		break;
	default:
		return parse_flag(opts, key) ? 0 : ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- COMMAND [ARG...]]",
	.doc = doc,
	.children = common_children,
};

void trace_opts_parse(int argc, char **argv, struct trace_opts *opts)
{
	*opts = (struct trace_opts){
		.max_phases = GSTAGE_MAX_PHASES,
		.ring_bytes = 256 << 10,
	};
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, opts);
}
