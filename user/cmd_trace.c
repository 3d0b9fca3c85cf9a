// SPDX-License-Identifier: GPL-2.0-only
/*
 * gstage trace: attach, let the command or the VM run, print, write a run file.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "user/child.h"
#include "user/clock.h"
#include "user/cmd.h"
#include "user/coverage.h"
#include "user/environment.h"
#include "user/exitcode.h"
#include "user/guest.h"
#include "user/ksyms.h"
#include "user/live.h"
#include "user/log.h"
#include "user/preflight.h"
#include "user/report.h"
#include "user/run.h"
#include "user/session.h"
#include "user/trace_opts.h"

struct trace {
	const struct trace_opts *opts;
	struct ktypes *types;
	struct probe_choice choices[NR_FACTS];
	struct session *session;
	struct child child;
	struct live live;
	struct guest_result guest;
	struct tally *tally;
	struct bracket bracket; /* only with latencies */
	json_t *environment;
	int output_err; /* stdout failed: nothing more is printed there */
	int signal_fd;
	int duration_fd;
	int interval_fd;
	int pid_fd;
	bool is_ended;
	bool is_stopped; /* by a signal to us or by the duration */
};

/*
 * At once: what is broken may hang the guest, and then nothing ends. What only
 * costs time is no reason to stop.
 */
static void on_broken(struct trace *t, const struct gstage_rec *rec)
{
	bool stop = t->opts->stop_on_broken && !t->is_ended &&
		    (rec->from == GSTAGE_CHECK_LIVELOCK ||
		     rec->from == GSTAGE_CHECK_LOGGED_LEAF ||
		     rec->from == GSTAGE_CHECK_FLUSH_PROTOCOL);
	char where[32] = "";

	if (rec->gpa)
		snprintf(where, sizeof(where), ", at GPA 0x%llx", rec->gpa);
	pr_warn("check %s is broken%s%s", tally_check_name(rec->from), where,
		stop ? ": stopping" : "");
	if (stop)
		t->is_ended = t->is_stopped = true;
}

static int on_record(void *ctx, const struct gstage_rec *rec)
{
	struct trace *t = ctx;

	if (rec->kind == GSTAGE_REC_BROKEN)
		on_broken(t, rec);
	else if (!t->output_err)
		t->output_err = live_record(&t->live, rec);
	return 0;
}

/* *fd stays -1 for 0 ns. 0 or -errno, reported. */
static int open_timer(uint64_t ns, bool is_repeated, int *fd)
{
	struct itimerspec spec = {};
	int err;

	if (!ns)
		return 0;
	spec.it_value.tv_sec = ns / 1000000000;
	spec.it_value.tv_nsec = ns % 1000000000;
	if (is_repeated)
		spec.it_interval = spec.it_value;
	*fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (*fd >= 0 && !timerfd_settime(*fd, 0, &spec, NULL))
		return 0;
	err = -errno;
	pr_err("cannot set a timer: %s", strerror(-err));
	return err;
}

/* 0 or -errno, reported. */
static int open_signals(struct trace *t)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Whoever reads our stdout may go: the run is kept all the same. */
	signal(SIGPIPE, SIG_IGN);
	t->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signal_fd >= 0)
		return 0;
	pr_err("cannot watch signals: %s", strerror(errno));
	return -errno;
}

static void on_signal(struct trace *t)
{
	struct signalfd_siginfo info;

	while (read(t->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			t->is_ended = t->is_stopped = true;
		else if (child_reap(&t->child))
			t->is_ended = true;
	}
}

static void on_interval(struct trace *t)
{
	uint64_t nr_ticks;

	if (read(t->interval_fd, &nr_ticks, sizeof(nr_ticks)) < 0 ||
	    t->output_err)
		return;
	session__read(t->session, t->tally);
	t->output_err = live_interval(&t->live, t->tally);
}

static int wait_for_end(struct trace *t)
{
	struct pollfd fds[] = {
		{ .fd = t->signal_fd, .events = POLLIN },
		{ .fd = t->duration_fd, .events = POLLIN },
		{ .fd = t->interval_fd, .events = POLLIN },
		{ .fd = t->pid_fd, .events = POLLIN },
		{ .fd = session__record_fd(t->session), .events = POLLIN },
	};
	int err = 0;

	while (!t->is_ended && !err) {
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0) {
			if (errno != EINTR) {
				err = -errno;
				pr_err("cannot wait for events: %s",
				       strerror(-err));
			}
			continue;
		}
		if (fds[0].revents)
			on_signal(t);
		if (fds[1].revents)
			t->is_ended = t->is_stopped = true;
		if (fds[3].revents)
			t->is_ended = true;
		if (fds[2].revents)
			on_interval(t);
		if (fds[4].revents)
			session__consume(t->session);
	}
	return err;
}

