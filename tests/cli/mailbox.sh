#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What make version takes out of mails, as lists, archives and mailers have them: one
# series, whole, and each patch once. What is no patch of it is said.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need git gzip xz

cat >"$WORK/take.sh" <<-TAKE
	set -euo pipefail
	O=$WORK/o PROG=take name=mine base=7.3
	. "$TOP/bench/host/lib.sh"
	. "$TOP/bench/host/cache.sh"
	. "$TOP/kernel-patches/series.sh"
	. "$TOP/kernel-patches/version-from.sh"
	work=$WORK/work
	rm -rf \$work
	mkdir -p \$work/in
	: >\$work/mails
	spool "\$1"
	take_patches "\$(kind_of "\$input")" "\$1" "\$input"
	cut -d. -f1 \$work/in/series | paste -sd' '
	paste -sd' ' \$work/mails
TAKE
export GSTAGE_CACHE=$WORK/cache
cd "$WORK" || exit 1

# take FROM PATCHES [IDS]: these are taken
take() {
	expect 0 bash "$WORK/take.sh" "$1"
	equal "$(sed -n 1p "$WORK/out")" "$2" "patches of $1"
	[ $# -lt 3 ] || equal "$(sed -n 2p "$WORK/out")" "$3" "Message-IDs of $1"
}
refused() { # FROM TEXT
	expect 2 bash "$WORK/take.sh" "$1"
	grep -v 'left out' "$WORK/err" >"$WORK/why"
	equal "$(wc -l <"$WORK/why")" 1 "lines that say why $1 is refused"
	grep -qF -e "$2" "$WORK/why" || fail "$1: $(cat "$WORK/why")"
}

# mail ID SUBJECT [LINE [HEADER...]]: a mail with a change that adds LINE, or with none
mail() {
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: A <a@example.org>\nMessage-ID: <%s>\nSubject: %s\n' "$1" "$2"
	[ $# -lt 4 ] || printf '%s\n' "${@:4}"
	printf '\nText.\n'
	[ -z "${3:-}" ] || printf '%s\n' --- 'diff --git a/arch/riscv/kvm/vm.c b/arch/riscv/kvm/vm.c' --- \
		'--- a/arch/riscv/kvm/vm.c' '+++ b/arch/riscv/kvm/vm.c' '@@ -1,1 +1,2 @@' ' a' "+$3"
	echo
}
both="0001-One 0002-Two"

# In any order, with a cover letter, an answer, a copy, and the whole sent again.
{
	mail c '[PATCH v3 0/2] Cover'
	mail b '[PATCH v3 2/2] Two' b
	mail r 'Re: [PATCH v3 1/2] One'
	mail a '[PATCH v3 1/2] One' a
	mail b '[PATCH v3 2/2] Two' b
	mail b2 '[PATCH v3 RESEND 2/2] Two' b
	mail a2 '[PATCH RESEND v3 1/2] One' a
} >series
take series "$both" "c b a"
has_err "left out, no patch: [PATCH v3 0/2] Cover"

# Packed, from a pipe, and as a Maildir.
gzip -k series
xz -k series
take series.gz "$both"
take series.xz "$both"
mkfifo pipe
cat series >pipe &
take pipe "$both"
expect 0 bash -c "bash '$WORK/take.sh' - <series"
equal "$(sed -n 1p "$WORK/out")" "$both" "patches of standard input"
mkdir -p box/new box/cur
mail a '[PATCH 1/2] One' a | sed 1d >box/cur/1:2,S
mail b '[PATCH 2/2] Two' b | sed 1d >box/new/2
take box "$both" "a b"
head -c 40 series.gz >cut.gz
refused cut.gz "cut.gz is damaged, says gzip"
refused https://example.org/r/a "gstage fetches no mails: 'b4 am -o- https://example.org/r/a | make version"

# A cover letter that shows what changed since the last version is no patch.
{
	mail c '[PATCH v2 0/1] Cover' interdiff
	mail a '[PATCH v2 1/1] One' a
} >cover
take cover "0001-One"

# Several versions: one is picked. Of one that was sent in part the rest is the
# last before it.
{
	mail a1 '[PATCH 1/2] One' a
	mail b1 '[PATCH 2/2] Two' b
	mail b2 '[PATCH v2 2/2] Two' b2
	mail a3 '[PATCH v3 1/2] One' a3
	mail b3 '[PATCH v3 2/2] Two' b3
} >thread
refused thread "thread holds v1, v2, v3 of a series; pick one: FROM=thread#v3"
refused 'thread#v4' "thread holds no v4, but v1, v2, v3 of a series; pick one: FROM=thread#v3"
take 'thread#v1' "$both" "a1 b1"
take 'thread#v3' "$both" "a3 b3"
take 'thread#v2' "$both" "b2"
has_err "patch 1 of v2 was not sent again: it is that of v1"
[ "$(grep -hE '^\+(a|b2)$' work/in/*.patch | paste -sd' ')" = '+a +b2' ] || fail "v2 is put together of something else"

# Answers that quote a change, in other languages and without any word; patches of
# other projects.
for subject in 'AW: [PATCH 2/2] Two' 'Antwort: [PATCH 2/2] Two' '=?UTF-8?B?5Zue5aSNOiA=?= [PATCH 2/2] Two' 'What I would do'; do
	{
		mail a '[PATCH 1/2] One' a
		mail b '[PATCH 2/2] Two' b
		mail x "$subject" x 'In-Reply-To: <b>'
	} >answered
	take answered "$both" "a b"
	has_err "left out, it answers a patch and has no number of its own: "
done
{
	mail a '[PATCH 1/2] One' a
	mail b '[PATCH 2/2] Two' b
	mail x '[kvm-unit-tests PATCH] riscv: Test it' x 'In-Reply-To: <a>'
} >other
take other "$both"
has_err "left out, a patch of another project: [kvm-unit-tests PATCH] riscv: Test it"

# A header that is folded.
mail a '[PATCH] One' a | sed 's/^Message-ID: /Message-ID:\n /' >folded
take folded "0001-One" a
