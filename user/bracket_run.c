// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plays faults on the kernel's test functions; the hooks are in
 * bpf/bracket.bpf.c. BPF_PROG_TEST_RUN of a tracing program calls
 * bpf_fentry_test1() to bpf_fentry_test8() one after the other, and whatever is
 * attached to them. They are there with CONFIG_NET.
 *
 * The clock ticks at 100 ns in QEMU, and in deterministic mode each call takes as
 * many ns as the one before: calls begin at random places of a tick, so that the
 * mean of many is right.
 */
#include "user/bracket_run.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "user/clock.h"
#include "user/hook.h"
#include "user/log.h"

/* Odd, for a median that is one of them. */
#define NR_BATCHES 9
/* A fast fault is much the most frequent one, and the shortest. */
#define FAST_CALLS 64
#define SLOW_CALLS 16
#define CLOCK_READS 512

#define PAGE_PRESENT 1
#define PAGE_READ (1 << 1)
#define PAGE_WRITE (1 << 2)
#define LEVEL_SHIFT(level) (12 + 9 * (level))

enum prog {
	PROG_RUN, /* never attached */
	PROG_FAST,
	PROG_SLOW,
	PROG_TOPUP,
	PROG_MAP_PAGE,
	PROG_MAP_PAGE_DONE,
	PROG_FLUSH,
	PROG_END,
	/* Only in a split. */
	PROG_FLUSH_HUGE,
	PROG_SPLIT,
	PROG_SPLIT_DONE,
	NR_PROGS,
};

static const char *const prog_names[NR_PROGS] = {
	[PROG_RUN] = "bracket_run",
	[PROG_FAST] = "bracket_fast",
	[PROG_SLOW] = "bracket_slow",
	[PROG_TOPUP] = "bracket_topup",
	[PROG_MAP_PAGE] = "bracket_map_page",
	[PROG_MAP_PAGE_DONE] = "bracket_map_page_done",
	[PROG_FLUSH] = "bracket_flush",
	[PROG_END] = "bracket_end",
	[PROG_FLUSH_HUGE] = "bracket_flush_huge",
	[PROG_SPLIT] = "bracket_split",
	[PROG_SPLIT_DONE] = "bracket_split_done",
};

struct bracket_hooks {
	struct hook list[NR_PROGS];
};

struct play {
	struct hook *hooks;
	struct gstage_bracket *shared;
	struct bracket *result;
	uint32_t random;
	uint64_t long_ns; /* from bracket_slow() and nothing but empty functions */
	uint64_t short_ns; /* from bracket_fast() */
	int err; /* the first one */
};

/* Is the fence of a fault seen by a hook of ours? */
static bool has_flush_hook(const struct probe_choice choices[NR_FACTS])
{
	return probes_is_served_by(&choices[FACT_FLUSH_REQUESTS],
				   BACKEND_FUNCTION) ||
	       probes_is_served_by(&choices[FACT_PROT_UPDATES],
				   BACKEND_FUNCTION);
}

static bool is_needed(enum prog prog,
		      const struct probe_choice choices[NR_FACTS])
{
	const struct probe_choice *latencies = &choices[FACT_LATENCIES];

	if (!probes_is_served_by(latencies, BACKEND_FUNCTION))
		return false;
	if (prog == PROG_FLUSH || prog == PROG_FLUSH_HUGE)
		return has_flush_hook(choices);
	if (prog == PROG_SPLIT || prog == PROG_SPLIT_DONE)
		return probes_is_served_by(&choices[FACT_SPLITS],
					   BACKEND_FUNCTION);
	return true;
}

void bracket_run_set_programs(struct bpf_object *obj,
			      const struct probe_choice choices[NR_FACTS],
			      const struct probe_view *view)
{
	bool can_call = view->has_function(view->ctx, "bpf_fentry_test8");
	enum prog prog;

	for (prog = 0; prog < NR_PROGS; prog++) {
		struct hook hook;

		hook_init(&hook, obj, prog_names[prog]);
		hook_set_loaded(&hook, can_call && is_needed(prog, choices));
	}
}

/* Up to 100 instructions, a tick of the clock in QEMU: an xorshift. */
static void idle(struct play *play)
{
	unsigned int i;

	play->random ^= play->random << 13;
	play->random ^= play->random >> 17;
	play->random ^= play->random << 5;
	for (i = play->random % 50; i; i--)
		__asm__ volatile("");
}

