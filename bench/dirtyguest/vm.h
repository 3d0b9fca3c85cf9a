/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One KVM virtual machine: its two memory slots, the payload and the vCPUs'
 * file descriptors. Threads that run the vCPUs are crew.h's business.
 */
#ifndef DIRTYGUEST_VM_H
#define DIRTYGUEST_VM_H

#include <linux/kvm.h>
#include <linux/types.h>
#include <stddef.h>

#include "abi.h"
#include "memory.h"

#define VM_SLOT_PAYLOAD 0
#define VM_SLOT_TEST 1

struct vm_vcpu {
	int fd;
	struct kvm_run *run;
	struct dg_mailbox *mailbox;
};

struct vm {
	int kvm_fd;
	int fd;
	void *payload; /* the payload slot in host memory */
	size_t payload_bytes;
	size_t run_bytes; /* size of a struct kvm_run mapping */
	const struct memory *test; /* borrowed */
	__u32 nr_vcpus;
	struct vm_vcpu *vcpus;
};

/*
 * Open /dev/kvm, create the machine with @nr_vcpus vCPUs ready to enter the
 * payload, and the test slot over @test, which must outlive the VM. Reports
 * what is missing. 0, or -errno with nothing to free.
 */
int vm__new(struct vm *vm, __u32 nr_vcpus, const struct memory *test);

/* Value of capability @cap, 0 when the kernel does not have it. */
int vm__capability(const struct vm *vm, int cap);

/* Switch dirty logging of the test slot. 0 or -errno, not reported. */
int vm__set_logging(const struct vm *vm, bool on);

/* Program counter of a vCPU that is not running, 0 if it cannot be read. */
__u64 vm__pc(const struct vm *vm, __u32 vcpu);

/* Accepts a zeroed struct. */
void vm__free(struct vm *vm);

#endif /* DIRTYGUEST_VM_H */
