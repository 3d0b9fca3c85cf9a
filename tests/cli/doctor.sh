#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage doctor on files, made here by the compiler: what a module says, what it
# does not, what is no kernel at all, and that damage is an error and no crash.
. "$(dirname "$0")/../lib.sh"

need clang-19 llvm-strip-19 xz jq

# A module of that name with one function of KVM that ftrace can hook, one that
# it cannot, one that the compiler took to pieces, and a call of the kernel.
module() { # NAME OUTPUT
	clang-19 --target=riscv64-linux-gnu -ffreestanding -O1 -c -x c -o "$2" - <<-C || fail "no module"
		#define HOOK __attribute__((patchable_function_entry(4, 2)))
		static const char info[] __attribute__((section(".modinfo"), used, aligned(1))) =
			"parmtype=eager_page_split:bool\0name=$1\0vermagic=7.9.1 SMP";
		void _raw_read_lock(void);
		HOOK void kvm_riscv_gstage_split_huge(void) { _raw_read_lock(); }
		HOOK int kvm_riscv_gstage_try_update_pte(int i) { return i + 1; }
		int kvm_riscv_gstage_wp_pt_masked(int i) { return i + 1; }
		int part(int i) __asm__("kvm_arch_destroy_vm.isra.0");
		int part(int i) { return i + 2; }
		int __tracepoint_kvm_dirty_log;
	C
}
module kvm "$WORK/kvm.ko"

# Its types are missing: said, and nothing can be traced; the rest is told.
expect 4 "$GSTAGE" doctor "$WORK/kvm.ko"
has_out 'says it is 7.9.1'
has_out 'CONFIG_DEBUG_INFO_BTF_MODULES=y'
has_out kvm_arch_destroy_vm.isra.0
has_out 'name the Image or vmlinux'
has_out 'Nothing can be traced'
expect 4 "$GSTAGE" doctor --json "$WORK/kvm.ko"
json() { jq -r "$1" "$WORK/out"; }
equal "$(json '"\(.schema) \(.can_trace) \(.subject.kvm_file.release) \(.subject.kernel_file)"')" \
	'gstage-doctor/1 false 7.9.1 null' "the head"
equal "$(json '[.obstacles[] | "\(.id) \(.fatal)"] | join(", ")')" 'module-btf true, faults true' obstacles
# Not hookable is not there; its parameter and its lock are.
equal "$(json '[.features[] | "\(.name) \(.present)"] | join(", ")')" \
	'split-on-fault true, fast-write-fault true, eager-split null, eager-parameter true, masked-write-protect false, tracepoints false' features
equal "$(json '[.facts[] | select(.served) | .fact] | join(" ")')" phases 'facts that are served'
equal "$(json '[.facts[] | select(.served | not) | select(.reason == null)] | length')" 0 'missing facts without a reason'

# A wide terminal is never asked for.
expect 4 "$GSTAGE" doctor -v "$WORK/kvm.ko"
awk 'length > 80 && !/kvm\.ko/ { exit 1 }' "$WORK/out" || fail "lines of more than 80 columns"

# Without symbols nothing is made up.
llvm-strip-19 -o "$WORK/stripped.ko" "$WORK/kvm.ko"
expect 4 "$GSTAGE" doctor "$WORK/stripped.ko"
has_out 'kvm.ko is stripped'

# What is no kernel, and what is packed.
bad() { # TEXT FILE...
	local text=$1

	shift
	expect 2 "$GSTAGE" doctor "$@"
	one_line_err
	no_out
	has_err "$text"
}
module virtio "$WORK/virtio.ko"
xz -k "$WORK/kvm.ko"
gzip -k "$WORK/kvm.ko"
echo text >"$WORK/text"
: >"$WORK/empty"
bad 'is the module virtio, neither a kernel nor kvm.ko' "$WORK/virtio.ko"
bad "run 'xz -dk $WORK/kvm.ko.xz'" "$WORK/kvm.ko.xz"
bad "run 'gunzip -k $WORK/kvm.ko.gz'" "$WORK/kvm.ko.gz"
bad 'is no riscv64 kernel image and no kvm.ko' "$WORK/text"
bad 'is no riscv64 kernel image and no kvm.ko' "$WORK/empty"
bad 'No such file' "$WORK/none"
bad 'Is a directory' "$WORK"
bad 'same kind' "$WORK/kvm.ko" "$WORK/kvm.ko"
if [ "$(uname -m)" != riscv64 ]; then
	bad 'is not for RISC-V' "$GSTAGE"
	# This machine.
	expect 4 "$GSTAGE" doctor
	has_out 'this machine is no riscv64'
	has_out 'gstage doctor FILE'
fi
expect 2 "$GSTAGE" doctor a b c
expect 2 "$GSTAGE" doctor --no-such-option
expect 0 "$GSTAGE" doctor --help
has_out 'EXAMPLES'

# A flat image: with nothing in it, and with types that are none.
printf '%56s' '' >"$WORK/Image"
printf 'RSC\005' >>"$WORK/Image"
expect 4 "$GSTAGE" doctor "$WORK/Image"
has_out 'CONFIG_DEBUG_INFO_BTF=y'
printf '\237\353\1\0\30\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\4\0\0\0' >>"$WORK/Image"
head -c 140000 /dev/zero >>"$WORK/Image"
bad 'cannot be read' "$WORK/Image"

# Cut short anywhere: an answer, never a crash (unit/test_kfile has more of it).
size=$(stat -c %s "$WORK/kvm.ko")
for ((n = 1; n < size; n += size / 25)); do
	head -c "$n" "$WORK/kvm.ko" >"$WORK/bad.ko"
	status=0
	"$GSTAGE" doctor "$WORK/bad.ko" >"$WORK/out" 2>"$WORK/err" || status=$?
	case $status in
	2 | 4) ;;
	*) fail "the first $n bytes: status $status" ;;
	esac
done
