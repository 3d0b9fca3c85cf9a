// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation of a run file: members by the tables of run_schema.c, histogram
 * geometry, rows that are there twice, and sums that must agree.
 */
#include "user/run.h"
#include "user/run_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct check {
	char *reason;
	size_t size;
	bool complete; /* sums of an incomplete run need not agree */
};

static int __attribute__((format(printf, 2, 3))) fail(struct check *check,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->reason, check->size, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static const char *str_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int check_fields(struct check *check, const json_t *object,
			const char *where, const struct field *field)
{
	const char *dot = *where ? "." : "", *expected;
	const json_t *value;

	if (!json_is_object(object))
		return fail(check, "%s is not an object", where);
	for (; field->name; field++) {
		value = json_object_get(object, field->name);
		if (!value && !field->required)
			continue;
		if (!value)
			return fail(check, "%s%s%s is missing", where, dot,
				    field->name);
		expected = run_field_mismatch(value, field);
		if (expected)
			return fail(check, "%s%s%s is not %s", where, dot,
				    field->name, expected);
	}
	return 0;
}

/* Two rows about the same thing would be counted twice by every reader. */
static bool is_same_row(const json_t *a, const json_t *b,
			const char *const *keys)
{
	const json_t *va, *vb;

	for (; *keys; keys++) {
		va = json_object_get(a, *keys);
		vb = json_object_get(b, *keys);
		/* "failed": false and no such member mean the same. */
		if (json_is_true(va) != json_is_true(vb))
			return false;
		if (!json_is_boolean(va) && !json_is_boolean(vb) &&
		    !json_equal(va, vb))
			return false;
	}
	return true;
}

/* Every row of an array by @fields, and no two with the same @keys (or NULL). */
static int check_rows(struct check *check, const json_t *array,
		      const char *where, const struct field *fields,
		      const char *const *keys)
{
	char row[80];
	size_t i, j;
	int err;

	for (i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		snprintf(row, sizeof(row), "%s[%zu]", where, i);
		err = check_fields(check, item, row, fields);
		if (err)
			return err;
		for (j = 0; keys && j < i; j++) {
			if (is_same_row(item, json_array_get(array, j), keys))
				return fail(check, "%s repeats %s[%zu]", row,
					    where, j);
		}
	}
	return 0;
}

/* @expected is the number of events the histogram must hold. */
static int check_hist(struct check *check, const json_t *json,
		      const char *where, const char *unit, json_int_t expected)
{
	const char *given = str_of(json, "unit");
	struct hist h;

	if (!given || strcmp(given, unit))
		return fail(check, "%s.unit is not \"%s\"", where, unit);
	if (hist_from_json(json, &h))
		return fail(
			check,
			"%s is not a histogram of this geometry (integers, buckets ascending, bounds of 2^%d per octave, none empty)",
			where, GSTAGE_HIST_SUB_BITS);
	if (!check->complete)
		return 0;
	if (h.count != (uint64_t)expected)
		return fail(check,
			    "%s.count is %" PRIu64
			    " but its row counts %" JSON_INTEGER_FORMAT,
			    where, h.count, expected);
	if (!hist_is_consistent(&h))
		return fail(
			check,
			"%s: count, sum, min and max do not follow from its buckets",
			where);
	return 0;
}

static int check_faults(struct check *check, const json_t *root)
{
	static const char *const keys[] = { "path", "access", NULL };
	const json_t *rows = json_object_get(root, "faults");
	char where[64];
	size_t i;
	int err;

	err = check_rows(check, rows, "faults", run_fault_fields, keys);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *latency = json_object_get(row, "latency");

		if (!latency)
			continue;
		snprintf(where, sizeof(where), "faults[%zu].latency", i);
		err = check_hist(check, latency, where, "ns",
				 run_int(row, "count"));
	}
	return err;
}

