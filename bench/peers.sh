#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# peers.sh [--resume] [--kernel NAME] [ROW...]: what tracing costs with gstage, and with what a user would
# otherwise run, in instructions per write fault, as the guest sees it.
# Deterministic mode, one kernel and one workload for all rows (bench/peers/
# rows, a file each). Writes docs/peers.md; with rows named, prints their table
# and no more. Results are in $O/results/peers; --resume takes those that are
# there, unless the kernel, a program or the row is another now, and measures the
# rest. --kernel: one of $O/kernel (default BASE-peers; on others rows may not
# work); the page is then not written to docs/ but printed.
#
# Status 1: a bar does not hold (bench/peers/page.sh: which must); 2: usage; 3: a
# row could not be measured, or one on which a bar stands is not whole, and the
# page is left as it was; 4: something is missing here.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"
# shellcheck source=peers/lib.sh
. "$GSTAGE_TOP/bench/peers/lib.sh"

PROG=peers
base=${BASE:-7.3}-peers resume=0 page=$GSTAGE_TOP/docs/peers.md
while [ $# -gt 0 ]; do
	case $1 in
	--resume) resume=1 ;;
	--kernel)
		[ $# -ge 2 ] || die "$EX_USAGE" "--kernel needs a name"
		base=$2 page=-
		shift
		;;
	-*) die "$EX_USAGE" "unknown option $1; usage: peers.sh [--resume] [--kernel NAME] [ROW...]" ;;
	*) break ;;
	esac
	shift
done
for row; do
	[ -e "$ROWS/$row.row" ] || die "$EX_USAGE" "there is no row '$row'; there are: $(all_rows | tr '\n' ' ')"
done
rows=("$@")
[ $# -gt 0 ] || mapfile -t rows < <(all_rows)
[ -e "$O/peers/versions" ] || [ $# -gt 0 ] ||
	die "$EX_IMPOSSIBLE" "the other tracers are not here; run bench/host/peers.sh"
[ -e "$O/kernel/$base/Image" ] || die "$EX_IMPOSSIBLE" "there is no kernel $base; run kernel-patches/build.sh $base"
for name in gstage dirtyguest; do
	[ -e "$O/riscv64/$name" ] || die "$EX_IMPOSSIBLE" "there is no $O/riscv64/$name; run make"
done
need jq
need qemu-system-riscv64 "qemu-system-misc (Debian 13: qemu-system-riscv)"

work=$O/results/peers
mkdir -p "$work"
[ ! -e "$O/peers/versions" ] || cp "$O/peers/versions" "$work/versions"

# name, claim, vm (options of vm.sh), args (options of dirtyguest)
vm='' args=''
# shellcheck source=scenarios/full-pass.scn
. "$GSTAGE_TOP/bench/scenarios/full-pass.scn"
echo "$args --rounds 4" >"$work/args"
case $base in 7.2*) eager='' ;; *) eager=eager_page_split=1 ;; esac
kernel=$O/kernel/$base kvm=$O/kernel/$base/kvm-tracepoints.ko

# What all rows have in common, by contents.
common() {
	qemu-system-riscv64 --version | head -n 1
	readlink -f "$O/sysroot"
	echo "$vm $eager"
	sha256sum "$kernel/Image" "$kvm" "$O/riscv64/gstage" "$O/riscv64/dirtyguest" "$work/args" \
		"$GSTAGE_TOP"/bench/{vm.sh,initramfs/init,peers/guest,peers/work} | cut -d' ' -f1
}

program() { # NAME: where it is on this machine
	if [ "$1" = floor ]; then echo "$O/riscv64/floor"; else echo "$O/peers/usr/bin/$1"; fi
}

# stamp ROW: of all that its figures depend on.
stamp() {
	local name

	{
		echo "$shared"
		for name in $(chain "$1"); do
			cat "$ROWS/$name.row"
		done
		for name in ${said[$1 programs]}; do
			[ "$name" = floor ] || readlink -f "$O/peers"
			sha256sum <"$(program "$name")"
		done
	} | sha256sum | cut -d' ' -f1
}

# measure ROW: boot, and leave $work/ROW/; in not-run there, why it did not come to
# that. What a tool itself cannot do on this kernel is a result, in failed.
measure() {
	local name key adds=() libs=() dir=$work/$1

	for name in ${said[$1 programs]}; do
		[ -e "$(program "$name")" ] && continue
		rm -rf "$dir" && mkdir "$dir"
		echo "there is no $name; run bench/host/peers.sh, and 'make bench-floor' for the floor" >"$dir/not-run"
		return 0
	done
	key=$(stamp "$1")
	[ "$resume" = 0 ] || [ "$(cat "$dir/stamp" 2>/dev/null)" != "$key" ] || return 0
	say "$1 ..."
	rm -rf "$dir"
	mkdir "$dir"
	[ ! -e "$O/peers/versions" ] || libs=(--libs "$O/peers")
	for name in ${said[$1 programs]}; do
		adds+=(--add "$(program "$name"):/bin/$name")
	done
	for name in $(chain "$1"); do
		adds+=(--add "$ROWS/$name.row:/rows/$name.row")
	done
	# shellcheck disable=SC2086 # options are words
	if "$GSTAGE_TOP/bench/vm.sh" --base "$base" --kvm "$kvm" --kvm-args "$eager" \
		--mem "${said[$1 mem]}" --limit "${VM_LIMIT:-300}" ${libs[@]+"${libs[@]}"} \
		--add "$GSTAGE_TOP/bench/peers/guest:/guest" --add "$GSTAGE_TOP/bench/peers/work:/work" \
		--add "$work/args:/args" --add "$ROWS/$1.row:/row" "${adds[@]}" \
		--out "$dir" $vm -- sh /guest >"$dir.log" 2>&1; then
		echo "$key" >"$dir/stamp"
	else
		echo "the VM failed: $(tail -n 1 "$dir.log")" >"$dir/not-run"
	fi
}

read_rows
shared=$(common)
measure 10-detached
for row in "${rows[@]}"; do
	[ "$row" = 10-detached ] || measure "$row"
done
if [ $# -gt 0 ]; then
	exec "$GSTAGE_TOP/bench/peers/page.sh" "$work" "${rows[@]}"
fi
exec "$GSTAGE_TOP/bench/peers/page.sh" --to "$page" "$work"
