/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user/ktext.c and bpf/ktext.bpf.c hand each other, in memory that both see. One
 * request at a time: user space fills it in, runs a program, and reads the answer.
 */
#ifndef GSTAGE_BPF_KTEXT_H
#define GSTAGE_BPF_KTEXT_H

#include <linux/types.h>

#define KTEXT_MAX_NAME 64
#define KTEXT_PAGE 4096

struct ktext {
	char name[KTEXT_MAX_NAME]; /* of a function, by user space */
	/* Of that function, by BPF; or of the page to read, by user space. */
	__u64 address;
	unsigned char page[KTEXT_PAGE]; /* what is there, by BPF */
};

#endif /* GSTAGE_BPF_KTEXT_H */
