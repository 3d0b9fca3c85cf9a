// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of the BPF programs: see session.h. Which program serves which fact is
 * in the table below and nowhere else.
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
#include "user/log.h"
#include "user/preflight.h"

/*
 * A fact that a run file reports, the program that serves it, its hook. They
 * are attached in this order and detached in the other: a fault that KVM counts
 * is then one whose latency is seen, too.
 */
static const struct probe {
	const char *fact;
	const char *prog;
	const char *backend;
	const char *hook;
	bool is_optional; /* the run is whole without it */
	bool is_on_demand; /* no part of a run that did not ask for it */
} probes[] = {
	{ "latencies", "on_fault", "tracepoint", "kvm_gstage_fault", false,
	  false },
	{ "faults", "on_work", "tracepoint", "kvm_gstage_work", false, false },
	{ "splits", "on_split", "tracepoint", "kvm_gstage_split", false,
	  false },
	{ "write_protects", "on_wp", "tracepoint", "kvm_gstage_wp", false,
	  false },
	{ "flush_requests", "on_hfence_request", "tracepoint",
	  "kvm_hfence_request", false, false },
	{ "flush_fallbacks", "on_hfence_full", "tracepoint", "kvm_hfence_full",
	  false, false },
	/* At its end an operation is judged in the phase that it was. */
	{ "checks", "check_dirty_log", "tracepoint", "kvm_dirty_log", false,
	  true },
	{ "phases", "on_dirty_log", "tracepoint", "kvm_dirty_log", false,
	  false },
	{ "vm_end", "on_destroy_vm", "fentry", "kvm_arch_destroy_vm", true,
	  false },
	{ "checks", "check_wp", "tracepoint", "kvm_gstage_wp", false, true },
	{ "checks", "check_split", "tracepoint", "kvm_gstage_split", false,
	  true },
	{ "checks", "check_hfence_request", "tracepoint", "kvm_hfence_request",
	  false, true },
	{ "checks", "check_fault", "tracepoint", "kvm_gstage_fault", false,
	  true },
	{ "checks", "check_hfence_full", "tracepoint", "kvm_hfence_full", false,
	  true },
	{ "checks", "check_write_lock", "fentry", "_raw_write_lock", true,
	  true },
	{ "checks", "check_unmap", "fentry", "kvm_unmap_gfn_range", true,
	  true },
	{ "checks", "check_age", "fentry", "kvm_age_gfn", true, true },
	{ "checks", "check_request_all", "fentry", "kvm_make_all_cpus_request",
	  true, true },
	{ "checks", "check_flush_all", "fentry", "kvm_riscv_tlb_flush_process",
	  true, true },
	/* A hold that is seen to begin is seen to end. */
	{ "locks", "on_write_unlock", "fentry", "_raw_write_unlock", false,
	  true },
	{ "locks", "on_write_lock", "fexit", "_raw_write_lock", false, true },
	{ "locks", "on_read_unlock", "fentry", "_raw_read_unlock", false,
	  true },
	{ "locks", "on_read_lock", "fexit", "_raw_read_lock", false, true },
};

#define NR_PROBES (sizeof(probes) / sizeof(probes[0]))

struct session {
	struct gstage_bpf *skel;
	struct ring_buffer *ring;
	struct gstage_row *rows; /* mapped */
	size_t rows_bytes;
	size_t row_stride; /* bytes; the kernel rounds a value up to 8 */
	int nr_cpus;
	struct bpf_link *links[NR_PROBES];
	bool is_attached[NR_PROBES]; /* or was, before session__detach() */
	int (*on_record)(void *ctx, const struct gstage_rec *rec);
	void *record_ctx;
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
	log_msg(ours, "%s", text);
	free(text);
	return 0;
}

static int on_ring_record(void *ctx, void *data, size_t size)
{
	struct session *s = ctx;

	if (size < sizeof(struct gstage_rec))
		return 0;
	return s->on_record(s->record_ctx, data);
}

static struct bpf_program *find_program(const struct session *s,
					const struct probe *probe)
{
	return bpf_object__find_program_by_name(s->skel->obj, probe->prog);
}

/*
 * Load those of --checks, or not; and what is optional only where its function
 * is there. All at once: it takes some time to look for one.
 */
