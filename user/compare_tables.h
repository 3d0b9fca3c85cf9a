/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of a comparison as JSON, one class of figure in each. All return a
 * new reference, or NULL on no memory. Internal to compare_*.c.
 */
#ifndef GSTAGE_USER_COMPARE_TABLES_H
#define GSTAGE_USER_COMPARE_TABLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "user/compare.h"
#include "user/compare_figures.h"

/* What the tables of one comparison share. */
struct compare_context {
	const struct compare_arm *arms;
	size_t nr_arms;
	const char **files; /* of every boot */
	json_int_t *seeds; /* of every boot */
	/* The first boot of the arm with this seed (itself, or an earlier). */
	size_t *twins;
	/* The boot of the first arm with this seed, SIZE_MAX without one. */
	size_t *partners;
	size_t nr_boots;
	bool has_seeds; /* a seed repeats a boot: not so in host time */
	json_t *notes; /* lines about the harness */
	bool is_nondeterministic; /* one seed, two results */
	unsigned int boots_needed; /* by the host table; 0: there are enough */
};

/* 0 or -ENOMEM; either way compare_context_free() is due. */
int compare_context_init(struct compare_context *context,
			 const struct compare_arm *arms, size_t nr_arms);
void compare_context_free(struct compare_context *context);

/* Add one line to the notes. */
void compare_note(struct compare_context *context, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

enum exact_kind {
	EXACT_COUNTS, /* every boot must give the same */
	EXACT_INSNS, /* the same seed must; others within 0.1 % */
	EXACT_QUANTILES, /* ranges */
};

/* Counts, instructions, or quantiles of instructions. */
json_t *compare_exact_table(struct compare_context *context,
			    enum exact_kind kind);

/* Durations in host time. */
json_t *compare_host_table(struct compare_context *context);

#endif /* GSTAGE_USER_COMPARE_TABLES_H */
