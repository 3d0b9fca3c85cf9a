/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of the members of gstage-run/1, for the validation in run_check.c. One
 * table per object; each ends with a NULL name.
 */
#ifndef GSTAGE_USER_RUN_SCHEMA_H
#define GSTAGE_USER_RUN_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

enum kind {
	COUNT, /* integer, 0 or more */
	COUNT_OR_NULL, /* null: not known */
	LEVEL, /* integer, 0 to LEVEL_LIMIT */
	STRING, /* not empty */
	TEXT, /* may be empty: not known, or none given */
	WORD, /* one of a list */
	BOOL,
	OBJECT,
	ARRAY,
};

struct field {
	const char *name;
	enum kind kind;
	bool required;
	const char *const *words; /* for WORD, NULL-terminated */
};

extern const struct field run_root_fields[];
extern const struct field run_environment_fields[];
extern const struct field run_probe_fields[];
extern const struct field run_phase_fields[];
extern const struct field run_fault_fields[];
extern const struct field run_bracket_fields[];
extern const struct field run_bracket_fault_fields[];
extern const struct field run_split_fields[];
extern const struct field run_prot_fields[];
extern const struct field run_wp_fields[];
extern const struct field run_request_fields[];
extern const struct field run_request_size_fields[];
extern const struct field run_executed_fields[];
extern const struct field run_lock_fields[];
extern const struct field run_phase_lock_fields[];
extern const struct field run_exit_fields[];
extern const struct field run_stall_fields[];
extern const struct field run_guest_fields[];
extern const struct field run_round_fields[];
extern const struct field run_check_result_fields[];

/* What @value should have been ("an array"), or NULL when @field allows it. */
const char *run_field_mismatch(const json_t *value, const struct field *field);

#endif /* GSTAGE_USER_RUN_SCHEMA_H */
