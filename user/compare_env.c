// SPDX-License-Identifier: GPL-2.0-only
/*
 * May two arms be compared? Their environments may differ in the thing compared
 * and in nothing else: any other difference would be mistaken for its effect.
 */
#include "user/compare_env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/run.h"

/* What was measured how: [[fact, backend, hook, attached], ...]. */
static json_t *probes_of(const json_t *run)
{
	const json_t *probes = json_object_get(run, "probes");
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < json_array_size(probes); i++) {
		const json_t *probe = json_array_get(probes, i);

		json_array_append_new(
			list, json_pack("[s, s, s, O]", run_str(probe, "fact"),
					run_str(probe, "backend"),
					run_str(probe, "hook"),
					json_object_get(probe, "attached")));
	}
	return list;
}

/*
 * Everything a run's figures depend on. The process id is chance, and so is the
 * machine around an emulator that counts instructions; probes are no part of
 * the run file's environment, but a fact that only one side counted must not be
 * taken for a difference.
 */
static json_t *conditions_of(const struct env_check *check, const json_t *run)
{
	json_t *env = json_deep_copy(json_object_get(run, "environment"));

	json_object_del(env, "pid");
	json_object_del(env, "seed");
	if (!check->is_host_time)
		json_object_del(env, "host");
	json_object_set_new(env, "probes", probes_of(run));
	return env;
}

