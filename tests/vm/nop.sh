#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tracepoint that is off costs one nop, shown from the code of the built
# module: wherever a static key of ours is patched in, a nop stands now. And the
# functions that a write fault goes through save no more registers than in the
# stock module, which would cost more than all the nops.
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

# functions MODULE: name, section number, address, bytes, and registers that it saves
functions() {
	llvm-readelf-19 -sW "$1" | awk '$4 == "FUNC" { print $8, $7, $2, $3 }' | sort >"$WORK/functions"
	llvm-objdump-19 -d --no-show-raw-insn "$1" | awk '
		# A label inside of a function begins with a dot.
		/^[0-9a-f]+ <[^.]/ { gsub(/[<>:]/, "", $2); name = $2; saves[name] += 0 }
		$2 == "sd" && $3 ~ /^s[0-9]+,$/ && $4 ~ /\(sp\)$/ { saves[name]++ }
		END { for (name in saves) print name, saves[name] }' | sort |
		join "$WORK/functions" -
}

# What a write fault under dirty logging goes through, and the way back into the guest.
FAULT="kvm_riscv_vcpu_exit kvm_riscv_mmu_map kvm_riscv_gstage_try_update_pte kvm_riscv_hfence_gvma_vmid_gpa \
make_xfence_request kvm_riscv_hfence_process kvm_riscv_local_tlb_sanitize"

for base in 7.3 $(full && echo 7.2); do
	ko=$O/kernel/$base/kvm-tracepoints.ko
	stock=$O/kernel/$base/kvm-stock.ko
	[ -f "$ko" ] || fail "$ko was not built"
	[ -f "$stock" ] || fail "$stock was not built"
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

	: >"$WORK/all"
	for key in __tracepoint_kvm_{gstage_{fault,wp},mmu_split_huge_page,hfence_{request,exec},dirty_log}; do
		sites "$key" >"$WORK/sites"
		[ -s "$WORK/sites" ] || fail "$base: no place is patched for $key"
		while read -r place; do
			grep -qxF "$place" "$WORK/nops" || fail "$base: $key: no nop at $place"
		done <"$WORK/sites"
		cat "$WORK/sites" >>"$WORK/all"
		echo "$base $key: $(wc -l <"$WORK/sites") places, a nop each"
	done

	functions "$stock" >"$WORK/before"
	functions "$ko" >"$WORK/after"
	# Name, places, bytes and saved registers of each function that has a place,
	# and of those that faults go through.
	awk -v fault="$FAULT" '
		function hex(s,  i, n) {
			n = 0
			s = tolower(s)
			for (i = 1; i <= length(s); i++)
				n = 16 * n + index("0123456789abcdef", substr(s, i, 1)) - 1
			return n
		}
		FILENAME ~ /all$/ { n_sites++; section[n_sites] = $1; at[n_sites] = hex($2); next }
		FILENAME ~ /before$/ { bytes[$1] = $4; saves[$1] = $5; next }
		{
			n = 0
			for (i = 1; i <= n_sites; i++)
				n += section[i] == $2 && at[i] >= hex($3) && at[i] < hex($3) + $4
			if (n || index(" " fault " ", " " $1 " "))
				print $1, n, $1 in bytes ? bytes[$1] : "-", $4, $1 in saves ? saves[$1] : "-", $5
		}' "$WORK/all" "$WORK/before" "$WORK/after" >"$WORK/table"
	echo "$base: function, places, bytes without and with the series, saved registers without and with it"
	cat "$WORK/table"
	for name in $FAULT; do
		read -r _ _ _ _ before after < <(grep "^$name " "$WORK/table") ||
			fail "$base: there is no function $name in one of the modules"
		[ "$after" -le "$before" ] || fail "$base: $name saves $after registers, $before in the stock module"
	done
done
