// SPDX-License-Identifier: GPL-2.0-only
/*
 * The durations of a run as figures; see compare_figures.h. What a clock of
 * coarse steps can do to a figure is noted beside it, here where it is known
 * how many readings it is made of.
 */
#include "user/compare_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/hist.h"
#include "user/out.h"
#include "user/run.h"

static struct figure *set_figure(struct figure_table *table, size_t boot,
				 const char *section, const char *name,
				 const char *unit, double value,
				 double resolution)
{
	struct figure_row *row = figures_row(table, section, name, unit);
	struct figure *figure;

	if (!row)
		return NULL;
	figure = &row->of_boots[boot];
	figure->is_present = true;
	figure->value = value;
	figure->whole = value < 9e18 ? llround(value) : INT64_MAX;
	figure->resolution = resolution;
	return figure;
}

double figures_clock_step(const json_t *run)
{
	const json_t *env = json_object_get(run, "environment");
	json_int_t step = run_int(env, "clock_resolution_ns");

	return step > 1 ? (double)step : 1;
}

/*
 * A duration is two readings of a clock: where its steps fall changes it by up
 * to one step, and a sum of n durations by n steps at most. Where the steps fall
 * at random, the standard deviation of such a sum is sqrt(n) / 2 steps or less,
 * so 3 * sqrt(n) is four times that of the difference of two sums.
 */
static double sum_resolution(double step, uint64_t n)
{
	double root = 3 * sqrt((double)n);

	return step * (root < (double)n ? root : (double)n);
}

/*
 * Counted instructions are of the timer, too: a tick falls into a duration or
 * into the next one, and a change of some instructions anywhere before decides
 * which. It takes 4500 in the kernel (a CLEAR pass of 1094500 has 1099000 with
 * it) and up to 6500 where it stops a guest; seeds do not show this, as they
 * move all boots of a version alike.
 */
#define TICK_INSNS 8000

/*
 * That is one with nothing to do. The first after something was handed to RCU,
 * as an ioctl does, begins a grace period: softirqs, and rcu_sched and a kworker
 * get the hart, 22000 to 27000. Where two threads can run, the scheduler's own
 * timer (hrtick) switches them, 10000. Of 26 versions that only begin up to
 * 3.9 million later one had all of it in an ENABLE of 102000 (+22000), and the
 * boots of two differed by up to 35700 in 14 million of faults.
 */
#define WORK_INSNS 40000

/* A duration that is shorter has none of it. */
#define LEAST_WORK_INSNS 10000

/*
 * It comes every 4 million where the kernel's HZ is 250, as here and in Debian; a
 * run does not have HZ, so this is for the highest a kernel can have.
 */
#define TICK_PERIOD_INSNS 1000000

/*
 * What ticks may do to a duration that is the sum of so many @pieces. One begins
 * before a tick or after it. Of many that lie @apart by so much together any may
 * be hit, by as many more as three standard deviations of a random number are:
 * of what falls into them, or of what falls between them, whichever is less.
 */
static double ticks_in(const char *unit, double duration, uint64_t pieces,
		       double apart)
{
	double more = 3 * sqrt(fmin(duration, apart) / TICK_PERIOD_INSNS);

	if (strcmp(unit, "insns"))
		return 0;
	if (duration < LEAST_WORK_INSNS)
		return TICK_INSNS;
	if (pieces < 2)
		return WORK_INSNS;
	return WORK_INSNS + TICK_INSNS * floor(fmin(more, (double)pieces - 1));
}

/*
 * Ticks that fell into events of @sum instructions. What is left out between them
 * decides which, so that they are about as many as random ones: three standard
 * deviations more than the mean, and one.
 */
static uint64_t ticks_among(uint64_t sum)
{
	double mean = (double)sum / TICK_PERIOD_INSNS;

	return (uint64_t)(mean + 3 * sqrt(mean)) + 1;
}

static double value_at(const struct hist *h, uint64_t rank)
{
	uint64_t lo, hi;

	hist_at_rank(h, rank, &lo, &hi);
	return (double)lo + (double)(hi - lo) / 2;
}

