// SPDX-License-Identifier: GPL-2.0-only
/* vCPU threads and their barrier: see crew.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "crew.h"
#include "diag.h"

#define NSEC_PER_SEC 1000000000ull

/* How long a kicked vCPU may take to leave KVM_RUN. */
#define KICK_NS (5 * NSEC_PER_SEC)

/* A member's state; written under the crew's lock by whoever holds the turn. */
struct member {
	struct crew *crew;
	struct vm_vcpu *vcpu;
	__u32 id;
	pthread_t thread;
	bool started;
	bool running;
	int cpu; /* to stay on, or -1 */
	bool is_fifo; /* gives way to nobody */
	int err; /* of this turn: 0 or -errno */
	__u64 start_ns;
	__u64 end_ns;
	__u64 seen_progress; /* watchdog: the counter when last looked at */
	__u64 seen_ns; /* watchdog: when it last changed */
	__u64 nr_refused; /* KVM_RUN that failed for want of memory */
};

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t go; /* host to vCPUs: turn or quit changed */
	pthread_cond_t done; /* vCPUs to host: nr_running became 0 */
	struct vm *vm;
	const char *phase;
	__u32 code; /* port value that ends the turn */
	__u64 turn;
	__u32 nr_running;
	bool quit;
	bool kicked; /* leave KVM_RUN, the turn is over */
	__u64 every_ns;
	int (*every)(void *ctx); /* or NULL */
	void *every_ctx;
	struct member members[];
};

static void on_kick(int sig)
{
	(void)sig; /* its only purpose is to interrupt KVM_RUN */
}

static void say_exit(const struct member *m)
{
	const struct kvm_run *run = m->vcpu->run;
	__u64 pc = vm__pc(m->crew->vm, m->id);

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		dg_err("%s: vCPU %u: %s of %u bytes at unbacked GPA %#llx, pc %#llx",
		       m->crew->phase, m->id,
		       run->mmio.is_write ? "store" : "load", run->mmio.len,
		       run->mmio.phys_addr, pc);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		dg_err("%s: vCPU %u: guest entry failed, hardware reason %#llx on CPU %u, pc %#llx",
		       m->crew->phase, m->id,
		       run->fail_entry.hardware_entry_failure_reason,
		       run->fail_entry.cpu, pc);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		dg_err("%s: vCPU %u: KVM internal error %u, data %#llx %#llx, pc %#llx",
		       m->crew->phase, m->id, run->internal.suberror,
		       run->internal.data[0], run->internal.data[1], pc);
		break;
	default:
		dg_err("%s: vCPU %u: unexpected exit reason %u, pc %#llx",
		       m->crew->phase, m->id, run->exit_reason, pc);
	}
}

static int on_port(const struct member *m, __u32 code)
{
	const struct dg_mailbox *mailbox = m->vcpu->mailbox;

	if (code == m->crew->code)
		return 0;
	if (code == DG_PORT_FAIL)
		dg_err("%s: vCPU %u: unexpected trap in the guest: scause %#llx, stval %#llx, pc %#llx",
		       m->crew->phase, m->id, mailbox->trap_cause,
		       mailbox->trap_value, mailbox->trap_pc);
	else
		dg_err("%s: vCPU %u: guest reported %u where %u was expected",
		       m->crew->phase, m->id, code, m->crew->code);
	return -EIO;
}

static int on_exit_reason(const struct member *m)
{
	const struct kvm_run *run = m->vcpu->run;
	__u32 code;

	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != DG_PORT_GPA ||
	    run->mmio.len != sizeof(code)) {
		say_exit(m);
		return -EIO;
	}
	memcpy(&code, run->mmio.data, sizeof(code));
	return on_port(m, code);
}

/*
 * Enter the guest until it reports. 0, -EINTR when kicked, or -EIO. A fault for
 * which KVM had no memory has done nothing yet, and is taken again.
 */
static int run_turn(struct member *m)
{
	int err;

	while (ioctl(m->vcpu->fd, KVM_RUN, 0)) {
		err = errno;
		if (err == EAGAIN)
			continue;
		m->nr_refused += err == ENOMEM;
		if (err != EINTR && err != ENOMEM) {
			dg_err("%s: vCPU %u: KVM_RUN: %s, pc %#llx",
			       m->crew->phase, m->id, strerror(err),
			       vm__pc(m->crew->vm, m->id));
			return -EIO;
		}
		if (__atomic_load_n(&m->crew->kicked, __ATOMIC_ACQUIRE))
			return -EINTR;
	}
	return on_exit_reason(m);
}

