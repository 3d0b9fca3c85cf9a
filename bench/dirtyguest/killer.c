// SPDX-License-Identifier: GPL-2.0-only
/* SIGKILL from a thread of its own: see killer.h. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "diag.h"
#include "killer.h"

static struct {
	pid_t victim;
	__u64 delay_ns;
	bool is_ready;
	bool is_begun;
} killer;

/* Sleeping would come back too late. */
static void *killer_main(void *arg)
{
	__u64 begin_ns;

	(void)arg;
	__atomic_store_n(&killer.is_ready, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&killer.is_begun, __ATOMIC_ACQUIRE))
		sched_yield();
	begin_ns = dg_now_ns();
	while (dg_now_ns() - begin_ns < killer.delay_ns)
		;
	if (kill(killer.victim, SIGKILL))
		dg_warn("cannot kill process %d", (int)killer.victim);
	return NULL;
}

int killer__go(enum dg_kill who, __u64 delay_ns)
{
	pthread_t thread;
	int err;

	if (killer.victim)
		return 0; /* once */
	killer.victim = who == DG_KILL_SELF ? getpid() : getppid();
	/* Its parent died before: init is nobody to kill. */
	if (killer.victim == 1)
		return -ESRCH;
	killer.delay_ns = delay_ns;
	err = pthread_create(&thread, NULL, killer_main, NULL);
	if (err)
		return -err;
	pthread_detach(thread);
	while (!__atomic_load_n(&killer.is_ready, __ATOMIC_ACQUIRE))
		sched_yield();
	__atomic_store_n(&killer.is_begun, true, __ATOMIC_RELEASE);
	return 0;
}
