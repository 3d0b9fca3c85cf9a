/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the traced command knows of its guest: it is told the name of a file in
 * the variable GSTAGE_GUEST_RESULT, and may leave one JSON object there.
 */
#ifndef GSTAGE_USER_GUEST_H
#define GSTAGE_USER_GUEST_H

#include <jansson.h>

struct guest_result {
	char dir[64]; /* private; empty: not announced */
	char path[80];
};

/* Set the variable for the command to come. 0 or -errno, reported. */
int guest_result_announce(struct guest_result *result);

/* Put what the command left into @root as `guest`; nothing is fine. */
void guest_result_merge(const struct guest_result *result, json_t *root);

/* Remove the file and its directory. */
void guest_result_free(struct guest_result *result);

#endif /* GSTAGE_USER_GUEST_H */
