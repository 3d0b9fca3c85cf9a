// SPDX-License-Identifier: GPL-2.0-only
/* See host.h. */
#include "user/host.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Since Linux 5.8. */
#define CAP_PERFMON_BIT 38
#define CAP_BPF_BIT 39

static bool has_capability(const struct __user_cap_data_struct data[2],
			   unsigned int bit)
{
	return data[bit / 32].effective & 1U << bit % 32;
}

static bool is_privileged(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return false;
	return has_capability(data, CAP_SYS_ADMIN) ||
	       (has_capability(data, CAP_BPF_BIT) &&
		has_capability(data, CAP_PERFMON_BIT));
}

static FILE *open_below(const char *root, const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s", root, path);
	return fopen(name, "re");
}

static bool is_there(const char *root, const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s", root, path);
	return !access(name, F_OK);
}

/* The first line, "" if there is none. */
static void read_line(const char *root, const char *path, char *line,
		      size_t size)
{
	FILE *f = open_below(root, path);

	line[0] = '\0';
	if (!f)
		return;
	if (!fgets(line, size, f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
}

/* Does the ISA string of the first hart name the hypervisor extension? */
static bool has_hypervisor(const char *root)
{
	FILE *f = open_below(root, "/proc/cpuinfo");
	bool found = false, is_known = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *isa = strstr(line, ": rv");

		if (strncmp(line, "isa", 3) || !isa)
			continue;
		is_known = true;
		/* Single letters, up to the first multi-letter extension. */
		for (isa += strlen(": rv64"); isalpha((unsigned char)*isa);
		     isa++)
			found |= *isa == 'h';
	}
	if (f)
		fclose(f);
	/* Nothing known: let KVM say it. */
	return found || !is_known;
}

static enum host_kvm find_kvm(const char *root)
{
	/* Only what was loaded has a state; what is built in has parameters. */
	if (is_there(root, "/sys/module/kvm/initstate"))
		return HOST_KVM_MODULE;
	if (is_there(root, "/sys/module/kvm") || is_there(root, "/dev/kvm"))
		return HOST_KVM_BUILT_IN;
	return HOST_KVM_NONE;
}

uint64_t host_clock_resolution_ns(const char *root)
{
	FILE *f = open_below(root, "/proc/device-tree/cpus/timebase-frequency");
	uint32_t hz = 0;

	if (!f)
		return 0;
	if (fread(&hz, sizeof(hz), 1, f) != 1)
		hz = 0;
	fclose(f);
	hz = be32toh(hz);
	if (!hz)
		return 0;
	return hz < 1000000000 ? 1000000000 / hz : 1;
}

/*
 * Asked for nothing it says that this is no command (EINVAL), whoever asks; only a
 * filter or a security module says EPERM or EACCES.
 */
static void find_bpf(struct host *h)
{
	errno = 0;
	h->has_bpf = syscall(SYS_bpf, 0xffff, NULL, 0, NULL, 0) >= 0 ||
		     errno != ENOSYS;
	h->is_bpf_refused = errno == EPERM || errno == EACCES;
}

void host_read(struct host *h, const char *root)
{
	struct utsname uts = {};
	char line[64];

	memset(h, 0, sizeof(*h));
	uname(&uts);
	snprintf(h->machine, sizeof(h->machine), "%s", uts.machine);
	snprintf(h->release, sizeof(h->release), "%s", uts.release);
	h->is_privileged = is_privileged();
	find_bpf(h);
	h->has_vmlinux_btf = is_there(root, "/sys/kernel/btf/vmlinux");
	h->has_module_btf = is_there(root, "/sys/kernel/btf/kvm");
	h->has_hypervisor = has_hypervisor(root);
	h->has_dev_kvm = is_there(root, "/dev/kvm");
	h->kvm = find_kvm(root);
	/* Without sysctl nobody can have switched it off. */
	read_line(root, "/proc/sys/kernel/ftrace_enabled", line, sizeof(line));
	h->is_ftrace_off = !strcmp(line, "0");
	/* Without debugfs they are most likely as they were at boot, on. */
	read_line(root, "/sys/kernel/debug/kprobes/enabled", line,
		  sizeof(line));
	h->is_kprobes_off = !strcmp(line, "0");
	read_line(root, "/proc/sys/net/core/bpf_jit_enable", line,
		  sizeof(line));
	h->is_jit_off = !strcmp(line, "0");
	read_line(root, "/sys/kernel/security/lockdown", line, sizeof(line));
	h->is_locked_down = strstr(line, "[confidentiality]");
	h->clock_resolution_ns = host_clock_resolution_ns(root);
}

static const struct obstacle
	wrong_machine = { "machine",
			  "this machine is no riscv64: there is no RISC-V KVM to trace",
			  "run it on the RISC-V host, or name a kernel image or kvm.ko: gstage doctor FILE",
			  true },
	no_privilege = { "privilege",
			 "tracing needs root, or CAP_BPF and CAP_PERFMON",
			 "run it with sudo", true },
	no_bpf = { "bpf", "the kernel has no bpf() system call",
		   "build it with CONFIG_BPF_SYSCALL=y and CONFIG_BPF_JIT=y",
		   true },
	bpf_refused = { "bpf-refused",
			"the bpf() system call is refused, although the privilege is there: a seccomp filter, as that of a container, or a security module forbids it",
			"run it outside of the container, or let its profile allow bpf() and perf_event_open()",
			true },
	no_vmlinux_btf = { "vmlinux-btf",
			   "the kernel has no type information (no /sys/kernel/btf/vmlinux)",
			   "build it with CONFIG_DEBUG_INFO_BTF=y", true },
	no_hypervisor = { "h-extension",
			  "this CPU has no hypervisor extension (no 'h' in the isa line of /proc/cpuinfo): KVM cannot run here",
			  "use a machine that has it; in QEMU: -cpu rv64,h=true",
			  true },
	no_kvm = { "kvm", "KVM is not loaded",
		   "run 'modprobe kvm', or build the kernel with CONFIG_KVM",
		   true },
	no_dev_kvm = { "dev-kvm", "KVM is loaded and there is no /dev/kvm",
		       "mount devtmpfs on /dev, or run 'mknod /dev/kvm c 10 232'",
		       true },
	no_module_btf = { "module-btf",
			  "KVM is a module without type information (no /sys/kernel/btf/kvm)",
			  "build it with CONFIG_DEBUG_INFO_BTF_MODULES=y",
			  true },
	no_direct_calls = { "ftrace",
			    "BPF can hook no functions: no ftrace (function register_ftrace_direct), no kprobes (create_local_trace_kprobe)",
			    "build it with CONFIG_FUNCTION_TRACER=y and CONFIG_DYNAMIC_FTRACE=y, or with CONFIG_KPROBE_EVENTS=y, which is slower",
			    false },
	no_ftrace = { "ftrace",
		      "there is no ftrace (no function register_ftrace_direct), so functions are hooked by kprobes: each is a breakpoint, and costs much more",
		      "build the kernel with CONFIG_FUNCTION_TRACER=y and CONFIG_DYNAMIC_FTRACE=y",
		      false },
	ftrace_off = { "ftrace",
		       "ftrace is off (/proc/sys/kernel/ftrace_enabled is 0)",
		       "run 'sysctl kernel.ftrace_enabled=1'", false },
	no_kprobes = { "kprobes",
		       "the kernel cannot hand kprobes to BPF (no function create_local_trace_kprobe)",
		       "build it with CONFIG_KPROBES=y, CONFIG_KPROBE_EVENTS=y and CONFIG_PERF_EVENTS=y",
		       false },
	kprobes_off = { "kprobes",
			"kprobes are off (/sys/kernel/debug/kprobes/enabled is 0)",
			"run 'echo 1 >/sys/kernel/debug/kprobes/enabled'",
			false },
	locked_down = { "lockdown",
			"the kernel is locked down: BPF programs may not read its memory (/sys/kernel/security/lockdown says confidentiality)",
			"boot with lockdown=integrity, or without lockdown=",
			true },
	jit_off = {
		"jit",
		"the compiler for BPF programs is off (/proc/sys/net/core/bpf_jit_enable is 0), and the kernel refuses them without it",
		"run 'sysctl net.core.bpf_jit_enable=1'", true
	};

static const struct obstacle *kvm_obstacle(const struct host *h)
{
	/* Built in, KVM has its folder also where it cannot run. */
	if (!h->has_dev_kvm && !h->has_hypervisor)
		return &no_hypervisor;
	if (h->kvm == HOST_KVM_NONE)
		return &no_kvm;
	if (!h->has_dev_kvm)
		return &no_dev_kvm;
	return NULL;
}

const struct obstacle *host_function_obstacle(const struct host *h,
					      bool can_direct)
{
	if (!can_direct)
		return &no_direct_calls;
	return h->is_ftrace_off ? &ftrace_off : NULL;
}

const struct obstacle *host_kprobe_obstacle(const struct host *h,
					    bool can_kprobe)
{
	if (!can_kprobe)
		return &no_kprobes;
	return h->is_kprobes_off ? &kprobes_off : NULL;
}

const struct obstacle *host_slow_functions(void)
{
	return &no_ftrace;
}

size_t host_obstacles(const struct host *h,
		      struct obstacle list[HOST_MAX_OBSTACLES])
{
	const struct obstacle *kvm;
	size_t n = 0;

	/* Nothing else of another machine means anything here. */
	if (strcmp(h->machine, "riscv64")) {
		list[n++] = wrong_machine;
		return n;
	}
	if (!h->is_privileged)
		list[n++] = no_privilege;
	if (!h->has_bpf)
		list[n++] = no_bpf;
	else if (h->is_privileged && h->is_bpf_refused)
		list[n++] = bpf_refused;
	if (h->has_bpf && h->is_jit_off)
		list[n++] = jit_off;
	if (h->is_locked_down)
		list[n++] = locked_down;
	if (!h->has_vmlinux_btf)
		list[n++] = no_vmlinux_btf;
	kvm = kvm_obstacle(h);
	if (kvm)
		list[n++] = *kvm;
	/* Without those of the kernel a module has none either. */
	if (h->kvm == HOST_KVM_MODULE && h->has_vmlinux_btf &&
	    !h->has_module_btf)
		list[n++] = no_module_btf;
	return n;
}
