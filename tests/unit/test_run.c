// SPDX-License-Identifier: GPL-2.0-only
/* Run files: validation says what is wrong, writing never harms a file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample.h"
#include "user/log.h"

/* --- validation --- */

/*
 * One way to spoil the sample: the object at @path (members and indices between
 * slashes) gets @json as its @key, or loses it when NULL; @named must be in the
 * reason.
 */
struct damage {
	const char *path;
	const char *key;
	const char *json;
	const char *named;
};

static json_t *walk(json_t *root, const char *path)
{
	char copy[128], *part, *save = NULL;
	json_t *at = root;

	snprintf(copy, sizeof(copy), "%s", path);
	for (part = strtok_r(copy, "/", &save); part;
	     part = strtok_r(NULL, "/", &save)) {
		if (json_is_array(at))
			at = json_array_get(at, (size_t)atoi(part));
		else
			at = json_object_get(at, part);
	}
	assert_non_null(at);
	return at;
}

static const struct damage damages[] = {
	{ "", "schema", NULL, "gstage-run/1" },
	{ "", "schema", "\"gstage-run/2\"", "gstage-run/2" },
	{ "", "schema", "1", "gstage-run/1" },
	{ "", "complete", NULL, "complete" },
	{ "", "complete", "1", "complete" },
	{ "", "environment", NULL, "environment is missing" },
	{ "", "environment", "[]", "environment is not an object" },
	{ "", "faults", NULL, "faults is missing" },
	{ "", "faults", "{}", "faults is not an array" },
	{ "", "faults", "[1]", "faults[0]" },
	{ "", "guest", "[]", "guest" },
	{ "", "checks", "[{\"name\":\"x\"}]", "checks[0].ok is missing" },
	{ "environment", "kernel", NULL, "environment.kernel is missing" },
	{ "environment", "kernel", "\"\"", "environment.kernel" },
	{ "environment", "kernel", "7", "environment.kernel" },
	{ "environment", "clock", "\"sundial\"", "environment.clock" },
	{ "environment", "cmdline", "\"ls\"", "environment.cmdline" },
	{ "environment", "cmdline", "[\"ls\",1]", "environment.cmdline[1]" },
	{ "environment", "patch_ids", "\"aa\"", "environment.patch_ids" },
	{ "environment", "patch_ids", "[\"aa\",[]]",
	  "environment.patch_ids[1]" },
	{ "environment", "host", "7", "environment.host" },
	{ "environment", "seed", "-1", "environment.seed" },
	{ "environment", "kvm_args", "0", "environment.kvm_args" },
	{ "environment", "cost", "\"cheap\"", "environment.cost" },
	{ "losses", "record_drops", "1", "losses.record_drops" },
	{ "losses", "record_drops", "-1", "losses.record_drops" },
	{ "losses", "anything", "true", "losses.anything" },
	{ "probes/0", "attached", "1", "probes[0].attached" },
	{ "probes/0", "fact", NULL, "probes[0].fact" },
	{ "phases/1", "duration_ns", "601", "phases[1].duration_ns" },
	{ "phases/1", "end_ns", "200", "phases[1].duration_ns" },
	{ "phases/1", "start_ns", "1.5", "phases[1].start_ns" },
	{ "phases/1", "splits", "3", "phases[1].splits" },
	{ "phases/1/faults/0", "path", "\"slow\"", "phases[1].faults[0].path" },
	{ "phases/1/faults/0", "count", "25", "faults" },
	{ "phases/1/splits/0", "count", "9", "splits" },
	{ "phases/1", "flush_requests", "2", "flush_requests" },
	{ "faults/0", "access", "\"jump\"", "faults[0].access" },
	{ "faults/0", "path", "\"split\"", "faults[1] repeats faults[0]" },
	{ "faults/0", "count", "17", "faults[0].latency.count" },
	{ "faults/0", "count", "\"16\"", "faults[0].count" },
	{ "faults/0", "count", "16.0", "faults[0].count" },
	{ "faults/0", "count", "null", "faults[0].count" },
	{ "faults/0/latency", "unit", "\"us\"", "faults[0].latency.unit" },
	{ "faults/0/latency", "sum", "1", "faults[0].latency" },
	{ "faults/0/latency", "min", "1", "faults[0].latency" },
	{ "faults/0/latency", "max", "900000", "faults[0].latency" },
	{ "faults/0/latency", "max", NULL, "faults[0].latency" },
	{ "faults/0/latency", "overflow", "1", "faults[0].latency" },
	{ "faults/0/latency", "underflow", "-1", "faults[0].latency" },
	{ "faults/0/latency", "buckets", "[]", "faults[0].latency" },
	{ "faults/0/latency/buckets/0", "ge", "2945", "faults[0].latency" },
	{ "faults/0/latency/buckets/0", "lt", "3073", "faults[0].latency" },
	{ "faults/0/latency/buckets/0", "lt", "2944", "faults[0].latency" },
	{ "faults/0/latency/buckets/0", "count", "0", "faults[0].latency" },
	{ "faults/0/latency/buckets/0", "count", "14", "faults[0].latency" },
	{ "", "bracket", "1", "bracket is not an object" },
	{ "", "bracket", "{}", "bracket.faults is missing" },
	{ "bracket", "reason", "\"\"", "bracket.reason" },
	{ "bracket", "took_ns", "-1", "bracket.took_ns" },
	{ "bracket", "left_out", "[1]", "bracket.left_out[0]" },
	{ "bracket/faults/0", "ns", "-1", "bracket.faults[0].ns" },
	{ "bracket/faults/0", "ns", "\"450\"", "bracket.faults[0].ns" },
	{ "bracket/faults/1", "ns", NULL, "bracket.faults[1].ns is missing" },
	{ "bracket/faults/1", "path", "\"fast\"",
	  "bracket.faults[1] repeats bracket.faults[0]" },
	{ "bracket/faults/1", "path", "\"slow\"", "bracket.faults[1].path" },
	{ "splits/0", "cause", "\"chance\"", "splits[0].cause" },
	{ "splits/0", "from_level", "0", "splits[0]" },
	{ "splits/0", "from_level", "5", "splits[0].from_level" },
	{ "splits/0", "to_level", NULL, "splits[0].to_level" },
	{ "splits/0", "failed", "1", "splits[0].failed" },
	{ "flush_requests/0", "kind", "\"all\"", "flush_requests[0].kind" },
	{ "flush_requests/0", "bytes", "4095", "bytes" },
	{ "flush_requests/0", "count", "2", "flush_requests[0].size.count" },
	{ "flush_executed/0", "fences", "-3", "flush_executed[0].fences" },
	{ "guest", "pages_lost", "-1", "guest.pages_lost" },
	{ "guest/rounds/0", "round", NULL, "guest.rounds[0].round" },
};

