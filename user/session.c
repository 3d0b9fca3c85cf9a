// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of the BPF programs: see session.h. Which program serves which fact is
 * in user/probes.c.
 */
#include "user/session.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gstage.skel.h"
#include "gstage_kprobes.skel.h"
#include "user/bracket_run.h"
#include "user/hook.h"
#include "user/log.h"

struct session {
	struct gstage_bpf *skel;
	struct ring_buffer *ring;
	struct gstage_row *rows; /* mapped */
	size_t rows_bytes;
	size_t row_stride; /* bytes; the kernel rounds a value up to 8 */
	struct gstage_exits *exits; /* mapped, only with --exits */
	size_t exits_bytes;
	int nr_cpus;
	const struct probe_choice *choices;
	const struct probe *probes; /* all there are, and for each of them: */
	size_t nr_probes;
	struct hook *hooks;
	bool *is_attached; /* or was, before session__detach() */
	int (*on_record)(void *ctx, const struct gstage_rec *rec);
	void *record_ctx;
	struct bracket_hooks *bracket;
	bool is_measuring; /* itself: what is recorded is nobody's */
	bool is_detached;
};

static int print_libbpf(enum libbpf_print_level level, const char *fmt,
			va_list ap)
{
	/* One level lower than ours: -v is ours, -vv is libbpf's. */
	int ours = level == LIBBPF_WARN ? LOG_DBG : LOG_TRACE;
	char *text;
	int len;

	if (log_level() < ours)
		return 0;
	/* The verifier's reasons take many lines. */
	len = vasprintf(&text, fmt, ap);
	if (len < 0)
		return 0;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	/* What is too long for the log is cut at its end, where the reason is. */
	log_msg(ours, "%s", len > LOG_MAX ? text + len - LOG_MAX : text);
	free(text);
	return 0;
}

static int on_ring_record(void *ctx, void *data, size_t size)
{
	struct session *s = ctx;

	if (size < sizeof(struct gstage_rec) || s->is_measuring)
		return 0;
	return s->on_record(s->record_ctx, data);
}

static bool is_by_function(const struct session_opts *opts, enum fact fact)
{
	return probes_is_served_by(&opts->choices[fact], BACKEND_FUNCTION);
}

/* Only what serves a fact is loaded. */
static void set_programs(struct session *s, const struct session_opts *opts)
{
	size_t i;

	for (i = 0; i < s->nr_probes; i++) {
		const struct probe *probe = &s->probes[i];
		bool is_there =
			!probe->is_optional ||
			opts->view.has_function(opts->view.ctx, probe->hook);

		hook_init(&s->hooks[i], s->skel->obj, probe->prog);
		hook_set_loaded(&s->hooks[i],
				is_there &&
					probes_is_needed(opts->choices, probe));
	}
	bpf_program__set_autoload(s->skel->progs.read_vm,
				  s->skel->rodata->cfg_stats);
	bracket_run_set_programs(s->skel->obj, opts->choices, &opts->view);
}

static int set_options(struct session *s, const struct session_opts *opts)
{
	struct gstage_bpf *skel = s->skel;
	int err;

	skel->rodata->cfg_tgid = opts->pid;
	skel->rodata->cfg_latency = !opts->counts_only;
	skel->rodata->cfg_events = opts->events;
	skel->rodata->cfg_eager = opts->is_eager;
	skel->rodata->cfg_max_phases = opts->max_phases;
	skel->rodata->cfg_clock_resolution_ns = opts->clock_resolution_ns;

	skel->rodata->cfg_fn_prots = is_by_function(opts, FACT_PROT_UPDATES);
	skel->rodata->cfg_fn_executed =
		is_by_function(opts, FACT_FLUSH_EXECUTED);
	skel->rodata->cfg_stats = probes_is_served_by(
		&opts->choices[FACT_FAULTS], BACKEND_TRACEPOINT);
	skel->rodata->cfg_checks =
		probes_is_served(&opts->choices[FACT_CHECKS]);
	skel->rodata->cfg_stalls = opts->choices[FACT_STALLS].status ==
				   PROBE_SERVED;
	set_programs(s, opts);

	/*
	 * libbpf asks for global data with a socket filter, which a kernel
	 * without CONFIG_NET does not know, and would then leave these out.
	 */
	err = bpf_map__set_autocreate(skel->maps.rodata, true);
	if (!err)
		err = bpf_map__set_autocreate(skel->maps.bss, true);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.rows, s->nr_cpus);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.records,
					       opts->ring_bytes);
	if (!err && probes_is_served(&opts->choices[FACT_EXITS]))
		err = bpf_map__set_max_entries(skel->maps.exits,
					       GSTAGE_MAX_EXIT_VCPUS);
	if (!err && skel->rodata->cfg_stalls)
		err = bpf_map__set_max_entries(skel->maps.turns,
					       GSTAGE_MAX_VMS);
	return err;
}