/* Histograms of a row of flush_requests. */
static int check_request(struct check *check, const json_t *row,
			 const char *where)
{
	static const char *const keys[] = { "ge", NULL };
	const json_t *size = json_object_get(row, "size");
	const json_t *wait = json_object_get(row, "wait");
	json_int_t count = run_int(row, "count");
	char name[64];
	int err = 0;

	snprintf(name, sizeof(name), "%s.size", where);
	/* A whole-VM flush has no size, so its histogram is empty. */
	if (size)
		err = check_hist(check, size, name, "bytes",
				 run_int(size, "count") ? count : 0);
	if (!err && size && check->complete && json_object_get(row, "bytes") &&
	    run_int(row, "bytes") != run_int(size, "sum"))
		err = fail(check, "%s.sum differs from bytes", name);
	snprintf(name, sizeof(name), "%s.sizes", where);
	if (!err)
		err = check_rows(check, json_object_get(row, "sizes"), name,
				 run_request_size_fields, keys);
	/* The requests of one fault are waited for together. */
	snprintf(name, sizeof(name), "%s.wait", where);
	if (!err && wait)
		err = check_hist(check, wait, name, "ns",
				 run_int(wait, "count"));
	return err;
}

static int check_requests(struct check *check, const json_t *root)
{
	static const char *const keys[] = { "kind", NULL };
	const json_t *rows = json_object_get(root, "flush_requests");
	char where[40];
	size_t i;
	int err;

	err = check_rows(check, rows, "flush_requests", run_request_fields,
			 keys);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		snprintf(where, sizeof(where), "flush_requests[%zu]", i);
		err = check_request(check, json_array_get(rows, i), where);
	}
	return err;
}

static int check_levels(struct check *check, const json_t *rows,
			const char *where)
{
	static const char *const keys[] = { "cause", "from_level", "to_level",
					    "failed", NULL };
	size_t i;
	int err;

	err = check_rows(check, rows, where, run_split_fields, keys);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (run_int(row, "from_level") <= run_int(row, "to_level"))
			err = fail(
				check,
				"%s[%zu] splits into a leaf that is not smaller",
				where, i);
	}
	return err;
}

static int check_bracket(struct check *check, const json_t *root)
{
	static const char *const keys[] = { "path", NULL };
	const json_t *bracket = json_object_get(root, "bracket"), *names;
	size_t i;
	int err;

	if (!bracket)
		return 0;
	err = check_fields(check, bracket, "bracket", run_bracket_fields);
	if (!err)
		err = check_rows(check, json_object_get(bracket, "faults"),
				 "bracket.faults", run_bracket_fault_fields,
				 keys);
	names = json_object_get(bracket, "left_out");
	for (i = 0; !err && i < json_array_size(names); i++) {
		if (!json_string_length(json_array_get(names, i)))
			err = fail(
				check,
				"bracket.left_out[%zu] is not the name of a fact",
				i);
	}
	return err;
}

static int check_splits(struct check *check, const json_t *root)
{
	return check_levels(check, json_object_get(root, "splits"), "splits");
}

static const char *const lock_keys[] = { "mode", NULL };

static int check_locks(struct check *check, const json_t *root)
{
	const json_t *rows = json_object_get(root, "locks");
	char where[64];
	size_t i;
	int err;

	err = check_rows(check, rows, "locks", run_lock_fields, lock_keys);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		snprintf(where, sizeof(where), "locks[%zu].held", i);
		err = check_hist(check, json_object_get(row, "held"), where,
				 "ns", run_int(row, "count"));
	}
	return err;
}

/* Of what is lost neither has a part, so this holds in any run. */
static int check_stalls(struct check *check, const json_t *root)
{
	static const char *const keys[] = { "vm", "vcpu", "phase", NULL };
	const json_t *rows = json_object_get(root, "stalls");
	size_t i;
	int err;

	err = check_rows(check, rows, "stalls", run_stall_fields, keys);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		json_int_t fault_ns = run_int(row, "fault_ns");
		json_int_t left_ns = run_int(row, "wall_ns");

		/* One after the other: a sum may be too large to be had. */
		left_ns -= run_int(row, "guest_ns");
		if (left_ns >= 0)
			left_ns -= fault_ns;
		if (left_ns >= 0)
			left_ns -= run_int(row, "fence_ns");
		if (left_ns < 0)
			return fail(
				check,
				"stalls[%zu].wall_ns is less than its parts",
				i);
		if (run_int(row, "lock_ns") > fault_ns)
			return fail(
				check,
				"stalls[%zu].lock_ns is more than fault_ns, which it is a part of",
				i);
	}
	return err;
}