static void test_the_sample_is_valid(void **state)
{
	json_t *root = sample_run();
	char reason[256] = "";

	(void)state;
	if (run__validate(root, reason, sizeof(reason)))
		fail_msg("%s", reason);
	json_decref(root);
}

static void test_damage_is_named(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *damage = &damages[i];
		json_t *root = sample_run();
		json_t *at = walk(root, damage->path);
		char reason[256] = "";
		int err;

		if (damage->json)
			json_object_set_new(at, damage->key,
					    json_loads(damage->json,
						       JSON_DECODE_ANY, NULL));
		else
			json_object_del(at, damage->key);
		err = run__validate(root, reason, sizeof(reason));
		if (err != -EBADMSG || !strstr(reason, damage->named) ||
		    strchr(reason, '\n'))
			fail_msg("%s %s=%s: %d '%s' lacks '%s'", damage->path,
				 damage->key,
				 damage->json ? damage->json : "gone", err,
				 reason, damage->named);
		json_decref(root);
	}
}

static void test_foreign_json_is_refused(void **state)
{
	static const char *const texts[] = {
		"[]", "1", "\"x\"", "null", "{}", "{\"schema\":null}"
	};
	char reason[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *root = json_loads(texts[i], JSON_DECODE_ANY, NULL);

		assert_int_equal(run__validate(root, reason, sizeof(reason)),
				 -EBADMSG);
		json_decref(root);
	}
}

/* What was lost cannot add up; types and geometry must hold all the same. */
static void test_sums_of_an_incomplete_run(void **state)
{
	json_t *root = sample_run();
	char reason[256] = "";

	(void)state;
	json_object_set_new(root, "complete", json_false());
	json_object_set_new(walk(root, "losses"), "record_drops",
			    json_integer(3));
	json_object_set_new(walk(root, "faults/0"), "count", json_integer(99));
	assert_int_equal(run__validate(root, reason, sizeof(reason)), 0);
	json_object_set_new(walk(root, "faults/0/latency/buckets/0"), "lt",
			    json_integer(1));
	assert_int_equal(run__validate(root, reason, sizeof(reason)), -EBADMSG);
	json_decref(root);
}

/* Module parameters can be none, and a machine can lack a name. */
static void test_optional_text_may_be_empty(void **state)
{
	json_t *root = sample_run();
	char reason[256];

	(void)state;
	json_object_set_new(walk(root, "environment"), "kvm_args",
			    json_string(""));
	json_object_set_new(walk(root, "environment"), "base", json_string(""));
	assert_int_equal(run__validate(root, reason, sizeof(reason)), 0);
	json_decref(root);
}

static void test_unknown_members_are_left_alone(void **state)
{
	json_t *root = sample_run();
	char reason[256];

	(void)state;
	json_object_set_new(root, "later", json_integer(1));
	json_object_set_new(walk(root, "faults/0"), "later", json_array());
	assert_int_equal(run__validate(root, reason, sizeof(reason)), 0);
	json_decref(root);
}

/* --- histograms --- */

