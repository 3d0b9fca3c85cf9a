#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make version, as far as it goes without a kernel: names, and what mails,
# directories and trees are refused, each in one line that says why.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need git llvm-readelf-19
mine=$WORK/o
version() { expect "$1" env O="$mine" "$TOP/kernel-patches/version.sh" "${@:2}"; }
cd "$WORK" || exit 1

# refuse STATUS FROM TEXT [NAME]: one line with TEXT, and nothing is left.
refuse() {
	version "$1" --dry-run "${4:-mine}" "$2"
	has_err "$3"
	[ "$(grep -cv 'left out' "$WORK/err")" -eq 1 ] || fail "not one line: $ERR"
	equal "$(find "$mine" -mindepth 1 ! -name .lock -type f)" "" "what is left"
}

patch='--- a/arch/riscv/kvm/vm.c
+++ b/arch/riscv/kvm/vm.c
@@ -1,1 +1,1 @@
-a
+b
'
# mail SUBJECT [BODY]
mail() {
	printf 'From nobody Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nMessage-ID: <%s@example.org>\nSubject: %s\n\nText.\n---\n%s\n' \
		"$(cksum <<<"$1" | cut -d' ' -f1)" "$1" "${2-$patch}"
}

# Names, and what is asked for.
version 2
has_err "usage: make version NAME="
for name in stock tracepoints none; do refuse 2 x "is taken" "$name"; done
for name in UPPER .hidden a/b "$(printf 'a%.0s' {1..40})"; do refuse 2 x "letters, digits" "$name"; done
refuse 2 x "comes with gstage" v4
version 2 --dry-run mine x 9.9
has_err "no base '9.9'"
version 2 --dry-run --kvm-args 'a"b' mine x
has_err "module parameters"
refuse 2 nothing-there "cannot read FROM=nothing-there"

# Files that are something else.
echo text >text
refuse 2 text "neither a mail nor a patch"
gzip -c text >text.gz
refuse 2 text.gz "neither a mail nor a patch"
refuse 2 "$(command -v git)" "no module for 64-bit RISC-V"

# Mails.
mail 'Re: [PATCH] a' '> --- a/x' >reply
refuse 2 reply "there is no patch in reply"
{ mail '[PATCH 0/2] cover' ''; mail '[PATCH 2/2] b'; } >half
refuse 2 half "half lacks patch 1 of 2"
{ mail '[PATCH v2 1/1] a'; mail '[PATCH v3 1/1] a'; } >two
refuse 2 two "v2, v3 of a series"
{ mail '[PATCH 1/2] a'; mail '[PATCH 2/3] a'; } >mixed
refuse 2 mixed "patches of 2 and of 3"
{ mail '[PATCH 1/1] a'; mail '[PATCH 1/1] a' "${patch/+b/+c}"; } >double
refuse 2 double "two different patches 1"

# What is part of vmlinux cannot be changed, and is found before anything is
# built.
mail '[PATCH] a' "${patch//arch\/riscv\/kvm\/vm.c/mm\/memory.c}" >vmlinux
refuse 4 vmlinux "changes mm/memory.c, which is part of vmlinux"
mail '[PATCH] a' "${patch//arch\/riscv\/kvm\/vm.c/MAINTAINERS}${patch//arch\/riscv\/kvm\/vm.c/mm\/memory.c}" >both
refuse 4 both "changes mm/memory.c, which is part of vmlinux"

# Directories.
mkdir empty listed
refuse 2 empty "there is no patch in empty"
echo gone.patch >listed/series
refuse 2 listed "lists gone.patch, which is not there"

# Git trees.
git init -q tree
refuse 2 'tree#no' "no commit or branch 'no'"
git -C tree -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m a
refuse 2 tree "not a kernel tree with RISC-V KVM"
refuse 2 'nowhere#x' "cannot read FROM=nowhere#x"