static void call(struct play *play, unsigned int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = bpf_program__fd(play->hooks[PROG_RUN].prog), err;
	unsigned int i;

	for (i = 0; i < times && !play->err; i++) {
		idle(play);
		err = bpf_prog_test_run_opts(fd, &opts);
		if (err)
			play->err = err;
	}
}

static void attach(struct play *play, enum prog prog)
{
	if (!play->err && hook_is_loaded(&play->hooks[prog]))
		play->err = hook_attach(&play->hooks[prog]);
}

static void detach(struct play *play, enum prog prog)
{
	hook_detach(&play->hooks[prog]);
}

/* By the clock reads of the programs. */
static uint64_t measure(struct play *play, unsigned int calls)
{
	struct bracket_batch batches[NR_BATCHES];
	int i;

	/* Once for the caches. */
	call(play, 1);
	for (i = 0; i < NR_BATCHES; i++) {
		play->shared->nr = play->shared->sum_ns = 0;
		call(play, calls);
		batches[i].nr = play->shared->nr;
		batches[i].sum_ns = play->shared->sum_ns;
	}
	return play->err ? BRACKET_UNKNOWN :
			   bracket_median(batches, NR_BATCHES);
}

/* Levels of the page tables of a VM, unless it asks for fewer. */
static unsigned int nr_levels(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), bits = 0;

	if (fd >= 0) {
#ifdef KVM_CAP_VM_GPA_BITS
		bits = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_GPA_BITS);
#endif
		close(fd);
	}
	/* 12 in a page, 9 at each level, and 2 more at the root: 41 is Sv39x4. */
	return bits >= 41 && bits <= 59 ? (bits - 14) / 9 : 3;
}

/* Down to 4K, and the leaf there what it is before and after such a fault. */
static void make_tables(struct gstage_bracket *shared, unsigned int path)
{
	const uint64_t leaf = PAGE_PRESENT | PAGE_READ | 1 << 10;
	unsigned int level;

	shared->gpa = 0;
	for (level = 0; level < GSTAGE_BRACKET_LEVELS; level++) {
		shared->before[level] = PAGE_PRESENT;
		shared->after[level] = PAGE_PRESENT;
	}
	for (level = 0; level < shared->levels; level++)
		shared->gpa |= (uint64_t)level << LEVEL_SHIFT(level);
	shared->after[0] = leaf | PAGE_WRITE;
	shared->before[0] = path == GSTAGE_PATH_PROT ? leaf : 0;
	if (path == GSTAGE_PATH_SPLIT)
		shared->before[1] = leaf;
}

static void measure_path(struct play *play, unsigned int path,
			 unsigned int calls, unsigned int nr_empty)
{
	make_tables(play->shared, path);
	play->result->path_ns[path] = bracket_without_empty(
		measure(play, calls), play->long_ns, play->short_ns, nr_empty);
}

/*
 * On bpf_fentry_test2() to bpf_fentry_test8(), and from the sixth on for a fast
 * fault: where that begins a slow one has kvm_riscv_gstage_map_page().
 */
#define NR_SLOW 7
#define NR_FAST (NR_SLOW - BRACKET_EMPTY_MORE)

static void measure_functions(struct play *play)
{
	attach(play, PROG_END);
	attach(play, PROG_SLOW);
	play->long_ns = measure(play, FAST_CALLS);
	/* From here on it is this one that begins. */
	attach(play, PROG_FAST);
	play->short_ns = measure(play, FAST_CALLS);
	attach(play, PROG_FLUSH);
	measure_path(play, GSTAGE_PATH_FAST, FAST_CALLS, NR_FAST);

	attach(play, PROG_MAP_PAGE);
	attach(play, PROG_MAP_PAGE_DONE);
	/* The function is hooked still, or this would take 100 ms. */
	detach(play, PROG_FAST);
	attach(play, PROG_TOPUP);
	measure_path(play, GSTAGE_PATH_PROT, SLOW_CALLS, NR_SLOW);
	measure_path(play, GSTAGE_PATH_MAP, SLOW_CALLS, NR_SLOW);

	attach(play, PROG_FLUSH_HUGE);
	attach(play, PROG_SPLIT);
	attach(play, PROG_SPLIT_DONE);
	measure_path(play, GSTAGE_PATH_SPLIT, SLOW_CALLS, NR_SLOW);
}

