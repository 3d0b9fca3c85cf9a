// SPDX-License-Identifier: GPL-2.0-only
/* The virtual machine: see vm.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diag.h"
#include "vm.h"

#define CORE_REG(name)                                           \
	(KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE | \
	 KVM_REG_RISCV_CORE_REG(name))

/* The payload's image, from payload.S. */
extern const char dg_payload[];
extern const __u64 dg_payload_bytes;

static int open_kvm(struct vm *vm)
{
	int err, version;

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0) {
		err = -errno;
		if (err == -EACCES)
			dg_err("/dev/kvm: %s: be root or in its group",
			       strerror(-err));
		else
			dg_err("/dev/kvm: %s: load the module (modprobe kvm); it needs a CPU with the H extension ('h' in the isa line of /proc/cpuinfo)",
			       strerror(-err));
		return err;
	}
	version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		dg_err("/dev/kvm: API version %d, need %d", version,
		       KVM_API_VERSION);
		return -ENOSYS;
	}
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0) {
		err = -errno;
		dg_err("KVM_CREATE_VM: %s", strerror(-err));
		return err;
	}
	return 0;
}

int vm__capability(const struct vm *vm, int cap)
{
	int ret = ioctl(vm->fd, KVM_CHECK_EXTENSION, cap);

	return ret < 0 ? 0 : ret;
}

static int check_limits(const struct vm *vm)
{
	int max = vm__capability(vm, KVM_CAP_MAX_VCPUS);

	if (!vm__capability(vm, KVM_CAP_IMMEDIATE_EXIT)) {
		dg_err("KVM lacks KVM_CAP_IMMEDIATE_EXIT: Linux 4.13 or later is needed");
		return -ENOSYS;
	}
	if (max && (__u32)max < vm->nr_vcpus) {
		dg_err("--vcpus %u: KVM here allows %d", vm->nr_vcpus, max);
		return -E2BIG;
	}
	return 0;
}

static int set_slot(const struct vm *vm, __u32 slot, __u32 flags, __u64 gpa,
		    void *host, size_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

int vm__set_logging(const struct vm *vm, bool on)
{
	return set_slot(vm, VM_SLOT_TEST, on ? KVM_MEM_LOG_DIRTY_PAGES : 0,
			vm->test->gpa, vm->test->base, vm->test->bytes);
}

static int add_slots(struct vm *vm)
{
	size_t image = dg_payload_bytes;
	int err;

	vm->payload_bytes = DG_PAYLOAD_BYTES + vm->nr_vcpus * DG_VCPU_BYTES;
	vm->payload = mmap(NULL, vm->payload_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->payload == MAP_FAILED) {
		err = -errno;
		vm->payload = NULL;
		dg_err("memory for the payload: %s", strerror(-err));
		return err;
	}
	/* Keep it in 4K pages; a kernel without THP refuses, and need not. */
	madvise(vm->payload, vm->payload_bytes, MADV_NOHUGEPAGE);
	memcpy(vm->payload, dg_payload, image);
	__builtin___clear_cache(vm->payload, (char *)vm->payload + image);

	err = set_slot(vm, VM_SLOT_PAYLOAD, 0, DG_PAYLOAD_GPA, vm->payload,
		       vm->payload_bytes);
	if (!err)
		err = set_slot(vm, VM_SLOT_TEST, 0, vm->test->gpa,
			       vm->test->base, vm->test->bytes);
	if (err)
		dg_err("KVM_SET_USER_MEMORY_REGION: %s", strerror(-err));
	return err;
}

static int set_reg(int fd, __u64 id, __u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(fd, KVM_SET_ONE_REG, &reg) ? -errno : 0;
}

__u64 vm__pc(const struct vm *vm, __u32 vcpu)
{
	__u64 pc = 0;
	struct kvm_one_reg reg = {
		.id = CORE_REG(regs.pc),
		.addr = (uintptr_t)&pc,
	};

	return ioctl(vm->vcpus[vcpu].fd, KVM_GET_ONE_REG, &reg) ? 0 : pc;
}

/* All vCPUs begin at the payload's first instruction, told apart by a0. */
static int set_start_state(const struct vm_vcpu *vcpu, __u32 id)
{
	__u64 area =
		DG_PAYLOAD_GPA + DG_PAYLOAD_BYTES + (__u64)id * DG_VCPU_BYTES;
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	int err;

	err = set_reg(vcpu->fd, CORE_REG(regs.pc), DG_PAYLOAD_GPA);
	if (!err)
		err = set_reg(vcpu->fd, CORE_REG(regs.sp),
			      area + DG_VCPU_BYTES);
	if (!err)
		err = set_reg(vcpu->fd, CORE_REG(regs.a0), id);
	if (!err)
		err = set_reg(vcpu->fd, CORE_REG(regs.a1), area);
	/* KVM leaves all vCPUs but the first stopped. */
	if (!err && ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable))
		err = -errno;
	if (err)
		dg_err("initial state of vCPU %u: %s", id, strerror(-err));
	return err;
}

static int add_vcpu(struct vm *vm, __u32 id)
{
	struct vm_vcpu *vcpu = &vm->vcpus[id];
	void *run;
	int err;

	vcpu->mailbox = (void *)((char *)vm->payload + DG_PAYLOAD_BYTES +
				 (size_t)id * DG_VCPU_BYTES);
	/* Present before the guest runs, for exact fault counts. */
	memset(vcpu->mailbox, 0, sizeof(*vcpu->mailbox));

	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0) {
		err = -errno;
		dg_err("KVM_CREATE_VCPU %u: %s", id, strerror(-err));
		return err;
	}
	run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu->fd, 0);
	if (run == MAP_FAILED) {
		err = -errno;
		dg_err("mmap of vCPU %u: %s", id, strerror(-err));
		return err;
	}
	vcpu->run = run;
	return set_start_state(vcpu, id);
}

static int add_vcpus(struct vm *vm)
{
	int ret, err = 0;

	ret = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < 0) {
		err = -errno;
		dg_err("KVM_GET_VCPU_MMAP_SIZE: %s", strerror(-err));
		return err;
	}
	vm->run_bytes = (size_t)ret;

	vm->vcpus = calloc(vm->nr_vcpus, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return -ENOMEM;
	for (__u32 i = 0; i < vm->nr_vcpus; i++)
		vm->vcpus[i].fd = -1;
	for (__u32 i = 0; i < vm->nr_vcpus && !err; i++)
		err = add_vcpu(vm, i);
	return err;
}

int vm__new(struct vm *vm, __u32 nr_vcpus, const struct memory *test)
{
	int err;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = vm->fd = -1;
	vm->nr_vcpus = nr_vcpus;
	vm->test = test;

	err = open_kvm(vm);
	if (!err)
		err = check_limits(vm);
	if (!err)
		err = add_slots(vm);
	if (!err)
		err = add_vcpus(vm);
	if (err)
		vm__free(vm);
	return err;
}

void vm__free(struct vm *vm)
{
	for (__u32 i = 0; vm->vcpus && i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].run)
			munmap(vm->vcpus[i].run, vm->run_bytes);
		if (vm->vcpus[i].fd >= 0)
			close(vm->vcpus[i].fd);
	}
	free(vm->vcpus);
	if (vm->fd > 0)
		close(vm->fd);
	if (vm->payload)
		munmap(vm->payload, vm->payload_bytes);
	if (vm->kvm_fd > 0)
		close(vm->kvm_fd);
	memset(vm, 0, sizeof(*vm));
}
