/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arms of runs, side by side: may they be compared, what are the figures, how do
 * they look. The first arm is what the others are compared with. The comparison
 * is built as JSON (schema gstage-compare/2, docs/compare.md); every output is
 * printed from that.
 */
#ifndef GSTAGE_USER_COMPARE_H
#define GSTAGE_USER_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One side: at least one validated run. Everything is borrowed. */
struct compare_arm {
	const char *label;
	const json_t **runs;
	const char **files;
	size_t nr_runs;
	bool is_band; /* repeats the first arm, to see what chance does */
};

struct compare_opts {
	const char *vary; /* KEY[,KEY...] that may differ; NULL: the KVM code */
	bool aa; /* the arms are meant to be equal */
};

/*
 * May these arms be compared? 0, and *differs becomes a new object
 * {key: [value of each arm]} of what they differ in. Otherwise one line in
 * @reason and
 *  -EINVAL   the options make no sense for these runs
 *  -ENODATA  a run is incomplete
 *  -EXDEV    they differ in more than the thing compared, or in nothing
 *  -ENOMEM
 */
int compare_check(const struct compare_arm *arms, size_t nr_arms,
		  const struct compare_opts *opts, json_t **differs,
		  char *reason, size_t reason_size);

/* The comparison; a new reference or NULL (no memory). @differs is borrowed. */
json_t *compare_build(const struct compare_arm *arms, size_t nr_arms,
		      const json_t *differs);

/*
 * The text for people, 80 columns where labels are short. @quiet leaves out the
 * arms and explanations, @verbose shows rows of nothing in every arm, too.
 * 0 or -errno.
 */
int compare_print(FILE *out, const json_t *comparison, bool quiet,
		  bool verbose);

#endif /* GSTAGE_USER_COMPARE_H */