static int check_exits(struct check *check, const json_t *root)
{
	static const char *const exit_keys[] = { "vm", "vcpu", "interrupt",
						 "code", NULL };
	const json_t *rows = json_object_get(root, "exits");
	char where[64];
	size_t i;
	int err;

	err = check_rows(check, rows, "exits", run_exit_fields, exit_keys);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *host = json_object_get(row, "host");

		/* The last exit of a vCPU is not followed by an entry. */
		if (run_int(host, "count") > run_int(row, "count"))
			return fail(
				check,
				"exits[%zu].host counts more than there were exits",
				i);
		snprintf(where, sizeof(where), "exits[%zu].host", i);
		err = check_hist(check, host, where, "ns",
				 run_int(host, "count"));
	}
	return err;
}

static int check_phases(struct check *check, const json_t *root)
{
	static const char *const keys[] = { "path", "access", NULL };
	const json_t *rows = json_object_get(root, "phases");
	char where[64];
	size_t i;
	int err;

	err = check_rows(check, rows, "phases", run_phase_fields, NULL);
	for (i = 0; !err && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		/* Shorter when the phase was left and entered again. */
		if (run_int(row, "end_ns") - run_int(row, "start_ns") <
		    run_int(row, "duration_ns"))
			return fail(
				check,
				"phases[%zu].duration_ns is more than end_ns - start_ns",
				i);
		snprintf(where, sizeof(where), "phases[%zu].faults", i);
		err = check_rows(check, json_object_get(row, "faults"), where,
				 run_fault_fields, keys);
		if (err)
			return err;
		snprintf(where, sizeof(where), "phases[%zu].splits", i);
		err = check_levels(check, json_object_get(row, "splits"),
				   where);
		if (err)
			return err;
		snprintf(where, sizeof(where), "phases[%zu].locks", i);
		err = check_rows(check, json_object_get(row, "locks"), where,
				 run_phase_lock_fields, lock_keys);
	}
	return err;
}

static json_int_t sum_rows(const json_t *rows, const char *key)
{
	json_int_t sum = 0;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		sum = run_add(sum, run_int(json_array_get(rows, i), key));
	}
	return sum;
}

/*
 * No phase can hold what the whole run does not: the phases together count at
 * most the total (events between two phases belong to none).
 */
static int check_phase_sum(struct check *check, const json_t *root,
			   const char *what)
{
	const json_t *phases = json_object_get(root, "phases");
	json_int_t total = sum_rows(json_object_get(root, what), "count");
	json_int_t in_phases = 0;
	size_t i;

	for (i = 0; i < json_array_size(phases); i++) {
		const json_t *v =
			json_object_get(json_array_get(phases, i), what);
		json_int_t n = json_is_integer(v) ? json_integer_value(v) :
						    sum_rows(v, "count");

		in_phases = run_add(in_phases, n);
	}
	if (in_phases <= total)
		return 0;
	return fail(check,
		    "phases count %" JSON_INTEGER_FORMAT
		    " %s, more than the %" JSON_INTEGER_FORMAT
		    " of the whole run",
		    in_phases, what, total);
}

static int check_sums(struct check *check, const json_t *root)
{
	static const char *const whats[] = { "faults", "splits",
					     "flush_requests", "flush_executed",
					     "locks" };
	size_t i;
	int err;

	/* What was lost cannot add up. */
	if (!check->complete)
		return 0;
	for (i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		err = check_phase_sum(check, root, whats[i]);
		if (err)
			return err;
	}
	return 0;
}

