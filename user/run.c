// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run file: building, reading, histogram conversion; see run.h. Writing is
 * in run_write.c, validation in run_check.c.
 */
#include "user/run.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/log.h"

struct run {
	json_t *root;
};

struct run *run__new(void)
{
	static const char *const arrays[] = {
		"probes",	  "phases",	    "faults",
		"splits",	  "prot_updates",   "write_protects",
		"flush_requests", "flush_executed", "checks",
	};
	struct run *run = NULL;
	json_t *root = NULL;
	size_t i;
	int err;

	root = json_pack("{s:s, s:b, s:{}, s:{}}", "schema", RUN_SCHEMA,
			 "complete", 1, "environment", "losses");
	if (!root)
		goto nomem;
	for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		err = json_object_set_new(root, arrays[i], json_array());
		if (err)
			goto nomem;
	}
	run = calloc(1, sizeof(*run));
	if (!run)
		goto nomem;
	run->root = root;
	return run;

nomem:
	json_decref(root);
	errno = ENOMEM;
	return NULL;
}

json_t *run__json(struct run *run)
{
	return run->root;
}

const json_t *run__root(const struct run *run)
{
	return run->root;
}

void run__free(struct run *run)
{
	if (!run)
		return;
	json_decref(run->root);
	free(run);
}

/* Text of a file must neither break our line nor drive a terminal. */
static void mask_controls(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = '?';
	}
}

/* Say in one line what is wrong with text that jansson refused. */
static int report_syntax(const char *path, const json_error_t *error)
{
	char text[JSON_ERROR_TEXT_LENGTH];

	snprintf(text, sizeof(text), "%s", error->text);
	mask_controls(text);

	switch (json_error_code(error)) {
	case json_error_premature_end_of_input:
		pr_err("%s is truncated (it ends in line %d, inside the document); copy or record it again",
		       path, error->line);
		break;
	case json_error_out_of_memory:
		pr_err("cannot read %s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	default:
		pr_err("%s is not a run file: line %d column %d: %s; give a file written by 'gstage trace'",
		       path, error->line, error->column, text);
	}
	return -EBADMSG;
}

static int report_unreadable(const char *path, int err)
{
	pr_err("cannot read %s: %s; give a file written by 'gstage trace'",
	       path, strerror(-err));
	return err;
}

/* The document in @path, not yet validated; the error has been reported. */
static int load_document(const char *path, json_t **rootp)
{
	json_error_t error;
	struct stat st;
	json_t *root;
	FILE *file;
	int err;

	file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!file)
		return report_unreadable(path, -errno);

	if (fstat(fileno(file), &st)) {
		err = report_unreadable(path, -errno);
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		err = report_unreadable(path, -EISDIR);
		goto out;
	}
	if (S_ISREG(st.st_mode) && !st.st_size) {
		pr_err("%s is empty: whatever wrote it was cut short; record it again",
		       path);
		err = -EBADMSG;
		goto out;
	}

	errno = 0;
	root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		err = ferror(file) ? report_unreadable(path, -(errno ?: EIO)) :
				     report_syntax(path, &error);
		goto out;
	}
	*rootp = root;
	err = 0;
out:
	if (file != stdin)
		fclose(file);
	return err;
}

int run__read(const char *path, struct run **runp)
{
	char reason[256];
	json_t *root = NULL;
	struct run *run;
	int err;

	err = load_document(path, &root);
	if (err)
		return err;

	err = run__validate(root, reason, sizeof(reason));
	if (err) {
		pr_err("%s is not a valid run file: %s", path, reason);
		goto out;
	}

	run = calloc(1, sizeof(*run));
	if (!run) {
		err = report_unreadable(path, -ENOMEM);
		goto out;
	}
	run->root = root;
	*runp = run;
	return 0;
out:
	json_decref(root);
	return err;
}

static int set_u64(json_t *object, const char *key, uint64_t v)
{
	if (v > INT64_MAX)
		return -ERANGE;
	return json_object_set_new(object, key, json_integer((json_int_t)v));
}

static int append_bucket(json_t *buckets, unsigned int idx, uint64_t count)
{
	json_t *bucket = json_object();

	if (set_u64(bucket, "ge", hist_bucket_ge(idx)) ||
	    set_u64(bucket, "lt", hist_bucket_lt(idx)) ||
	    set_u64(bucket, "count", count)) {
		json_decref(bucket);
		return -ERANGE;
	}
	return json_array_append_new(buckets, bucket);
}

