/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of kernel functions, from /proc/kallsyms. */
#ifndef GSTAGE_USER_KSYMS_H
#define GSTAGE_USER_KSYMS_H

#include <stdint.h>

struct ksyms;

/* The file is only read when a name is wanted: that takes a while. NULL: no memory. */
struct ksyms *ksyms__new(void);

/*
 * "function+0x10" for @address; in @ctx, until the next call. NULL also when the
 * kernel does not tell (no CONFIG_KALLSYMS, or no privilege).
 */
const char *ksyms__name(void *ctx, uint64_t address);

void ksyms__free(struct ksyms *k);

#endif /* GSTAGE_USER_KSYMS_H */