/* One skeleton for both, see below. */
_Static_assert(sizeof(struct gstage_bpf__bss) ==
		       sizeof(struct gstage_kprobes_bpf__bss),
	       "the same global data");
_Static_assert(sizeof(struct gstage_bpf__rodata) ==
		       sizeof(struct gstage_kprobes_bpf__rodata),
	       "the same options");

/*
 * The programs for kprobes are the same with other hooks (bpf/hook.bpf.h): the same
 * names, maps and global data, and calls under way beside. So it is the skeleton of
 * the others that holds them. NULL with errno.
 */
static struct gstage_bpf *open_kprobes(void)
{
	struct gstage_bpf *skel = calloc(1, sizeof(*skel));
	int err;

	if (!skel)
		return NULL;
	err = gstage_bpf__create_skeleton(skel);
	if (!err) {
		skel->skeleton->data = (void *)gstage_kprobes_bpf__elf_bytes(
			&skel->skeleton->data_sz);
		err = bpf_object__open_skeleton(skel->skeleton, NULL);
	}
	if (!err)
		return skel;
	gstage_bpf__destroy(skel);
	errno = -err;
	return NULL;
}

int session__new(const struct session_opts *opts, struct session **sp)
{
	struct session *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	s->on_record = opts->on_record;
	s->record_ctx = opts->record_ctx;
	s->choices = opts->choices;
	s->probes = probes_all(&s->nr_probes);
	s->hooks = calloc(s->nr_probes, sizeof(*s->hooks));
	s->is_attached = calloc(s->nr_probes, sizeof(*s->is_attached));
	if (!s->hooks || !s->is_attached) {
		err = -ENOMEM;
		goto out;
	}

	s->nr_cpus = libbpf_num_possible_cpus();
	if (s->nr_cpus < 0) {
		err = s->nr_cpus;
		pr_err("cannot count the CPUs: %s", strerror(-err));
		goto out;
	}
	s->skel = opts->view.by_kprobes ? open_kprobes() : gstage_bpf__open();
	if (!s->skel) {
		err = -errno;
		pr_err("cannot open the BPF programs: %s", strerror(-err));
		goto out;
	}
	err = set_options(s, opts);
	if (err) {
		pr_err("cannot set up the BPF programs: %s", strerror(-err));
		goto out;
	}
	*sp = s;
	return 0;
out:
	session__free(s);
	return err;
}

void session__follow(struct session *s, pid_t pid)
{
	s->skel->rodata->cfg_tgid = pid;
}

/* *@bytes is rounded up to whole pages. NULL with errno. */
static void *map_array(const struct bpf_map *map, size_t *bytes)
{
	long page = sysconf(_SC_PAGESIZE);
	void *mem;

	*bytes = (*bytes + page - 1) / page * page;
	mem = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	return mem == MAP_FAILED ? NULL : mem;
}

static int map_rows(struct session *s)
{
	_Static_assert(sizeof(struct gstage_exits) % 8 == 0, "an array");

	s->row_stride = (sizeof(struct gstage_row) + 7) & ~7UL;
	s->rows_bytes = s->row_stride * s->nr_cpus;
	s->rows = map_array(s->skel->maps.rows, &s->rows_bytes);
	if (!s->rows)
		return -errno;
	if (bpf_map__max_entries(s->skel->maps.exits) < GSTAGE_MAX_EXIT_VCPUS)
		return 0;
	s->exits_bytes = GSTAGE_MAX_EXIT_VCPUS * sizeof(*s->exits);
	s->exits = map_array(s->skel->maps.exits, &s->exits_bytes);
	return s->exits ? 0 : -errno;
}

int session__load(struct session *s)
{
	int err;

	err = gstage_bpf__load(s->skel);
	if (err) {
		pr_err("the kernel refuses the BPF programs: %s; -vv shows its reasons",
		       strerror(-err));
		return err;
	}
	err = map_rows(s);
	if (err) {
		pr_err("cannot map the counters: %s", strerror(-err));
		return err;
	}
	if (!s->on_record)
		return 0;

	s->ring = ring_buffer__new(bpf_map__fd(s->skel->maps.records),
				   on_ring_record, s, NULL);
	if (!s->ring) {
		err = -errno;
		pr_err("cannot open the ring buffer: %s", strerror(-err));
	}
	return err;
}

static const struct gstage_row *row_of(const struct session *s, int cpu)
{
	return (const struct gstage_row *)((const char *)s->rows +
					   cpu * s->row_stride);
}

