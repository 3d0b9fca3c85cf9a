/* SPDX-License-Identifier: GPL-2.0-only */
/* The payload's flat image, and its size, inside the host program. */
	.section .rodata
	.balign	8
	.globl	dg_payload, dg_payload_bytes
dg_payload:
	.incbin	PAYLOAD_BIN
1:
	.balign	8
dg_payload_bytes:
	.quad	1b - dg_payload

	.section .note.GNU-stack, "", %progbits
