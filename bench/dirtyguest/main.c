// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirtyguest: a guest that dirties its memory by a plan, and a host that drives
 * KVM's dirty log and checks it page by page against that plan.
 */
#include <unistd.h>

#include "diag.h"
#include "session.h"
#include "user/exitcode.h"

int main(int argc, char **argv)
{
	struct dg_options opts;

	dg_options__parse(&opts, argc, argv);
	dg_set_verbose(opts.verbose);
	if (opts.dry_run) {
		dg_options__print_plan(&opts);
		return GSTAGE_EX_OK;
	}
	if (opts.result && !opts.force && !access(opts.result, F_OK)) {
		dg_err("%s exists: choose another name or add --force",
		       opts.result);
		return GSTAGE_EX_USAGE;
	}
	return session__run(&opts);
}
