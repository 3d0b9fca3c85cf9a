/* SPDX-License-Identifier: GPL-2.0-only */
/* The traced command: started, held back until the probes are on, reaped. */
#ifndef GSTAGE_USER_CHILD_H
#define GSTAGE_USER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int go_fd; /* closing it without a byte ends the child */
	int error_fd; /* errno of a failed exec */
	bool is_done;
	int status; /* as a shell would report it: 128 + N for signal N */
};

/* Fork, and hold the child before exec. 0 or -errno, reported. */
int child_start(struct child *child, char *const *argv);

/* Let it go. 0 or -errno (the command cannot be run), reported. */
int child_go(struct child *child, const char *name);

/* After SIGCHLD: has it ended? */
bool child_reap(struct child *child);

/* Ask it to end (@sig), or end it if it was never let go; and wait for it. */
void child_stop(struct child *child, int sig);

#endif /* GSTAGE_USER_CHILD_H */
