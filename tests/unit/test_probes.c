// SPDX-License-Identifier: GPL-2.0-only
/*
 * What serves each fact on kernels that have this and lack that, and what a run
 * shows of hooks that do not see everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/coverage.h"
#include "user/probes.h"

/* A kernel by what it lacks. */
struct kernel {
	bool has_tracepoints;
	const char *no_tracepoint;
	const char *no_function;
	const char *no_member;
	const char *no_functions;
	bool by_kprobes;
	const char *no_caller; /* of this function */
};

static bool is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

static bool has_tracepoint(void *ctx, const char *name)
{
	const struct kernel *k = ctx;

	return k->has_tracepoints && !is(k->no_tracepoint, name);
}

static bool has_function(void *ctx, const char *name)
{
	return !is(((struct kernel *)ctx)->no_function, name);
}

static bool has_member(void *ctx, const char *type, const char *member)
{
	(void)type;
	return !is(((struct kernel *)ctx)->no_member, member);
}

static const char *no_functions(void *ctx)
{
	return ((struct kernel *)ctx)->no_functions;
}

static int nr_callers(void *ctx, const char *name)
{
	return is(((struct kernel *)ctx)->no_caller, name) ? 0 : 1;
}

static void choose(struct kernel *k, const struct probe_wish *wish,
		   struct probe_choice choices[NR_FACTS])
{
	const struct probe_view view = {
		.ctx = k,
		.has_tracepoint = has_tracepoint,
		.has_function = has_function,
		.has_member = has_member,
		.nr_callers = nr_callers,
		.no_functions = no_functions,
		.by_kprobes = k->by_kprobes,
	};

	probes_choose(&view, wish, choices);
}

static bool is_served(const struct probe_choice *choice, enum backend backend)
{
	return choice->status == PROBE_SERVED &&
	       choice->candidate->backend == backend && !choice->reason[0];
}

/* Each program is in the table, each fact has a candidate, of the right fact. */
static void test_tables(void **state)
{
	size_t nr_candidates, nr_probes, i, j, k;
	const struct probe_candidate *c = probes_candidates(&nr_candidates);
	const struct probe *p = probes_all(&nr_probes);
	bool seen[NR_FACTS] = {};

	(void)state;
	for (i = 0; i < nr_candidates; i++) {
		seen[c[i].fact] = true;
		assert_non_null(c[i].progs[0]);
		for (j = 0; c[i].progs[j]; j++) {
			for (k = 0; k < nr_probes; k++) {
				if (!strcmp(p[k].prog, c[i].progs[j]))
					break;
			}
			assert_true(k < nr_probes);
		}
		for (j = 0; c[i].members[j]; j++)
			assert_non_null(strchr(c[i].members[j], '.'));
	}
	for (i = 0; i < NR_FACTS; i++) {
		assert_true(seen[i]);
		assert_non_null(probes_fact_name(i));
	}
}

static void test_tracepoints_first(void **state)
{
	struct kernel k = { .has_tracepoints = true };
	const struct probe_wish wish = {};
	struct probe_choice c[NR_FACTS];
	enum fact fact;

	(void)state;
	choose(&k, &wish, c);
	for (fact = 0; fact < NR_FACTS; fact++) {
		if (fact == FACT_EVENTS || fact == FACT_CHECKS ||
		    fact == FACT_LOCKS || fact == FACT_EXITS ||
		    fact == FACT_STALLS)
			assert_int_equal(c[fact].status, PROBE_UNWANTED);
		else if (fact == FACT_VM_END)
			assert_true(is_served(&c[fact], BACKEND_FUNCTION));
		else
			assert_true(is_served(&c[fact], BACKEND_TRACEPOINT));
	}
}

/* One tracepoint is gone: that fact alone is served by functions. */
static void test_by_fact(void **state)
{
	struct kernel k = { .has_tracepoints = true,
			    .no_tracepoint = "kvm_gstage_fault" };
	const struct probe_wish wish = {};
	struct probe_choice c[NR_FACTS];

	(void)state;
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_LATENCIES], BACKEND_FUNCTION));
	assert_true(is_served(&c[FACT_SPLITS], BACKEND_TRACEPOINT));
}