static bool is_empty(const struct gstage_row *row)
{
	const struct gstage_phase_counts none = {};

	return !memcmp(&row->phases[0], &none, sizeof(none));
}

/* As if nothing had run: what the measurement counted is no event. */
static int forget_counts(struct session *s)
{
	struct gstage_bpf__bss *bss = s->skel->bss;
	struct gstage_row *zero;
	int cpu, err = 0;

	session__consume(s);
	memset(&bss->state.vcpus[0][0], 0, sizeof(bss->state.vcpus[0][0]));
	memset(&bss->losses, 0, sizeof(bss->losses));
	zero = calloc(1, s->row_stride);
	if (!zero)
		return -ENOMEM;
	for (cpu = 0; cpu < s->nr_cpus && !err; cpu++) {
		if (!is_empty(row_of(s, cpu)))
			err = bpf_map_update_elem(
				bpf_map__fd(s->skel->maps.rows), &cpu, zero,
				BPF_ANY);
	}
	free(zero);
	return err;
}

int session__measure_bracket(struct session *s, struct bracket *b)
{
	int err;

	s->is_measuring = true;
	s->bracket = bracket_run(s->skel->obj, s->choices,
				 &s->skel->bss->bracket, b);
	err = s->bracket ? forget_counts(s) : -ENOMEM;
	s->is_measuring = false;
	if (err)
		pr_err("cannot measure what the hooks add: %s", strerror(-err));
	return err;
}

/*
 * Have read_vm() look at all VMs. 0 or -errno.
 *
 * The link is made anew each time, as it costs little.
 */
static int read_vms(struct session *s)
{
	const struct bpf_program *prog = s->skel->progs.read_vm;
	struct bpf_link *link;
	int fd, err = 0;
	ssize_t n;
	char none;

	if (!s->skel->rodata->cfg_stats)
		return 0;
	link = bpf_program__attach_iter(prog, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
	} else {
		/* The program writes nothing; EAGAIN: there are many files. */
		do {
			n = read(fd, &none, 1);
		} while (n > 0 ||
			 (n < 0 && (errno == EAGAIN || errno == EINTR)));
		err = n ? -errno : 0;
		close(fd);
	}
	bpf_link__destroy(link);
	return err;
}

int session__attach(struct session *s)
{
	size_t i;
	int err;

	for (i = 0; i < s->nr_probes; i++) {
		const struct probe *probe = &s->probes[i];

		if (!hook_is_loaded(&s->hooks[i]))
			continue;
		err = hook_attach(&s->hooks[i]);
		if (!err) {
			s->is_attached[i] = true;
			continue;
		}
		if (!probe->is_optional) {
			pr_err("cannot attach to %s: %s", probe->hook,
			       strerror(-err));
			return err;
		}
		pr_dbg("cannot attach to %s: %s", probe->hook, strerror(-err));
	}
	/* Of the VMs that are there counts what comes from now on. */
	err = read_vms(s);
	if (err)
		pr_err("cannot look for the VMs that run: %s", strerror(-err));
	return err;
}

uint64_t session__map_bytes(const struct session *s, uint64_t *per_cpu)
{
	struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, s->skel->obj)
	{
		/* A ring has no values. */
		uint64_t bytes = bpf_map__value_size(map) ?
					 (bpf_map__value_size(map) + 7) & ~7U :
					 1;

		if (bpf_map__autocreate(map))
			sum += bytes * bpf_map__max_entries(map);
	}
	*per_cpu = s->row_stride;
	return sum;
}

int session__record_fd(const struct session *s)
{
	return s->ring ? ring_buffer__epoll_fd(s->ring) : -1;
}

int session__consume(struct session *s)
{
	return s->ring ? ring_buffer__consume(s->ring) : 0;
}

void session__detach(struct session *s)
{
	size_t i;

	s->is_detached = true;
	for (i = s->hooks ? s->nr_probes : 0; i-- > 0;)
		hook_detach(&s->hooks[i]);
}

/*
 * How often counts moved, from vCPUs to rows and from VMs to phases. UINT64_MAX
 * while some do.
 */
static uint64_t count_moves(const struct gstage_bpf__bss *bss)
{
	uint64_t n = 0, odd = 0;
	unsigned int vm, i;

	for (vm = 0; vm < GSTAGE_MAX_VMS; vm++) {
		const volatile __u32 *moves = &bss->vm_stats[vm].moves;

		n += *moves;
		odd |= *moves;
		for (i = 0; i < bss->nr_vcpus[vm]; i++) {
			moves = &bss->state.vcpus[vm][i].moves;
			n += *moves;
			odd |= *moves;
		}
	}
	return odd & 1 ? UINT64_MAX : n;
}

