// SPDX-License-Identifier: GPL-2.0-only
/* Why this host cannot be traced, in the order in which one would mend it. */
#include "user/preflight.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
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
/* One of the series stands for all: they are applied together. */
#define TRACEPOINT "kvm_gstage_fault"

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

/* The types of the running KVM, built in or a module. */
struct kvm_types {
	struct btf *vmlinux;
	struct btf *module;
};

static void free_types(struct kvm_types *types)
{
	btf__free(types->module);
	btf__free(types->vmlinux);
}

/* 0 or -errno; *what is then the file that cannot be read. */
static int read_types(struct kvm_types *types, const char **what)
{
	int err = 0;

	types->module = NULL;
	*what = VMLINUX_BTF;
	types->vmlinux = btf__parse(VMLINUX_BTF, NULL);
	if (!types->vmlinux)
		return -errno;
	if (access(KVM_BTF, F_OK))
		return 0;
	*what = KVM_BTF;
	types->module = btf__parse_split(KVM_BTF, types->vmlinux);
	if (!types->module) {
		err = -errno;
		free_types(types);
	}
	return err;
}

static bool has_type(const struct kvm_types *types, const char *name,
		     uint32_t kind)
{
	const struct btf *btf = types->module ? types->module : types->vmlinux;

	return btf__find_by_name_kind(btf, name, kind) >= 0;
}

void preflight_find_kvm_functions(const char *const *names, bool *found,
				  size_t nr)
{
	struct kvm_types types;
	const char *what;
	size_t i;

	memset(found, 0, nr * sizeof(*found));
	if (read_types(&types, &what))
		return;
	for (i = 0; i < nr; i++)
		found[i] = has_type(&types, names[i], BTF_KIND_FUNC);
	free_types(&types);
}

/* Do the types of the running KVM know the tracepoint? */
static int check_tracepoints(void)
{
	struct kvm_types types;
	const char *what;
	int err;

	err = read_types(&types, &what);
	if (err) {
		pr_err("cannot read %s: %s", what, strerror(-err));
		return err;
	}
	if (has_type(&types, "btf_trace_" TRACEPOINT, BTF_KIND_TYPEDEF)) {
		err = 0;
	} else if (!has_type(&types, "kvm_riscv_mmu_map", BTF_KIND_FUNC)) {
		pr_err("KVM is a module without type information (no " KVM_BTF
		       "): build it with CONFIG_DEBUG_INFO_BTF_MODULES=y");
		err = -ENOENT;
	} else {
		pr_err("the running KVM has no tracepoint " TRACEPOINT
		       ": apply the series in kernel-patches/<base>/tracepoints and load that kvm.ko");
		err = -ENOENT;
	}
	free_types(&types);
	return err;
}

int preflight_check(void)
{
	int err;

	if (!has_capabilities()) {
		pr_err("tracing needs root, or CAP_BPF and CAP_PERFMON: run it with sudo");
		return -EPERM;
	}
	if (access(VMLINUX_BTF, R_OK)) {
		pr_err("the kernel has no type information (no " VMLINUX_BTF
		       "): build it with CONFIG_DEBUG_INFO_BTF=y");
		return -ENOENT;
	}
	err = check_kvm();
	if (err)
		return err;
	return check_tracepoints();
}

int preflight_check_locks(void)
{
	static const char *const names[] = { "_raw_write_unlock",
					     "_raw_read_unlock" };
	bool found[2];

	preflight_find_kvm_functions(names, found, 2);
	if (found[0] && found[1])
		return 0;
	pr_err("--locks: this kernel drops its rwlocks in line (no function _raw_write_unlock), so holds of mmu_lock cannot be seen; CONFIG_PREEMPTION=y or CONFIG_DEBUG_SPINLOCK=y has them out of line");
	return -ENOENT;
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
