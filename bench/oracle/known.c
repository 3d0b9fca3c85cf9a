// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle-known: a guest that executes a known number of fences, to tell whether
 * the oracle and the tracer count right (tests/vm/oracle.sh).
 *
 * Its one vCPU executes sfence.vma itself, in VS-mode, which no host sees, and
 * asks the host for fences through the RFENCE extension of SBI: KVM queues each
 * as a VS-stage request and executes it before the guest goes on. A range takes
 * one instruction for each page, but a single one from 513 pages on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/exitcode.h"

/* Both are dirtyguest's: where the guest's code is, and where nothing is. */
#define CODE_GPA 0x80000000
#define PORT_GPA 0x10000000

/*
 * The guest. rfence FID, START, SIZE, TIMES asks for a fence on hart 0: FID 1 of
 * all address spaces, 2 of the one in a4. SIZE 0 is everything.
 */
__asm__(".pushsection .rodata\n"
	".balign 4\n"
	".globl known_code, known_bytes\n"
	".macro rfence fid, start, size, times\n"
	"	li	s0, \\times\n"
	"1:	li	a7, 0x52464e43\n"
	"	li	a6, \\fid\n"
	"	li	a0, 1\n"
	"	li	a1, 0\n"
	"	li	a2, \\start\n"
	"	li	a3, \\size\n"
	"	li	a4, 1\n"
	"	ecall\n"
	"	addi	s0, s0, -1\n"
	"	bnez	s0, 1b\n"
	".endm\n"
	"known_code:\n"
	"	li	s0, 23\n"
	"1:	sfence.vma\n"
	"	addi	s0, s0, -1\n"
	"	bnez	s0, 1b\n"
	"	rfence	1, 0x1000, 0x1000, 19\n"
	"	rfence	1, 0x200000, 0x200000, 3\n"
	"	rfence	1, 0x200000, 0x201000, 5\n"
	"	rfence	1, 0, 0, 7\n"
	"	rfence	2, 0x1000, 0x2000, 11\n"
	"	li	t0, 0x10000000\n"
	"2:	sw	zero, 0(t0)\n"
	"	j	2b\n"
	".balign 4\n"
	"known_bytes: .word . - known_code\n"
	".popsection\n");

extern const uint8_t known_code[];
extern const uint32_t known_bytes;

/* What the code above comes to. */
#define GUEST_FENCES 23
#define HOST_REQUESTS (19 + 3 + 5 + 7 + 11)
#define HOST_FENCES (19 * 1 + 3 * 512 + 5 * 1 + 7 * 1 + 11 * 2)

static int failed(const char *what)
{
	fprintf(stderr, "oracle-known: %s: %s\n", what, strerror(errno));
	return GSTAGE_EX_IMPOSSIBLE;
}

static int add_memory(int vm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = CODE_GPA,
		.memory_size = getpagesize(),
	};
	void *memory = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	memcpy(memory, known_code, known_bytes);
	region.userspace_addr = (uintptr_t)memory;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int set_pc(int vcpu, uint64_t pc)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE |
		      KVM_REG_RISCV_CORE_REG(regs.pc),
		.addr = (uintptr_t)&pc,
	};

	return ioctl(vcpu, KVM_SET_ONE_REG, &reg);
}

static int run(int kvm, int vcpu)
{
	int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *state =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	if (bytes < 0 || state == MAP_FAILED)
		return failed("cannot map the vCPU");
	if (ioctl(vcpu, KVM_RUN, 0))
		return failed("KVM_RUN");
	if (state->exit_reason != KVM_EXIT_MMIO ||
	    state->mmio.phys_addr != PORT_GPA) {
		fprintf(stderr,
			"oracle-known: the guest left for another reason than its end: %u\n",
			state->exit_reason);
		return GSTAGE_EX_REGRESSION;
	}
	return 0;
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu, status;

	if (kvm < 0)
		return failed("cannot open /dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return failed("cannot create a VM");
	if (add_memory(vm))
		return failed("cannot give the VM memory");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return failed("cannot create a vCPU");
	if (set_pc(vcpu, CODE_GPA))
		return failed("cannot set the vCPU's pc");
	status = run(kvm, vcpu);
	if (!status)
		printf("guest %d requests %d fences %d\n", GUEST_FENCES,
		       HOST_REQUESTS, HOST_FENCES);
	return status;
}
