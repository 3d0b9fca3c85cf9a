// SPDX-License-Identifier: GPL-2.0-only
/* Time limit on host phases: see guard.h. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "guard.h"
#include "user/exitcode.h"

static char message[160];
static size_t message_len;

static void on_alarm(int sig)
{
	(void)sig;
	/* Nothing sensible is left to do if stderr cannot be written. */
	if (write(STDERR_FILENO, message, message_len) < 0)
		_exit(GSTAGE_EX_TIMEOUT);
	_exit(GSTAGE_EX_TIMEOUT);
}

static int set_timer(__u64 ns)
{
	struct itimerval it = {
		.it_value.tv_sec = (time_t)(ns / 1000000000),
		.it_value.tv_usec = (suseconds_t)(ns % 1000000000 / 1000),
	};

	return setitimer(ITIMER_REAL, &it, NULL) ? -errno : 0;
}

int guard__arm(const char *name, __u64 round, __u64 limit_ns)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	sigset_t alarm;
	int n;

	n = snprintf(
		message, sizeof(message),
		"dirtyguest: phase %s (round %llu) did not end within %llu ms: a KVM ioctl is stuck, or raise --limit\n",
		name, round, limit_ns / 1000000);
	message_len = n < (int)sizeof(message) ? (size_t)n :
						 sizeof(message) - 1;

	/*
	 * A signal is handled on the way out of the kernel, where this thread
	 * may be stuck: leave it to the vCPU threads, which sleep meanwhile.
	 */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	n = pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	if (n)
		return -n;
	if (sigaction(SIGALRM, &sa, NULL))
		return -errno;
	/* The timer counts microseconds, and 0 would disarm it. */
	return set_timer(limit_ns < 1000 ? 1000 : limit_ns);
}

void guard__disarm(void)
{
	set_timer(0);
}
