#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gstage doctor on the kernels that the other tests boot, without booting them:
# what each version of KVM contains, by its code, and what would serve each fact.
. "$(dirname "$0")/../lib.sh"

need jq

# ask FILES...: one object in $WORK/out
ask() {
	local status=0

	"$GSTAGE" doctor --json "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	case $status in
	0 | 4) ;;
	*) fail "status $status of doctor $*: $(cat "$WORK/err")" ;;
	esac
	COMMAND="doctor $*"
	equal "$(jq -r .can_trace "$WORK/out")" "$([ "$status" = 0 ] && echo true || echo false)" "can_trace and the status $status of $COMMAND"
}
told() { # FILTER EXPECTED
	equal "$(jq -r "$1" "$WORK/out")" "$2" "$COMMAND: $1"
}
# In the order split-on-fault, fast-write-fault, eager-split, eager-parameter,
# masked-write-protect, tracepoints.
features='[.features[] | if .present then "yes" elif .present == null then "?" else "no" end] | join(" ")'
missing='[.facts[] | select(.served | not) | .fact] | join(" ")'
# Hooks that nobody calls any more.
in_part='[.facts[] | select(.status == "partial") | .fact] | join(" ")'
# But for exits, which have tracepoints in any KVM.
backends='[.facts[] | select(.fact != "exits") | .backend // empty] | unique | join(" ")'

versions() {
	cat <<-VERSIONS
		7.3 stock yes yes yes yes yes no
		7.3 tracepoints yes yes yes yes yes yes
		7.3 v1 yes no yes yes yes yes
	VERSIONS
	! full || cat <<-VERSIONS
		7.3 fixed yes yes yes yes yes yes
		7.3 v2 yes no yes yes yes yes
		7.3 v4 yes no yes yes yes yes
		7.2 stock yes yes no no no no
		7.2 tracepoints yes yes no no no yes
	VERSIONS
}
while read -r base version expected; do
	dir=$O/kernel/$base
	[ -e "$dir/kvm-$version.ko" ] || fail "no kvm-$version.ko of $base was built"
	ask "$dir/vmlinux" "$dir/kvm-$version.ko"
	told "$features" "$expected"
	told '[.obstacles[]] | length' 0
	told "$in_part" ''
done < <(versions)

if full; then
	# One for a kernel without ftrace, with it and alone: functions by kprobes.
	debug=$O/kernel/7.3-debug
	for kernel in "$debug/vmlinux" ''; do
		ask ${kernel:+"$kernel"} "$debug/kvm-tracepoints.ko"
		told "$features" 'yes yes yes yes yes yes'
		told "$missing" ''
		told '[.obstacles[] | "\(.id) \(.fatal)"] | join(" ")' 'ftrace false'
		told '[.facts[] | select(.backend == "function") | .hooks[].kind] | unique | join(" ")' 'kprobe kretprobe tracepoint'
	done
fi

# The same of the flat image, which has the kernel's types.
ask "$O/kernel/7.3/Image" "$O/kernel/7.3/kvm-stock.ko"
told "$features" 'yes yes yes yes yes no'
told "$missing" 'lost_races flush_fallbacks checks'
told "$backends" function
told '.subject | "\(.kernel_file.release) \(.kvm_file.release)"' "$(cat "$O/kernel/7.3/release") $(cat "$O/kernel/7.3/release")"

# The image alone: KVM is elsewhere.
ask "$O/kernel/7.3/Image"
told '.obstacles[0].id' kvm
told '.facts | length' 0
# The distribution's, where there are any.
stock=$O/kernel/debian
if [ -e "$stock/Image" ]; then
	ask "$stock/Image" "$stock/kvm-stock.ko"
	told "$backends" function
	told "$in_part" ''
	told '.subject.kvm_file.release' "$(cat "$stock/release")"
fi
stock=$O/kernel/debian-6.12
if full && [ -e "$stock/Image" ]; then
	ask "$stock/Image" "$stock/kvm-stock.ko"
	told '.obstacles[0].id' old-kvm
	told "$features" 'no no no no no no'
fi

full || exit 0

# kvm.ko alone: what only types tell is not made up.
ask "$O/kernel/7.2/kvm-stock.ko"
told "$features" 'yes yes ? no no no'
told '[.notes[] | select(contains("Image or vmlinux"))] | length' 1
# Two that do not belong together.
expect 2 "$GSTAGE" doctor "$O/kernel/7.2/vmlinux" "$O/kernel/7.3/kvm-stock.ko"
one_line_err
has_err 'do not fit together'