static void test_hist_survives_json(void **state)
{
	struct hist h = { 0 }, back;
	json_t *json;

	(void)state;
	hist_add(&h, 0);
	hist_add(&h, 31);
	hist_add(&h, 3000);
	hist_add(&h, (1ull << 36) - 1);
	hist_add(&h, 1ull << 36);
	json = hist_to_json(&h, "ns");
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "buckets")), 4);
	assert_int_equal(hist_from_json(json, &back), 0);
	assert_memory_equal(&h, &back, sizeof(h));
	json_decref(json);
}

static void test_hist_too_large_for_json(void **state)
{
	struct hist h = { 0 };

	(void)state;
	hist_add(&h, 1);
	h.sum = 1ull << 63;
	assert_null(hist_to_json(&h, "ns"));
}

/* --- files --- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/gstage-unit.XXXXXX");
	log_set_level(LOG_ERR);
	return mkdtemp(folder) ? 0 : -1;
}

/* Names in the folder; each is removed. */
static int empty_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[400];
	int nr = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
		nr++;
	}
	closedir(dir);
	return nr;
}

static int remove_folder(void **state)
{
	(void)state;
	empty_folder();
	return rmdir(folder);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct run *complete_run(void)
{
	struct run *run = run__new();
	json_t *sample = sample_run();

	json_object_update(run__json(run), sample);
	json_decref(sample);
	return run;
}

static void test_write_and_read(void **state)
{
	struct run *run = complete_run(), *back = NULL;
	const char *path = in_folder("run.json");
	struct stat st;
	mode_t mask;

	(void)state;
	mask = umask(022);
	assert_int_equal(run__write(run, path, false), 0);
	umask(mask);
	assert_int_equal(run__read(path, &back), 0);
	assert_true(json_equal(run__json(run), run__json(back)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	run__free(back);
	run__free(run);
	run__free(NULL);
	assert_int_equal(empty_folder(), 1);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *text)
{
	char buf[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	buf[fread(buf, 1, sizeof(buf) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(buf, text);
}

/* Keep the expected error lines out of the test's output. */
static int silent_write(const struct run *run, const char *path, bool force)
{
	int saved = dup(2), null = open("/dev/null", O_WRONLY), err;

	dup2(null, 2);
	err = run__write(run, path, force);
	dup2(saved, 2);
	close(null);
	close(saved);
	return err;
}

static void test_existing_file_needs_force(void **state)
{
	struct run *run = complete_run();
	const char *path = in_folder("run.json");

	(void)state;
	put(path, "precious");
	assert_int_equal(silent_write(run, path, false), -EEXIST);
	assert_holds(path, "precious");
	assert_int_equal(silent_write(run, path, true), 0);
	assert_int_equal(empty_folder(), 1);
	run__free(run);
}

static void test_impossible_targets(void **state)
{
	struct run *run = complete_run();

	(void)state;
	assert_int_equal(silent_write(run, in_folder("no/run.json"), false),
			 -ENOENT);
	assert_int_equal(silent_write(run, folder, true), -EISDIR);
	assert_int_equal(silent_write(run, "", true), -ENOENT);
	assert_int_equal(silent_write(run, "/dev/full", true), -ENOSPC);
	assert_int_equal(empty_folder(), 0);
	run__free(run);
}

/* A limit on the file size stands for a full disk: it needs no privilege. */
static void test_no_room_harms_nothing(void **state)
{
	struct rlimit saved, small = { 0 };
	struct run *run = complete_run();
	const char *path = in_folder("run.json");
	int err;

	(void)state;
	put(path, "precious");
	getrlimit(RLIMIT_FSIZE, &saved);
	small.rlim_cur = 64;
	small.rlim_max = saved.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	err = silent_write(run, path, true);
	setrlimit(RLIMIT_FSIZE, &saved);
	assert_int_equal(err, -EFBIG);
	assert_holds(path, "precious");
	assert_int_equal(empty_folder(), 1);
	run__free(run);
}

/* In the child: a file system of one page, which the old file fills. */
static int write_on_full_disk(const struct run *run)
{
	const char *path = in_folder("run.json");

	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", folder, "tmpfs", 0, "size=4096"))
		return 0; /* no privilege: the test before this one must do */
	put(path, "precious");
	if (silent_write(run, path, true) != -ENOSPC)
		return 1;
	assert_holds(path, "precious");
	return empty_folder() == 1 ? 0 : 2;
}

static void test_full_disk_harms_nothing(void **state)
{
	struct run *run = complete_run();
	int status = -1;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(write_on_full_disk(run));
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	run__free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sample_is_valid),
		cmocka_unit_test(test_damage_is_named),
		cmocka_unit_test(test_foreign_json_is_refused),
		cmocka_unit_test(test_sums_of_an_incomplete_run),
		cmocka_unit_test(test_optional_text_may_be_empty),
		cmocka_unit_test(test_unknown_members_are_left_alone),
		cmocka_unit_test(test_hist_survives_json),
		cmocka_unit_test(test_hist_too_large_for_json),
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_existing_file_needs_force),
		cmocka_unit_test(test_impossible_targets),
		cmocka_unit_test(test_no_room_harms_nothing),
		cmocka_unit_test(test_full_disk_harms_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
