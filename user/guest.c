// SPDX-License-Identifier: GPL-2.0-only
/* See guest.h. */
#include "user/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/log.h"

#define VARIABLE "GSTAGE_GUEST_RESULT"

int guest_result_announce(struct guest_result *result)
{
	int err;

	strcpy(result->dir, "/tmp/gstage.XXXXXX");
	if (!mkdtemp(result->dir)) {
		err = -errno;
		pr_err("cannot make a directory in /tmp: %s", strerror(-err));
		result->dir[0] = '\0';
		return err;
	}
	snprintf(result->path, sizeof(result->path), "%s/guest.json",
		 result->dir);
	if (setenv(VARIABLE, result->path, 1))
		return -errno;
	return 0;
}

void guest_result_merge(const struct guest_result *result, json_t *root)
{
	json_error_t error;
	json_t *guest;

	if (!result->dir[0] || access(result->path, F_OK))
		return;
	guest = json_load_file(result->path, 0, &error);
	if (!json_is_object(guest)) {
		pr_warn("what the command left in %s is no JSON object: %s",
			result->path, guest ? "another type" : error.text);
		json_decref(guest);
		return;
	}
	json_object_set_new(root, "guest", guest);
}

void guest_result_free(struct guest_result *result)
{
	if (!result->dir[0])
		return;
	unlink(result->path);
	rmdir(result->dir);
	result->dir[0] = '\0';
}
