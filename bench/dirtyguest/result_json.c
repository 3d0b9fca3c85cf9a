// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results of a run as the `guest` object of a run file. Numbers are integers;
 * the names are documented in docs/dirtyguest.md and other programs rely on
 * them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"
#include "result.h"

/* jansson reports every failure here as -1; all mean: no memory. */
static int set_u64(json_t *obj, const char *key, __u64 value)
{
	return json_object_set_new(obj, key, json_integer((json_int_t)value));
}

static int set_str(json_t *obj, const char *key, const char *value)
{
	return json_object_set_new(obj, key, json_string(value));
}

static int set_bool(json_t *obj, const char *key, bool value)
{
	return json_object_set_new(obj, key, json_boolean(value));
}

static int set_counts(json_t *obj, const struct check_log *log)
{
	return set_u64(obj, "pages_written", log->pages_written) |
	       set_u64(obj, "pages_reported", log->pages_reported) |
	       set_u64(obj, "pages_lost", log->pages_lost) |
	       set_u64(obj, "pages_spurious", log->pages_spurious);
}

static int append_turn(json_t *list, const struct result_turn *turn, __u32 vcpu)
{
	json_t *obj = json_object();
	int bad;

	bad = set_u64(obj, "vcpu", vcpu) |
	      set_u64(obj, "run_ns", turn->run_ns) |
	      set_u64(obj, "writes", turn->nr_writes);
	return json_array_append_new(list, obj) | bad;
}

static int append_round(json_t *list, const struct result *res,
			const struct result_round *r)
{
	json_t *obj = json_object(), *vcpus = json_array();
	int bad;

	bad = set_u64(obj, "round", r->round) | set_counts(obj, &r->log) |
	      set_u64(obj, "values_wrong", r->values_wrong) |
	      set_u64(obj, "dirty_ns", r->dirty_ns) |
	      set_u64(obj, "get_ns", r->get_ns) |
	      set_u64(obj, "clear_ns", r->clear_ns) |
	      set_u64(obj, "live_harvests", r->nr_live);
	for (__u32 i = 0; i < res->nr_vcpus; i++)
		bad |= append_turn(vcpus, &r->turns[i], i);
	bad |= json_object_set_new(obj, "vcpus", vcpus);
	return json_array_append_new(list, obj) | bad;
}

static int append_phase(json_t *list, const struct result_phase *phase)
{
	json_t *obj = json_object();
	int bad;

	bad = set_str(obj, "name", phase->name) |
	      set_u64(obj, "round", phase->round) |
	      set_u64(obj, "start_ns", phase->start_ns) |
	      set_u64(obj, "end_ns", phase->end_ns);
	return json_array_append_new(list, obj) | bad;
}

static int set_options(json_t *root, const struct dg_options *opts)
{
	json_t *obj = json_object();
	int bad;

	bad = set_str(obj, "backing", dg_backing_names[opts->backing]) |
	      set_u64(obj, "vcpus", opts->nr_vcpus) |
	      set_u64(obj, "readers", opts->nr_readers) |
	      set_u64(obj, "size_bytes", opts->size_bytes) |
	      set_u64(obj, "slot_offset_pages", opts->slot_offset_pages) |
	      set_str(obj, "share", opts->overlap ? "overlap" : "partition") |
	      set_u64(obj, "rounds", opts->nr_rounds) |
	      set_str(obj, "order", dg_order_names[opts->order]) |
	      set_u64(obj, "writes_percent", opts->write_percent) |
	      set_u64(obj, "hot_percent", opts->hot_percent) |
	      set_u64(obj, "seed", opts->seed) |
	      set_str(obj, "log", dg_log_mode_names[opts->log_mode]) |
	      set_u64(obj, "clear_chunk_pages", opts->clear_chunk_pages) |
	      set_u64(obj, "clear_offset_pages", opts->clear_offset_pages) |
	      set_u64(obj, "live_ns", opts->live_ns) |
	      set_bool(obj, "populate", !opts->skip_populate) |
	      set_bool(obj, "after", opts->after) |
	      set_str(obj, "after_order", dg_order_names[opts->after_order]) |
	      set_bool(obj, "pin", opts->pin) |
	      set_bool(obj, "fifo", opts->fifo) |
	      set_u64(obj, "limit_ns", opts->limit_ns);
	return json_object_set_new(root, "options", obj) | bad;
}

static int set_initial(json_t *root, const struct result *res)
{
	json_t *obj = json_object();
	int bad;

	bad = set_u64(obj, "pages_reported", res->initial_reported) |
	      set_u64(obj, "pages_expected", res->initial_expected) |
	      set_u64(obj, "get_ns", res->initial_get_ns) |
	      set_u64(obj, "clear_ns", res->initial_clear_ns);
	return json_object_set_new(root, "initial", obj) | bad;
}

/* NULL when out of memory. */
static json_t *to_json(const struct result *res, const struct dg_options *opts)
{
	json_t *root = json_object(), *rounds = json_array();
	json_t *phases = json_array();
	struct check_log total;
	int bad;

	result__total(res, &total);
	bad = set_counts(root, &total) |
	      set_u64(root, "values_wrong", res->values_wrong) |
	      set_u64(root, "runs_refused", res->runs_refused) |
	      set_u64(root, "populate_ns", res->populate_ns) |
	      set_u64(root, "enable_ns", res->enable_ns) |
	      set_u64(root, "disable_ns", res->disable_ns) |
	      set_u64(root, "after_ns", res->after_ns) |
	      set_u64(root, "blocks", res->nr_blocks) |
	      set_u64(root, "blocks_huge", res->nr_huge);
	if (res->error[0])
		bad |= set_str(root, "error", res->error);
	if (opts->log_mode == DG_LOG_INITIALLY_SET)
		bad |= set_initial(root, res);
	for (__u64 i = 0; i < res->nr_rounds; i++)
		bad |= append_round(rounds, res, &res->rounds[i]);
	for (size_t i = 0; i < res->nr_phases; i++)
		bad |= append_phase(phases, &res->phases[i]);
	bad |= json_object_set_new(root, "rounds", rounds);
	bad |= json_object_set_new(root, "phases", phases);
	bad |= set_options(root, opts);
	if (!bad)
		return root;
	json_decref(root);
	return NULL;
}

static int write_file(const char *path, const char *text)
{
	size_t len = strlen(text), done = 0;
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	while (done < len && !err) {
		ssize_t n = write(fd, text + done, len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

/* Give @tmp the name @path; link() is what refuses to replace a file. */
static int publish(const char *tmp, const char *path, bool force)
{
	int err = 0;

	if (force)
		return rename(tmp, path) ? -errno : 0;
	if (link(tmp, path))
		err = -errno;
	unlink(tmp);
	return err;
}

int result__write(const struct result *res, const struct dg_options *opts,
		  const char *path, bool force)
{
	char *text = NULL, *tmp = NULL;
	json_t *root;
	int err = -ENOMEM;

	root = to_json(res, opts);
	if (root)
		text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	if (!text || asprintf(&tmp, "%s.%ld.tmp", path, (long)getpid()) < 0)
		goto out;
	err = write_file(tmp, text);
	if (!err)
		err = publish(tmp, path, force);
out:
	if (err == -EEXIST)
		dg_err("%s exists: choose another name or add --force", path);
	else if (err)
		dg_err("writing %s: %s", path, strerror(-err));
	free(tmp);
	free(text);
	json_decref(root);
	return err;
}
