#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A KVM in which a hooked function is still there, in symbols and types, and nobody
# calls it: its code was inlined where it is used. The hook attaches and never fires.
# Doctor says so of the file and of the running kernel, and a trace calls the fact
# partial and the run incomplete; what is counted by other hooks is as ever.
. "$(dirname "$0")/../vmlib.sh"
# shellcheck source=../doctorlib.sh
. "$TOP/tests/doctorlib.sh"

need git
base=7.3
mine=$WORK/o
mkdir -p "$mine"
cp -r "$O/kernel" "$mine/kernel"
ln -s "$O/riscv64" "$O/sysroot" "$mine/"

# As link-time optimization would: the body of kvm_riscv_gstage_wp_range() in its one
# caller. And a change that our tracepoints do not fit to, so that functions serve.
release_tree "$WORK/tree" "$base" "$mine"
kvm=$tree/arch/riscv/kvm
sed -n '/^bool kvm_riscv_gstage_wp_range(/,/^}/p' "$kvm/gstage.c" |
	sed -e 's/^bool kvm_riscv_gstage_wp_range/static __always_inline bool wp_range_inlined/' \
		-e 's/ret = gstage_level_to_page_size(gstage, ptep_level, &page_size);/ret = 0; page_size = BIT(PAGE_SHIFT + 9 * ptep_level);/' >"$WORK/body"
sed -i -e "0,/^static/{/^static/{
		e cat $WORK/body
	}}" -e 's/= kvm_riscv_gstage_wp_range(/= wp_range_inlined(/' -e 's/Failed to toup split page cache/Failed to top up/' "$kvm/mmu.c"
in_tree commit -qam "KVM: RISC-V: Inline the write-protection of a range" || fail "nothing changed"
expect 0 env O="$mine" "$TOP/kernel-patches/version.sh" inlined "$tree" "$base"
equal "$(jq -r .tracepoints "$mine/kernel/$base/kvm-inlined.json")" none 'the tracepoints of the version'

why='nobody calls kvm_riscv_gstage_wp_range: it is inlined where it is used, and its hook never fires'
in_part='[.facts[] | select(.status == "partial") | "\(.fact): \(.reason)"] | join("; ")'
callers='[.facts[] | select(.fact == "write_protects").hooks[] | select(.hook | contains("wp_range")) | .callers] | unique | map(tostring) | join(" ")'

# --- the file, and the module without it --------------------------------------
files=("$mine/kernel/$base/vmlinux" "$mine/kernel/$base/kvm-inlined.ko")
expect 0 "$GSTAGE" doctor --json "${files[@]}"
equal "$(jq -r "$in_part" "$WORK/out")" "write_protects: $why" 'doctor on the file'
equal "$(jq -r "$callers" "$WORK/out")" 0 'callers in the file'
equal "$(jq -r '.facts[] | select(.fact == "write_protects") | "\(.served) \(.remedy | contains("CONFIG_LTO_NONE=y"))"' "$WORK/out")" 'true true' 'what changes it'
expect 0 "$GSTAGE" doctor "${files[@]}"
has_out 'write_protects    function, in part:'
has_out 'nobody calls kvm_riscv_gstage_wp_range'
# Its neighbour, built of the same sources but for that.
expect 0 "$GSTAGE" doctor --json "$mine/kernel/$base/vmlinux" "$mine/kernel/$base/kvm-stock.ko"
equal "$(jq -r "$in_part" "$WORK/out")" '' 'doctor on stock'
equal "$(jq -r "$callers" "$WORK/out")" 1 'callers in stock'

# --- the running kernel ---------------------------------------------------------
cat "$WORK/try.sh" - >"$WORK/t.sh" <<'GUEST'
look inlined
gstage trace -v -o run.json -- dirtyguest -q --backing hugetlb-2m >trace.out 2>trace.err
echo $? >trace.status
gstage trace --checks -- true >checks.out 2>checks.err
echo $? >checks.status
GUEST
run_expecting env O="$mine" "$TOP/bench/vm.sh" --limit "$VM_LIMIT" --out "$DIR" --kvm "${files[1]}" --hugepages 16 \
	--add "$WORK/t.sh:/try.sh" -- sh /try.sh

equal "$(doctor inlined "$in_part")" "write_protects: $why" 'doctor there'
equal "$(doctor inlined "$callers")" 0 'callers there'
equal "$(tr '\n' ' ' <"$DIR/inlined.status")" '0 3 ' 'the status of doctor and trace'
grep -qF 'function, in part:' "$DIR/inlined.text" || fail "doctor's text: $(cat "$DIR/inlined.text")"

# --- traced ---------------------------------------------------------------------
equal "$(cat "$DIR/trace.status")" 3 'the status of the trace'
grep -qF "incomplete: write_protects are seen in part: $why" "$DIR/trace.err" || fail "trace says: $(cat "$DIR/trace.err")"
grep -qF 'NO, every figure is a lower bound; lost: a part of write_protects' "$DIR/trace.out" || fail "the report: $(head -n 20 "$DIR/trace.out")"
count .complete false
count '[.probes[] | select(.status == "partial") | "\(.fact): \(.reason)"] | unique | join("; ")' "write_protects: $why"
count '[.losses[]] | add' 0
# CLEAR goes through another function, which is called; what logging takes does not.
count '[.write_protects[] | select(.phase == "clear") | .count] | add' 12288
count '[.write_protects[] | select(.phase == "enable") | .count] | add // 0' 0
count '[.faults[] | select(.access == "write" and .path != "map") | .count] | add' 12288
count '[.splits[] | .count] | add' 8
count .guest.pages_lost 0
# It takes some time before each trace: in instructions, 1 ns each.
took=$(sed -n "s/.*looked for calls of KVM's functions in .* KiB of code, \([0-9]*\) us/\1/p" "$DIR/trace.err")
[ "${took:-0}" -gt 0 ] || fail "how long it looked for calls is not told: $(cat "$DIR/trace.err")"
[ "$took" -lt 50000 ] || fail "looking for calls takes $took us"
# What has no hooks at all is refused as before.
equal "$(cat "$DIR/checks.status")" 4 'the status of --checks'