static void note_memory(struct trace *t)
{
	uint64_t per_cpu, bytes = session__map_bytes(t->session, &per_cpu);

	pr_dbg("maps take %" PRIu64 " KiB, of them %" PRIu64
	       " KiB for each possible CPU",
	       bytes >> 10, per_cpu >> 10);
	json_object_set_new(t->environment, "map_bytes", json_integer(bytes));
	json_object_set_new(t->environment, "map_bytes_per_cpu",
			    json_integer(per_cpu));
}

static int prepare(struct trace *t)
{
	const struct trace_opts *opts = t->opts;
	struct session_opts sopts = {
		.pid = opts->pid,
		.counts_only = opts->counts_only,
		.choices = t->choices,
		.view = ktypes__view(t->types),
		.is_eager = environment_is_eager(),
		.events = opts->events,
		.max_phases = opts->max_phases,
		.ring_bytes = opts->events ? opts->ring_bytes : 4096,
		.clock_resolution_ns = environment_clock_resolution_ns(),
		.on_record = opts->events || opts->checks ? on_record : NULL,
		.record_ctx = t,
	};
	int err;

	t->environment =
		environment_new(opts->cmdline, opts->pid, opts->counts_only);
	if (!t->environment)
		return -EINVAL;
	t->tally = calloc(1, sizeof(*t->tally));
	if (!t->tally ||
	    live_init(&t->live, stdout, opts->common.json, opts->timestamps)) {
		pr_err("no memory for the counts");
		return -ENOMEM;
	}
	err = open_signals(t);
	if (!err)
		err = session__new(&sopts, &t->session);
	if (!err && opts->cmdline)
		err = guest_result_announce(&t->guest);
	if (!err && opts->cmdline)
		err = child_start(&t->child, opts->cmdline);
	if (!err && opts->cmdline)
		session__follow(t->session, t->child.pid);
	if (!err)
		err = session__load(t->session);
	if (!err)
		note_memory(t);
	return err;
}

static bool has_latencies(const struct trace *t)
{
	return t->choices[FACT_LATENCIES].candidate != NULL;
}

static int measure(struct trace *t)
{
	const struct trace_opts *opts = t->opts;
	int err = 0;

	if (opts->pid) {
		t->pid_fd = syscall(SYS_pidfd_open, opts->pid, 0);
		if (t->pid_fd < 0) {
			err = -errno;
			pr_err("cannot watch process %d: %s", opts->pid,
			       strerror(-err));
			return err;
		}
	}
	if (has_latencies(t))
		err = session__measure_bracket(t->session, &t->bracket);
	if (!err)
		err = session__attach(t->session);
	if (!err)
		err = open_timer(opts->duration_ns, false, &t->duration_fd);
	if (!err)
		err = open_timer(opts->interval_ns, true, &t->interval_fd);
	if (err)
		return err;
	if (opts->cmdline) {
		err = child_go(&t->child, opts->cmdline[0]);
		if (err)
			return err;
	} else {
		pr_info("tracing %s, Ctrl-C ends it",
			opts->pid ? "the VMs of that process" : "all VMs");
	}
	return wait_for_end(t);
}

static int collect_checks(struct trace *t, json_t *root)
{
	struct ksyms *names;
	int err;

	if (!t->opts->checks)
		return 0;
	names = ksyms__new();
	err = tally_checks_to_run(t->tally, root, names ? ksyms__name : NULL,
				  names);
	ksyms__free(names);
	return err;
}

/* After the end: what was counted, as a run. NULL after reporting. */
static struct run *collect(struct trace *t)
{
	const struct trace_opts *opts = t->opts;
	struct run *run = run__new();
	json_t *root, *probes;

	if (!run)
		goto no_memory;
	root = run__json(run);
	tally_close_phases(t->tally, clock_now_ns());
	json_object_set(root, "environment", t->environment);
	coverage_judge(t->tally, t->choices);
	probes = session__probes(t->session, t->choices);
	if (!probes || json_object_set_new(root, "probes", probes) ||
	    tally_to_run(t->tally, root, opts->counts_only) ||
	    (has_latencies(t) &&
	     bracket_to_run(&t->bracket, t->choices, root)) ||
	    (opts->locks && tally_locks_to_run(t->tally, root)) ||
	    (opts->exits && tally_exits_to_run(t->tally, root)) ||
	    (opts->stalls && tally_stalls_to_run(t->tally, root)) ||
	    tally_check(t->tally, root, opts->counts_only,
			opts->cmdline != NULL) ||
	    collect_checks(t, root) ||
	    json_object_set_new(json_object_get(root, "losses"), "prog_misses",
				json_integer(session__misses(t->session))))
		goto no_memory;
	probes_strip(t->choices, root);
	guest_result_merge(&t->guest, root);
	return run;

no_memory:
	pr_err("cannot build the run: %s", strerror(ENOMEM));
	run__free(run);
	return NULL;
}

