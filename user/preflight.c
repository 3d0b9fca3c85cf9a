// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why this host cannot be traced: what user/host.c and user/verdict.c found, one
 * line of it.
 */
#include "user/preflight.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/host.h"
#include "user/ktext.h"
#include "user/log.h"
#include "user/verdict.h"

static void report(const struct obstacle *obstacle)
{
	pr_err("%s: %s", obstacle->what, obstacle->remedy);
}

int preflight_check(void)
{
	struct obstacle list[HOST_MAX_OBSTACLES];
	struct host host;
	size_t i, n;

	host_read(&host, "");
	n = host_obstacles(&host, list);
	for (i = 0; i < n; i++) {
		if (!list[i].is_fatal)
			continue;
		/* The first is what one would mend first. */
		report(&list[i]);
		return host.is_privileged ? -ENODEV : -EPERM;
	}
	return 0;
}

int preflight_open_types(struct ktypes **types)
{
	const char *what;
	int err = ktypes__open_running(types, &what);

	if (err)
		pr_err("cannot read %s: %s", what, strerror(-err));
	return err;
}

int preflight_choose(struct ktypes *types, const struct probe_wish *wish,
		     struct probe_choice choices[NR_FACTS])
{
	const struct obstacle *functions;
	struct probe_view view;
	struct verdict verdict;
	struct host host;
	enum fact fact;

	host_read(&host, "");
	functions = verdict_of_functions(types, &host, wish->kprobes);
	/* Where it cannot be told the trace goes on: a run shows some of it. */
	if (ktext_look(types) == -ENOMEM)
		return -ENOMEM;
	view = ktypes__view(types);
	probes_choose(&view, wish, choices);
	if (!verdict_is_enough(&view, wish, choices, functions, &verdict)) {
		report(&verdict.obstacle);
		return -ENOENT;
	}
	if (probes_is_served_by(&choices[FACT_LATENCIES], BACKEND_FUNCTION) &&
	    view.by_kprobes && !wish->kprobes)
		pr_info("%s: %s", host_slow_functions()->what,
			host_slow_functions()->remedy);
	for (fact = 0; fact < NR_FACTS; fact++) {
		if (choices[fact].status == PROBE_MISSING)
			pr_info("not seen here: %s (%s)",
				probes_fact_name(fact), choices[fact].reason);
		else if (choices[fact].status == PROBE_PARTIAL)
			pr_info("seen in part here: %s (%s)",
				probes_fact_name(fact), choices[fact].reason);
	}
	return 0;
}

int preflight_check_pid(pid_t pid)
{
	char path[64], target[64];
	bool found = false;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir) {
		int err = -errno;

		if (err == -ENOENT)
			pr_err("there is no process %d", pid);
		else
			pr_err("cannot look into process %d: %s", pid,
			       strerror(-err));
		return err == -ENOENT ? -ESRCH : err;
	}
	while (!found && (entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target,
					 sizeof(target) - 1);

		if (len <= 0)
			continue;
		target[len] = '\0';
		found = !strcmp(target, "anon_inode:kvm-vm");
	}
	closedir(dir);
	if (found)
		return 0;
	pr_err("process %d has no KVM VM; 'ls -l /proc/*/fd | grep kvm-vm' shows who has",
	       pid);
	return -ESRCH;
}
