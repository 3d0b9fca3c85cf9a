// SPDX-License-Identifier: GPL-2.0-only
/* One run from memory to result: see session.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "diag.h"
#include "kvm_stats.h"
#include "phases.h"
#include "session.h"
#include "user/exitcode.h"

/* Named by a tracer that wants the result inside its run file. */
#define RESULT_ENV "GSTAGE_GUEST_RESULT"

static int write_results(const struct result *res,
			 const struct dg_options *opts)
{
	const char *wanted = getenv(RESULT_ENV);
	int err = 0;

	if (opts->result)
		err = result__write(res, opts, opts->result, opts->force);
	if (wanted && *wanted && !err)
		err = result__write(res, opts, wanted, true);
	return err;
}

static int run_status(int err, const struct result *res)
{
	if (err == -ETIMEDOUT)
		return GSTAGE_EX_TIMEOUT;
	return err || !result__is_good(res) ? GSTAGE_EX_REGRESSION :
					      GSTAGE_EX_OK;
}

/* The phases, with everything they need in place; the exit status. */
static int run(struct phases *ph, const struct dg_options *opts)
{
	int err, status;

	ph->crew = crew__new(ph->vm, opts->pin, opts->fifo);
	if (!ph->crew)
		return GSTAGE_EX_IMPOSSIBLE;
	err = phases__run(ph);
	status = run_status(err, ph->res);
	if (!opts->quiet)
		result__print(ph->res, opts);
	if (opts->kvm_stats && kvm_stats__print(ph->vm) && !status)
		status = GSTAGE_EX_IMPOSSIBLE;
	if (write_results(ph->res, opts) && !status)
		status = GSTAGE_EX_IMPOSSIBLE;
	/* A vCPU that stays inside KVM still uses all of it: leave as we are. */
	if (!crew__free(ph->crew))
		_exit(status);
	return status;
}

int session__run(const struct dg_options *opts)
{
	int status = GSTAGE_EX_IMPOSSIBLE;
	struct dirtylog log = { 0 };
	struct memory mem = { 0 };
	struct result res = { 0 };
	struct check check = { 0 };
	struct vm vm = { 0 };
	struct phases ph = { opts, &vm, NULL, &log, &check, &res };

	if (result__new(&res, opts) ||
	    check__new(&check, opts->nr_vcpus, dg_options__work_pages(opts),
		       dg_options__slot_pages(opts))) {
		dg_err("no memory for the results: use fewer rounds or vCPUs");
		goto out;
	}
	check.first_page = opts->slot_offset_pages;
	if (memory__map(&mem, opts) || vm__new(&vm, opts->nr_vcpus, &mem) ||
	    dirtylog__new(&log, &vm, opts))
		goto out;
	res.nr_blocks = mem.nr_blocks;
	res.nr_huge = mem.nr_huge;
	status = run(&ph, opts);
out:
	dirtylog__free(&log);
	vm__free(&vm);
	memory__unmap(&mem);
	check__free(&check);
	result__free(&res);
	return status;
}
