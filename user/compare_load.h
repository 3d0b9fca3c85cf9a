/* SPDX-License-Identifier: GPL-2.0-only */
/* Arms from the command line: LABEL=RUN[,RUN...], where RUN is a file or a directory. */
#ifndef GSTAGE_USER_COMPARE_LOAD_H
#define GSTAGE_USER_COMPARE_LOAD_H

#include <jansson.h>
#include <stddef.h>

#include "user/run.h"

#define ARM_LABEL_MAX 16

/* An arm that owns what struct compare_arm borrows. */
struct loaded_arm {
	char label[ARM_LABEL_MAX + 1];
	char **files;
	struct run **runs;
	const json_t **roots;
	size_t nr, room;
};

/*
 * Take @arg apart: a directory stands for all *.json in it, sorted, without
 * hidden ones. 0 or -errno; the error has been reported.
 */
int loaded_arm__parse(struct loaded_arm *arm, const char *arg);

/* -EINVAL when two arms have one label, or one file is given twice. */
int loaded_arms__check(const struct loaded_arm *arms, size_t nr_arms);

/* Read and validate every file. 0 or -errno; the error has been reported. */
int loaded_arm__read(struct loaded_arm *arm);

/* A zeroed arm is fine. */
void loaded_arm__free(struct loaded_arm *arm);

#endif /* GSTAGE_USER_COMPARE_LOAD_H */
