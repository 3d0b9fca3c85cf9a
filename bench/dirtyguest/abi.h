/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What dirtyguest's host program and its guest payload say to each other.
 *
 * The guest runs in VS-mode with paging off, so every address below is a
 * guest-physical one. There are three areas:
 *
 *   DG_PORT_GPA     backed by nothing: a 32-bit store there leaves the guest
 *                   with KVM_EXIT_MMIO and the value is a DG_PORT_* code
 *   DG_PAYLOAD_GPA  the payload's code, then one DG_VCPU_BYTES area per vCPU
 *                   (mailbox at its start, stack from its end downwards).
 *                   4K pages, never logged
 *   DG_TEST_GPA     the memory under test, in a memory slot of its own, which may
 *                   begin some pages later
 *
 * One exchange: the host fills in mailbox.pass and enters the guest; the guest
 * works the pass off and stores DG_PORT_DONE. The host touches a mailbox only
 * while its vCPU is out of the guest; `progress` alone may be read at any time.
 */
#ifndef DIRTYGUEST_ABI_H
#define DIRTYGUEST_ABI_H

#define DG_PORT_GPA 0x10000000
#define DG_PAYLOAD_GPA 0x80000000
#define DG_TEST_GPA 0x100000000 /* aligned to 1 GiB, the largest leaf */

#define DG_PAGE_SHIFT 12
#define DG_PAGE_BYTES (1 << DG_PAGE_SHIFT)
#define DG_PAYLOAD_BYTES 0x2000 /* code; checked by guest.lds */
#define DG_VCPU_BYTES DG_PAGE_BYTES

/* Every vCPU owns one 64-bit word of each page, so this many fit. */
#define DG_MAX_VCPUS (DG_PAGE_BYTES / 8)

/* Values stored to the port. Zero is none of them. */
#define DG_PORT_READY 1 /* booted, mailbox and stack have been touched */
#define DG_PORT_DONE 2 /* the pass is finished */
#define DG_PORT_FAIL 3 /* unexpected trap: see mailbox.trap_* */

/* Offsets the payload's assembler needs; checked against the struct below. */
#define DG_MAILBOX_TRAP_CAUSE 16
#define DG_MAILBOX_TRAP_VALUE 24
#define DG_MAILBOX_TRAP_PC 32

#ifndef __ASSEMBLER__

#include <linux/types.h>
#include <stddef.h>

#include "pattern.h"

/* One per vCPU. Nothing in it is a pointer; counts are of operations. */
struct dg_mailbox {
	__u64 progress; /* guest: operations of this pass begun so far */
	__u64 nr_writes; /* guest: stores of this pass, set when done */
	__u64 trap_cause; /* guest, with DG_PORT_FAIL: scause */
	__u64 trap_value; /* guest, with DG_PORT_FAIL: stval */
	__u64 trap_pc; /* guest, with DG_PORT_FAIL: sepc */
	struct dg_pass pass; /* host: what to do next */
};

_Static_assert(offsetof(struct dg_mailbox, trap_cause) == DG_MAILBOX_TRAP_CAUSE,
	       "entry.S stores scause elsewhere");
_Static_assert(offsetof(struct dg_mailbox, trap_value) == DG_MAILBOX_TRAP_VALUE,
	       "entry.S stores stval elsewhere");
_Static_assert(offsetof(struct dg_mailbox, trap_pc) == DG_MAILBOX_TRAP_PC,
	       "entry.S stores sepc elsewhere");
_Static_assert(sizeof(struct dg_mailbox) <= DG_VCPU_BYTES / 4,
	       "no room for the stack beside the mailbox");

#endif /* __ASSEMBLER__ */
#endif /* DIRTYGUEST_ABI_H */
