// SPDX-License-Identifier: GPL-2.0-only
/* Collects what identifies a run: see environment.h. */
#include "user/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "user/host.h"
#include "user/log.h"

#define VARIABLE "GSTAGE_ENVIRONMENT"
#define EAGER_PARAM "/sys/module/kvm/parameters/eager_page_split"

uint64_t environment_clock_resolution_ns(void)
{
	return host_clock_resolution_ns("") ?: 1;
}

/* "Y" or "N"; NULL where KVM has no such parameter (before 7.3). */
static json_t *read_eager_param(void)
{
	FILE *f = fopen(EAGER_PARAM, "re");
	char value[8] = "";

	if (!f)
		return NULL;
	if (!fgets(value, sizeof(value), f))
		value[0] = '\0';
	fclose(f);
	value[strcspn(value, "\n")] = '\0';
	return value[0] ? json_string(value) : NULL;
}

bool environment_is_eager(void)
{
	json_t *value = read_eager_param();
	bool is_eager = value && !strcmp(json_string_value(value), "Y");

	json_decref(value);
	return is_eager;
}

static json_t *from_here(char *const *cmdline, pid_t pid, bool counts_only)
{
	json_t *env, *args = json_array(), *eager = read_eager_param();
	struct utsname uts;

	for (; args && cmdline && *cmdline; cmdline++)
		json_array_append_new(args, json_string(*cmdline));
	uname(&uts);
	env = json_pack("{s:s s:s s:s s:s s:o s:s s:I s:i s:i}", "kernel",
			uts.release, "machine", uts.machine, "clock", "host",
			"tool", "gstage " GSTAGE_VERSION, "cmdline", args,
			"cost", counts_only ? "counts" : "full",
			"clock_resolution_ns",
			(json_int_t)environment_clock_resolution_ns(), "harts",
			(int)sysconf(_SC_NPROCESSORS_ONLN), "pid", (int)pid);
	if (env && eager)
		json_object_set_new(env, "eager_page_split", eager);
	else
		json_decref(eager);
	return env;
}

json_t *environment_new(char *const *cmdline, pid_t pid, bool counts_only)
{
	const char *text = getenv(VARIABLE);
	json_error_t error;
	json_t *env, *given;

	env = from_here(cmdline, pid, counts_only);
	if (!env) {
		pr_err("cannot describe the environment: %s", strerror(ENOMEM));
		return NULL;
	}
	if (!text || !*text)
		return env;

	given = json_loads(text, 0, &error);
	if (!json_is_object(given)) {
		pr_err("the variable " VARIABLE " is no JSON object: %s",
		       given ? "another type" : error.text);
		json_decref(given);
		json_decref(env);
		return NULL;
	}
	if (json_object_update(env, given)) {
		json_decref(env);
		env = NULL;
	}
	json_decref(given);
	return env;
}
