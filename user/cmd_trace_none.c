// SPDX-License-Identifier: GPL-2.0-only
/* `gstage trace` in a build without BPF: says where tracing is possible. */
#include "user/cmd.h"
#include "user/exitcode.h"
#include "user/log.h"

int cmd_trace(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	pr_err("this build reads results and cannot trace; run the riscv64 build in a RISC-V host with KVM ('make riscv64', bench/vm.sh boots one)");
	return GSTAGE_EX_IMPOSSIBLE;
}
