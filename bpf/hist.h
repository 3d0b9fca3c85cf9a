/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Geometry of every histogram, shared by the kernel side and the front end.
 *
 * H2 log-linear: each octave [2^p, 2^(p+1)) is cut into 2^SUB_BITS equal
 * buckets (6.25 % wide), values below 2^(SUB_BITS + 1) have one bucket each.
 * Buckets are half open, lower bound included. With p = msb(v):
 *
 *	index(v) = v < 2^(SUB_BITS + 1) ? v
 *		 : ((p - SUB_BITS) << SUB_BITS) + (v >> (p - SUB_BITS))
 *
 * Values of 2^MAX_POW and more (68.7 s in nanoseconds, 64 GiB in bytes) have
 * no bucket: they are counted as overflow.
 */
#ifndef GSTAGE_BPF_HIST_H
#define GSTAGE_BPF_HIST_H

#define GSTAGE_HIST_SUB_BITS 4
#define GSTAGE_HIST_MAX_POW 36

/* ((MAX_POW - SUB_BITS + 1) << SUB_BITS), a number so that BTF shows it. */
#define GSTAGE_HIST_BUCKETS 528

#endif /* GSTAGE_BPF_HIST_H */