/*
 * What ticks may have added to the sum of these events: by how much the largest,
 * as many as ticks may have hit, are above the next. Some do more than count, and
 * boots of one version have as many more or fewer of them, so a sum is judged
 * without: what all events have in common stays in it.
 */
static double tick_share(const struct hist *h, const char *unit)
{
	uint64_t ticks = ticks_among(h->sum), rank;
	double base, sum = 0;

	if (strcmp(unit, "insns") || !h->count)
		return 0;
	if (ticks >= h->count)
		ticks = h->count - 1;
	base = value_at(h, h->count - ticks);
	for (rank = h->count - ticks + 1; rank <= h->count; rank++)
		sum += value_at(h, rank) - base;
	return sum;
}

/*
 * What they may do to the sum without that share: what one adds, as more may
 * have come than was reckoned with. So few events may all have been hit.
 */
static double ticks_left(const struct hist *h, const char *unit)
{
	if (ticks_among(h->sum) >= h->count)
		return ticks_in(unit, (double)h->sum, h->count, (double)h->sum);
	return strcmp(unit, "insns") ? 0 : TICK_INSNS;
}

static double exact_mean(const struct hist *h)
{
	uint64_t n = h->count - h->underflow;

	return n ? (double)h->sum / (double)n : 0;
}

/* What was too short for the clock is not in the mean, and shifts it. */
static double mean_resolution(double step, const struct hist *h, double ticks)
{
	if (!h->count)
		return step;
	ticks /= (double)h->count;
	if (h->underflow)
		return step + ticks;
	return sum_resolution(step, h->count) / (double)h->count + ticks;
}

typedef void (*use_hist_fn)(struct figure_table *table, size_t boot,
			    const char *section, const char *name,
			    const struct hist *h, double step, const char *unit,
			    double ticks);

/* Calls @use for every histogram of the run, and for that of all faults. */
static void for_each_hist(struct figure_table *table, size_t boot,
			  const json_t *run, use_hist_fn use)
{
	static const char *const fault_keys[] = { "path", "access", NULL };
	static const char *const lock_keys[] = { "mode", NULL };
	const json_t *faults = json_object_get(run, "faults");
	const json_t *locks = json_object_get(run, "locks");
	double step = figures_clock_step(run);
	const char *unit = run_time_unit(run);
	struct hist h, all = { 0 };
	double ticks = 0; /* of all: its slow paths are no ticks */
	char name[80];
	size_t i;

	for (i = 0; i < json_array_size(faults); i++) {
		const json_t *row = json_array_get(faults, i);
		const json_t *latency = json_object_get(row, "latency");

		if (latency && !hist_from_json(latency, &h)) {
			hist_merge(&all, &h);
			ticks += tick_share(&h, unit);
		}
	}
	if (all.count)
		use(table, boot, "fault", FIGURES_ALL_PATHS, &all, step, unit,
		    ticks);
	for (i = 0; i < json_array_size(faults); i++) {
		const json_t *row = json_array_get(faults, i);
		const json_t *latency = json_object_get(row, "latency");

		if (!latency || hist_from_json(latency, &h) || !h.count)
			continue;
		figures_row_name(name, sizeof(name), row, fault_keys);
		use(table, boot, "fault", name, &h, step, unit,
		    tick_share(&h, unit));
	}
	for (i = 0; i < json_array_size(locks); i++) {
		const json_t *row = json_array_get(locks, i);

		if (hist_from_json(json_object_get(row, "held"), &h) ||
		    !h.count)
			continue;
		figures_row_name(name, sizeof(name), row, lock_keys);
		use(table, boot, "lock", name, &h, step, unit,
		    tick_share(&h, unit));
	}
}

static void add_total(struct figure_table *table, size_t boot,
		      const char *section, const char *name,
		      const struct hist *h, double step, const char *unit,
		      double ticks)
{
	struct figure *figure;
	char words[24];

	snprintf(words, sizeof(words), "%s total", section);
	figure = set_figure(table, boot, words, name, unit, (double)h->sum,
			    sum_resolution(step, h->count) +
				    ticks_left(h, unit));
	if (figure)
		figure->value -= ticks;
}