static void stay_on_cpu(const struct member *m)
{
	cpu_set_t set;
	int err;

	if (m->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(m->cpu, &set);
	err = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (err)
		dg_warn("--pin: vCPU %u to CPU %d: %s", m->id, m->cpu,
			strerror(err));
}

static void give_way_to_nobody(const struct member *m)
{
	struct sched_param param = { .sched_priority = 1 };
	int err;

	if (!m->is_fifo)
		return;
	err = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	if (err)
		dg_warn("--fifo: vCPU %u: %s; it takes turns with the others",
			m->id, strerror(err));
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct crew *crew = m->crew;
	__u64 turn = 0;

	stay_on_cpu(m);
	give_way_to_nobody(m);
	pthread_mutex_lock(&crew->lock);
	for (;;) {
		while (crew->turn == turn && !crew->quit)
			pthread_cond_wait(&crew->go, &crew->lock);
		if (crew->quit)
			break;
		turn = crew->turn;
		pthread_mutex_unlock(&crew->lock);

		m->start_ns = dg_now_ns();
		m->err = run_turn(m);
		m->end_ns = dg_now_ns();

		pthread_mutex_lock(&crew->lock);
		m->running = false;
		if (!--crew->nr_running)
			pthread_cond_signal(&crew->done);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* The @n-th CPU, modulo their number, that this process may run on; or -1. */
static int nth_allowed_cpu(__u32 n)
{
	cpu_set_t set;
	__u32 left;

	if (sched_getaffinity(0, sizeof(set), &set) || !CPU_COUNT(&set))
		return -1;
	left = n % (__u32)CPU_COUNT(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set) && !left--)
			return cpu;
	}
	return -1;
}

static int init_sync(struct crew *crew)
{
	struct sigaction sa = { .sa_handler = on_kick };
	pthread_condattr_t attr;
	int err;

	/* Without SA_RESTART: KVM_RUN must come back with EINTR. */
	if (sigaction(SIGUSR1, &sa, NULL))
		return -errno;
	err = pthread_condattr_init(&attr);
	if (err)
		return -err;
	err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(&crew->done, &attr);
	if (!err)
		err = pthread_cond_init(&crew->go, NULL);
	if (!err)
		err = pthread_mutex_init(&crew->lock, NULL);
	pthread_condattr_destroy(&attr);
	return -err;
}

struct crew *crew__new(struct vm *vm, bool pin, bool fifo)
{
	struct crew *crew;
	int err;

	crew = calloc(1,
		      sizeof(*crew) + vm->nr_vcpus * sizeof(crew->members[0]));
	if (!crew)
		return NULL;
	crew->vm = vm;
	err = init_sync(crew);
	for (__u32 i = 0; i < vm->nr_vcpus && !err; i++) {
		struct member *m = &crew->members[i];

		m->crew = crew;
		m->vcpu = &vm->vcpus[i];
		m->id = i;
		m->cpu = pin ? nth_allowed_cpu(i) : -1;
		m->is_fifo = fifo;
		err = -pthread_create(&m->thread, NULL, member_main, m);
		m->started = !err;
	}
	if (err) {
		dg_err("threads for the vCPUs: %s", strerror(-err));
		crew__free(crew);
		errno = -err;
		return NULL;
	}
	return crew;
}

/* Sleep until all are done or @until_ns; false on the latter. Lock held. */
static bool wait_done(struct crew *crew, __u64 until_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(until_ns % NSEC_PER_SEC),
	};

	while (crew->nr_running) {
		if (pthread_cond_timedwait(&crew->done, &crew->lock, &ts))
			return !crew->nr_running;
	}
	return true;
}

/* Index of a vCPU without progress for @limit_ns, or -1. Lock held. */
static int find_stuck(struct crew *crew, __u64 limit_ns)
{
	__u64 now = dg_now_ns();

	for (__u32 i = 0; i < crew->vm->nr_vcpus; i++) {
		struct member *m = &crew->members[i];
		__u64 progress = __atomic_load_n(&m->vcpu->mailbox->progress,
						 __ATOMIC_RELAXED);

		if (progress != m->seen_progress) {
			m->seen_progress = progress;
			m->seen_ns = now;
		}
		if (m->running && now - m->seen_ns >= limit_ns)
			return (int)i;
	}
	return -1;
}

