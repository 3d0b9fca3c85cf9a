// SPDX-License-Identifier: GPL-2.0-only
/*
 * gstage doctor: what can be traced here, or in a kernel that does not run, what
 * cannot and why, and what changes it.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/cmd.h"
#include "user/cmd_common.h"
#include "user/doctor.h"
#include "user/exitcode.h"
#include "user/ktext.h"
#include "user/log.h"

#define MAX_FILES 2

struct doctor_opts {
	struct common_opts common;
	char *paths[MAX_FILES];
	size_t nr_paths;
};

static const char doc[] =
	"Say what gstage trace can see on this machine and by what, what it "
	"cannot and why, and the command or configuration that changes it; which "
	"of the known patch series the running KVM contains; and the resolution "
	"of the clock. With FILE (Image, vmlinux, kvm.ko, or a kernel and its "
	"kvm.ko) the same of a kernel that does not run, on any machine.\v"
	"Exit status: 0 it can be traced, if not all of it; 2 usage, or a file "
	"that cannot be read; 4 nothing can be traced.\n\n"
	"EXAMPLES\n"
	"  gstage doctor\n"
	"  gstage doctor --json | jq -r '.obstacles[].remedy'\n"
	"  gstage doctor Image kvm.ko\n";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct doctor_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->common;
		break;
	case ARGP_KEY_ARG:
		if (opts->nr_paths == MAX_FILES)
			argp_error(
				state,
				"one kernel, one kvm.ko or both, not also '%s'",
				arg);
		opts->paths[opts->nr_paths++] = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "[FILE [FILE]]",
	.doc = doc,
	.children = timeless_children,
};

static int print(const struct doctor *d, const struct doctor_opts *opts)
{
	json_t *json;
	int err = 0;

	if (!opts->common.json)
		return doctor_print(stdout, d, opts->common.verbose);
	json = doctor_to_json(d);
	if (!json)
		return -ENOMEM;
	if (json_dumpf(json, stdout, JSON_COMPACT) || putchar('\n') == EOF ||
	    fflush(stdout))
		err = -EIO;
	json_decref(json);
	return err;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_opts opts = {};
	struct doctor d = { .look_for_callers = ktext_look };
	int status = GSTAGE_EX_USAGE;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &opts);
	err = opts.nr_paths ? doctor_look_at(&d, opts.paths, opts.nr_paths) :
			      doctor_look_here(&d);
	if (err) {
		if (!opts.nr_paths)
			status = GSTAGE_EX_IMPOSSIBLE;
		goto out;
	}
	err = print(&d, &opts);
	if (err)
		pr_err("cannot write to stdout: %s", strerror(-err));
	else
		status = doctor_can_trace(&d) ? GSTAGE_EX_OK :
						GSTAGE_EX_IMPOSSIBLE;
out:
	doctor_free(&d);
	return status;
}
