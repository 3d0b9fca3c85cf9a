/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * First instructions of every vCPU, and the handler of every trap.
 *
 * The host has set a0 = vCPU number, a1 = its mailbox, sp = end of its stack.
 * No trap is expected: interrupts stay off and paging is off. One that comes
 * all the same is reported, and the vCPU goes no further.
 */
#include "abi.h"

	.section .text.entry, "ax"
	.globl _start
_start:
	fence.i				/* the host has just written this code */
	la	t0, trap
	csrw	stvec, t0
	csrw	sscratch, a1
	call	guest_main

	.balign	4
trap:
	csrr	a1, sscratch
	csrr	t0, scause
	sd	t0, DG_MAILBOX_TRAP_CAUSE(a1)
	csrr	t0, stval
	sd	t0, DG_MAILBOX_TRAP_VALUE(a1)
	csrr	t0, sepc
	sd	t0, DG_MAILBOX_TRAP_PC(a1)
	li	t0, DG_PORT_GPA
	li	t1, DG_PORT_FAIL
1:	sw	t1, 0(t0)
	j	1b
