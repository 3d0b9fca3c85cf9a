#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make series: a series as mails, with a cover letter and one thread, which git takes
# back in to the same source. Nothing that is there is harmed, and the user's
# configuration of git changes nothing.
. "$(dirname "$0")/../lib.sh"
need git

mine=$WORK/o dir=$WORK/o/versions/7.3/mine out=$WORK/mails
file=arch/riscv/kvm/mmu.c
export GIT_CONFIG_GLOBAL=$WORK/gitconfig GIT_CONFIG_NOSYSTEM=1
printf '[user]\n\tname = A\n\temail = a@example.org\n[format]\n\tsignOff = true\n\tsubjectPrefix = X\n' >"$GIT_CONFIG_GLOBAL"
mails() { expect "$1" env O="$mine" KSRC="$WORK/tree" "$TOP/kernel-patches/mails.sh" "${@:2}"; }
in_tree() { git -C "$WORK/tree" "$@"; }
header() { sed -n "s/^$1: //Ip; /^\$/q" "$2"; }

mkdir -p "$dir" "$WORK/tree/${file%/*}" "$WORK/tree/mm"
seq 1 30 >"$WORK/tree/$file"
in_tree init -q
in_tree add -A
in_tree commit -qm base
for n in 5 15 25; do
	sed -i "s/^$n\$/& and more/" "$WORK/tree/$file"
	in_tree commit -qam "KVM: RISC-V: Change line $n" -m "Because of $n."
done
in_tree -c format.signOff=false format-patch -q --subject-prefix=PATCH -N -o "$dir" HEAD~3
cp "$WORK/tree/$file" "$WORK/expected"
in_tree reset -q --hard HEAD~3
(cd "$dir" && ls -- *.patch >series)
printf 'stands-for: a test\n' >"$dir/description"

# Without a cover letter the first mail begins the thread.
mails 0 versions/mine 7.3 "$out"
equal "$(cd "$out" && echo *)" "$(cd "$dir" && echo *.patch)" "mails and patches"
equal "$(header Subject "$out"/0002-*)" "[PATCH 2/3] KVM: RISC-V: Change line 15" "subject"
equal "$(header In-Reply-To "$out"/0003-*)" "$(header Message-Id "$out"/0001-*)" "what 3 is an answer to"

# With one, through make; an empty folder is as good as none.
cat >"$dir/cover-letter" <<-'TEXT'
	KVM: RISC-V: Change lines
	This is the text.

	# table: begin
	| lines | before | after |
	|-------|-------:|------:|
	| 5     |      5 |     6 |
	# table: end
TEXT
mkdir "$WORK/empty"
expect 0 make -s -C "$TOP" series O="$mine" KSRC="$WORK/tree" SERIES=versions/mine BASE=7.3 OUT="$WORK/empty"
has_err "4 mails in $WORK/empty"
cover=$WORK/empty/0000-cover-letter.patch
equal "$(header Subject "$cover")" "[PATCH 0/3] KVM: RISC-V: Change lines" "subject of the cover letter"
equal "$(sed '1,/^$/d; /^A (3):/,$d' "$cover" | sed '$d')" "$(sed '1d; /^#/d' "$dir/cover-letter")" "its text"
grep -qx "  KVM: RISC-V: Change line 25" "$cover" || fail "the cover letter lists no patches: $(cat "$cover")"
grep -q "^ $file | 6 +++---" "$cover" || fail "the cover letter has no statistics: $(cat "$cover")"
for n in 1 2 3; do
	for key in In-Reply-To References; do
		equal "$(header $key "$WORK"/empty/000$n-*)" "$(header Message-Id "$cover")" "$key of mail $n"
	done
done
equal "$(cat "$WORK"/empty/* | grep -ciE 'signed-off-by|^Subject: \[X')" 0 "lines of the user's configuration"
in_tree am -q "$WORK"/empty/000[1-9]-*
cmp "$WORK/tree/$file" "$WORK/expected" || fail "the mails give something else"
in_tree reset -q --hard HEAD~3

# What is refused, and that nothing is left or harmed.
sums() { (cd "$WORK" && find . -path ./tree/.git -prune -o -type f ! -name out ! -name err -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
refuse() { # STATUS TEXT ARGUMENTS...
	local before

	before=$(sums)
	mails "$1" "${@:3}"
	has_err "$2"
	one_line_err
	equal "$(sums)" "$before" "files after: $COMMAND"
}
refuse 2 "is there and not empty" versions/mine 7.3 "$out"
refuse 2 "is there and not empty" versions/mine 7.3 "$dir/series"
refuse 2 "usage: make series SERIES=" versions/mine 7.3
refuse 2 "SERIES=../fixes" ../fixes 7.3 "$WORK/new"
refuse 2 "SERIES=fixes has no patches for 9.9" fixes 9.9 "$WORK/new"
refuse 2 "no version 'nobody' for 7.3" versions/nobody 7.3 "$WORK/new"
refuse 2 "SERIES=versions/eager has no patches" versions/eager 7.3 "$WORK/new"
sed -i 's/^15$/fifteen/' "$WORK/tree/$file"
refuse 1 "mine does not apply to 7.3: error: patch failed: $file:12" versions/mine 7.3 "$WORK/new"