/* What reading the clock takes: the time CSR may be one that firmware emulates. */
static uint64_t measure_clock(void)
{
	struct bracket_batch batches[NR_BATCHES];
	uint64_t start_ns, time;
	int i, n;

	for (i = 0; i < NR_BATCHES; i++) {
		start_ns = clock_now_ns();
		for (n = 0; n < CLOCK_READS / 8; n++)
			__asm__ volatile("rdtime %0\n\trdtime %0\n\t"
					 "rdtime %0\n\trdtime %0\n\t"
					 "rdtime %0\n\trdtime %0\n\t"
					 "rdtime %0\n\trdtime %0"
					 : "=r"(time));
		batches[i].nr = CLOCK_READS;
		batches[i].sum_ns = clock_now_ns() - start_ns;
	}
	return bracket_median(batches, NR_BATCHES);
}

/* The half of each clock read lies inside, and nothing else of ours. */
static void measure_tracepoints(struct play *play)
{
	uint64_t clock_ns = measure_clock();
	unsigned int path;

	for (path = 0; path < GSTAGE_NR_PATHS; path++)
		play->result->path_ns[path] = clock_ns;
}

/* On one CPU, which it was on; the figures of two could not be compared. */
static bool stay_here(cpu_set_t *before)
{
	cpu_set_t here;
	int cpu = sched_getcpu();

	CPU_ZERO(&here);
	CPU_SET(cpu < 0 ? 0 : cpu, &here);
	if (!sched_getaffinity(0, sizeof(*before), before) &&
	    !sched_setaffinity(0, sizeof(here), &here))
		return true;
	pr_dbg("cannot stay on a CPU: %s", strerror(errno));
	return false;
}

static void measure_all(struct play *play,
			const struct probe_choice choices[NR_FACTS])
{
	struct gstage_bracket *shared = play->shared;
	cpu_set_t cpus;
	bool is_pinned = stay_here(&cpus);

	shared->levels = nr_levels();
	shared->flush_bytes = 4096;
	shared->flush_order = 12;
	shared->tgid = getpid();
	if (probes_is_served_by(&choices[FACT_LATENCIES], BACKEND_FUNCTION))
		measure_functions(play);
	else
		measure_tracepoints(play);
	/* What stays attached does nothing from here on. */
	shared->tgid = 0;
	if (is_pinned)
		sched_setaffinity(0, sizeof(cpus), &cpus);
}

struct bracket_hooks *bracket_run(struct bpf_object *obj,
				  const struct probe_choice choices[NR_FACTS],
				  struct gstage_bracket *shared,
				  struct bracket *b)
{
	struct bracket_hooks *hooks = calloc(1, sizeof(*hooks));
	struct play play = { .shared = shared, .result = b, .random = 1 };
	uint64_t start_ns = clock_now_ns();
	enum prog prog;

	if (!hooks)
		return NULL;
	play.hooks = hooks->list;
	for (prog = 0; prog < NR_PROGS; prog++)
		hook_init(&play.hooks[prog], obj, prog_names[prog]);
	bracket_init(b, "");
	if (probes_is_served_by(&choices[FACT_LATENCIES], BACKEND_FUNCTION) &&
	    !hook_is_loaded(&play.hooks[PROG_RUN]))
		play.err = -ENOENT;
	measure_all(&play, choices);
	if (play.err == -ENOENT)
		snprintf(
			b->reason, sizeof(b->reason),
			"the kernel has no functions to measure on (CONFIG_NET)");
	else if (play.err)
		snprintf(b->reason, sizeof(b->reason),
			 "the functions to measure on cannot be hooked: %s",
			 strerror(-play.err));
	b->took_ns = clock_now_ns() - start_ns;
	pr_dbg("measured what hooks add to latencies in %" PRIu64 " us",
	       b->took_ns / 1000);
	return hooks;
}

void bracket_hooks_free(struct bracket_hooks *hooks)
{
	enum prog prog;

	if (!hooks)
		return;
	for (prog = NR_PROGS; prog-- > 0;)
		hook_detach(&hooks->list[prog]);
	free(hooks);
}