/* What KVM has counted, up to the last border of each phase and up to now. */
static void read_stats(const struct gstage_bpf__bss *bss, struct tally *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_phases; i++)
		tally_add_stats(t, i, &bss->phase_stats[i], &bss->stat_layout);
	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		const struct gstage_vm_stats *vm = &bss->vm_stats[i];
		struct gstage_raw_stats since;

		/* Else there was a border since, and that is as good. */
		if (t->vms[i].kvm && t->vms[i].kvm == vm->now_kvm &&
		    vm->now_moves == vm->moves) {
			tally_stats_since(&since, &vm->now, &vm->last);
			tally_add_stats(t, t->vms[i].phase, &since,
					&bss->stat_layout);
		}
		if (t->vms[i].kvm)
			t->nr_vcpus += vm->nr_vcpus;
	}
}

static void read_counts(struct session *s, struct tally *t)
{
	const struct gstage_bpf__bss *bss = s->skel->bss;
	unsigned int vm, i;
	int cpu;

	memset(t, 0, sizeof(*t));
	t->nr_phases = bss->nr_phases < GSTAGE_MAX_PHASES ? bss->nr_phases :
							    GSTAGE_MAX_PHASES;
	memcpy(t->phases, bss->phases, sizeof(t->phases));
	memcpy(t->vms, bss->state.all_vms, sizeof(t->vms));
	t->losses = bss->losses;
	t->checks = bss->checks;
	t->coverage = bss->coverage;
	t->exits = s->exits;
	if (s->exits)
		t->nr_exits = bss->nr_exits < GSTAGE_MAX_EXIT_VCPUS ?
				      bss->nr_exits :
				      GSTAGE_MAX_EXIT_VCPUS;
	for (cpu = 0; cpu < s->nr_cpus; cpu++)
		tally_add_row(t, row_of(s, cpu));
	if (s->skel->rodata->cfg_stats)
		read_stats(bss, t);
	for (vm = 0; vm < GSTAGE_MAX_VMS; vm++) {
		for (i = 0; i < bss->nr_vcpus[vm]; i++)
			tally_add_vcpu(t, &bss->state.vcpus[vm][i],
				       s->skel->rodata->cfg_fn_prots);
	}
}

/* Moves are rare and short, so this ends. */
#define READ_TRIES 1000

void session__read(struct session *s, struct tally *t)
{
	uint64_t before, after;
	int tries = 0;

	if (!s->is_detached && read_vms(s))
		pr_dbg("cannot read the statistics of the VMs that run");
	do {
		before = count_moves(s->skel->bss);
		__sync_synchronize();
		read_counts(s, t);
		__sync_synchronize();
		after = count_moves(s->skel->bss);
	} while ((before != after || before == UINT64_MAX) &&
		 ++tries < READ_TRIES);
}

static uint64_t count_misses(const struct session *s, size_t i)
{
	return s->is_attached[i] ? hook_misses(&s->hooks[i]) : 0;
}

uint64_t session__misses(const struct session *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->nr_probes; i++)
		n += count_misses(s, i);
	return n;
}

/* One row for each program of what serves @choice, or one that says why none. */
static int append_rows(const struct session *s, json_t *array,
		       const struct probe_choice *choice)
{
	size_t i, at;

	for (i = 0; i < s->nr_probes; i++) {
		const struct probe *probe = &s->probes[i];

		if (!probes_has(choice->candidate, probe))
			continue;
		probe = probes_stand_in(s->choices, probe);
		at = probe - s->probes;
		if (probes_append_row(array, choice, probe, s->is_attached[at],
				      count_misses(s, at)))
			return -ENOMEM;
	}
	if (!choice->candidate)
		return probes_append_row(array, choice, NULL, false, 0);
	return 0;
}

json_t *session__probes(const struct session *s,
			const struct probe_choice choices[NR_FACTS])
{
	json_t *array = json_array();
	enum fact fact;

	for (fact = 0; array && fact < NR_FACTS; fact++) {
		if (choices[fact].status == PROBE_UNWANTED ||
		    !append_rows(s, array, &choices[fact]))
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

void session__free(struct session *s)
{
	if (!s)
		return;
	session__detach(s);
	bracket_hooks_free(s->bracket);
	ring_buffer__free(s->ring);
	if (s->rows)
		munmap(s->rows, s->rows_bytes);
	if (s->exits)
		munmap(s->exits, s->exits_bytes);
	gstage_bpf__destroy(s->skel);
	free(s->is_attached);
	free(s->hooks);
	free(s);
}