static int compare_ints(const void *a, const void *b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Replicates differ by seed on purpose: an arm has a sorted list of them, each
 * once. In host time a seed repeats nothing.
 */
static json_t *seeds_of(const struct compare_arm *arm)
{
	json_int_t *seeds = calloc(arm->nr_runs, sizeof(*seeds));
	json_t *list = json_array();
	size_t i;

	if (!seeds) {
		json_decref(list);
		return NULL;
	}
	for (i = 0; i < arm->nr_runs; i++)
		seeds[i] = run_int(json_object_get(arm->runs[i], "environment"),
				   "seed");
	qsort(seeds, arm->nr_runs, sizeof(*seeds), compare_ints);
	for (i = 0; i < arm->nr_runs; i++) {
		if (!i || seeds[i] != seeds[i - 1])
			json_array_append_new(list, json_integer(seeds[i]));
	}
	free(seeds);
	return list;
}

/* Add {key: [a, b]} for every key that @a and @b do not share with one value. */
static int add_differences(json_t *differs, json_t *a, json_t *b)
{
	const char *key;
	json_t *value;
	int err = 0;

	json_object_foreach(a, key, value) {
		json_t *other = json_object_get(b, key);

		if (!other)
			err |= json_object_set_new(differs, key,
						   json_pack("[O, n]", value));
		else if (!json_equal(value, other))
			err |= json_object_set_new(differs, key,
						   json_pack("[O, O]", value,
							     other));
	}
	json_object_foreach(b, key, value) {
		if (!json_object_get(a, key))
			err |= json_object_set_new(differs, key,
						   json_pack("[n, O]", value));
	}
	return err ? -ENOMEM : 0;
}

static int check_completeness(struct env_check *check)
{
	const char *key;
	json_t *value;
	size_t i, r;

	for (i = 0; i < check->nr_arms; i++) {
		for (r = 0; r < check->arms[i].nr_runs; r++) {
			const json_t *run = check->arms[i].runs[r];

			if (json_is_true(json_object_get(run, "complete")))
				continue;
			compare_say(check, "%s is incomplete (",
				    check->arms[i].files[r]);
			json_object_foreach(json_object_get((json_t *)run,
							    "losses"),
					    key, value) {
				if (json_integer_value(value))
					compare_say(check,
						    "%s %" JSON_INTEGER_FORMAT
						    " ",
						    key,
						    json_integer_value(value));
			}
			compare_say(
				check,
				"lost): its counts are lower bounds; record it again");
			return -ENODATA;
		}
	}
	return 0;
}

/* Replicates must be equal but for their seed. */
static int check_within_arm(struct env_check *check,
			    const struct compare_arm *arm)
{
	json_t *first = conditions_of(check, arm->runs[0]);
	json_t *differs = json_object();
	int err = 0;
	size_t r;

	for (r = 1; !err && r < arm->nr_runs; r++) {
		json_t *other = conditions_of(check, arm->runs[r]);

		err = add_differences(differs, first, other);
		json_decref(other);
		if (err || !json_object_size(differs))
			continue;
		compare_say(
			check,
			"the runs of '%s' are no repetitions of each other: ",
			arm->label);
		compare_say_differences(check, differs, arm->files[0],
					arm->files[r]);
		compare_say_reason(check, differs);
		err = -EXDEV;
	}
	json_decref(differs);
	json_decref(first);
	return err;
}

static int check_arm(struct env_check *check, size_t arm, json_t *first,
		     json_t *other)
{
	json_t *differs = json_object();
	int err = add_differences(differs, first, other);

	if (!err)
		err = compare_judge_arm(check, &check->arms[arm], differs);
	json_decref(differs);
	return err;
}

/* {key: [value of each arm]} of what is not the same in all. */
static json_t *differences_of(json_t *const *conditions, size_t nr)
{
	json_t *differs = json_object(), *pairs = json_object(), *pair;
	const char *key;
	int err = 0;
	size_t i;

	for (i = 1; i < nr; i++)
		err |= add_differences(pairs, conditions[0], conditions[i]);
	json_object_foreach(pairs, key, pair) {
		json_t *values = json_array();

		for (i = 0; i < nr; i++) {
			json_t *value = json_object_get(conditions[i], key);

			err |= value ? json_array_append(values, value) :
				       json_array_append_new(values,
							     json_null());
		}
		err |= json_object_set_new(differs, key, values);
	}
	json_decref(pairs);
	if (!err)
		return differs;
	json_decref(differs);
	return NULL;
}

static int check_across_arms(struct env_check *check, json_t **differsp)
{
	json_t **conditions = calloc(check->nr_arms, sizeof(*conditions));
	size_t i;
	int err;

	if (!conditions)
		return -ENOMEM;
	for (i = 0; i < check->nr_arms; i++) {
		conditions[i] = conditions_of(check, check->arms[i].runs[0]);
		if (!check->is_host_time)
			json_object_set_new(conditions[i], "seed",
					    seeds_of(&check->arms[i]));
	}
	err = compare_check_vary(check, conditions);
	for (i = 1; !err && i < check->nr_arms; i++)
		err = check_arm(check, i, conditions[0], conditions[i]);
	if (!err) {
		*differsp = differences_of(conditions, check->nr_arms);
		err = *differsp ? 0 : -ENOMEM;
	}
	for (i = 0; i < check->nr_arms; i++)
		json_decref(conditions[i]);
	free(conditions);
	return err;
}

/*
 * Counted instructions and seconds are never in one table, whatever --vary
 * allows: the class of the first arm is that of all.
 */
static int check_classes(struct env_check *check)
{
	size_t i;

	for (i = 1; i < check->nr_arms; i++) {
		if (run_has_insn_clock(check->arms[i].runs[0]) !=
		    check->is_host_time)
			continue;
		compare_say(
			check,
			"not comparable: '%s' counts %s, '%s' %s; record both with one clock",
			check->arms[0].label,
			check->is_host_time ? "host time" : "instructions",
			check->arms[i].label,
			check->is_host_time ? "instructions" : "host time");
		return -EXDEV;
	}
	return 0;
}

/* A run under two names, as a copy, would be a boot that never was. */
static int check_repeated_boots(struct env_check *check)
{
	json_t *seen = json_object(), *before;
	size_t i, r;
	int err = 0;

	for (i = 0; !err && i < check->nr_arms; i++) {
		const struct compare_arm *arm = &check->arms[i];

		for (r = 0; !err && r < arm->nr_runs; r++) {
			char *text = json_dumps(arm->runs[r],
						JSON_COMPACT | JSON_SORT_KEYS);

			if (!text)
				err = -ENOMEM;
			before = text ? json_object_get(seen, text) : NULL;
			if (before) {
				compare_say(
					check,
					"%s and %s are one boot: their content is the same; in host time every boot counts once",
					json_string_value(before),
					arm->files[r]);
				err = -EXDEV;
			} else if (text) {
				json_object_set_new(seen, text,
						    json_string(arm->files[r]));
			}
			free(text);
		}
	}
	json_decref(seen);
	return err;
}

int compare_check(const struct compare_arm *arms, size_t nr_arms,
		  const struct compare_opts *opts, json_t **differs,
		  char *reason, size_t reason_size)
{
	struct env_check check = {
		.arms = arms,
		.nr_arms = nr_arms,
		.is_host_time = !run_has_insn_clock(arms[0].runs[0]),
		.opts = opts,
		.reason = reason,
		.size = reason_size,
	};
	size_t i;
	int err;

	*reason = '\0';
	err = check_completeness(&check);
	for (i = 0; !err && i < nr_arms; i++)
		err = check_within_arm(&check, &arms[i]);
	if (!err)
		err = check_across_arms(&check, differs);
	if (!err) {
		err = check_classes(&check);
		if (!err && check.is_host_time)
			err = check_repeated_boots(&check);
		if (err) {
			json_decref(*differs);
			*differs = NULL;
		}
	}
	if (err == -ENOMEM)
		compare_say(&check, "%s", strerror(ENOMEM));
	return err;
}
