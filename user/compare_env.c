// SPDX-License-Identifier: GPL-2.0-only
/*
 * May two arms be compared? Their environments may differ in the thing compared
 * and in nothing else: any other difference would be mistaken for its effect.
 */
#include "user/compare.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/run.h"

struct check {
	const struct compare_arm *arms;
	const struct compare_opts *opts;
	char *reason;
	size_t size;
};

static void say(struct check *check, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Append to the reason; what does not fit is cut. */
static void say(struct check *check, const char *fmt, ...)
{
	size_t used = strlen(check->reason);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->reason + used, check->size - used, fmt, ap);
	va_end(ap);
}

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
 * Everything a run's figures depend on. The process id is chance; probes are
 * no part of the run file's environment, but a fact that only one side counted
 * must not be taken for a difference.
 */
static json_t *conditions_of(const json_t *run)
{
	json_t *env = json_deep_copy(json_object_get(run, "environment"));

	json_object_del(env, "pid");
	json_object_set_new(env, "probes", probes_of(run));
	return env;
}

static int compare_ints(const void *a, const void *b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

	return x < y ? -1 : x > y;
}

/* Replicates differ by seed on purpose: an arm has a sorted list of them. */
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
	for (i = 0; i < arm->nr_runs; i++)
		json_array_append_new(list, json_integer(seeds[i]));
	free(seeds);
	return list;
}

