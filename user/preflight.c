// SPDX-License-Identifier: GPL-2.0-only
/* Why this host cannot be traced, in the order in which one would mend it. */
#include "user/preflight.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/log.h"

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#define KVM_BTF "/sys/kernel/btf/kvm"

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};
	unsigned int high;

	if (syscall(SYS_capget, &header, data))
		return false;
	if (data[0].effective & 1U << CAP_SYS_ADMIN)
		return true;
	high = data[1].effective;
	return high & 1U << (CAP_BPF - 32) && high & 1U << (CAP_PERFMON - 32);
}

/* Does the ISA string of the first hart name the hypervisor extension? */
static bool has_hypervisor_extension(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char line[512];

	if (!f)
		return true; /* nothing known, let KVM say it */
	while (!found && fgets(line, sizeof(line), f)) {
		char *isa = strstr(line, ": rv");

		if (strncmp(line, "isa", 3) || !isa)
			continue;
		/* Single letters, up to the first multi-letter extension. */
		for (isa += strlen(": rv64"); isalpha((unsigned char)*isa);
		     isa++)
			found |= *isa == 'h';
	}
	fclose(f);
	return found;
}

static int check_kvm(void)
{
	/* Built in, KVM has a folder in /sys/module also where it cannot run. */
	if (!access("/dev/kvm", F_OK))
		return 0;
	if (!has_hypervisor_extension())
		pr_err("this CPU has no hypervisor extension (no 'h' in the isa line of /proc/cpuinfo): KVM cannot run here; in QEMU use -cpu rv64,h=true");
	else
		pr_err("KVM is not loaded: run 'modprobe kvm', or build the kernel with CONFIG_KVM");
	return -ENODEV;
}

int preflight_check(void)
{
	if (!has_capabilities()) {
		pr_err("tracing needs root, or CAP_BPF and CAP_PERFMON: run it with sudo");
		return -EPERM;
	}
	if (access(VMLINUX_BTF, R_OK)) {
		pr_err("the kernel has no type information (no " VMLINUX_BTF
		       "): build it with CONFIG_DEBUG_INFO_BTF=y");
		return -ENOENT;
	}
	return check_kvm();
}

int preflight_open_types(struct ktypes **types)
{
	const char *what;
	int err = ktypes__open_running(types, &what);

	if (err) {
		pr_err("cannot read %s: %s", what, strerror(-err));
		return err;
	}
	/* A function of every KVM on RISC-V. */
	if (ktypes__has_function(*types, "kvm_riscv_vcpu_exit"))
		return 0;
	pr_err("KVM is a module without type information (no " KVM_BTF
	       "): build it with CONFIG_DEBUG_INFO_BTF_MODULES=y");
	ktypes__free(*types);
	*types = NULL;
	return -ENOENT;
}

/* What the run cannot do without. */
static int refuse(const struct probe_wish *wish,
		  const struct probe_choice *choice)
{
	if (choice->fact == FACT_CHECKS)
		pr_err("--checks: %s", choice->reason);
	else if (choice->fact == FACT_LOCKS)
		pr_err("--locks: this kernel drops its rwlocks in line (%s), so holds of mmu_lock cannot be seen; CONFIG_PREEMPTION=y or CONFIG_DEBUG_SPINLOCK=y has them out of line",
		       choice->reason);
	else if (wish->is_forced && wish->backend == BACKEND_TRACEPOINT)
		pr_err("the running KVM has %s: apply the series in kernel-patches/<base>/tracepoints and load that kvm.ko, or try --backend auto",
		       choice->reason);
	else
		pr_err("faults cannot be seen here: %s", choice->reason);
	return -ENOENT;
}

int preflight_choose(struct ktypes *types, const struct probe_wish *wish,
		     struct probe_choice choices[NR_FACTS])
{
	static const enum fact needed[] = { FACT_FAULTS, FACT_CHECKS,
					    FACT_LOCKS };
	struct probe_view view = ktypes__view(types);
	enum fact fact;
	size_t i;

	probes_choose(&view, wish, choices);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (choices[needed[i]].status == PROBE_MISSING)
			return refuse(wish, &choices[needed[i]]);
	}
	for (fact = 0; fact < NR_FACTS; fact++) {
		if (choices[fact].status == PROBE_MISSING)
			pr_info("not seen here: %s (%s)",
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