/* KVM's statistics serve all that is counted, or nothing of it. */
static void test_statistics(void **state)
{
	static const enum fact counted[] = {
		FACT_FAULTS,	     FACT_PROT_UPDATES,	  FACT_LOST_RACES,
		FACT_FLUSH_EXECUTED, FACT_SPLITS,	  FACT_WRITE_PROTECTS,
		FACT_FLUSH_REQUESTS, FACT_FLUSH_FALLBACKS
	};
	static const struct {
		struct kernel kernel;
		const char *reason;
	} lacks[] = {
		{ { .no_member = "hfence_queue_full" },
		  "no member hfence_queue_full" },
		{ { .no_tracepoint = "kvm_dirty_log" },
		  "no tracepoint kvm_dirty_log" },
		{ { .no_function = "kvm_arch_destroy_vm" },
		  "no function kvm_arch_destroy_vm" },
		/* It is there and nobody calls it: they would never be read. */
		{ { .no_caller = "kvm_arch_destroy_vm" },
		  "nobody calls kvm_arch_destroy_vm" },
	};
	const struct probe_wish wish = { .fences = true };
	struct probe_choice c[NR_FACTS];
	size_t i, f;

	(void)state;
	for (i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		struct kernel k = lacks[i].kernel;

		k.has_tracepoints = true;
		choose(&k, &wish, c);
		for (f = 0; f < sizeof(counted) / sizeof(counted[0]); f++)
			assert_false(probes_is_served_by(&c[counted[f]],
							 BACKEND_TRACEPOINT));
		assert_true(is_served(&c[FACT_LATENCIES], BACKEND_TRACEPOINT));
		assert_non_null(
			strstr(c[FACT_LOST_RACES].reason, lacks[i].reason));
	}
}

/* Those of faults come with them; for the others a hook more is in each fault. */
static void test_waits(void **state)
{
	struct kernel k = { .has_tracepoints = true };
	struct probe_wish wish = {};
	struct probe_choice c[NR_FACTS];

	(void)state;
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_FLUSH_WAITS], BACKEND_TRACEPOINT));
	assert_null(c[FACT_FLUSH_WAITS].candidate->progs[1]);
	wish.fences = true;
	choose(&k, &wish, c);
	assert_string_equal(c[FACT_FLUSH_WAITS].candidate->progs[1],
			    "on_hfence_request");
	wish.counts_only = true;
	choose(&k, &wish, c);
	assert_int_equal(c[FACT_FLUSH_WAITS].status, PROBE_UNWANTED);
}

/* The same facts by the same programs, and the run file tells. */
static void test_kprobes(void **state)
{
	struct kernel k = { .by_kprobes = true };
	const struct probe_wish wish = { .exits = true };
	struct probe_choice c[NR_FACTS];
	json_t *rows = json_array();
	size_t nr, i;
	const struct probe *all = probes_all(&nr);

	(void)state;
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_FUNCTION));
	for (i = 0; i < nr; i++) {
		const char *name;

		json_array_clear(rows);
		assert_int_equal(probes_append_row(rows, &c[FACT_FAULTS],
						   &all[i], true, 0),
				 0);
		name = json_string_value(
			json_object_get(json_array_get(rows, 0), "backend"));
		if (all[i].kind == HOOK_TRACEPOINT)
			assert_string_equal(name, "tracepoint");
		else if (all[i].kind == HOOK_FENTRY)
			assert_string_equal(name, "kprobe");
		else
			assert_string_equal(name, "kretprobe");
	}
	json_decref(rows);
}

static void test_stock(void **state)
{
	struct kernel k = {};
	struct probe_wish wish = {};
	struct probe_choice c[NR_FACTS];

	(void)state;
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_FUNCTION));
	assert_true(is_served(&c[FACT_LATENCIES], BACKEND_FUNCTION));
	assert_true(is_served(&c[FACT_FLUSH_REQUESTS], BACKEND_FUNCTION));
	assert_int_equal(c[FACT_LOST_RACES].status, PROBE_MISSING);
	assert_non_null(strstr(c[FACT_LOST_RACES].reason, "lost race"));
	assert_int_equal(c[FACT_FLUSH_EXECUTED].status, PROBE_MISSING);
	assert_non_null(strstr(c[FACT_FLUSH_EXECUTED].reason, "--fences"));

	wish.fences = true;
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_FLUSH_EXECUTED], BACKEND_FUNCTION));

	wish.counts_only = true;
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_FUNCTION));
	assert_int_equal(c[FACT_LATENCIES].status, PROBE_UNWANTED);
	assert_int_equal(c[FACT_PROT_UPDATES].status, PROBE_MISSING);
	assert_non_null(strstr(c[FACT_PROT_UPDATES].reason, "--counts"));

	wish = (struct probe_wish){ .checks = true };
	choose(&k, &wish, c);
	assert_int_equal(c[FACT_CHECKS].status, PROBE_MISSING);
	assert_null(c[FACT_CHECKS].candidate);
}

