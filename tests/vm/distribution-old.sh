#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A distribution kernel from before the G-stage code that gstage knows (6.12): it
# boots, and doctor and trace say in the same words what it lacks, from its
# functions and not from its version. A write to a logged huge leaf fails there,
# which is what doctor says of a KVM that does not split.
. "$(dirname "$0")/../vmlib.sh"
# shellcheck source=../doctorlib.sh
. "$TOP/tests/doctorlib.sh"

[ -e "$O/kernel/debian-6.12/Image" ] || skip "no kernel 6.12 of the distribution could be fetched (make kernel BASE=debian-6.12 says why)"

cat "$WORK/try.sh" - >"$WORK/old.sh" <<'GUEST'
look old
dirtyguest -q --backing hugetlb-2m 2>guest.err
echo $? >guest.status
GUEST
run_in_vm --base debian-6.12 --hugepages 8 --add "$WORK/old.sh:/try.sh" -- sh /try.sh
stops old old-kvm 'function kvm_riscv_gstage_map, no kvm_riscv_mmu_map'
equal "$(features old)" 'false false false false false false' 'what 6.12 contains'
[ "$(cat "$DIR/guest.status")" != 0 ] || fail "dirtyguest works on 6.12"
grep -qF 'KVM_RUN: File exists' "$DIR/guest.err" || fail "dirtyguest: $(cat "$DIR/guest.err")"
