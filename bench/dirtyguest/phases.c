// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sequence of a run: see phases.h.
 *
 * Between two stamps there is nothing but the phase itself: passes are
 * prepared before, checks are made and messages printed after. The checks run
 * when the round's log has been harvested and cleared, and only read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "diag.h"
#include "guard.h"
#include "killer.h"
#include "phases.h"

static __u64 add_phase(struct result *res, const char *name, __u64 round,
		       __u64 start_ns, __u64 end_ns)
{
	if (res->nr_phases < res->max_phases)
		res->phases[res->nr_phases++] = (struct result_phase){
			.name = name,
			.round = round,
			.start_ns = start_ns,
			.end_ns = end_ns,
		};
	return end_ns - start_ns;
}

static void say_failed(struct phases *ph, const char *name, __u64 round,
		       int err)
{
	snprintf(ph->res->error, sizeof(ph->res->error),
		 "phase %s, round %llu: %s", name, round, strerror(-err));
}

/* Kill somebody in the middle of @name, if that is asked for (tests). */
static void kill_in(const struct phases *ph, const char *name)
{
	const struct dg_options *opts = ph->opts;
	int err;

	if (!opts->kill || strcmp(name, dg_log_op_names[opts->kill_in]))
		return;
	err = killer__go(opts->kill, opts->kill_delay_ns);
	if (err)
		dg_err("thread to kill from: %s", strerror(-err));
}

/* A phase of the host: one operation on the log, under the guard. */
static int host_phase(struct phases *ph, const char *name, __u64 round,
		      int (*op)(struct dirtylog *log), __u64 *ns)
{
	__u64 start, end;
	int err;

	err = guard__arm(name, round, ph->opts->limit_ns);
	if (err) {
		dg_err("time limit: %s", strerror(-err));
		return err;
	}
	kill_in(ph, name);
	start = dg_now_ns();
	err = op(ph->log);
	end = dg_now_ns();
	guard__disarm();
	if (err)
		say_failed(ph, name, round, err);
	*ns = add_phase(ph->res, name, round, start, end);
	return err;
}

/* @nr_readers, the last ones, read every page, in random order. */
static void prepare_pass(struct phases *ph, __u64 round, __u32 order,
			 __u32 write_percent, __u32 nr_readers)
{
	const struct dg_options *opts = ph->opts;
	struct dg_pass_params params = {
		.seed = opts->seed,
		.round = round,
		.nr_vcpus = opts->nr_vcpus,
		.order = order,
		.write_percent = write_percent,
		.hot_percent = opts->hot_percent,
		.overlap = opts->overlap,
		.nr_pages = dg_options__work_pages(opts),
		.first_page = opts->slot_offset_pages,
	};

	for (__u32 i = 0; i < opts->nr_vcpus; i++) {
		struct dg_mailbox *mailbox = ph->vm->vcpus[i].mailbox;

		params.vcpu = i;
		if (i >= opts->nr_vcpus - nr_readers) {
			params.order = DG_ORDER_RANDOM;
			params.write_percent = 0;
		}
		dg_pass_init(&mailbox->pass, &params);
		mailbox->progress = 0;
		mailbox->nr_writes = 0;
	}
}

/* A phase of the guest: all vCPUs work off one pass each. */
static int guest_phase(struct phases *ph, const char *name, __u64 round,
		       __u64 *ns)
{
	__u64 start, end;
	char where[32];
	int err;

	snprintf(where, sizeof(where), "phase %s, round %llu", name, round);
	start = dg_now_ns();
	err = crew__run(ph->crew, where, DG_PORT_DONE, ph->opts->limit_ns);
	end = dg_now_ns();
	if (err)
		say_failed(ph, name, round, err);
	*ns = add_phase(ph->res, name, round, start, end);
	return err;
}

/* Replay what the guest did; @turns may be NULL. 0 or -EPROTO. */
static int record_passes(struct phases *ph, struct result_turn *turns)
{
	check__begin_round(ph->check);
	for (__u32 i = 0; i < ph->opts->nr_vcpus; i++) {
		struct dg_mailbox *mailbox = ph->vm->vcpus[i].mailbox;
		__u64 nr_writes = check__record(ph->check, &mailbox->pass);

		if (nr_writes != mailbox->nr_writes) {
			dg_err("vCPU %u says it stored %llu times, %llu were asked for",
			       i, mailbox->nr_writes, nr_writes);
			return -EPROTO;
		}
		if (turns) {
			turns[i].run_ns = crew__vcpu_ns(ph->crew, i);
			turns[i].nr_writes = nr_writes;
		}
	}
	if (ph->opts->self_test == DG_SELF_TEST_WRONG_VALUE)
		ph->check->expected[0] ^= 1;
	return 0;
}

static __u64 check_values(struct phases *ph, const char *name, __u64 round)
{
	struct check_values values;

	check__values(ph->check, ph->vm->test->base, &values);
	if (values.nr_wrong)
		dg_err("phase %s, round %llu: %llu wrong values; first: page %llu, word of vCPU %u: expected %#llx, found %#llx",
		       name, round, values.nr_wrong, values.page, values.vcpu,
		       values.expected, values.found);
	ph->res->values_wrong += values.nr_wrong;
	return values.nr_wrong;
}

/* A pass outside the logged rounds: populate and after. */
static int unlogged_pass(struct phases *ph, const char *name, __u64 round,
			 __u32 order, __u32 write_percent, __u64 *ns)
{
	int err;

	prepare_pass(ph, round, order, write_percent, 0);
	err = guest_phase(ph, name, round, ns);
	if (!err)
		err = record_passes(ph, NULL);
	if (!err)
		check_values(ph, name, round);
	return err;
}

