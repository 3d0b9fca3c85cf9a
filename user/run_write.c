// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing the run file so that an existing file is either untouched or
 * replaced as a whole; see run.h.
 */
#include "user/run.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/log.h"

/* "-", a terminal, a pipe, /dev/full: no rename there, and nothing to lose. */
static bool is_stream(const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return true;
	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int report_failure(const char *path, int err)
{
	switch (err) {
	case -EEXIST:
		pr_err("%s exists and was left as it is; give another name or --force",
		       path);
		break;
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		pr_err("cannot write %s: %s; nothing was left there, make room or write elsewhere",
		       path, strerror(-err));
		break;
	case -ENOENT:
		pr_err("cannot write %s: no such directory; create it or write elsewhere",
		       path);
		break;
	default:
		pr_err("cannot write %s: %s", path, strerror(-err));
	}
	return err;
}

/* 0 when @path's directory takes new files. */
static int check_directory(const char *path)
{
	char *copy = strdup(path);
	int err = 0;

	if (!copy)
		return -ENOMEM;
	if (access(dirname(copy), W_OK | X_OK))
		err = -errno;
	free(copy);
	return err;
}

static int check_target(const char *path, bool force)
{
	struct stat st;

	if (!*path)
		return -ENOENT;
	if (is_stream(path))
		return 0;
	if (!stat(path, &st)) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		if (!force)
			return -EEXIST;
	}
	return check_directory(path);
}

int run__check_output(const char *path, bool force)
{
	int err = check_target(path, force);

	return err ? report_failure(path, err) : 0;
}

/* The document and a newline; every byte has reached the file when 0. */
static int dump(FILE *file, const json_t *root, bool sync)
{
	errno = 0;
	if (json_dumpf(root, file, JSON_INDENT(1)) ||
	    fputc('\n', file) == EOF || fflush(file))
		return -(errno ?: EIO);
	if (sync && fsync(fileno(file)))
		return -errno;
	return 0;
}

static int write_stream(const json_t *root, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	FILE *file = is_stdout ? stdout : fopen(path, "we");
	int err;

	if (!file)
		return -errno;
	err = dump(file, root, false);
	if (!is_stdout && fclose(file) && !err)
		err = -errno;
	return err;
}

/* Rename, refusing to replace unless @force. */
static int publish(const char *temp, const char *path, bool force)
{
	if (!force) {
		if (!renameat2(AT_FDCWD, temp, AT_FDCWD, path,
			       RENAME_NOREPLACE))
			return 0;
		if (errno != EINVAL && errno != ENOSYS)
			return -errno;
		/* A file system without RENAME_NOREPLACE: nearly as good. */
		if (!access(path, F_OK))
			return -EEXIST;
	}
	return rename(temp, path) ? -errno : 0;
}

static int write_temp(const json_t *root, char *temp)
{
	mode_t mask;
	FILE *file;
	int err, fd;

	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;

	/* mkstemp is private; a run file is as readable as any other file. */
	mask = umask(0);
	umask(mask);
	(void)fchmod(fd, 0666 & ~mask);

	file = fdopen(fd, "w");
	if (!file) {
		err = -errno;
		close(fd);
		goto out;
	}
	err = dump(file, root, true);
	if (fclose(file) && !err)
		err = -errno;
out:
	if (err)
		unlink(temp);
	return err;
}

static int write_file(const json_t *root, const char *path, bool force)
{
	char temp[PATH_MAX];
	int err;

	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    (int)sizeof(temp))
		return -ENAMETOOLONG;
	err = write_temp(root, temp);
	if (err)
		return err;
	err = publish(temp, path, force);
	if (err)
		unlink(temp);
	return err;
}

int run__write(const struct run *run, const char *path, bool force)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, saved;
	const json_t *root = run__root(run);
	int err;

	err = check_target(path, force);
	if (err)
		return report_failure(path, err);

	/* A file size limit must end in EFBIG and not kill us half way. */
	sigaction(SIGXFSZ, &ignore, &saved);
	err = is_stream(path) ? write_stream(root, path) :
				write_file(root, path, force);
	sigaction(SIGXFSZ, &saved, NULL);
	return err ? report_failure(path, err) : 0;
}