static void say_stuck(const struct member *m, __u64 limit_ns)
{
	const struct dg_mailbox *mailbox = m->vcpu->mailbox;
	__u64 op_index = mailbox->progress - 1;
	struct dg_op op;

	if (!mailbox->pass.nr_ops || op_index >= mailbox->pass.nr_ops) {
		dg_err("%s: vCPU %u made no progress for %llu ms, pc %#llx",
		       m->crew->phase, m->id, limit_ns / 1000000,
		       vm__pc(m->crew->vm, m->id));
		return;
	}
	dg_pass_op(&mailbox->pass, op_index, &op);
	dg_err("%s: vCPU %u made no progress for %llu ms: stuck %s GPA %#llx (page %llu), operation %llu of %llu, pc %#llx",
	       m->crew->phase, m->id, limit_ns / 1000000,
	       op.is_write ? "writing" : "reading",
	       DG_TEST_GPA + (op.page << DG_PAGE_SHIFT) + m->id * sizeof(__u64),
	       op.page, op_index + 1, mailbox->pass.nr_ops,
	       vm__pc(m->crew->vm, m->id));
}

/* Get every vCPU out of KVM_RUN. False when one does not come. Lock held. */
static bool kick_all(struct crew *crew)
{
	__atomic_store_n(&crew->kicked, true, __ATOMIC_RELEASE);
	for (__u32 i = 0; i < crew->vm->nr_vcpus; i++) {
		struct member *m = &crew->members[i];

		if (!m->running)
			continue;
		/* Also stops one that is only about to enter. */
		m->vcpu->run->immediate_exit = 1;
		pthread_kill(m->thread, SIGUSR1);
	}
	return wait_done(crew, dg_now_ns() + KICK_NS);
}

static void begin_turn(struct crew *crew, const char *phase, __u32 code)
{
	__u64 now = dg_now_ns();

	crew->phase = phase;
	crew->code = code;
	for (__u32 i = 0; i < crew->vm->nr_vcpus; i++) {
		struct member *m = &crew->members[i];

		m->err = 0;
		m->running = true;
		m->seen_progress = m->vcpu->mailbox->progress;
		m->seen_ns = now;
	}
	crew->nr_running = crew->vm->nr_vcpus;
	crew->turn++;
	pthread_cond_broadcast(&crew->go);
}

void crew__every(struct crew *crew, __u64 ns, int (*fn)(void *ctx), void *ctx)
{
	crew->every_ns = ns;
	crew->every = fn;
	crew->every_ctx = ctx;
}

/* Index of a vCPU that stands still, or -1 when all are done. Lock held. */
static int watch(struct crew *crew, __u64 limit_ns, int *err)
{
	__u64 step_ns = limit_ns / 4 + 1;
	int stuck = -1;

	if (crew->every && crew->every_ns < step_ns)
		step_ns = crew->every_ns;
	while (stuck < 0 && !wait_done(crew, dg_now_ns() + step_ns)) {
		stuck = find_stuck(crew, limit_ns);
		if (stuck >= 0 || !crew->every || *err)
			continue;
		pthread_mutex_unlock(&crew->lock);
		*err = crew->every(crew->every_ctx);
		pthread_mutex_lock(&crew->lock);
	}
	return stuck;
}

int crew__run(struct crew *crew, const char *phase, __u32 code, __u64 limit_ns)
{
	int stuck, err = 0;

	pthread_mutex_lock(&crew->lock);
	begin_turn(crew, phase, code);
	stuck = watch(crew, limit_ns, &err);
	if (stuck >= 0) {
		if (!kick_all(crew))
			dg_err("%s: vCPU %d does not leave KVM_RUN when signalled",
			       phase, stuck);
		else
			say_stuck(&crew->members[stuck], limit_ns);
		err = -ETIMEDOUT;
	}
	for (__u32 i = 0; i < crew->vm->nr_vcpus && !err; i++)
		err = crew->members[i].err;
	pthread_mutex_unlock(&crew->lock);
	return err;
}

__u64 crew__vcpu_ns(const struct crew *crew, __u32 vcpu)
{
	return crew->members[vcpu].end_ns - crew->members[vcpu].start_ns;
}

__u64 crew__nr_refused(const struct crew *crew)
{
	__u64 nr = 0;

	for (__u32 i = 0; i < crew->vm->nr_vcpus; i++)
		nr += crew->members[i].nr_refused;
	return nr;
}

bool crew__free(struct crew *crew)
{
	bool all_out;

	if (!crew)
		return true;
	pthread_mutex_lock(&crew->lock);
	all_out = !crew->nr_running;
	crew->quit = true;
	pthread_cond_broadcast(&crew->go);
	pthread_mutex_unlock(&crew->lock);
	if (!all_out)
		return false;

	for (__u32 i = 0; i < crew->vm->nr_vcpus; i++) {
		if (crew->members[i].started)
			pthread_join(crew->members[i].thread, NULL);
	}
	pthread_cond_destroy(&crew->go);
	pthread_cond_destroy(&crew->done);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
	return true;
}
