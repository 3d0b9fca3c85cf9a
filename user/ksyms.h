/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of kernel functions, from /proc/kallsyms. */
#ifndef GSTAGE_USER_KSYMS_H
#define GSTAGE_USER_KSYMS_H

#include <stdint.h>

struct ksyms;

/* NULL when the kernel does not tell (no CONFIG_KALLSYMS, or no privilege). */
struct ksyms *ksyms__load(void);

/* "function+0x10" for @address, or NULL; in @ctx, until the next call. */
const char *ksyms__name(void *ctx, uint64_t address);

void ksyms__free(struct ksyms *k);

#endif /* GSTAGE_USER_KSYMS_H */
