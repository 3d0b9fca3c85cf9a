# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by version.sh: take a version's patches out of what a user has. Each
# from_* function fills $work/in with NNNN-*.patch, a mail's head and message
# before the change, and appends to $work/mails the Message-IDs.
# shellcheck disable=SC2154 # work and base are version.sh's

# kind_of FROM: mbox, diff, directory, tree or module.
kind_of() {
	local path=${1%%#*} magic

	if [ -d "$1" ] && [ ! -e "$1/.git" ]; then
		echo directory
	elif [ -d "$path" ]; then
		echo tree
	elif [ ! -r "$1" ]; then
		die "$EX_USAGE" "cannot read FROM=$1: an mbox, a patch, a directory of patches, a git tree PATH#REF or a kvm.ko is wanted"
	else
		magic=$(head -c 4 "$1" | od -An -tx1 | tr -d ' \n')
		case $magic in
		7f454c46) echo module ;;
		1f8b*) die "$EX_USAGE" "$1 is compressed; unpack it first (gunzip)" ;;
		*) if grep -aqE '^(From |Subject:)' "$1"; then echo mbox; else echo diff; fi ;;
		esac
	fi
}

slug() { tr -cs 'A-Za-z0-9' '-' <<<"$1" | sed 's/^-//; s/-*$//' | cut -c1-50; }

# take_patch NUMBER SUBJECT FILE: one patch with its mail's head, into the list.
take_patch() {
	local name

	name=$(printf '%04d-%s.patch' "$1" "$(slug "$2")")
	cp "$3" "$work/in/$name"
	printf '%s\n' "$name" >>"$work/in/series"
}