/* Name every loss and what was seen in part; the run is complete without any. */
static bool judge_losses(const struct trace *t, json_t *root)
{
	bool is_complete = true;
	enum fact fact;
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(root, "losses"), key, value) {
		if (!json_integer_value(value))
			continue;
		pr_warn("incomplete: %s is %" JSON_INTEGER_FORMAT, key,
			json_integer_value(value));
		is_complete = false;
	}
	for (fact = 0; fact < NR_FACTS; fact++) {
		if (t->choices[fact].status != PROBE_PARTIAL)
			continue;
		pr_warn("incomplete: %s are seen in part: %s",
			probes_fact_name(fact), t->choices[fact].reason);
		is_complete = false;
	}
	json_object_set_new(root, "complete", json_boolean(is_complete));
	return is_complete;
}

static bool has_failed_check(const json_t *root)
{
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(root, "checks"), i, check) {
		if (json_is_false(json_object_get(check, "ok")))
			return true;
	}
	return false;
}

static int print_run(struct trace *t, struct run *run)
{
	const struct trace_opts *opts = t->opts;
	const struct report_opts ropts = {
		.unit = opts->common.unit,
		.quiet = opts->common.quiet,
		.verbose = opts->common.verbose,
	};

	if (t->output_err)
		return t->output_err;
	if (!opts->common.json)
		return opts->common.quiet && opts->output ?
			       0 :
			       report_print(stdout, run__json(run), &ropts);
	if (json_dumpf(run__json(run), stdout, JSON_COMPACT) ||
	    fputc('\n', stdout) == EOF || fflush(stdout))
		return -EIO;
	return 0;
}

static int publish(struct trace *t, struct run *run)
{
	const struct trace_opts *opts = t->opts;
	bool is_complete = judge_losses(t, run__json(run));
	int err = 0, print_err;

	if (opts->output)
		err = run__write(run, opts->output, opts->force);
	print_err = print_run(t, run);
	if (print_err)
		pr_err("cannot write to stdout: %s", strerror(-print_err));
	if (err || print_err)
		return GSTAGE_EX_USAGE;
	/* A command that we stopped has not failed. */
	if (t->child.is_done && t->child.status && !t->is_stopped) {
		pr_warn("the command ended with status %d", t->child.status);
		return t->child.status;
	}
	if (!is_complete)
		return GSTAGE_EX_INCOMPLETE;
	return has_failed_check(run__json(run)) ? GSTAGE_EX_REGRESSION :
						  GSTAGE_EX_OK;
}

static int trace(struct trace *t)
{
	int status = GSTAGE_EX_IMPOSSIBLE;
	struct run *run;
	int err;

	err = prepare(t);
	if (!err)
		err = measure(t);
	/* The command ends before the probes do: nothing of it goes unseen. */
	child_stop(&t->child, SIGTERM);
	if (err)
		return status;

	session__read(t->session, t->tally);
	session__detach(t->session);
	session__consume(t->session);
	session__read(t->session, t->tally);
	run = collect(t);
	if (run)
		status = publish(t, run);
	run__free(run);
	return status;
}

static int choose(struct trace *t)
{
	const struct trace_opts *opts = t->opts;
	const struct probe_wish wish = {
		.is_forced = opts->is_backend_forced,
		.backend = opts->backend,
		.kprobes = opts->kprobes,
		.counts_only = opts->counts_only,
		.fences = opts->fences,
		.events = opts->events,
		.locks = opts->locks,
		.exits = opts->exits,
		.stalls = opts->stalls,
		.checks = opts->checks,
	};

	return preflight_choose(t->types, &wish, t->choices);
}

int cmd_trace(int argc, char **argv)
{
	struct trace_opts opts;
	struct trace t = {
		.opts = &opts,
		.child = { .go_fd = -1, .error_fd = -1 },
		.signal_fd = -1,
		.duration_fd = -1,
		.interval_fd = -1,
		.pid_fd = -1,
	};
	int status = GSTAGE_EX_IMPOSSIBLE;

	trace_opts_parse(argc, argv, &opts);
	if (opts.output && run__check_output(opts.output, opts.force))
		return GSTAGE_EX_USAGE;
	if (!preflight_check() &&
	    (!opts.pid || !preflight_check_pid(opts.pid)) &&
	    !preflight_open_types(&t.types) && !choose(&t))
		status = trace(&t);

	guest_result_free(&t.guest);
	json_decref(t.environment);
	live_free(&t.live);
	free(t.tally);
	session__free(t.session);
	ktypes__free(t.types);
	return status;
}
