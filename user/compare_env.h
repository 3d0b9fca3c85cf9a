/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A check whether arms may be compared, and its one line of reason. Internal to
 * compare_env.c (what the runs are) and compare_vary.c (what they may differ in).
 */
#ifndef GSTAGE_USER_COMPARE_ENV_H
#define GSTAGE_USER_COMPARE_ENV_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "user/compare.h"

struct env_check {
	const struct compare_arm *arms;
	size_t nr_arms;
	bool is_host_time;
	const struct compare_opts *opts;
	char *reason;
	size_t size;
};

/* Append to the reason; what does not fit is cut. */
void compare_say(struct env_check *check, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "kvm_args (a: x, b: y), ..." for every key of @differs {key: [a, b]}. */
void compare_say_differences(struct env_check *check, json_t *differs,
			     const char *label_a, const char *label_b);

/* What a refusal because of @differs should make plain. */
void compare_say_reason(struct env_check *check, json_t *differs);

/* -EINVAL unless every key of --vary is one that some run knows. */
int compare_check_vary(struct env_check *check, json_t *const *conditions);

/* May @arm and the first arm differ in @differs {key: [first, arm]}? Or -EXDEV. */
int compare_judge_arm(struct env_check *check, const struct compare_arm *arm,
		      json_t *differs);

#endif /* GSTAGE_USER_COMPARE_ENV_H */
