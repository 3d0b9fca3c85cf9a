/* SPDX-License-Identifier: GPL-2.0-only */
/* Arms of runs made from the sample, for the tests of the comparison. */
#ifndef GSTAGE_TESTS_UNIT_SAMPLE_ARMS_H
#define GSTAGE_TESTS_UNIT_SAMPLE_ARMS_H

#include <string.h>

#include "sample.h"
#include "user/compare.h"

#define SAMPLE_ARMS_MAX 4
#define SAMPLE_BOOTS_MAX 12

struct sample_arms {
	size_t nr;
	const json_t *runs[SAMPLE_ARMS_MAX][SAMPLE_BOOTS_MAX];
	const char *files[SAMPLE_ARMS_MAX][SAMPLE_BOOTS_MAX];
	struct compare_arm arms[SAMPLE_ARMS_MAX];
};

/*
 * Arms "one", "two", "three" with so many boots, the third when @nr_c is not 0.
 * All are the sample with seed 1. Free with sample_arms_free().
 */
static inline void sample_arms(struct sample_arms *arms, size_t nr_a,
			       size_t nr_b, size_t nr_c)
{
	static const char *const labels[] = { "one", "two", "three" };
	static const char *const files[SAMPLE_BOOTS_MAX] = {
		"first", "second", "third", "4",  "5",	"6",
		"7",	 "8",	   "9",	    "10", "11", "12",
	};
	const size_t nr[] = { nr_a, nr_b, nr_c };
	size_t i, r;

	arms->nr = nr_c ? 3 : 2;
	for (i = 0; i < arms->nr; i++) {
		for (r = 0; r < nr[i]; r++) {
			arms->runs[i][r] = sample_run();
			arms->files[i][r] = files[r];
		}
		arms->arms[i] = (struct compare_arm){
			.label = labels[i],
			.runs = arms->runs[i],
			.files = arms->files[i],
			.nr_runs = nr[i],
		};
	}
}

static inline void sample_arms_free(struct sample_arms *arms)
{
	size_t i, r;

	for (i = 0; i < arms->nr; i++) {
		for (r = 0; r < arms->arms[i].nr_runs; r++)
			json_decref((json_t *)arms->runs[i][r]);
	}
}

static inline json_t *sample_env(struct sample_arms *arms, size_t arm,
				 size_t run)
{
	return json_object_get(arms->runs[arm][run], "environment");
}

static inline void sample_set(json_t *env, const char *key, const char *value)
{
	json_object_set_new(env, key, json_string(value));
}

/* Boots of all arms have the seeds 1, 2, ... */
static inline void sample_number(struct sample_arms *arms)
{
	size_t i, r;

	for (i = 0; i < arms->nr; i++) {
		for (r = 0; r < arms->arms[i].nr_runs; r++)
			json_object_set_new(sample_env(arms, i, r), "seed",
					    json_integer((json_int_t)r + 1));
	}
}

/* Row @row of @array ("faults", "phases", ...) of a boot. */
static inline json_t *sample_row(struct sample_arms *arms, size_t arm,
				 size_t run, const char *array, size_t row)
{
	return json_array_get(json_object_get(arms->runs[arm][run], array),
			      row);
}

static inline void sample_int(json_t *object, const char *key, json_int_t n)
{
	json_object_set_new(object, key, json_integer(n));
}

/* The comparison, built without asking whether it makes sense. */
static inline json_t *sample_build(struct sample_arms *arms)
{
	json_t *differs = json_object(), *comparison;

	comparison = compare_build(arms->arms, arms->nr, differs);
	json_decref(differs);
	return comparison;
}

/* The row, or NULL. */
static inline const json_t *sample_find(const json_t *comparison,
					const char *table, const char *section,
					const char *name)
{
	const json_t *rows = json_object_get(comparison, table);
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!strcmp(run_str(row, "section"), section) &&
		    !strcmp(run_str(row, "name"), name))
			return row;
	}
	return NULL;
}

static inline const json_t *sample_cell(const json_t *row, size_t arm)
{
	return json_array_get(json_object_get(row, "arms"), arm);
}

/* Arm number @arm (1 or more) against the first. */
static inline const json_t *sample_versus(const json_t *row, size_t arm)
{
	return json_array_get(json_object_get(row, "versus"), arm - 1);
}

static inline const char *sample_verdict(const json_t *row, size_t arm)
{
	return run_str(sample_versus(row, arm), "verdict");
}

#endif /* GSTAGE_TESTS_UNIT_SAMPLE_ARMS_H */
