/* SPDX-License-Identifier: GPL-2.0-only */
/* The payload's flat image inside the host program. */
	.section .rodata
	.balign	8
	.globl	dg_payload, dg_payload_end
dg_payload:
	.incbin	PAYLOAD_BIN
dg_payload_end:

	.section .note.GNU-stack, "", %progbits