# from_mails FROM [FILE...]: mails in any order, in FROM or in the files. Reviews
# and cover letters are no patches; a series must be whole and only one.
from_mails() {
	local mail raw subject tag number version versions='' total='' key

	mkdir "$work/mail" "$work/sorted"
	git mailsplit --mboxrd -b -o"$work/mail" -- "${@:$(($# > 1 ? 2 : 1))}" >/dev/null ||
		die "$EX_USAGE" "$1 is no mbox that git can split"
	for mail in "$work"/mail/*; do
		git -C "$work" mailinfo -k "$work/message" "$work/change" <"$mail" >"$work/info" 2>/dev/null ||
			die "$EX_USAGE" "a mail of $1 cannot be read: $(grep -am1 '^Subject:' "$mail")"
		subject=$(sed -n 's/^Subject: //p' "$work/info")
		raw=$(sed -n 's/^Message-I[Dd]:[[:space:]]*<\(.*\)>.*/\1/Ip; /^$/q' "$mail" | head -n 1)
		if ! grep -q '^--- \|^diff --git' "$work/change" || [[ $subject =~ ^[Rr][Ee]: ]]; then
			say "left out, no patch: ${subject:-a mail without a subject}"
			# The cover letter's id stands for the series.
			[[ ! $subject =~ ^\[.*\ 0+/ ]] || [ -z "$raw" ] || printf '%s\n' "$raw" >>"$work/mails"
			continue
		fi
		tag='' number=1 version=1
		[[ ! $subject =~ ^\[([^]]*)\] ]] || tag=${BASH_REMATCH[1]}
		[[ ! " $tag " =~ \ [vV]([0-9]+)\  ]] || version=${BASH_REMATCH[1]}
		if [[ $tag =~ ([0-9]+)/([0-9]+) ]]; then
			number=$((10#${BASH_REMATCH[1]}))
			[ "${total:-$((10#${BASH_REMATCH[2]}))}" -eq "$((10#${BASH_REMATCH[2]}))" ] ||
				die "$EX_USAGE" "$1 holds patches of $total and of $((10#${BASH_REMATCH[2]})); save one series alone"
			total=$((10#${BASH_REMATCH[2]}))
		elif [ -n "$versions" ]; then
			number=$(($(find "$work/sorted" -name '*.subject' | wc -l) + 1))
		fi
		case " $versions " in *" $version "*) ;; *) versions+=" $version" ;; esac
		[ "$(wc -w <<<"$versions")" -eq 1 ] ||
			die "$EX_USAGE" "$1 holds v${versions// /, v} of a series; save one of them alone"
		key=$work/sorted/$(printf '%04d' "$number")
		{
			sed -n 's/^Author: \(.*\)/From: \1/p' "$work/info" | tr -d '\n'
			sed -n 's/^Email: \(.*\)/ <\1>/p' "$work/info"
			sed -n 's/^Date: /Date: /p' "$work/info"
			printf 'Subject: %s\n\n' "$subject"
			cat "$work/message" "$work/change"
		} >"$work/patch"
		if [ -e "$key" ]; then
			cmp -s "$key" "$work/patch" && continue # once from the list, once from the copy
			die "$EX_USAGE" "$1 holds two different patches $number of ${total:-1}"
		fi
		mv "$work/patch" "$key"
		printf '%s\n' "$subject" >"$key.subject"
		[ -z "$raw" ] || printf '%s\n' "$raw" >>"$work/mails"
	done
	for ((number = 1; number <= ${total:-0}; number++)); do
		[ -e "$work/sorted/$(printf '%04d' "$number")" ] ||
			die "$EX_USAGE" "$1 lacks patch $number of $total"
	done
	for key in "$work"/sorted/*.subject; do
		[ -e "$key" ] || die "$EX_USAGE" "there is no patch in $1"
		number=$(basename "$key" .subject)
		take_patch "$((10#$number))" "$(sed 's/^\[[^]]*\] *//' "$key")" "${key%.subject}"
	done
}

from_diff() {
	grep -q '^--- ' "$1" || die "$EX_USAGE" "$1 is neither a mail nor a patch: it has no line that begins with '--- '"
	take_patch 1 "$(basename "$1" | sed 's/\.[a-z]*$//')" "$1"
}

# from_directory DIR: the patches in its `series`, or all by name.
from_directory() {
	local patch number=0 list

	if [ -e "$1/series" ]; then
		mapfile -t list < <(series_list "$1")
	else
		mapfile -t list < <(find "$1" -maxdepth 1 -type f \( -name '*.patch' -o -name '*.diff' -o -name '*.eml' -o -name '*.mbx' \) | LC_ALL=C sort)
	fi
	if [ ! -e "$1/series" ] && [ ${#list[@]} -gt 0 ] && [ "$(grep -l '^Subject:' "${list[@]}" | wc -l)" -eq ${#list[@]} ]; then
		from_mails "$1" "${list[@]}"
		return
	fi
	[ ${#list[@]} -gt 0 ] || die "$EX_USAGE" "there is no patch in $1 (*.patch, or a file 'series' that lists them)"
	for patch in "${list[@]}"; do
		[ -r "$patch" ] || die "$EX_USAGE" "$1/series lists ${patch##*/}, which is not there"
		if ! grep -q '^--- \|^diff --git' "$patch"; then
			say "left out, no patch: ${patch##*/}"
			continue
		fi
		number=$((number + 1))
		take_patch "$number" "$(basename "$patch" | sed 's/^\(v[0-9]*-\)\{0,1\}[0-9]*-//; s/\.[a-z]*$//')" "$patch"
		sed -n 's/^Message-I[Dd]:[[:space:]]*<\(.*\)>.*/\1/Ip; /^$/q' "$patch" >>"$work/mails"
	done
}

# say_outside PATH TAG COMMIT: what a kvm.ko cannot have of it.
say_outside() {
	local file first='' number=0

	while read -r file; do
		is_kvm_path "$file" && continue
		case $file in Documentation/* | tools/* | MAINTAINERS | .mailmap) continue ;; esac
		number=$((number + 1))
		: "${first:=$file}"
	done < <(git -C "$1" diff --name-only "$2" "$3")
	[ "$number" -eq 0 ] || say "left out, not KVM's: $number files that differ from $2 ($first$([ "$number" -eq 1 ] || echo ', ...'))"
}

# from_commits FROM PATH TAG COMMIT: a patch for each commit. A merge is none, and
# what it resolved would be missing: then all that differs is one patch.
from_commits() {
	local path=$2 tag=$3 commit=$4 patch number=0 paths

	read -ra paths <<<"$KVM_PATHS"
	if [ -n "$(git -C "$path" rev-list --merges -n 1 "$tag..$commit" -- "${paths[@]}")" ]; then
		say "there are merges since $tag: all changes since are one patch"
		git -C "$path" diff --no-renames --src-prefix=a/ --dst-prefix=b/ "$tag" "$commit" -- "${paths[@]}" >"$work/patch"
		take_patch 1 "$(git -C "$path" log -1 --format=%s "$commit")" "$work/patch"
		return
	fi
	git -C "$path" format-patch --quiet --no-signature --no-renames --no-encode-email-headers --src-prefix=a/ --dst-prefix=b/ \
		-o "$work/commits" "$tag..$commit" -- "${paths[@]}"
	for patch in "$work"/commits/*; do
		[ -e "$patch" ] || die "$EX_USAGE" "$1 changes nothing in KVM since $tag"
		number=$((number + 1))
		take_patch "$number" "$(basename "$patch" .patch | sed 's/^[0-9]*-//')" "$patch"
	done
	say "patches since $tag: $number"
}

# from_tree PATH[#REF]: the commits since the release that it is based on, or,
# where the tree has no tag of one, all that its KVM files differ in.
from_tree() {
	local path=${1%%#*} ref=HEAD commit tag changed paths

	[[ $1 != *#* ]] || ref=${1#*#}
	git -C "$path" rev-parse --git-dir >/dev/null 2>&1 || die "$EX_USAGE" "$path is not a git tree"
	commit=$(git -C "$path" rev-parse --verify --quiet "$ref^{commit}") ||
		die "$EX_USAGE" "there is no commit or branch '$ref' in $path"
	git -C "$path" cat-file -e "$commit:arch/riscv/kvm/mmu.c" 2>/dev/null ||
		die "$EX_USAGE" "$path#$ref is not a kernel tree with RISC-V KVM"
	printf '%s\n' "$commit" >>"$work/mails"
	read -ra paths <<<"$KVM_PATHS"
	changed=$(git --no-optional-locks -C "$path" diff --name-only HEAD -- "${paths[@]}" 2>/dev/null | sed -n 1p) || :
	[ "$ref" != HEAD ] || [ -z "$changed" ] || say "left out, not committed: what is changed in $path ($changed)"
	tag=$(git -C "$path" tag --merged "$commit" --list "v$base" "v$base.*" | sort -V | tail -n 1)
	if [ -n "$tag" ]; then
		say_outside "$path" "$tag" "$commit"
		from_commits "$1" "$path" "$tag" "$commit"
		return
	fi
	say "$path has no tag v$base: its KVM files are compared with the base's"
	mkdir "$work/theirs"
	git -C "$path" archive "$commit" virt/kvm arch/riscv/kvm arch/riscv/include/asm include/linux include/trace/events |
		tar -C "$work/theirs" -x
	whole_difference "$work/theirs" "$(git -C "$path" log -1 --format=%s "$commit")"
}

# whole_difference TREE SUBJECT: its KVM files against the base's, as one patch.
whole_difference() {
	make_tree
	rm -rf "$work/compare" && cp -r "$work/tree" "$work/compare"
	kvm_copy "$1" "$work/compare"
	git -C "$work/compare" add -A
	git -C "$work/compare" diff --cached --no-renames >"$work/patch"
	[ -s "$work/patch" ] || die "$EX_USAGE" "nothing differs from the base $base"
	take_patch 1 "$2" "$work/patch"
}
