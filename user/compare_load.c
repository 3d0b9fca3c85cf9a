// SPDX-License-Identifier: GPL-2.0-only
/* Arms from the command line; see compare_load.h. */
#include "user/compare_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/log.h"

#define LABEL_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"

static int report_nomem(void)
{
	pr_err("%s", strerror(ENOMEM));
	return -ENOMEM;
}

/* Takes over @file. */
static int add_file(struct loaded_arm *arm, char *file)
{
	size_t room = arm->room ? 2 * arm->room : 16;
	char **files;

	if (!file)
		return report_nomem();
	if (arm->nr == arm->room) {
		files = realloc(arm->files, room * sizeof(*files));
		if (!files) {
			free(file);
			return report_nomem();
		}
		arm->files = files;
		arm->room = room;
	}
	arm->files[arm->nr++] = file;
	return 0;
}

static int is_run_name(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".json");
}

static int add_directory(struct loaded_arm *arm, const char *path)
{
	size_t len = strlen(path);
	const char *slash = len && path[len - 1] == '/' ? "" : "/";
	struct dirent **entries;
	int nr = scandir(path, &entries, is_run_name, alphasort), err = 0, i;

	if (nr < 0) {
		err = -errno;
		pr_err("cannot read the directory %s: %s", path,
		       strerror(-err));
		return err;
	}
	if (!nr) {
		pr_err("label '%s': no run in the directory %s; its runs must be *.json",
		       arm->label, path);
		err = -EINVAL;
	}
	for (i = 0; i < nr; i++) {
		char *file = NULL;

		if (!err && asprintf(&file, "%s%s%s", path, slash,
				     entries[i]->d_name) < 0)
			file = NULL;
		if (!err)
			err = add_file(arm, file);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int add_path(struct loaded_arm *arm, const char *path)
{
	struct stat st;

	if (!*path) {
		pr_err("label '%s' has an empty file name", arm->label);
		return -EINVAL;
	}
	/* What cannot be looked at is reported when it is read. */
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return add_directory(arm, path);
	return add_file(arm, strdup(path));
}

int loaded_arm__parse(struct loaded_arm *arm, const char *arg)
{
	size_t len = strspn(arg, LABEL_CHARS);
	const char *p, *comma;
	char *path;
	int err = 0;

	if (!len || arg[len] != '=') {
		pr_err("'%s' has no label; write it as NAME=run.json, NAME of letters, digits and . _ + -",
		       arg);
		return -EINVAL;
	}
	if (len > ARM_LABEL_MAX) {
		pr_err("label '%.*s' is longer than %d characters", (int)len,
		       arg, ARM_LABEL_MAX);
		return -EINVAL;
	}
	memcpy(arm->label, arg, len);
	for (p = arg + len + 1; !err; p = comma + 1) {
		comma = strchrnul(p, ',');
		path = strndup(p, (size_t)(comma - p));
		err = path ? add_path(arm, path) : report_nomem();
		free(path);
		if (!*comma)
			break;
	}
	return err;
}

/* A file, by what the kernel knows it by. */
struct file_id {
	dev_t dev;
	ino_t ino;
	const char *name;
};

static int compare_ids(const void *a, const void *b)
{
	const struct file_id *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* A run compared with itself says nothing; under another name neither. */
static int check_files(const struct loaded_arm *arms, size_t nr_arms)
{
	struct file_id *ids;
	size_t nr = 0, a, i;
	struct stat st;
	int err = 0;

	for (a = 0; a < nr_arms; a++)
		nr += arms[a].nr;
	ids = calloc(nr + 1, sizeof(*ids));
	if (!ids)
		return report_nomem();
	nr = 0;
	for (a = 0; a < nr_arms; a++) {
		for (i = 0; i < arms[a].nr; i++) {
			if (stat(arms[a].files[i], &st) || !S_ISREG(st.st_mode))
				continue;
			ids[nr++] = (struct file_id){ st.st_dev, st.st_ino,
						      arms[a].files[i] };
		}
	}
	qsort(ids, nr, sizeof(*ids), compare_ids);
	for (i = 1; i < nr && !err; i++) {
		if (compare_ids(&ids[i - 1], &ids[i]))
			continue;
		pr_err("%s is given twice; a run cannot be compared with itself",
		       ids[i].name);
		err = -EINVAL;
	}
	free(ids);
	return err;
}

int loaded_arms__check(const struct loaded_arm *arms, size_t nr_arms)
{
	size_t i, j;

	for (i = 0; i < nr_arms; i++) {
		for (j = 0; j < i; j++) {
			if (strcmp(arms[i].label, arms[j].label))
				continue;
			pr_err("two arms are called '%s'; give them two names",
			       arms[i].label);
			return -EINVAL;
		}
	}
	return check_files(arms, nr_arms);
}

int loaded_arm__read(struct loaded_arm *arm)
{
	size_t i;
	int err;

	arm->runs = calloc(arm->nr, sizeof(*arm->runs));
	arm->roots = calloc(arm->nr, sizeof(*arm->roots));
	if (!arm->runs || !arm->roots)
		return report_nomem();
	for (i = 0; i < arm->nr; i++) {
		err = run__read(arm->files[i], &arm->runs[i]);
		if (err)
			return err;
		arm->roots[i] = run__root(arm->runs[i]);
	}
	return 0;
}

void loaded_arm__free(struct loaded_arm *arm)
{
	size_t i;

	for (i = 0; arm->runs && i < arm->nr; i++)
		run__free(arm->runs[i]);
	for (i = 0; i < arm->nr; i++)
		free(arm->files[i]);
	free(arm->roots);
	free(arm->runs);
	free(arm->files);
}
