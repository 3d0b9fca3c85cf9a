// SPDX-License-Identifier: GPL-2.0-only
/* Stands in for ktext.c on machines that are no RISC-V. */
#include "user/ktext.h"

#include <errno.h>

int ktext_look(struct ktypes *k)
{
	(void)k;
	return -EOPNOTSUPP;
}