static void choose_probes(struct session *s, bool checks)
{
	const char *hooks[NR_PROBES];
	bool found[NR_PROBES];
	size_t i;

	for (i = 0; i < NR_PROBES; i++)
		hooks[i] = probes[i].hook;
	preflight_find_kvm_functions(hooks, found, NR_PROBES);
	for (i = 0; i < NR_PROBES; i++) {
		bool is_check = !strcmp(probes[i].fact, "checks");

		if (is_check || probes[i].is_optional)
			bpf_program__set_autoload(
				find_program(s, &probes[i]),
				(checks || !is_check) &&
					(found[i] || !probes[i].is_optional));
	}
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

	bpf_program__set_autoload(skel->progs.on_fault, !opts->counts_only);
	choose_probes(s, opts->checks);
	bpf_program__set_autoload(skel->progs.on_write_lock, opts->locks);
	bpf_program__set_autoload(skel->progs.on_write_unlock, opts->locks);
	bpf_program__set_autoload(skel->progs.on_read_lock, opts->locks);
	bpf_program__set_autoload(skel->progs.on_read_unlock, opts->locks);

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
	return err;
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

	s->nr_cpus = libbpf_num_possible_cpus();
	if (s->nr_cpus < 0) {
		err = s->nr_cpus;
		pr_err("cannot count the CPUs: %s", strerror(-err));
		goto out;
	}
	s->skel = gstage_bpf__open();
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

static int map_rows(struct session *s)
{
	long page = sysconf(_SC_PAGESIZE);
	void *mem;

	s->row_stride = (sizeof(struct gstage_row) + 7) & ~7UL;
	s->rows_bytes = s->row_stride * s->nr_cpus;
	s->rows_bytes = (s->rows_bytes + page - 1) / page * page;
	mem = mmap(NULL, s->rows_bytes, PROT_READ, MAP_SHARED,
		   bpf_map__fd(s->skel->maps.rows), 0);
	if (mem == MAP_FAILED)
		return -errno;
	s->rows = mem;
	return 0;
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

int session__attach(struct session *s)
{
	size_t i;

	for (i = 0; i < NR_PROBES; i++) {
		struct bpf_program *prog = find_program(s, &probes[i]);
		int err;

		if (!prog || !bpf_program__autoload(prog))
			continue;
		s->links[i] = bpf_program__attach(prog);
		if (s->links[i]) {
			s->is_attached[i] = true;
			continue;
		}
		err = -errno;
		if (!probes[i].is_optional) {
			pr_err("cannot attach to %s: %s", probes[i].hook,
			       strerror(-err));
			return err;
		}
		pr_dbg("cannot attach to %s: %s", probes[i].hook,
		       strerror(-err));
	}
	return 0;
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

	for (i = NR_PROBES; i-- > 0;) {
		bpf_link__destroy(s->links[i]);
		s->links[i] = NULL;
	}
}

void session__read(struct session *s, struct tally *t)
{
	const struct gstage_bpf__bss *bss = s->skel->bss;
	int cpu;

	memset(t, 0, sizeof(*t));
	t->nr_phases = bss->nr_phases < GSTAGE_MAX_PHASES ? bss->nr_phases :
							    GSTAGE_MAX_PHASES;
	memcpy(t->phases, bss->phases, sizeof(t->phases));
	memcpy(t->vms, bss->vms, sizeof(t->vms));
	t->losses = bss->losses;
	t->checks = bss->checks;
	for (cpu = 0; cpu < s->nr_cpus; cpu++)
		tally_add_row(t,
			      (const struct gstage_row *)((char *)s->rows +
							  cpu * s->row_stride));
}

static uint64_t count_misses(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		return 0;
	return info.recursion_misses;
}

json_t *session__probes(const struct session *s, uint64_t *misses)
{
	json_t *array = json_array();
	size_t i;

	*misses = 0;
	for (i = 0; array && i < NR_PROBES; i++) {
		struct bpf_program *prog = find_program(s, &probes[i]);
		uint64_t n = s->is_attached[i] ? count_misses(prog) : 0;
		json_t *row;

		if (probes[i].is_on_demand && !s->is_attached[i])
			continue;
		*misses += n;
		row = json_pack("{s:s s:s s:s s:b s:I}", "fact", probes[i].fact,
				"backend", probes[i].backend, "hook",
				probes[i].hook, "attached", s->is_attached[i],
				"misses", (json_int_t)n);
		if (!row || json_array_append_new(array, row)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

void session__free(struct session *s)
{
	if (!s)
		return;
	session__detach(s);
	ring_buffer__free(s->ring);
	if (s->rows)
		munmap(s->rows, s->rows_bytes);
	gstage_bpf__destroy(s->skel);
	free(s);
}
