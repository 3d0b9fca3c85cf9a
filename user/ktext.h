/* SPDX-License-Identifier: GPL-2.0-only */
/* Who calls the functions of the running KVM that can be hooked. */
#ifndef GSTAGE_USER_KTEXT_H
#define GSTAGE_USER_KTEXT_H

#include "user/ktypes.h"

/*
 * Look through the code of the running KVM and tell @k (ktypes__set_callers()). Needs
 * what a trace needs; nothing is hooked. 0 or -errno, of which only -ENOMEM is
 * reported: the rest is a matter of privilege, or of how the kernel was built.
 */
int ktext_look(struct ktypes *k);

#endif /* GSTAGE_USER_KTEXT_H */
