// SPDX-License-Identifier: GPL-2.0-only
/* See child.h. */
#include "user/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/log.h"

/* How long a command may take to end after it was asked to. */
#define STOP_TRIES 50
#define STOP_PAUSE_NS 100000000L

static void run_child(int go_fd, int error_fd, char *const *argv)
{
	sigset_t none;
	char byte;
	int err;

	/* The parent waits for signals in another way. */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A tracer that is killed must not leave a command held for ever. */
	if (read(go_fd, &byte, 1) != 1)
		_exit(0);
	execvp(argv[0], argv);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

int child_start(struct child *child, char *const *argv)
{
	int go[2] = { -1, -1 }, error[2] = { -1, -1 };
	int err;

	memset(child, 0, sizeof(*child));
	child->go_fd = -1;
	child->error_fd = -1;
	if (pipe2(go, O_CLOEXEC) || pipe2(error, O_CLOEXEC)) {
		err = -errno;
		goto out;
	}
	child->pid = fork();
	if (child->pid < 0) {
		err = -errno;
		child->pid = 0;
		goto out;
	}
	if (!child->pid) {
		close(go[1]);
		close(error[0]);
		run_child(go[0], error[1], argv);
	}
	close(go[0]);
	close(error[1]);
	child->go_fd = go[1];
	child->error_fd = error[0];
	return 0;
out:
	pr_err("cannot start a process for '%s': %s", argv[0], strerror(-err));
	close(go[0]);
	close(go[1]);
	close(error[0]);
	close(error[1]);
	return err;
}

int child_go(struct child *child, const char *name)
{
	int exec_errno = 0;
	ssize_t n;

	n = write(child->go_fd, "", 1);
	close(child->go_fd);
	child->go_fd = -1;
	if (n != 1)
		exec_errno = EPIPE;
	/* Ends with exec, which closes the other side, or brings an errno. */
	else if (read(child->error_fd, &exec_errno, sizeof(exec_errno)) < 0)
		exec_errno = errno;
	if (!exec_errno)
		return 0;
	pr_err("cannot run '%s': %s", name, strerror(exec_errno));
	return -exec_errno;
}

bool child_reap(struct child *child)
{
	int status;

	if (child->is_done || !child->pid)
		return child->is_done;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return false;
	child->is_done = true;
	child->status = WIFEXITED(status) ? WEXITSTATUS(status) :
					    128 + WTERMSIG(status);
	return true;
}

void child_stop(struct child *child, int sig)
{
	const struct timespec pause = { .tv_nsec = STOP_PAUSE_NS };
	int i;

	if (!child->pid)
		return;
	if (child->go_fd >= 0) {
		close(child->go_fd);
		child->go_fd = -1;
	} else if (!child_reap(child)) {
		kill(child->pid, sig);
	}
	for (i = 0; i < STOP_TRIES && !child_reap(child); i++)
		nanosleep(&pause, NULL);
	if (!child->is_done) {
		pr_warn("the command does not end, it is killed");
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		child->is_done = true;
		child->status = 128 + SIGKILL;
	}
	if (child->error_fd >= 0) {
		close(child->error_fd);
		child->error_fd = -1;
	}
}