static void add_mean(struct figure_table *table, size_t boot,
		     const char *section, const char *name,
		     const struct hist *h, double step, const char *unit,
		     double ticks)
{
	uint64_t n = h->count - h->underflow;
	struct figure *figure;
	char words[24];

	snprintf(words, sizeof(words), "%s mean", section);
	figure = set_figure(table, boot, words, name, unit, exact_mean(h),
			    mean_resolution(step, h, ticks_left(h, unit)));
	if (figure && n)
		figure->value -= ticks / (double)n;
}

/*
 * Before and after logging the VMM's threads start and end and wait for each
 * other, and idle time passes at once where instructions are the clock: the same
 * code has given 5 % more. The last of it waits for RCU, until some tick or the
 * one after it: 3.9 million more, where HZ is 250. What faults there cost is in
 * their own figures.
 */
static double waiting_in(const json_t *phase, const char *unit, double duration)
{
	const char *name = run_str(phase, "name");

	if (strcmp(unit, "insns"))
		return 0;
	if (!strcmp(name, "after"))
		return duration / 10 + 4 * TICK_PERIOD_INSNS;
	return strcmp(name, "populate") ? 0 : duration / 10;
}

static void add_phases(struct figure_table *table, size_t boot,
		       const json_t *run)
{
	const json_t *phases = json_object_get(run, "phases");
	double step = figures_clock_step(run);
	const char *unit = run_time_unit(run);
	char name[96];
	size_t i;

	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);
		/* A phase in chunks is timed anew at each. */
		json_int_t entered = run_int(phase, "entered");
		uint64_t pieces = entered > 1 ? (uint64_t)entered : 1;
		double duration = (double)run_int(phase, "duration_ns");
		double between = (double)run_int(phase, "end_ns") -
				 (double)run_int(phase, "start_ns") - duration;

		run_phase_label(name, sizeof(name), run, phase);
		set_figure(table, boot, "phase", name, unit, duration,
			   ticks_in(unit, duration, pieces, fmax(between, 0)) +
				   waiting_in(phase, unit, duration) +
				   sum_resolution(step, pieces));
	}
}

/* Adds a sum, and the number of readings it is made of. */
static void add_held(struct figure_table *table, size_t boot, const json_t *run,
		     const char *name, const json_t *lock)
{
	const char *unit = run_time_unit(run);
	double step = figures_clock_step(run), value;
	struct figure_row *row = figures_row(table, "lock held", name, unit);
	struct figure *figure;

	if (!row)
		return;
	figure = &row->of_boots[boot];
	figure->events += (uint64_t)run_int(lock, "count");
	value = figure->value + (double)run_int(lock, "held_ns");
	set_figure(table, boot, "lock held", name, unit, value,
		   sum_resolution(step, figure->events) +
			   ticks_in(unit, value, figure->events, value));

	row = figures_row(table, "lock longest", name, unit);
	if (!row)
		return;
	figure = &row->of_boots[boot];
	value = fmax(figure->value, (double)run_int(lock, "longest_ns"));
	set_figure(table, boot, "lock longest", name, unit, value,
		   step + ticks_in(unit, value, 1, 0));
}

/* How long mmu_lock was held: the rounds of a phase together, by mode. */
static void add_lock_phases(struct figure_table *table, size_t boot,
			    const json_t *run)
{
	const json_t *phases = json_object_get(run, "phases");
	char name[96];
	size_t i, l;

	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);
		const json_t *locks = json_object_get(phase, "locks");
		char words[64];

		out_text(words, sizeof(words), run_str(phase, "name"));
		words[strcspn(words, " 0123456789")] = '\0';
		for (l = 0; l < json_array_size(locks); l++) {
			const json_t *lock = json_array_get(locks, l);

			if (!run_int(lock, "count"))
				continue;
			snprintf(name, sizeof(name), "%s %s", words,
				 run_str(lock, "mode"));
			add_held(table, boot, run, name, lock);
		}
	}
}

