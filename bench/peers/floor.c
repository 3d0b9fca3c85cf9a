// SPDX-License-Identifier: GPL-2.0-only
/*
 * floor KIND COMMAND...: attach the empty programs of one kind (events: on the
 * tracepoints of gstage; pair: at entry and return of the fault function), run
 * COMMAND, detach. Exit status: that of COMMAND; 2 usage; 4 not possible here.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.skel.h"

static bool is_of_kind(const struct bpf_program *prog, const char *kind)
{
	size_t len = strlen(kind);
	const char *name = bpf_program__name(prog);

	return !strncmp(name, kind, len) && name[len] == '_';
}

static int run(char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		fprintf(stderr, "floor: cannot start %s: %s\n", argv[0],
			strerror(errno));
		return 4;
	}
	if (!pid) {
		execvp(argv[0], argv);
		fprintf(stderr, "floor: cannot start %s: %s\n", argv[0],
			strerror(errno));
		_exit(4);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 4;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

int main(int argc, char **argv)
{
	struct bpf_program *prog;
	struct floor_bpf *skel;
	int nr_programs = 0;
	int status = 4;

	if (argc < 3) {
		fprintf(stderr, "usage: floor events|pair COMMAND...\n");
		return 2;
	}
	skel = floor_bpf__open();
	if (!skel)
		goto out;
	bpf_object__for_each_program(prog, skel->obj)
	{
		if (!is_of_kind(prog, argv[1]))
			continue;
		bpf_program__set_autoload(prog, true);
		nr_programs++;
	}
	if (!nr_programs) {
		fprintf(stderr, "floor: no programs are called %s_*\n",
			argv[1]);
		status = 2;
		goto out;
	}
	if (floor_bpf__load(skel) || floor_bpf__attach(skel)) {
		fprintf(stderr, "floor: cannot attach the programs: %s\n",
			strerror(errno));
		goto out;
	}
	status = run(argv + 2);
out:
	floor_bpf__destroy(skel);
	return status;
}