/* What is missing is named, and what needs it is missing, and nothing else. */
static void test_reasons(void **state)
{
	const struct probe_wish wish = { .is_forced = true,
					 .backend = BACKEND_FUNCTION };
	struct kernel k = { .has_tracepoints = true };
	struct probe_choice c[NR_FACTS];

	(void)state;
	k.no_function = "kvm_riscv_gstage_split_huge";
	choose(&k, &wish, c);
	assert_int_equal(c[FACT_SPLITS].status, PROBE_MISSING);
	assert_non_null(strstr(c[FACT_SPLITS].reason,
			       "no function kvm_riscv_gstage_split_huge"));
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_FUNCTION));

	/* 7.2 has none, and needs none. */
	k.no_function = "kvm_riscv_gstage_wp_pt_masked";
	choose(&k, &wish, c);
	assert_true(is_served(&c[FACT_WRITE_PROTECTS], BACKEND_FUNCTION));

	k = (struct kernel){ .no_member = "pgd_levels" };
	choose(&k, &wish, c);
	assert_int_equal(c[FACT_FAULTS].status, PROBE_MISSING);
	assert_string_equal(c[FACT_FAULTS].reason,
			    "struct kvm_gstage has no member pgd_levels");
	assert_true(is_served(&c[FACT_PHASES], BACKEND_FUNCTION));

	k = (struct kernel){ .no_functions = "no ftrace" };
	choose(&k, &wish, c);
	assert_string_equal(c[FACT_PHASES].reason, "no ftrace");
}

/* The program that takes times counts, too: one of the two is attached. */
static void test_stand_in(void **state)
{
	struct kernel k = {};
	struct probe_wish wish = {};
	struct probe_choice c[NR_FACTS];
	const struct probe *p, *plain = NULL, *timed = NULL;
	size_t nr, i;

	(void)state;
	p = probes_all(&nr);
	for (i = 0; i < nr; i++) {
		if (!strcmp(p[i].prog, "fn_exit"))
			plain = &p[i];
		if (!strcmp(p[i].prog, "fn_exit_timed"))
			timed = &p[i];
	}
	assert_non_null(plain);
	assert_non_null(timed);
	choose(&k, &wish, c);
	assert_false(probes_is_needed(c, plain));
	assert_true(probes_is_needed(c, timed));
	assert_ptr_equal(probes_stand_in(c, plain), timed);

	wish.counts_only = true;
	choose(&k, &wish, c);
	assert_true(probes_is_needed(c, plain));
	assert_false(probes_is_needed(c, timed));
	assert_ptr_equal(probes_stand_in(c, plain), plain);
}

/* Zeros of what was not seen are no counts. */
static void test_strip(void **state)
{
	struct kernel k = {};
	const struct probe_wish wish = { .counts_only = true };
	struct probe_choice c[NR_FACTS];
	json_t *root = json_pack("{s:[{s:i, s:i, s:[]}], s:[{s:i, s:i}]}",
				 "phases", "flush_requests", 0,
				 "flush_executed", 0, "faults",
				 "flush_requests", "count", 1, "fallbacks", 0);
	json_t *phase = json_array_get(json_object_get(root, "phases"), 0);

	(void)state;
	choose(&k, &wish, c);
	probes_strip(c, root);
	assert_null(json_object_get(phase, "flush_requests"));
	assert_null(json_object_get(phase, "flush_executed"));
	assert_non_null(json_object_get(phase, "faults"));
	json_decref(root);
}

static struct tally *fast_faults(uint32_t nr, uint32_t nr_flushes)
{
	struct gstage_vcpu vcpu = { .phase = 1 };
	struct tally *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->nr_phases = 1;
	vcpu.faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE] = nr;
	vcpu.flushes[GSTAGE_PATH_FAST] = nr_flushes;
	tally_add_vcpu(t, &vcpu, true);
	return t;
}

/* The counts of a vCPU, and what they tell of permissions. */
static void test_vcpu(void **state)
{
	struct tally *t = fast_faults(10, 7);
	const struct gstage_phase_counts *c = &t->sum.phases[0];

	(void)state;
	assert_int_equal(c->faults[GSTAGE_PATH_FAST][GSTAGE_ACCESS_WRITE], 10);
	assert_int_equal(c->fault_flushes[0], 7);
	assert_int_equal(c->prots[GSTAGE_PROT_CHANGED], 7);
	assert_int_equal(c->prots[GSTAGE_PROT_UNCHANGED], 3);
	free(t);
}

