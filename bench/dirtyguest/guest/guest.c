// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest: works off the pass in its mailbox, says so, waits for the next.
 *
 * Freestanding, VS-mode, paging off. Each vCPU stores to its own word of a
 * page, so that vCPUs sharing pages cannot overwrite each other's values. The
 * only other memory it writes is its mailbox and stack, outside the test slot.
 */
#include "abi.h"

void guest_main(__u64 vcpu, struct dg_mailbox *mailbox);

/* A store to the port leaves the guest; it returns when the host re-enters. */
static void port_store(__u32 code)
{
	*(volatile __u32 *)DG_PORT_GPA = code;
	/* The host may have rewritten the mailbox meanwhile. */
	__asm__ volatile("" ::: "memory");
}

static volatile __u64 *page_word(__u64 page, __u64 vcpu)
{
	return (volatile __u64 *)(DG_TEST_GPA + (page << DG_PAGE_SHIFT)) + vcpu;
}

static void run_pass(volatile __u64 *progress, struct dg_mailbox *mailbox,
		     __u64 vcpu)
{
	const struct dg_pass *pass = &mailbox->pass;
	__u64 nr_ops = pass->nr_ops, nr_writes = 0;
	struct dg_op op;

	for (__u64 i = 0; i < nr_ops; i++) {
		*progress = i + 1;
		dg_pass_op(pass, i, &op);
		if (op.is_write) {
			*page_word(op.page, vcpu) = op.value;
			nr_writes++;
		} else {
			(void)*page_word(op.page, vcpu);
		}
	}
	mailbox->nr_writes = nr_writes;
}

void guest_main(__u64 vcpu, struct dg_mailbox *mailbox)
{
	mailbox->progress = 0;
	port_store(DG_PORT_READY);
	for (;;) {
		run_pass(&mailbox->progress, mailbox, vcpu);
		port_store(DG_PORT_DONE);
	}
}