static int check_losses(struct check *check, const json_t *root)
{
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get((json_t *)root, "losses"), key,
			    value) {
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return fail(check,
				    "losses.%s is not an integer of 0 or more",
				    key);
		if (check->complete && json_integer_value(value))
			return fail(
				check,
				"complete is true although losses.%s is not 0",
				key);
	}
	return 0;
}

/* What was seen in part is no complete run. */
static int check_coverage(struct check *check, const json_t *root)
{
	const json_t *probes = json_object_get(root, "probes");
	size_t i;

	for (i = 0; i < json_array_size(probes); i++) {
		const json_t *probe = json_array_get(probes, i);

		if (check->complete &&
		    !strcmp(run_str(probe, "status"), "partial"))
			return fail(
				check,
				"complete is true although probes[%zu] is partial",
				i);
	}
	return 0;
}

static int check_guest(struct check *check, const json_t *root)
{
	const json_t *guest = json_object_get(root, "guest");
	int err;

	if (!guest)
		return 0;
	err = check_fields(check, guest, "guest", run_guest_fields);
	if (err)
		return err;
	return check_rows(check, json_object_get(guest, "rounds"),
			  "guest.rounds", run_round_fields, NULL);
}

static int check_strings(struct check *check, const json_t *env,
			 const char *member)
{
	const json_t *list = json_object_get(env, member);
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (!json_is_string(json_array_get(list, i)))
			return fail(check,
				    "environment.%s[%zu] is not a string",
				    member, i);
	}
	return 0;
}

static int check_environment(struct check *check, const json_t *root)
{
	const json_t *env = json_object_get(root, "environment");
	int err;

	err = check_fields(check, env, "environment", run_environment_fields);
	if (!err)
		err = check_strings(check, env, "cmdline");
	if (!err)
		err = check_strings(check, env, "patch_ids");
	return err;
}

/* Arrays whose rows need nothing but the table. */
static int check_plain_arrays(struct check *check, const json_t *root)
{
	static const char *const by_outcome[] = { "outcome", NULL };
	static const char *const by_level[] = { "phase", "level", NULL };
	static const char *const by_kind[] = { "kind", NULL };
	static const struct {
		const char *name;
		const struct field *fields;
		const char *const *keys;
	} arrays[] = {
		{ "probes", run_probe_fields, NULL },
		{ "prot_updates", run_prot_fields, by_outcome },
		{ "write_protects", run_wp_fields, by_level },
		{ "flush_executed", run_executed_fields, by_kind },
		{ "checks", run_check_result_fields, NULL },
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		err = check_rows(check, json_object_get(root, arrays[i].name),
				 arrays[i].name, arrays[i].fields,
				 arrays[i].keys);
		if (err)
			return err;
	}
	return 0;
}

static int check_schema(struct check *check, const json_t *root)
{
	const char *schema = str_of(root, "schema");

	if (!json_is_object(root) || !schema)
		return fail(
			check,
			"it is other JSON, without \"schema\": \"" RUN_SCHEMA
			"\"; give a file written by 'gstage trace'");
	if (strcmp(schema, RUN_SCHEMA))
		return fail(
			check,
			"its schema is \"%.40s\", this gstage reads \"" RUN_SCHEMA
			"\"; use the gstage that wrote it",
			schema);
	if (!json_is_boolean(json_object_get(root, "complete")))
		return fail(check, "complete is not true or false");
	return 0;
}

static int check_members(struct check *check, const json_t *root)
{
	return check_fields(check, root, "", run_root_fields);
}

int run__validate(const json_t *root, char *reason, size_t reason_size)
{
	/* In this order: each relies on what the ones before it have seen. */
	static int (*const checks[])(struct check *, const json_t *) = {
		check_schema,	check_members,	check_environment,
		check_losses,	check_coverage, check_plain_arrays,
		check_faults,	check_bracket,	check_splits,
		check_requests, check_locks,	check_exits,
		check_stalls,	check_phases,	check_guest,
		check_sums,
	};
	struct check check = {
		.reason = reason,
		.size = reason_size,
		.complete = json_is_true(json_object_get(root, "complete")),
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		err = checks[i](&check, root);
		if (err)
			return err;
	}
	return 0;
}
