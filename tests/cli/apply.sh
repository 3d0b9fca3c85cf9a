#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel-patches/apply.sh: in order, without fuzz, and it stops at the first
# patch that does not apply cleanly, naming it and leaving nothing half done.
. "$(dirname "$0")/../lib.sh"
need patch diff

APPLY=$TOP/kernel-patches/apply.sh
file=arch/riscv/kvm/mmu.c
mkdir -p "$WORK"/{tree,s}/arch/riscv/kvm
seq 1 30 >"$WORK/tree/$file"
cp -r "$WORK/tree" "$WORK/clean"

step() { # NAME SED-EXPRESSION: the next patch of the series
	cp -r "$WORK/clean" "$WORK/b"
	mv "$WORK/clean" "$WORK/a"
	sed -i "$2" "$WORK/b/$file"
	(cd "$WORK" && diff -u "a/$file" "b/$file" >"$WORK/s/$1")
	rm -rf "$WORK/a"
	mv "$WORK/b" "$WORK/clean"
	echo "$1 # a remark" >>"$WORK/s/series"
}
step 0001-first.patch 's/^5$/five/'
step 0002-second.patch 's/^15$/fifteen/'
step 0003-third.patch 's/^25$/twenty-five/'

cp -r "$WORK/tree" "$WORK/t1"
expect 0 "$APPLY" "$WORK/t1" "$WORK/s"
digest=$OUT
cmp "$WORK/t1/$file" "$WORK/clean/$file" || fail "the series gives something else"
expect 0 "$APPLY" "$WORK/clean"
equal "$OUT" "$digest" "digests of the same sources"
expect 0 "$APPLY" "$WORK/tree"
[ "$OUT" != "$digest" ] || fail "the digest does not depend on the sources"

# The second no longer fits: a context line differs.
cp -r "$WORK/tree" "$WORK/t2"
sed -i 's/^13$/thirteen/' "$WORK/t2/$file"
expect 1 "$APPLY" "$WORK/t2" "$WORK/s"
no_out
has_err '0002-second.patch does not apply cleanly'
has_err "checking file $file"
grep -qx five "$WORK/t2/$file" || fail "the first patch is not there"
! grep -qE 'fifteen|twenty-five' "$WORK/t2/$file" || fail "a later patch was applied"
equal "$(find "$WORK/t2" -type f | wc -l)" 1 "number of files left"

echo 0004-none.patch >>"$WORK/s/series"
cp -r "$WORK/tree" "$WORK/t3"
expect 1 "$APPLY" "$WORK/t3" "$WORK/s"
has_err 'lists 0004-none.patch, which is not there'
expect 2 "$APPLY"
one_line_err