void figures_add_insns(struct figure_table *table, size_t boot,
		       const json_t *run)
{
	add_phases(table, boot, run);
	for_each_hist(table, boot, run, add_total);
	for_each_hist(table, boot, run, add_mean);
	add_lock_phases(table, boot, run);
}

/*
 * The lower bound of a quantile, had no tick fallen into any of the events. Each
 * that a tick fell into is among the largest; without it the others keep their
 * order, so the quantile moves down by at most as many ranks as there were ticks.
 * The largest of all is told as it is.
 */
static uint64_t without_ticks(const struct hist *h, unsigned int permille,
			      uint64_t lo, const char *unit)
{
	uint64_t rank = hist_rank(h, permille), ticks, unused;

	if (strcmp(unit, "insns") || rank == h->count)
		return lo;
	ticks = ticks_among(h->sum);
	hist_at_rank(h, rank > ticks ? rank - ticks : 1, &lo, &unused);
	return lo;
}

static uint64_t digest_of(const struct hist *h)
{
	const unsigned char *p = (const unsigned char *)h;
	uint64_t digest = 14695981039346656037u; /* FNV-1a */
	size_t i;

	for (i = 0; i < sizeof(*h); i++)
		digest = (digest ^ p[i]) * 1099511628211u;
	return digest;
}

static void add_quantiles(struct figure_table *table, size_t boot,
			  const char *section, const char *name,
			  const struct hist *h, double step, const char *unit,
			  double ticks)
{
	/* With fewer events a quantile is the largest one, or the only one. */
	static const struct {
		const char *name;
		unsigned int permille;
		uint64_t least_events;
	} quantiles[] = {
		{ "p50", 500, 2 },	{ "p90", 900, 10 }, { "p99", 990, 100 },
		{ "p99.9", 999, 1000 }, { "max", 1000, 2 },
	};
	const char *words = strcmp(section, "lock") ? "fault latency" :
						      "lock hold";
	uint64_t digest = digest_of(h), lo, hi;
	struct figure *figure;
	struct figure_row *row;
	char full[96];
	size_t i;

	(void)ticks;
	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		if (h->count < quantiles[i].least_events ||
		    hist_quantile(h, quantiles[i].permille, &lo, &hi))
			continue;
		lo = without_ticks(h, quantiles[i].permille, lo, unit);
		snprintf(full, sizeof(full), "%s %s", name, quantiles[i].name);
		figure = set_figure(table, boot, words, full, unit,
				    (double)lo + (double)(hi - lo) / 2,
				    fmax(step, (double)(hi - lo)));
		row = figures_row(table, words, full, unit);
		if (!figure || !row)
			return;
		figure->lo = lo;
		figure->hi = hi;
		figure->digest = digest;
		row->quantile = quantiles[i].name;
		snprintf(row->path, sizeof(row->path), "%s", name);
	}
}

void figures_add_quantiles(struct figure_table *table, size_t boot,
			   const json_t *run)
{
	for_each_hist(table, boot, run, add_quantiles);
}

/* What the guest program timed itself, round by round. */
static void add_rounds(struct figure_table *table, size_t boot,
		       const json_t *run)
{
	static const char *const words[] = { "dirty", "get", "clear" };
	static const char *const keys[] = { "dirty_ns", "get_ns", "clear_ns" };
	const json_t *rounds =
		json_object_get(json_object_get(run, "guest"), "rounds");
	char name[64];
	size_t r, i;

	for (r = 0; r < json_array_size(rounds); r++) {
		const json_t *round = json_array_get(rounds, r);

		for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (!json_object_get(round, keys[i]))
				continue;
			snprintf(name, sizeof(name), "%s %" JSON_INTEGER_FORMAT,
				 words[i], run_int(round, "round"));
			set_figure(table, boot, "guest", name,
				   run_time_unit(run),
				   (double)run_int(round, keys[i]),
				   figures_clock_step(run));
		}
	}
}

void figures_add_host_time(struct figure_table *table, size_t boot,
			   const json_t *run)
{
	add_phases(table, boot, run);
	add_rounds(table, boot, run);
	for_each_hist(table, boot, run, add_mean);
	for_each_hist(table, boot, run, add_quantiles);
	add_lock_phases(table, boot, run);
}