json_t *hist_to_json(const struct hist *h, const char *unit)
{
	json_t *json = json_object(), *buckets = json_array();
	unsigned int i;

	if (json_object_set_new(json, "unit", json_string(unit)) ||
	    set_u64(json, "count", h->count) || set_u64(json, "sum", h->sum) ||
	    set_u64(json, "min", h->count ? h->min : 0) ||
	    set_u64(json, "max", h->count ? h->max : 0) ||
	    set_u64(json, "underflow", h->underflow) ||
	    set_u64(json, "overflow", h->overflow))
		goto fail;

	for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
		if (h->buckets[i] && append_bucket(buckets, i, h->buckets[i]))
			goto fail;
	}
	if (json_object_set_new(json, "buckets", buckets)) {
		buckets = NULL;
		goto fail;
	}
	return json;
fail:
	json_decref(buckets);
	json_decref(json);
	return NULL;
}

static int get_u64(const json_t *object, const char *key, uint64_t *v)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_integer(member) || json_integer_value(member) < 0)
		return -EBADMSG;
	*v = (uint64_t)json_integer_value(member);
	return 0;
}

static int read_bucket(const json_t *bucket, unsigned int *next, struct hist *h)
{
	uint64_t ge, lt, count;
	unsigned int idx;

	if (get_u64(bucket, "ge", &ge) || get_u64(bucket, "lt", &lt) ||
	    get_u64(bucket, "count", &count))
		return -EBADMSG;
	idx = hist_index(ge);
	if (idx >= GSTAGE_HIST_BUCKETS || idx < *next || !count ||
	    ge != hist_bucket_ge(idx) || lt != hist_bucket_lt(idx))
		return -EBADMSG;
	h->buckets[idx] = count;
	*next = idx + 1;
	return 0;
}

int hist_from_json(const json_t *json, struct hist *h)
{
	const json_t *buckets = json_object_get(json, "buckets");
	unsigned int next = 0;
	size_t i;

	memset(h, 0, sizeof(*h));
	if (get_u64(json, "count", &h->count) ||
	    get_u64(json, "sum", &h->sum) || get_u64(json, "min", &h->min) ||
	    get_u64(json, "max", &h->max) ||
	    get_u64(json, "underflow", &h->underflow) ||
	    get_u64(json, "overflow", &h->overflow) || !json_is_array(buckets))
		return -EBADMSG;
	for (i = 0; i < json_array_size(buckets); i++) {
		if (read_bucket(json_array_get(buckets, i), &next, h))
			return -EBADMSG;
	}
	return 0;
}

json_int_t run_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

json_int_t run_add(json_int_t a, json_int_t b)
{
	json_int_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

const char *run_str(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "-";
}

bool run_has_several_vms(const json_t *rows)
{
	json_int_t first = run_int(json_array_get(rows, 0), "vm");
	size_t i;

	for (i = 1; i < json_array_size(rows); i++) {
		if (run_int(json_array_get(rows, i), "vm") != first)
			return true;
	}
	return false;
}

const char *run_phase_label(char *buf, size_t size, const json_t *run,
			    const json_t *phase)
{
	char name[40], vm[32] = "", round[32] = "";

	snprintf(name, sizeof(name), "%s", run_str(phase, "name"));
	mask_controls(name);
	if (run_has_several_vms(json_object_get(run, "phases")))
		snprintf(vm, sizeof(vm), "vm %" JSON_INTEGER_FORMAT " ",
			 run_int(phase, "vm"));
	/* The name may carry the round already. */
	if (run_int(phase, "round") && !strpbrk(name, "0123456789"))
		snprintf(round, sizeof(round), " %" JSON_INTEGER_FORMAT,
			 run_int(phase, "round"));
	snprintf(buf, size, "%s%s%s", vm, name, round);
	return buf;
}

bool run_has_insn_clock(const json_t *root)
{
	const json_t *env = json_object_get(root, "environment");
	const char *clock = json_string_value(json_object_get(env, "clock"));

	return clock && !strcmp(clock, "instructions");
}

const char *run_time_unit(const json_t *root)
{
	return run_has_insn_clock(root) ? "insns" : "ns";
}
