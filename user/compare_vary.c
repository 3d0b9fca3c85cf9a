// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arms may differ in: the thing compared, what follows from it, and nothing
 * else. And how a refusal is worded.
 */
#include "user/compare_env.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void compare_say(struct env_check *check, const char *fmt, ...)
{
	size_t used = strlen(check->reason);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->reason + used, check->size - used, fmt, ap);
	va_end(ap);
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

/* "kvm_args (a: x, b: y), ..." for every key of @differs. */
void compare_say_differences(struct env_check *check, json_t *differs,
			     const char *label_a, const char *label_b)
{
	const char *key, *separator = "";
	char a[64], b[64];
	json_t *pair;

	json_object_foreach(differs, key, pair) {
		const json_t *va = json_array_get(pair, 0);
		const json_t *vb = json_array_get(pair, 1);

		compare_say(
			check, "%s%s (%s: %s, %s: %s)", separator, key, label_a,
			value_text(a, sizeof(a), json_is_null(va) ? NULL : va),
			label_b,
			value_text(b, sizeof(b), json_is_null(vb) ? NULL : vb));
		separator = ", ";
	}
}

/* What a refusal should make plain about certain members. */
void compare_say_reason(struct env_check *check, json_t *differs)
{
	if (json_object_get(differs, "host"))
		compare_say(
			check,
			": host time of two machines tells nothing about the code");
	else if (json_object_get(differs, "cmdline"))
		compare_say(check, ": they ran different scenarios");
}

static void say_keys(struct env_check *check, json_t *differs)
{
	const char *key, *separator = "";
	json_t *pair;

	json_object_foreach(differs, key, pair) {
		compare_say(check, "%s%s", separator, key);
		separator = ",";
	}
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
	static const struct {
		const char *cause;
		const char *keys[6];
	} effects[] = {
		{ "version",
		  { "kvm_sha256", "source_sha256", "patch_ids", "version_args",
		    "eager_page_split" } },
		{ "base", { "kvm_sha256", "source_sha256", "patch_ids" } },
		{ "kernel", { "kvm_sha256", "source_sha256" } },
		{ "kvm_args", { "eager_page_split" } },
	};
	const char *const *effect;
	size_t i;

	for (i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (strcmp(cause, effects[i].cause))
			continue;
		for (effect = effects[i].keys; *effect; effect++) {
			if (!strcmp(key, *effect))
				return true;
		}
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

/* Is the code of KVM among the differences? */
static bool has_other_code(json_t *differs)
{
	static const char *const members[] = { "version", "kvm_sha256",
					       "source_sha256", "patch_ids",
					       "version_args" };
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (json_object_get(differs, members[i]))
			return true;
	}
	return false;
}

/* Every key of --vary must be one that some run knows. */
int compare_check_vary(struct env_check *check, json_t *const *conditions)
{
	const char *p = check->opts->vary;
	char key[64];
	bool is_known;
	size_t len, i;

	while (p) {
		len = strcspn(p, ",");
		snprintf(key, sizeof(key), "%.*s", (int)len, p);
		is_known = false;
		for (i = 0; i < check->nr_arms; i++)
			is_known |= !!json_object_get(conditions[i], key);
		if (!is_known) {
			compare_say(
				check,
				"--vary: the runs have no '%s'; 'gstage report -v' shows what they have",
				key);
			return -EINVAL;
		}
		p = p[len] ? p + len + 1 : NULL;
	}
	return 0;
}

/* The band repeats the first arm, and with --aa all do. */
static int judge_repeat(struct env_check *check, const struct compare_arm *arm,
			json_t *differs)
{
	const char *first = check->arms[0].label;

	if (!json_object_size(differs))
		return 0;
	if (check->opts->aa)
		compare_say(
			check,
			"not comparable: --aa wants equals, but they differ in ");
	else
		compare_say(
			check,
			"not comparable: '%s' is no band, it does not repeat '%s': they differ in ",
			arm->label, first);
	compare_say_differences(check, differs, first, arm->label);
	compare_say_reason(check, differs);
	return -EXDEV;
}

/* @differs holds what @arm and the first differ in; may they? */
static int judge_version(struct env_check *check, const struct compare_arm *arm,
			 json_t *differs)
{
	const char *first = check->arms[0].label, *key;
	json_t *excess = json_object(), *pair;
	int err = 0;

	json_object_foreach(differs, key, pair) {
		if (!may_vary(check->opts, key))
			json_object_set(excess, key, pair);
	}
	if (json_object_size(excess)) {
		compare_say(
			check,
			"not comparable: besides the thing compared they differ in ");
		compare_say_differences(check, excess, first, arm->label);
		compare_say_reason(check, excess);
		/* Another machine is no thing to compare code on. */
		if (!json_object_get(excess, "host")) {
			compare_say(
				check,
				"; record both alike, or name all that is compared: --vary ");
			say_keys(check, differs);
		}
		err = -EXDEV;
	} else if (!json_object_size(differs)) {
		compare_say(
			check,
			"not comparable: '%s' and '%s' do not differ in %s; --aa compares equals, --band %s makes one the noise band",
			first, arm->label,
			check->opts->vary ?: "version, kvm.ko or kvm_args",
			arm->label);
		err = -EXDEV;
	} else if (!check->opts->vary && json_object_get(differs, "kvm_args") &&
		   has_other_code(differs)) {
		compare_say(check,
			    "not comparable: they differ in two things, ");
		compare_say_differences(check, differs, first, arm->label);
		compare_say(
			check,
			"; if both together are compared: --vary version,kvm_args");
		err = -EXDEV;
	}
	json_decref(excess);
	return err;
}

int compare_judge_arm(struct env_check *check, const struct compare_arm *arm,
		      json_t *differs)
{
	if (check->opts->aa || arm->is_band)
		return judge_repeat(check, arm, differs);
	return judge_version(check, arm, differs);
}