static void test_coverage(void **state)
{
	struct kernel k = {};
	const struct probe_wish wish = { .fences = true };
	struct probe_choice c[NR_FACTS];
	struct tally *t = fast_faults(10, 7);

	(void)state;
	choose(&k, &wish, c);
	coverage_judge(t, c);
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_FUNCTION));
	assert_true(is_served(&c[FACT_FLUSH_REQUESTS], BACKEND_FUNCTION));
	free(t);

	/* No fault asks for a fence: the hook does not see them. */
	t = fast_faults(10, 0);
	coverage_judge(t, c);
	assert_int_equal(c[FACT_FLUSH_REQUESTS].status, PROBE_PARTIAL);
	assert_non_null(strstr(c[FACT_FLUSH_REQUESTS].reason, "10 fast"));
	assert_int_equal(c[FACT_PROT_UPDATES].status, PROBE_PARTIAL);
	assert_int_equal(c[FACT_FAULTS].status, PROBE_SERVED);

	t->coverage.faults_unseen = 3;
	t->coverage.fences_unseen = 4;
	t->coverage.scans_cut = 5;
	coverage_judge(t, c);
	assert_int_equal(c[FACT_FAULTS].status, PROBE_PARTIAL);
	assert_int_equal(c[FACT_LATENCIES].status, PROBE_PARTIAL);
	assert_int_equal(c[FACT_FLUSH_EXECUTED].status, PROBE_PARTIAL);
	assert_int_equal(c[FACT_WRITE_PROTECTS].status, PROBE_PARTIAL);
	assert_int_equal(c[FACT_SPLITS].status, PROBE_SERVED);

	/* It is no matter of tracepoints, which KVM itself counts for. */
	k.has_tracepoints = true;
	choose(&k, &wish, c);
	coverage_judge(t, c);
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_TRACEPOINT));
	free(t);
}

/* What @k serves without a caller of @hook: partial, or not at all. */
static void without_caller(struct kernel *k, const char *hook,
			   struct probe_choice c[NR_FACTS])
{
	const struct probe_wish wish = { .fences = true, .locks = true };
	enum fact fact;

	k->no_caller = hook;
	choose(k, &wish, c);
	for (fact = 0; fact < NR_FACTS; fact++) {
		if (c[fact].status == PROBE_PARTIAL)
			assert_true(probes_is_served(&c[fact]));
		if (strstr(c[fact].reason, "nobody calls"))
			assert_non_null(strstr(c[fact].reason, hook));
	}
}

static void test_no_caller(void **state)
{
	struct kernel k = {};
	struct probe_choice c[NR_FACTS];

	(void)state;
	without_caller(&k, "kvm_riscv_gstage_wp_range", c);
	assert_int_equal(c[FACT_WRITE_PROTECTS].status, PROBE_PARTIAL);
	assert_non_null(strstr(c[FACT_WRITE_PROTECTS].reason, "inlined"));
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_FUNCTION));
	assert_true(is_served(&c[FACT_SPLITS], BACKEND_FUNCTION));
	/* A version may take no lock of that kind. */
	without_caller(&k, "_raw_read_lock", c);
	assert_true(is_served(&c[FACT_LOCKS], BACKEND_FUNCTION));

	/* Which way a fault went is then not known: not a count too low. */
	without_caller(&k, "kvm_riscv_gstage_map_page", c);
	assert_int_equal(c[FACT_FAULTS].status, PROBE_MISSING);
	assert_int_equal(c[FACT_LATENCIES].status, PROBE_MISSING);
	assert_int_equal(c[FACT_PROT_UPDATES].status, PROBE_MISSING);
	assert_false(probes_is_served(&c[FACT_FAULTS]));
	assert_non_null(strstr(c[FACT_FAULTS].reason, "nobody calls"));
	assert_int_equal(c[FACT_SPLITS].status, PROBE_PARTIAL);

	/* Of what is part of some versions only, no caller is no news. */
	without_caller(&k, "kvm_riscv_gstage_wp_pt_masked", c);
	assert_true(is_served(&c[FACT_WRITE_PROTECTS], BACKEND_FUNCTION));

	/* Splits in faults are seen without it; others are, with eager splits. */
	without_caller(&k, "kvm_riscv_gstage_split_huge", c);
	assert_int_equal(c[FACT_SPLITS].status, PROBE_PARTIAL);
	k.no_member = "pgd_split_page_cache";
	without_caller(&k, "kvm_riscv_gstage_split_huge", c);
	assert_true(is_served(&c[FACT_SPLITS], BACKEND_FUNCTION));

	/* Tracepoints need nobody to call a function. */
	k = (struct kernel){ .has_tracepoints = true };
	without_caller(&k, "kvm_riscv_gstage_map_page", c);
	assert_true(is_served(&c[FACT_FAULTS], BACKEND_TRACEPOINT));
}

/* 256 CPUs and 64 vCPUs, of which there is room for more: under 64 MiB. */
static void test_memory(void **state)
{
	(void)state;
	assert_true(256 * sizeof(struct gstage_row) +
			    sizeof(struct gstage_state) <
		    60 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tracepoints_first),
		cmocka_unit_test(test_by_fact),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_kprobes),
		cmocka_unit_test(test_stock),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_stand_in),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_vcpu),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_no_caller),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