/* A value of the environment in a message: short, printable. */
static const char *value_text(char *buf, size_t size, const json_t *value)
{
	char *dump = NULL, *p;

	if (json_is_string(value))
		snprintf(buf, size, "%s", json_string_value(value));
	else if (value)
		dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	else
		snprintf(buf, size, "not known");
	if (dump)
		snprintf(buf, size, "%s", dump);
	free(dump);
	if (!*buf)
		snprintf(buf, size, "empty");
	for (p = buf; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	return buf;
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

/* "kvm_args (a: x, b: y), ..." for every key of @differs. */
static void say_differences(struct check *check, json_t *differs,
			    const char *label_a, const char *label_b)
{
	const char *key, *separator = "";
	char a[64], b[64];
	json_t *pair;

	json_object_foreach(differs, key, pair) {
		const json_t *va = json_array_get(pair, 0);
		const json_t *vb = json_array_get(pair, 1);

		say(check, "%s%s (%s: %s, %s: %s)", separator, key, label_a,
		    value_text(a, sizeof(a), json_is_null(va) ? NULL : va),
		    label_b,
		    value_text(b, sizeof(b), json_is_null(vb) ? NULL : vb));
		separator = ", ";
	}
}

static void say_keys(struct check *check, json_t *differs)
{
	const char *key, *separator = "";
	json_t *pair;

	json_object_foreach(differs, key, pair) {
		say(check, "%s%s", separator, key);
		separator = ",";
	}
}

static int check_completeness(struct check *check)
{
	const char *key;
	json_t *value;
	size_t i, r;

	for (i = 0; i < 2; i++) {
		for (r = 0; r < check->arms[i].nr_runs; r++) {
			const json_t *run = check->arms[i].runs[r];

			if (json_is_true(json_object_get(run, "complete")))
				continue;
			say(check, "%s is incomplete (",
			    check->arms[i].files[r]);
			json_object_foreach(json_object_get((json_t *)run,
							    "losses"),
					    key, value) {
				if (json_integer_value(value))
					say(check,
					    "%s %" JSON_INTEGER_FORMAT " ", key,
					    json_integer_value(value));
			}
			say(check,
			    "lost): its counts are lower bounds; record it again");
			return -ENODATA;
		}
	}
	return 0;
}

/* Replicates must be equal but for their seed. */
static int check_within_arm(struct check *check, const struct compare_arm *arm)
{
	json_t *first = conditions_of(arm->runs[0]);
	json_t *differs = json_object();
	int err = 0;
	size_t r;

	for (r = 1; !err && r < arm->nr_runs; r++) {
		json_t *other = conditions_of(arm->runs[r]);

		err = add_differences(differs, first, other);
		json_decref(other);
		json_object_del(differs, "seed");
		if (err || !json_object_size(differs))
			continue;
		say(check,
		    "the runs of '%s' are no repetitions of each other: ",
		    arm->label);
		say_differences(check, differs, arm->files[0], arm->files[r]);
		err = -EXDEV;
	}
	json_decref(differs);
	json_decref(first);
	return err;
}

/* Is @key one of the comma-separated words of @list? */
static bool is_listed(const char *list, const char *key)
{
	size_t len = strlen(key);
	const char *p = list;

	while (p) {
		if (!strncmp(p, key, len) && (p[len] == ',' || !p[len]))
			return true;
		p = strchr(p, ',');
		if (p)
			p++;
	}
	return false;
}

/* Does @key follow from @cause, so that it says nothing of its own? */
static bool follows_from(const char *key, const char *cause)
{
	static const char *const pairs[][2] = {
		{ "kvm_sha256", "version" },
		{ "kvm_sha256", "base" },
		{ "kvm_sha256", "kernel" },
		{ "eager_page_split", "kvm_args" },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (!strcmp(key, pairs[i][0]) && !strcmp(cause, pairs[i][1]))
			return true;
	}
	return false;
}

static bool may_vary(const struct compare_opts *opts, const char *key)
{
	static const char *const causes[] = { "version", "base", "kernel",
					      "kvm_args" };
	const char *vary = opts->vary ? opts->vary : "version,kvm_args";
	size_t i;

	if (opts->aa)
		return false;
	if (is_listed(vary, key))
		return true;
	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (is_listed(vary, causes[i]) && follows_from(key, causes[i]))
			return true;
	}
	return false;
}

/* Is @member, or what follows from it, among the differences? */
static bool is_different(json_t *differs, const char *member)
{
	const char *key;
	json_t *pair;

	json_object_foreach(differs, key, pair) {
		if (!strcmp(key, member) || follows_from(key, member))
			return true;
	}
	return false;
}

/* Every key of --vary must be one that these runs know. */
static int check_vary(struct check *check, const json_t *a, const json_t *b)
{
	const char *p = check->opts->vary;
	char key[64];
	size_t len;

	while (p) {
		len = strcspn(p, ",");
		snprintf(key, sizeof(key), "%.*s", (int)len, p);
		if (!json_object_get(a, key) && !json_object_get(b, key)) {
			say(check,
			    "--vary: the runs have no '%s'; 'gstage report -v' shows what they have",
			    key);
			return -EINVAL;
		}
		p = p[len] ? p + len + 1 : NULL;
	}
	return 0;
}

/* @differs holds what the arms differ in; is it what may differ? */
static int judge(struct check *check, json_t *differs)
{
	const struct compare_arm *arms = check->arms;
	json_t *excess = json_object(), *pair;
	const char *key;
	int err = 0;

	json_object_foreach(differs, key, pair) {
		if (!may_vary(check->opts, key))
			json_object_set(excess, key, pair);
	}
	if (check->opts->aa && json_object_size(excess)) {
		say(check,
		    "not comparable: --aa wants equals, but they differ in ");
		say_differences(check, excess, arms[0].label, arms[1].label);
		err = -EXDEV;
	} else if (json_object_size(excess)) {
		say(check,
		    "not comparable: besides the thing compared they differ in ");
		say_differences(check, excess, arms[0].label, arms[1].label);
		say(check,
		    "; record both alike, or name all that is compared: --vary ");
		say_keys(check, differs);
		err = -EXDEV;
	} else if (!json_object_size(differs) && !check->opts->aa) {
		say(check,
		    "not comparable: the runs do not differ in %s; --aa compares equals",
		    check->opts->vary ?: "version, kvm.ko or kvm_args");
		err = -EXDEV;
	} else if (!check->opts->vary && is_different(differs, "kvm_args") &&
		   is_different(differs, "version")) {
		say(check, "not comparable: they differ in two things, ");
		say_differences(check, differs, arms[0].label, arms[1].label);
		say(check,
		    "; if both together are compared: --vary version,kvm_args");
		err = -EXDEV;
	}
	json_decref(excess);
	return err;
}

static int check_across_arms(struct check *check, json_t **differsp)
{
	json_t *a = conditions_of(check->arms[0].runs[0]);
	json_t *b = conditions_of(check->arms[1].runs[0]);
	json_t *differs = json_object();
	int err;

	json_object_set_new(a, "seed", seeds_of(&check->arms[0]));
	json_object_set_new(b, "seed", seeds_of(&check->arms[1]));
	err = check_vary(check, a, b);
	if (!err)
		err = add_differences(differs, a, b);
	if (!err)
		err = judge(check, differs);
	if (!err)
		*differsp = json_incref(differs);
	json_decref(differs);
	json_decref(b);
	json_decref(a);
	return err;
}

int compare_check(const struct compare_arm arms[2],
		  const struct compare_opts *opts, json_t **differs,
		  char *reason, size_t reason_size)
{
	struct check check = {
		.arms = arms,
		.opts = opts,
		.reason = reason,
		.size = reason_size,
	};
	int err;

	*reason = '\0';
	err = check_completeness(&check);
	if (!err)
		err = check_within_arm(&check, &arms[0]);
	if (!err)
		err = check_within_arm(&check, &arms[1]);
	if (!err)
		err = check_across_arms(&check, differs);
	if (err == -ENOMEM)
		say(&check, "%s", strerror(ENOMEM));
	return err;
}