/* Damage the harvest as --self-test asks, so that the check must notice. */
static void spoil_bitmap(struct phases *ph)
{
	__u64 *bitmap = ph->log->bitmap, *written = ph->check->written;

	for (__u64 i = 0; i < ph->log->bitmap_bytes / sizeof(*bitmap); i++) {
		__u64 from = ph->opts->self_test == DG_SELF_TEST_LOSE_BIT ?
				     bitmap[i] & written[i] :
				     ~bitmap[i] & ~written[i];

		if (from) {
			bitmap[i] ^= from & -from;
			return;
		}
	}
}

static void check_round(struct phases *ph, struct result_round *r)
{
	enum dg_self_test self_test = ph->opts->self_test;

	if (self_test == DG_SELF_TEST_LOSE_BIT ||
	    self_test == DG_SELF_TEST_ADD_BIT)
		spoil_bitmap(ph);
	check__log(ph->check, ph->log->bitmap, &r->log);
	if (r->log.pages_lost)
		dg_err("round %llu: %llu of %llu pages written are missing from the dirty log, the first is page %llu (GPA %#llx)",
		       r->round, r->log.pages_lost, r->log.pages_written,
		       r->log.first_lost,
		       DG_TEST_GPA + (r->log.first_lost << DG_PAGE_SHIFT));
	r->values_wrong = check_values(ph, "dirty", r->round);
	dg_info("round %llu: %llu written, %llu reported", r->round,
		r->log.pages_written, r->log.pages_reported);
}

/* Harvest while the vCPUs run. What they write meanwhile comes with the next. */
static int harvest_live(void *ctx)
{
	struct phases *ph = ctx;
	struct result_round *r = &ph->res->rounds[ph->res->nr_rounds];
	int err;

	err = guard__arm("dirty", r->round, ph->opts->limit_ns);
	if (err) {
		dg_err("time limit: %s", strerror(-err));
		return err;
	}
	err = dirtylog__get(ph->log);
	if (!err)
		err = dirtylog__clear(ph->log);
	guard__disarm();
	dirtylog__keep(ph->log);
	r->nr_live++;
	return err;
}

static int run_round(struct phases *ph, struct result_round *r)
{
	int err;

	prepare_pass(ph, r->round, ph->opts->order, ph->opts->write_percent,
		     ph->opts->nr_readers);
	if (ph->opts->live_ns)
		crew__every(ph->crew, ph->opts->live_ns, harvest_live, ph);
	err = guest_phase(ph, "dirty", r->round, &r->dirty_ns);
	crew__every(ph->crew, 0, NULL, NULL);
	if (!err)
		err = host_phase(ph, "get", r->round, dirtylog__get,
				 &r->get_ns);
	if (!err && ph->opts->log_mode != DG_LOG_CLEAR_ON_GET)
		err = host_phase(ph, "clear", r->round, dirtylog__clear,
				 &r->clear_ns);
	if (!err)
		err = record_passes(ph, r->turns);
	if (err)
		return err;
	dirtylog__add_kept(ph->log);
	check_round(ph, r);
	ph->res->nr_rounds++;
	return 0;
}

/*
 * With initially-set the log starts full: harvest and clear it, which is when
 * KVM write-protects (and, splitting eagerly, splits), before round 1.
 */
static int first_harvest(struct phases *ph)
{
	struct result *res = ph->res;
	struct check_log log;
	int err;

	err = host_phase(ph, "get", 0, dirtylog__get, &res->initial_get_ns);
	if (!err)
		err = host_phase(ph, "clear", 0, dirtylog__clear,
				 &res->initial_clear_ns);
	if (err)
		return err;
	check__begin_round(ph->check);
	check__log(ph->check, ph->log->bitmap, &log);
	res->initial_reported = log.pages_reported;
	res->initial_expected = ph->log->nr_pages;
	if (res->initial_reported != res->initial_expected)
		dg_err("first harvest: %llu of %llu pages reported, with initially-set all must be",
		       res->initial_reported, res->initial_expected);
	return 0;
}

static int run_logged(struct phases *ph)
{
	struct result *res = ph->res;
	int err;

	err = host_phase(ph, "enable", 0, dirtylog__enable, &res->enable_ns);
	if (!err && ph->opts->log_mode == DG_LOG_INITIALLY_SET)
		err = first_harvest(ph);
	for (__u64 i = 0; i < ph->opts->nr_rounds && !err; i++)
		err = run_round(ph, &res->rounds[i]);
	if (!err)
		err = host_phase(ph, "disable", 0, dirtylog__disable,
				 &res->disable_ns);
	return err;
}

static int run_all(struct phases *ph)
{
	const struct dg_options *opts = ph->opts;
	int err;

	/* Outside all phases: the payload's own pages are faulted in here. */
	err = crew__run(ph->crew, "start", DG_PORT_READY, opts->limit_ns);
	if (err) {
		say_failed(ph, "start", 0, err);
		return err;
	}
	if (!opts->skip_populate)
		err = unlogged_pass(ph, "populate", 0, DG_ORDER_SEQ, 100,
				    &ph->res->populate_ns);
	if (!err)
		err = run_logged(ph);
	if (!err && opts->after)
		err = unlogged_pass(ph, "after", opts->nr_rounds + 1,
				    opts->after_order, 100, &ph->res->after_ns);
	return err;
}

int phases__run(struct phases *ph)
{
	int err = run_all(ph);

	ph->res->runs_refused = crew__nr_refused(ph->crew);
	if (ph->res->runs_refused)
		dg_warn("KVM_RUN failed %llu times for want of memory; the vCPU was entered again",
			ph->res->runs_refused);
	return err;
}
