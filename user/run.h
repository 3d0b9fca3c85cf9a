/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run file: everything one boot measured, one JSON document of schema
 * gstage-run/1 (docs/run-file.md). Building, writing, reading, validating.
 */
#ifndef GSTAGE_USER_RUN_H
#define GSTAGE_USER_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "user/hist.h"

#define RUN_SCHEMA "gstage-run/1"

struct run;

/*
 * An empty, complete run: every array and object the schema asks for is there.
 * NULL with errno ENOMEM. The caller frees it with run__free().
 */
struct run *run__new(void);

/* The root object, borrowed: valid until run__free(), may be changed. */
json_t *run__json(struct run *run);

/* The same for readers. */
const json_t *run__root(const struct run *run);

/*
 * Can @path be written later? 0, or -errno after saying why not (-EEXIST for an
 * existing file without @force, a missing or read-only directory). Lets a
 * command fail before it measures.
 */
int run__check_output(const char *path, bool force);

/*
 * Write to a temporary name beside @path, flush to disk, rename. Whatever
 * fails, an existing file stays as it was and no temporary is left. Without
 * @force an existing file is refused with -EEXIST. A path that is not a regular
 * file (/dev/stdout, a pipe) is written in place; "-" is stdout.
 * 0 or -errno; the error has then been reported.
 */
int run__write(const struct run *run, const char *path, bool force);

/*
 * Read and validate; *runp is set only on success and is the caller's to free.
 * -errno, or -EBADMSG for a file that is no valid run file; the error has then
 * been reported in one line naming the file. "complete": false is not an error.
 */
int run__read(const char *path, struct run **runp);

void run__free(struct run *run);

/*
 * Does @root follow the schema, and do its sums agree? Otherwise -EBADMSG with
 * one line in @reason naming the member (like `faults[2].latency.count`).
 */
int run__validate(const json_t *root, char *reason, size_t reason_size);

/*
 * A new reference of the schema's histogram object; @unit is "ns" or "bytes".
 * NULL on no memory or when a figure does not fit a signed 64-bit integer.
 */
json_t *hist_to_json(const struct hist *h, const char *unit);

/* The reverse; 0 or -EBADMSG when it is not this schema's geometry. */
int hist_from_json(const json_t *json, struct hist *h);

/* The member as a number, 0 when there is none. */
json_int_t run_int(const json_t *object, const char *key);

/* a + b for figures of a file, which may be absurd: stops at the largest. */
json_int_t run_add(json_int_t a, json_int_t b);

/* Are the rows, objects with a member "vm", those of more than one? */
bool run_has_several_vms(const json_t *rows);

/* The member as text, "-" when there is none. */
const char *run_str(const json_t *object, const char *key);

/*
 * A phase as people name it, "dirty 2", with its VM before it when @run has
 * several; safe for a terminal. Returns @buf.
 */
const char *run_phase_label(char *buf, size_t size, const json_t *run,
			    const json_t *phase);

/* True if environment.clock says that 1 ns is one emulated instruction. */
bool run_has_insn_clock(const json_t *root);

/* "insns" or "ns", the word that must follow this run's `_ns` figures. */
const char *run_time_unit(const json_t *root);

#endif /* GSTAGE_USER_RUN_H */
