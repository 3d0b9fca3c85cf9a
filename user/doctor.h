/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be traced, of the running kernel or of files: gathered here, printed
 * by doctor_print.c. Nothing is loaded and nothing changed.
 */
#ifndef GSTAGE_USER_DOCTOR_H
#define GSTAGE_USER_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "user/features.h"
#include "user/host.h"
#include "user/kfile.h"
#include "user/ktypes.h"
#include "user/probes.h"
#include "user/verdict.h"

#define DOCTOR_MAX_NOTES 8

/* What mends a missing fact, beside what is in the way of all. */
struct doctor_fact {
	struct probe_choice choice;
	const char *remedy; /* NULL: served, or nothing is known that would */
	const char *option; /* of trace, without which it is not seen; or NULL */
};

struct doctor {
	/* The running kernel: */
	struct host host;
	struct obstacle obstacles[HOST_MAX_OBSTACLES];
	size_t nr_obstacles;
	struct verdict verdict; /* the last of them may be this one */
	/* or files, either may be NULL: */
	struct kfile *kernel; /* Image or vmlinux */
	struct kfile *kvm;
	bool is_of_files;

	struct ktypes *types; /* NULL: none could be read */
	const struct obstacle *functions; /* why none can be hooked, or NULL */
	struct probe_view view; /* once it is judged */
	const char *parameter; /* running: eager_page_split as it is now */
	char parameter_text[8];
	bool is_judged; /* the next two are known */
	struct doctor_fact facts[NR_FACTS];
	struct feature_finding features[NR_FEATURES];
	/* Tells @types who calls KVM's functions on this machine; NULL: nothing can. */
	int (*look_for_callers)(struct ktypes *types);
	const char *notes[DOCTOR_MAX_NOTES]; /* what cannot be told */
	size_t nr_notes;
};

/* 0, or -errno after reporting: what was looked at cannot be read. */
int doctor_look_here(struct doctor *d);
int doctor_look_at(struct doctor *d, char *const *paths, size_t nr_paths);

/* Is there any fact of a guest's faults and leaves that a trace would report? */
bool doctor_can_trace(const struct doctor *d);

/* Is @probe one of those that would serve the fact? */
bool doctor_has_hook(const struct doctor *d, enum fact fact,
		     const struct probe *probe);

/*
 * How many places call the function of @probe or take its address; -1: not known, or
 * it is no function.
 */
int doctor_nr_callers(const struct doctor *d, const struct probe *probe);

void doctor_free(struct doctor *d);

/* 0, or -errno: the stream failed. */
int doctor_print(FILE *out, const struct doctor *d, bool verbose);

/* A new reference, or NULL: no memory. */
json_t *doctor_to_json(const struct doctor *d);

#endif /* GSTAGE_USER_DOCTOR_H */
