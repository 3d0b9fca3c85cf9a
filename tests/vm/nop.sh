#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tracepoint that is off costs one nop, shown from the code of the built
# module: wherever a static key of ours is patched in, a nop stands now.
. "$(dirname "$0")/../lib.sh"

for tool in readelf objdump; do
	command -v "llvm-$tool-19" >/dev/null || skip "no program 'llvm-$tool-19'"
done

# sites KEY: section number and address of each place that the key patches.
# __jump_table has 16 bytes for a place: where it is, where it would jump to,
# the key. In a module each is a pair of relocations, told apart by the offset.
sites() {
	awk -v key="$1" '
		FILENAME ~ /symbols$/ && $1 ~ /^[0-9]+:$/ {
			section[sprintf("%08x", $1)] = $7
			next
		}
		/^Relocation section/ { in_table = /__jump_table/ }
		in_table && $3 == "R_RISCV_ADD32" && $1 ~ /[08]$/ {
			sub(/^0*/, "", $4)
			place = section[substr($2, 1, 8)] " " $4
		}
		in_table && $3 == "R_RISCV_ADD64" && $5 == key { print place }
	' "$WORK/symbols" "$WORK/relocs"
}

for base in 7.3 $(full && echo 7.2); do
	ko=$O/kernel/$base/kvm-tracepoints.ko
	[ -f "$ko" ] || fail "$ko was not built"
	llvm-readelf-19 -sW "$ko" >"$WORK/symbols"
	llvm-readelf-19 -rW "$ko" >"$WORK/relocs"
	# Section number and address of each nop of the module.
	llvm-readelf-19 -SW "$ko" |
		sed -n 's/^ *\[ *\([0-9]*\)\] \(\.[a-z.]*text[^ ]*\) .*/\1 \2/p' |
		while read -r number section; do
			llvm-objdump-19 -d --no-show-raw-insn --section "$section" "$ko" |
				awk -v n="$number" '$2 == "nop" { sub(":", "", $1); print n, $1 }'
		done >"$WORK/nops"
	[ -s "$WORK/nops" ] || fail "no nop found in $ko"

	# The notes of a fault and of a vCPU's work hang on a key of their own.
	for key in gstage_trace_key __tracepoint_kvm_{gstage_{fault,work,split,wp},hfence_{request,full,exec},dirty_log}; do
		sites "$key" >"$WORK/sites"
		[ -s "$WORK/sites" ] || fail "$base: no place is patched for $key"
		while read -r place; do
			grep -qxF "$place" "$WORK/nops" || fail "$base: $key: no nop at $place"
		done <"$WORK/sites"
		echo "$base $key: $(wc -l <"$WORK/sites") places, a nop each"
	done
done
