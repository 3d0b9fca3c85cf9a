/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of gstage trace. */
#ifndef GSTAGE_USER_TRACE_OPTS_H
#define GSTAGE_USER_TRACE_OPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/cmd_common.h"
#include "user/probes.h"

struct trace_opts {
	struct common_opts common;
	pid_t pid;
	uint64_t duration_ns; /* 0: no limit */
	uint64_t interval_ns; /* 0: none */
	const char *output;
	bool force;
	bool is_backend_forced; /* by --backend */
	enum backend backend;
	bool kprobes; /* functions by these */
	bool counts_only;
	bool fences;
	bool checks;
	bool stop_on_broken;
	bool events;
	bool locks;
	bool exits;
	bool stalls; /* and exits */
	bool timestamps;
	uint64_t max_phases;
	uint64_t ring_bytes;
	char **cmdline;
};

/* What is wrong ends the program, with a line on stderr and status 2. */
void trace_opts_parse(int argc, char **argv, struct trace_opts *opts);

#endif /* GSTAGE_USER_TRACE_OPTS_H */
