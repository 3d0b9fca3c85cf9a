// SPDX-License-Identifier: GPL-2.0-only
/*
 * What doctor makes of a host and of a KVM: hosts are folders with the files
 * that a kernel would show, KVMs are lists of what they have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/doctor.h"

/* --- hosts ----------------------------------------------------------------- */

static char root[] = "/tmp/gstage-unit.XXXXXX";

/* The file and the folders it is in. */
static void put(const char *path, const char *text, size_t size)
{
	char name[256], *slash;
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", root, path);
	for (slash = strchr(name + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(name, 0755) || errno == EEXIST);
		*slash = '/';
	}
	f = fopen(name, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void put_line(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static void drop(const char *path)
{
	char name[256];

	snprintf(name, sizeof(name), "%s%s", root, path);
	assert_int_equal(unlink(name), 0);
}

#define ISA "/proc/cpuinfo"
#define FTRACE "/proc/sys/kernel/ftrace_enabled"
#define KPROBES "/sys/kernel/debug/kprobes/enabled"
#define JIT "/proc/sys/net/core/bpf_jit_enable"
#define LOCKDOWN "/sys/kernel/security/lockdown"

/* A host with nothing in the way. */
static int setup_host(void **state)
{
	static const char hz[] = { 0, (char)0x98, (char)0x96, (char)0x80 };

	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	put_line(ISA, "processor\t: 0\nisa\t\t: rv64imafdch_zicsr_sstc\n");
	put_line("/sys/kernel/btf/vmlinux", "");
	put_line("/sys/kernel/btf/kvm", "");
	put_line("/sys/module/kvm/initstate", "live\n");
	put_line("/dev/kvm", "");
	put_line(FTRACE, "1\n");
	put_line(JIT, "1\n");
	put_line(LOCKDOWN, "[none] integrity confidentiality\n");
	put("/proc/device-tree/cpus/timebase-frequency", hz, sizeof(hz));
	return 0;
}

static int teardown_host(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* Read it, and take what depends on who runs this test as it should be. */
static void read_host(struct host *h)
{
	host_read(h, root);
	strcpy(h->machine, "riscv64");
	h->is_privileged = true;
	h->has_bpf = true;
	h->is_bpf_refused = false;
}

/* Exactly the obstacles of @ids, "id id", in that order. */
static void expect_obstacles(const struct host *h, const char *ids)
{
	struct obstacle list[HOST_MAX_OBSTACLES];
	size_t i, n = host_obstacles(h, list);
	char got[128] = "";

	for (i = 0; i < n; i++) {
		if (i)
			strcat(got, " ");
		strcat(got, list[i].id);
		assert_true(strlen(list[i].what) > 10);
		assert_true(strlen(list[i].remedy) > 10);
	}
	assert_string_equal(got, ids);
}

static const char *functions(const struct host *h)
{
	const struct obstacle *o = host_function_obstacle(h, true);

	return o ? o->id : "";
}

static void test_good_host(void **state)
{
	struct host h;

	(void)state;
	read_host(&h);
	expect_obstacles(&h, "");
	assert_string_equal(functions(&h), "");
	assert_int_equal(h.kvm, HOST_KVM_MODULE);
	/* 10 MHz */
	assert_int_equal(h.clock_resolution_ns, 100);
}

static void test_privilege_and_bpf(void **state)
{
	struct host h;

	(void)state;
	read_host(&h);
	h.is_privileged = false;
	expect_obstacles(&h, "privilege");
	/* Without privilege it is no wonder. */
	h.is_bpf_refused = true;
	expect_obstacles(&h, "privilege");
	h.has_bpf = false;
	h.is_bpf_refused = false;
	expect_obstacles(&h, "privilege bpf");
	h.is_jit_off = true;
	expect_obstacles(&h, "privilege bpf");
	/* Of another machine nothing else counts. */
	strcpy(h.machine, "x86_64");
	expect_obstacles(&h, "machine");
}

static void test_kvm(void **state)
{
	struct host h;

	(void)state;
	drop("/dev/kvm");
	read_host(&h);
	expect_obstacles(&h, "dev-kvm");

	drop("/sys/module/kvm/initstate");
	read_host(&h);
	/* It has a folder: built in. */
	assert_int_equal(h.kvm, HOST_KVM_BUILT_IN);
	expect_obstacles(&h, "dev-kvm");

	/* An h in the name of another extension is none. */
	put_line(ISA, "isa\t\t: rv64imafdc_zihpm_shcounterenw\n");
	read_host(&h);
	expect_obstacles(&h, "h-extension");
	/* No isa line: nobody knows. */
	put_line(ISA, "processor\t: 0\n");
	read_host(&h);
	expect_obstacles(&h, "dev-kvm");
}

static void test_no_kvm(void **state)
{
	char name[128];
	struct host h;

	(void)state;
	drop("/dev/kvm");
	drop("/sys/module/kvm/initstate");
	drop("/sys/kernel/btf/kvm");
	snprintf(name, sizeof(name), "%s/sys/module/kvm", root);
	assert_int_equal(rmdir(name), 0);
	read_host(&h);
	assert_int_equal(h.kvm, HOST_KVM_NONE);
	expect_obstacles(&h, "kvm");
}

static void test_types(void **state)
{
	struct host h;

	(void)state;
	drop("/sys/kernel/btf/kvm");
	read_host(&h);
	expect_obstacles(&h, "module-btf");
	/* Built in it needs none of its own. */
	h.kvm = HOST_KVM_BUILT_IN;
	expect_obstacles(&h, "");
	h.kvm = HOST_KVM_MODULE;
	/* One cause, one obstacle. */
	drop("/sys/kernel/btf/vmlinux");
	read_host(&h);
	expect_obstacles(&h, "vmlinux-btf");
}

static void test_functions(void **state)
{
	struct host h;

	(void)state;
	put_line(LOCKDOWN, "none integrity [confidentiality]\n");
	read_host(&h);
	expect_obstacles(&h, "lockdown");
	put_line(LOCKDOWN, "none [integrity] confidentiality\n");
	read_host(&h);
	expect_obstacles(&h, "");
	assert_string_equal(functions(&h), "");
	put_line(FTRACE, "0\n");
	read_host(&h);
	assert_string_equal(functions(&h), "ftrace");
	/* Tracepoints do not need it. */
	expect_obstacles(&h, "");
	/* A kernel without sysctl has it on. */
	drop(FTRACE);
	read_host(&h);
	assert_string_equal(functions(&h), "");
	assert_string_equal(host_function_obstacle(&h, false)->id, "ftrace");
	/* By kprobes. */
	assert_null(host_kprobe_obstacle(&h, true));
	assert_non_null(strstr(host_kprobe_obstacle(&h, false)->remedy,
			       "CONFIG_KPROBE_EVENTS=y"));
	put_line(KPROBES, "0\n");
	read_host(&h);
	assert_string_equal(host_kprobe_obstacle(&h, true)->id, "kprobes");
	assert_string_equal(functions(&h), "");
	put_line(KPROBES, "1\n");
	read_host(&h);
	assert_null(host_kprobe_obstacle(&h, true));
	put_line(JIT, "0\n");
	read_host(&h);
	expect_obstacles(&h, "jit");
}

/* --- KVMs ------------------------------------------------------------------ */

/* What it has, each name between blanks. */
struct kvm {
	const char *tracepoints;
	const char *functions;
	const char *members;
	const char *parameters;
	const char *calls;
	const char *no_functions; /* why none can be hooked */
};

static bool has(const char *list, const char *name)
{
	char word[128];

	snprintf(word, sizeof(word), " %s ", name);
	return list && strstr(list, word);
}

static bool kvm_has_tracepoint(void *ctx, const char *name)
{
	return has(((struct kvm *)ctx)->tracepoints, name);
}

static bool kvm_has_function(void *ctx, const char *name)
{
	return has(((struct kvm *)ctx)->functions, name);
}

static bool kvm_has_member(void *ctx, const char *type, const char *member)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.%s", type, member);
	return has(((struct kvm *)ctx)->members, name);
}

static const char *kvm_no_functions(void *ctx)
{
	return ((struct kvm *)ctx)->no_functions;
}

static bool kvm_has_parameter(void *ctx, const char *name)
{
	return has(((struct kvm *)ctx)->parameters, name);
}

static bool kvm_calls(void *ctx, const char *name)
{
	return has(((struct kvm *)ctx)->calls, name);
}

static struct feature_view view_of(struct kvm *kvm)
{
	return (struct feature_view){
		.probes = {
			.ctx = kvm,
			.has_tracepoint = kvm_has_tracepoint,
			.has_function = kvm_has_function,
			.has_member = kvm_has_member,
			.no_functions = kvm_no_functions,
		},
		.has_types = true,
		.has_parameter = kvm_has_parameter,
		.calls = kvm->calls ? kvm_calls : NULL,
		.ctx = kvm,
	};
}

/* "yes no ? ..." in the order of enum feature */
static void expect_features(struct kvm *kvm, const char *states)
{
	struct feature_finding findings[NR_FEATURES];
	struct feature_view view = view_of(kvm);
	char got[64] = "";
	int i;

	features_find(&view, findings);
	for (i = 0; i < NR_FEATURES; i++) {
		if (i)
			strcat(got, " ");
		strcat(got, feature_state_name(findings[i].state));
		assert_true(findings[i].evidence[0]);
	}
	assert_string_equal(got, states);
}

static void test_features(void **state)
{
	struct kvm kvm = { .functions = " kvm_riscv_gstage_map " };

	(void)state;
	expect_features(&kvm, "no no no no no no");
	kvm.functions = " kvm_riscv_gstage_split_huge ";
	expect_features(&kvm, "yes no no no no no");

	/* The fast path: by itself; inlined, by its lock; else not seen. */
	kvm.functions = " kvm_riscv_mmu_dirty_log_write_fault_fast ";
	expect_features(&kvm, "no yes no no no no");
	kvm.functions = " kvm_riscv_gstage_try_update_pte ";
	expect_features(&kvm, "no ? no no no no");
	kvm.calls = " _raw_write_lock ";
	expect_features(&kvm, "no no no no no no");
	kvm.calls = " _raw_write_lock _raw_read_lock ";
	expect_features(&kvm, "no yes no no no no");

	/* Eager splits and what turns them off came apart. */
	kvm.members = " kvm_arch.pgd_split_page_cache ";
	expect_features(&kvm, "no yes yes no no no");
	kvm.parameters = " eager_page_split ";
	kvm.functions = " kvm_riscv_gstage_wp_pt_masked ";
	expect_features(&kvm, "no no yes yes yes no");

	/* All of the series, not a part. */
	kvm.tracepoints =
		" kvm_dirty_log kvm_gstage_fault kvm_mmu_split_huge_page "
		"kvm_gstage_wp kvm_hfence_request ";
	expect_features(&kvm, "no no yes yes yes no");
	kvm.tracepoints =
		" kvm_dirty_log kvm_gstage_fault kvm_mmu_split_huge_page "
		"kvm_gstage_wp kvm_hfence_request kvm_hfence_exec ";
	expect_features(&kvm, "no no yes yes yes yes");
}

/* --- verdicts -------------------------------------------------------------- */

static bool judge(struct kvm *kvm, const struct probe_wish *wish,
		  const struct obstacle *functions, struct verdict *v)
{
	struct probe_choice choices[NR_FACTS];
	struct feature_view view = view_of(kvm);

	probes_choose(&view.probes, wish, choices);
	return verdict_is_enough(&view.probes, wish, choices, functions, v);
}

/* With the series: its statistics are read in hooks on functions, too. */
#define TRACED                                                                  \
	{                                                                       \
		.tracepoints = " kvm_dirty_log kvm_gstage_fault ",              \
		.functions =                                                    \
			" kvm_arch_prepare_memory_region kvm_arch_destroy_vm ", \
		.members = " kvm_vcpu_stat.gstage_fault_fast "                  \
			   "kvm_vcpu_stat.hfence_queue_full "                   \
			   "kvm_vm_stat.hfence_all "                            \
			   "kvm_vm_stat.hfence_range_hist "                     \
			   "kvm_gstage_fault.fence_ns ",                        \
	}

static void test_verdict(void **state)
{
	struct kvm old = { .functions = " kvm_riscv_gstage_map " };
	struct kvm renamed = { .functions = " kvm_riscv_mmu_map " };
	struct kvm traced = TRACED;
	const struct probe_wish plain = {}, locks = { .locks = true };
	struct verdict v;

	(void)state;
	assert_false(judge(&old, &plain, NULL, &v));
	assert_string_equal(v.obstacle.id, "old-kvm");
	assert_non_null(strstr(v.obstacle.what, "kvm_riscv_gstage_map"));
	assert_non_null(strstr(v.obstacle.remedy, "newer G-stage code"));

	assert_false(judge(&renamed, &plain, NULL, &v));
	assert_string_equal(v.obstacle.id, "faults");
	assert_non_null(strstr(v.obstacle.what, "no tracepoint kvm_dirty_log"));
	assert_non_null(strstr(v.obstacle.what, "no function "));
	assert_non_null(strstr(v.obstacle.remedy, "kernel-patches/"));

	assert_true(judge(&traced, &plain, NULL, &v));
	/* Asked for and not possible: no trace without it. */
	assert_false(judge(&traced, &locks, NULL, &v));
	assert_string_equal(v.obstacle.id, "locks");
	assert_non_null(strstr(v.obstacle.what, "_raw_write_unlock"));
	assert_non_null(strstr(v.obstacle.remedy, "CONFIG_PREEMPTION=y"));
}

/* A kernel without ftrace, or with it off, and without tracepoints of ours. */
static void test_no_ftrace(void **state)
{
	struct kvm stock = {
		.functions =
			" kvm_riscv_mmu_map kvm_riscv_vcpu_exit kvm_riscv_gstage_map_page "
	};
	const struct probe_wish plain = {}, locks = { .locks = true };
	struct kvm traced = TRACED;
	struct host h;
	const struct obstacle *o;
	struct verdict v;

	(void)state;
	read_host(&h);
	o = host_function_obstacle(&h, false);
	assert_false(o->is_fatal);
	stock.no_functions = traced.no_functions = o->what;
	assert_false(judge(&stock, &plain, o, &v));
	assert_string_equal(v.obstacle.id, "faults");
	assert_non_null(strstr(v.obstacle.what, "register_ftrace_direct"));
	assert_non_null(strstr(v.obstacle.remedy, "CONFIG_FUNCTION_TRACER=y"));
	assert_non_null(strstr(v.obstacle.remedy, "CONFIG_KPROBE_EVENTS=y"));
	/* Of a VM that ends KVM's statistics are read in such a hook. */
	assert_false(judge(&traced, &plain, o, &v));
	assert_string_equal(v.obstacle.id, "faults");
	assert_false(judge(&traced, &locks, o, &v));
	assert_non_null(strstr(v.obstacle.remedy, "CONFIG_FUNCTION_TRACER=y"));

	put_line(FTRACE, "0\n");
	read_host(&h);
	o = host_function_obstacle(&h, true);
	stock.no_functions = o->what;
	assert_false(judge(&stock, &plain, o, &v));
	assert_non_null(strstr(v.obstacle.remedy, "kernel.ftrace_enabled=1"));
}

/* --- what doctor says ------------------------------------------------------ */

/* Nothing can be traced on @h, with @id and @remedy in text and JSON. */
static void expect_stopped(const struct host *h, const char *id,
			   const char *remedy)
{
	struct doctor d = { .host = *h };
	char *text = NULL, word[64];
	size_t size, i;
	json_t *json, *first;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	d.nr_obstacles = host_obstacles(h, d.obstacles);
	assert_false(doctor_can_trace(&d));
	assert_int_equal(doctor_print(out, &d, false), 0);
	fclose(out);
	snprintf(word, sizeof(word), "\n  %-13s ", id);
	assert_non_null(strstr(text, word));
	/* Its lines are wrapped at blanks. */
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(remedy, " "), remedy);
	assert_non_null(strstr(text, word));
	assert_non_null(strstr(text, "Nothing can be traced"));
	assert_null(strstr(text, "What a trace sees"));
	free(text);

	json = doctor_to_json(&d);
	assert_non_null(json);
	assert_true(json_is_false(json_object_get(json, "can_trace")));
	assert_int_equal(json_array_size(json_object_get(json, "facts")), 0);
	for (i = 0; i < d.nr_obstacles && !d.obstacles[i].is_fatal; i++)
		;
	first = json_array_get(json_object_get(json, "obstacles"), i);
	assert_string_equal(json_string_value(json_object_get(first, "id")),
			    id);
	assert_non_null(strstr(
		json_string_value(json_object_get(first, "remedy")), remedy));
	json_decref(json);
}

static void test_stopped(void **state)
{
	struct host h;

	(void)state;
	read_host(&h);
	h.has_bpf = false;
	expect_stopped(&h, "bpf", "CONFIG_BPF_SYSCALL=y and CONFIG_BPF_JIT=y");
	read_host(&h);
	h.is_bpf_refused = true;
	expect_stopped(&h, "bpf-refused", "run it outside");
	put_line(LOCKDOWN, "none integrity [confidentiality]\n");
	read_host(&h);
	expect_stopped(&h, "lockdown", "boot with lockdown=integrity");
	drop("/sys/kernel/btf/vmlinux");
	put_line(LOCKDOWN, "[none] integrity confidentiality\n");
	read_host(&h);
	expect_stopped(&h, "vmlinux-btf", "CONFIG_DEBUG_INFO_BTF=y");
}

int main(void)
{
#define HOST_TEST(f) \
	cmocka_unit_test_setup_teardown(f, setup_host, teardown_host)
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_good_host),
		HOST_TEST(test_privilege_and_bpf),
		HOST_TEST(test_kvm),
		HOST_TEST(test_no_kvm),
		HOST_TEST(test_types),
		HOST_TEST(test_functions),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_verdict),
		HOST_TEST(test_no_ftrace),
		HOST_TEST(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
