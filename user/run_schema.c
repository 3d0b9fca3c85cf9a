// SPDX-License-Identifier: GPL-2.0-only
/*
 * The members of a run file as tables: docs/run-file.md for the machine.
 * Members that are not named here are left alone, so that a file with
 * additions can still be read.
 */
#include "user/run_schema.h"

#include <string.h>

/* Sv57x4 has five levels; the largest leaf that KVM maps is level 2. */
#define LEVEL_LIMIT 4

#define WORDS(name, ...) static const char *const name[] = { __VA_ARGS__, NULL }

WORDS(clocks, "instructions", "host");
WORDS(costs, "full", "counts");
WORDS(paths, "fast", "prot", "split", "map", "retry", "error");
WORDS(accesses, "read", "write", "exec");
WORDS(causes, "fault", "enable", "clear", "get", "other");
WORDS(outcomes, "changed", "unchanged", "lost_race");
WORDS(wp_phases, "enable", "clear", "get");
WORDS(statuses, "served", "partial", "missing");
WORDS(lock_modes, "read", "write");
WORDS(flush_kinds, "page", "range", "vmid", "vvma");

const struct field run_root_fields[] = {
	{ "environment", OBJECT, true, NULL },
	{ "probes", ARRAY, true, NULL },
	{ "losses", OBJECT, true, NULL },
	{ "phases", ARRAY, true, NULL },
	{ "faults", ARRAY, true, NULL },
	{ "splits", ARRAY, true, NULL },
	{ "prot_updates", ARRAY, true, NULL },
	{ "write_protects", ARRAY, true, NULL },
	{ "flush_requests", ARRAY, true, NULL },
	{ "flush_executed", ARRAY, true, NULL },
	{ "bracket", OBJECT, false, NULL },
	{ "locks", ARRAY, false, NULL },
	{ "exits", ARRAY, false, NULL },
	{ "stalls", ARRAY, false, NULL },
	{ "guest", OBJECT, false, NULL },
	{ "checks", ARRAY, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_environment_fields[] = {
	{ "kernel", STRING, true, NULL },
	{ "clock", WORD, true, clocks },
	{ "tool", STRING, true, NULL },
	{ "cmdline", ARRAY, true, NULL },
	{ "cost", WORD, false, costs },
	{ "kernel_config_sha256", TEXT, false, NULL },
	{ "kvm_sha256", TEXT, false, NULL },
	{ "kvm_args", TEXT, false, NULL },
	{ "version", TEXT, false, NULL },
	{ "version_args", TEXT, false, NULL },
	{ "source_sha256", TEXT, false, NULL },
	{ "patch_ids", ARRAY, false, NULL },
	{ "host", TEXT, false, NULL },
	{ "base", TEXT, false, NULL },
	{ "accel", TEXT, false, NULL },
	{ "cpu", TEXT, false, NULL },
	{ "machine", TEXT, false, NULL },
	{ "mode", TEXT, false, NULL },
	{ "qemu", TEXT, false, NULL },
	{ "clock_resolution_ns", COUNT, false, NULL },
	{ "seed", COUNT, false, NULL },
	{ "harts", COUNT, false, NULL },
	{ "pid", COUNT, false, NULL },
	{ "map_bytes", COUNT, false, NULL },
	{ "map_bytes_per_cpu", COUNT, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_probe_fields[] = {
	{ "fact", STRING, true, NULL },	   { "backend", STRING, true, NULL },
	{ "hook", STRING, true, NULL },	   { "attached", BOOL, true, NULL },
	{ "misses", COUNT, true, NULL },   { "status", WORD, false, statuses },
	{ "reason", STRING, false, NULL }, { NULL, 0, false, NULL },
};

const struct field run_phase_fields[] = {
	{ "name", STRING, true, NULL },
	{ "vm", COUNT, false, NULL },
	{ "round", COUNT, false, NULL },
	{ "start_ns", COUNT, true, NULL },
	{ "end_ns", COUNT, true, NULL },
	{ "duration_ns", COUNT, true, NULL },
	{ "faults", ARRAY, false, NULL },
	{ "splits", ARRAY, false, NULL },
	{ "flush_requests", COUNT, false, NULL },
	{ "flush_executed", COUNT, false, NULL },
	{ "locks", ARRAY, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_fault_fields[] = {
	{ "path", WORD, true, paths },	{ "access", WORD, true, accesses },
	{ "count", COUNT, true, NULL }, { "latency", OBJECT, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_bracket_fields[] = {
	{ "faults", ARRAY, true, NULL },   { "left_out", ARRAY, false, NULL },
	{ "took_ns", COUNT, false, NULL }, { "reason", STRING, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_bracket_fault_fields[] = {
	{ "path", WORD, true, paths },
	{ "ns", COUNT_OR_NULL, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_split_fields[] = {
	{ "cause", WORD, true, causes },   { "from_level", LEVEL, true, NULL },
	{ "to_level", LEVEL, true, NULL }, { "count", COUNT, true, NULL },
	{ "failed", BOOL, false, NULL },   { NULL, 0, false, NULL },
};

const struct field run_prot_fields[] = {
	{ "outcome", WORD, true, outcomes },
	{ "count", COUNT, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_wp_fields[] = {
	{ "phase", WORD, true, wp_phases },
	{ "level", LEVEL, true, NULL },
	{ "count", COUNT, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_request_fields[] = {
	{ "kind", WORD, true, flush_kinds },
	{ "count", COUNT, true, NULL },
	{ "bytes", COUNT, false, NULL },
	{ "fallbacks", COUNT, false, NULL },
	{ "size", OBJECT, false, NULL },
	{ "sizes", ARRAY, false, NULL },
	{ "wait", OBJECT, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_request_size_fields[] = {
	{ "ge", COUNT, true, NULL },
	{ "lt", COUNT, false, NULL },
	{ "count", COUNT, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_executed_fields[] = {
	{ "kind", WORD, true, flush_kinds },
	{ "count", COUNT, true, NULL },
	{ "fences", COUNT, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_lock_fields[] = {
	{ "mode", WORD, true, lock_modes },
	{ "count", COUNT, true, NULL },
	{ "held", OBJECT, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_phase_lock_fields[] = {
	{ "mode", WORD, true, lock_modes }, { "count", COUNT, true, NULL },
	{ "held_ns", COUNT, true, NULL },   { "longest_ns", COUNT, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_exit_fields[] = {
	{ "vm", COUNT, true, NULL },	 { "vcpu", COUNT, true, NULL },
	{ "cause", STRING, true, NULL }, { "interrupt", BOOL, true, NULL },
	{ "code", COUNT, true, NULL },	 { "count", COUNT, true, NULL },
	{ "host", OBJECT, true, NULL },	 { NULL, 0, false, NULL },
};

const struct field run_stall_fields[] = {
	{ "vm", COUNT, true, NULL },	   { "vcpu", COUNT, true, NULL },
	{ "phase", STRING, true, NULL },   { "wall_ns", COUNT, true, NULL },
	{ "guest_ns", COUNT, true, NULL }, { "fault_ns", COUNT, true, NULL },
	{ "fence_ns", COUNT, true, NULL }, { "lock_ns", COUNT, true, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_guest_fields[] = {
	{ "pages_written", COUNT, false, NULL },
	{ "pages_reported", COUNT, false, NULL },
	{ "pages_lost", COUNT, false, NULL },
	{ "rounds", ARRAY, false, NULL },
	{ "options", OBJECT, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_round_fields[] = {
	{ "round", COUNT, true, NULL },
	{ "pages_written", COUNT, false, NULL },
	{ "pages_reported", COUNT, false, NULL },
	{ "pages_lost", COUNT, false, NULL },
	{ "dirty_ns", COUNT, false, NULL },
	{ "get_ns", COUNT, false, NULL },
	{ "clear_ns", COUNT, false, NULL },
	{ NULL, 0, false, NULL },
};

const struct field run_check_result_fields[] = {
	{ "name", STRING, true, NULL },
	{ "ok", BOOL, true, NULL },
	{ "looked_at", COUNT, false, NULL },
	{ "broken", COUNT, false, NULL },
	{ NULL, 0, false, NULL },
};

static bool is_word(const json_t *value, const char *const *words)
{
	const char *s = json_string_value(value);

	for (; s && *words; words++) {
		if (!strcmp(s, *words))
			return true;
	}
	return false;
}

const char *run_field_mismatch(const json_t *value, const struct field *field)
{
	json_int_t n = json_integer_value(value);

	switch (field->kind) {
	case COUNT:
		return json_is_integer(value) && n >= 0 ?
			       NULL :
			       "an integer of 0 or more";
	case COUNT_OR_NULL:
		return json_is_null(value) ||
				       (json_is_integer(value) && n >= 0) ?
			       NULL :
			       "an integer of 0 or more, or null";
	case LEVEL:
		return json_is_integer(value) && n >= 0 && n <= LEVEL_LIMIT ?
			       NULL :
			       "a page table level, 0 to 4";
	case STRING:
		return json_string_length(value) ? NULL :
						   "a string with some text";
	case TEXT:
		return json_is_string(value) ? NULL : "a string";
	case WORD:
		return is_word(value, field->words) ?
			       NULL :
			       "one of the schema's words";
	case BOOL:
		return json_is_boolean(value) ? NULL : "true or false";
	case OBJECT:
		return json_is_object(value) ? NULL : "an object";
	case ARRAY:
		return json_is_array(value) ? NULL : "an array";
	}
	return "something else";
}
