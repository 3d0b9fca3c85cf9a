#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bpf() refused to root, as in a container, and not there at all: a seccomp filter
# answers for it on the distribution's kernel. Doctor names it and trace refuses
# with the same words. And addresses that are hidden from root.
. "$(dirname "$0")/../vmlib.sh"
# shellcheck source=../doctorlib.sh
. "$TOP/tests/doctorlib.sh"

need clang-19
[ -e "$O/kernel/debian/Image" ] || skip "no kernel of the distribution could be fetched (make kernel BASE=debian says why)"

# errno ERROR COMMAND...: bpf() ends with that error for it, and for what it starts.
clang-19 --target=riscv64-linux-gnu --sysroot="$O/sysroot" -fuse-ld=lld -O1 -Wall -x c -o "$WORK/errno" - <<-C || fail "no filter could be built"
	#include <linux/audit.h>
	#include <linux/filter.h>
	#include <linux/seccomp.h>
	#include <stddef.h>
	#include <stdlib.h>
	#include <sys/prctl.h>
	#include <sys/syscall.h>
	#include <unistd.h>

	int main(int argc, char **argv)
	{
		struct sock_filter filter[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (argc > 2 ? atoi(argv[1]) : 0)),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };

		if (argc < 3 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
			return 125;
		execvp(argv[2], argv + 2);
		return 126;
	}
C
cat "$WORK/try.sh" - >"$WORK/look.sh" <<'GUEST'
look "$1"
GUEST
# ENOSYS and EPERM.
cat >"$WORK/t.sh" <<'GUEST'
errno 38 sh /look.sh nobpf
errno 1 sh /look.sh refused
sh /look.sh allowed
echo 2 >/proc/sys/kernel/kptr_restrict
sh /look.sh hidden
GUEST
run_in_vm --base debian --add "$WORK/errno:/bin/errno" --add "$WORK/look.sh:/look.sh" --add "$WORK/t.sh:/t.sh" -- sh /t.sh
stops nobpf bpf 'CONFIG_BPF_SYSCALL=y and CONFIG_BPF_JIT=y'
stops refused bpf-refused 'run it outside of the container'
works allowed
known='"\([.facts[].hooks[].callers | numbers] | length > 0) \([.notes[] | select(contains("kptr_restrict"))] | length)"'
equal "$(doctor allowed "$known")" 'true 0' 'who calls the functions'
# Where addresses are hidden, that is not known, said so, and no reason not to trace.
works hidden
equal "$(doctor hidden "$known")" 'false 1' 'who calls the functions, with hidden addresses'
