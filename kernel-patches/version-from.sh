# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by version.sh: take a version's patches out of what a user has. Each
# from_* function fills $work/in with NNNN-*.patch, a mail's head and message
# before the change, and appends to $work/mails the Message-IDs.
# shellcheck disable=SC2154 # work and base are version.sh's

# spool FROM: what cannot be read twice, or is packed, as a file; into $input, which is
# FROM otherwise, without the version that is picked after a #.
spool() {
	local path=$1 unpack

	picked=''
	if [[ $1 =~ ^(.*)#[vV]([0-9]+)$ ]] && [ ! -e "${BASH_REMATCH[1]}/.git" ]; then
		path=${BASH_REMATCH[1]} picked=$((10#${BASH_REMATCH[2]}))
	fi
	input=$path
	case $path in
	http://* | https://*) die "$EX_USAGE" "gstage fetches no mails: 'b4 am -o- $path | make version NAME=$name FROM=-' does" ;;
	-) path=/dev/stdin ;;
	esac
	[ -d "${path%%#*}" ] || [ -r "$path" ] ||
		die "$EX_USAGE" "cannot read FROM=$1: an mbox, a patch, a directory of patches, a git tree PATH#REF or a kvm.ko is wanted"
	if [ "$1" = - ] || { [ -e "$path" ] && [ ! -d "$path" ] && [ ! -f "$path" ]; }; then
		input=$work/input
		cat "$path" >"$input"
	fi
	[ -f "$input" ] || return 0
	case $(head -c 6 "$input" | od -An -tx1 | tr -d ' \n') in
	1f8b*) unpack=gzip ;;
	fd377a585a00) unpack=xz ;;
	425a68*) unpack=bzip2 ;;
	28b52ffd*) unpack=zstd ;;
	*) return 0 ;;
	esac
	need "$unpack"
	"$unpack" -dc <"$input" >"$work/unpacked" 2>/dev/null || die "$EX_USAGE" "$1 is damaged, says $unpack"
	input=$work/unpacked
}

# kind_of FROM: mbox, maildir, diff, directory, tree or module.
kind_of() {
	if [ -d "$1/cur" ]; then
		echo maildir
	elif [ -d "$1" ] && [ ! -e "$1/.git" ]; then
		echo directory
	elif [ -d "${1%%#*}" ]; then
		echo tree
	elif [ "$(head -c 4 "$1" | od -An -tx1 | tr -d ' \n')" = 7f454c46 ]; then
		echo module
	elif grep -aqE '^(From |Subject:)' "$1"; then
		echo mbox
	else
		echo diff
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

# head_of MAIL: its header, a field in each line.
head_of() {
	awk '/^\r?$/ { exit } /^[ \t]/ { sub(/^[ \t]+/, " "); line = line $0; next }
		{ if (line != "") print line; line = $0 } END { print line }' "$1"
}

# Other projects whose patches are sent to the same lists.
OTHER_PROJECTS='kvm-unit-tests|kvmtool|qemu|opensbi|libvirt|edk2|u-boot|cloud-hypervisor'

# take_mail FROM MAIL: the patch that MAIL is, as $work/sorted/vVERSION/NUMBER, with the
# Message-IDs of its series in $work/sorted/vVERSION/mails. What is none is said.
take_mail() {
	local subject tag='' number=1 total='' version=1 id series patch what

	git -C "$work" mailinfo -k "$work/message" "$work/change" <"$2" >"$work/info" 2>/dev/null ||
		die "$EX_USAGE" "a mail of $1 cannot be read: $(grep -am1 '^Subject:' "$2")"
	head_of "$2" >"$work/head"
	subject=$(sed -n 's/^Subject: //p' "$work/info")
	id=$(sed -n 's/^Message-I[Dd]:[[:space:]]*<\(.*\)>.*/\1/Ip' "$work/head" | head -n 1)
	[[ ! $subject =~ ^\[([^]]*)\] ]] || tag=${BASH_REMATCH[1]}
	[[ ! " $tag " =~ \ [vV]([0-9]+)\  ]] || version=$((10#${BASH_REMATCH[1]}))
	series=$work/sorted/v$version
	if [[ $tag =~ ([0-9]+)/([0-9]+) ]]; then
		number=$((10#${BASH_REMATCH[1]})) total=$((10#${BASH_REMATCH[2]}))
	fi
	if [ "$number" = 0 ]; then
		# The cover letter's id stands for the series; what it has of changes are
		# those since the last version.
		say "left out, no patch: $subject"
		mkdir -p "$series"
		[ -z "$id" ] || printf '%s\n' "$id" >>"$series/mails"
		return
	elif ! grep -q '^--- \|^diff --git' "$work/change"; then
		say "left out, no patch: ${subject:-a mail without a subject}"
		return
	elif [[ $subject =~ ^[Rr][Ee]: || $subject =~ ^[^[]+\[[^]]*PATCH ]] ||
		{ [[ $tag != *PATCH* ]] && grep -qiE '^(In-Reply-To|References):' "$work/head"; }; then
		say "left out, it answers a patch and has no number of its own: $subject"
		return
	elif grep -qiE "(^|[^a-z])($OTHER_PROJECTS)([^a-z]|$)" <<<"$tag"; then
		say "left out, a patch of another project: $subject"
		return
	fi
	mkdir -p "$series"
	if [ -n "$total" ]; then
		[ "$(cat "$series/total" 2>/dev/null || echo "$total")" = "$total" ] ||
			die "$EX_USAGE" "$1 holds patches of $(cat "$series/total") and of $total; save one series alone"
		echo "$total" >"$series/total"
	else
		number=$(($(find "$series" -name '*.subject' | wc -l) + 1))
	fi
	patch=$series/$(printf '%04d' "$number")
	what=$(git patch-id --stable <"$work/change")
	# It knows no change without a line 'diff --git'.
	: "${what:=$(grep '^[-+ ]' "$work/change" | sha1sum)}"
	if [ -e "$patch" ] && [ "${what%% *}" != "$(cat "$patch.id")" ]; then
		die "$EX_USAGE" "$1 holds two different patches $number of ${total:-1}"
	fi
	# Once from the list and once from the copy, or sent again.
	[ ! -e "$patch" ] || return 0
	echo "${what%% *}" >"$patch.id"
	{
		sed -n 's/^Author: \(.*\)/From: \1/p' "$work/info" | tr -d '\n'
		sed -n 's/^Email: \(.*\)/ <\1>/p' "$work/info"
		sed -n 's/^Date: /Date: /p' "$work/info"
		printf 'Subject: %s\n\n' "$subject"
		cat "$work/message" "$work/change"
	} >"$patch"
	printf '%s\n' "$subject" >"$patch.subject"
	[ -z "$id" ] || printf '%s\n' "$id" >>"$series/mails"
	! grep -qi '^Content-Type:.*format="\{0,1\}flowed' "$work/head" || touch "$work/flowed"
}

# earlier VERSION NUMBER TOTAL: the patch of the last version before that has one of the
# same number and total. A version may be sent in part, as answers to what they replace.
earlier() {
	local version

	for ((version = $1 - 1; version > 0; version--)); do
		[ "$(cat "$work/sorted/v$version/total" 2>/dev/null)" = "$3" ] || continue
		[ -e "$work/sorted/v$version/$2" ] || continue
		echo "$work/sorted/v$version/$2"
		return
	done
	return 1
}

# from_mails FROM FILE...: mails in any order, in the files. A series must be whole, and
# one of several versions picked with FROM#vN.
from_mails() {
	local from=$1 mail version versions number total name patch

	shift
	mkdir "$work/mail" "$work/sorted"
	git mailsplit --mboxrd -b -o"$work/mail" -- "$@" >/dev/null || die "$EX_USAGE" "$from is no mbox that git can split"
	for mail in "$work"/mail/*; do take_mail "$from" "$mail"; done
	versions=$(find "$work/sorted" -name '*.subject' -printf '%P\n' | sed 's,^v\(.*\)/.*,\1,' | sort -nu | paste -sd' ')
	version=${picked:-$versions}
	case " $versions " in
	'  ') die "$EX_USAGE" "there is no patch in $from" ;;
	*" $version "*) ;;
	*) die "$EX_USAGE" "${from%#v*} holds ${picked:+no v$picked, but }v${versions// /, v} of a series; pick one: FROM=${from%#v*}#v${versions##* }" ;;
	esac
	[[ $version != *\ * ]] ||
		die "$EX_USAGE" "${from%#v*} holds v${versions// /, v} of a series; pick one: FROM=${from%#v*}#v${versions##* }"
	total=$(cat "$work/sorted/v$version/total" 2>/dev/null) || total=0
	cat "$work/sorted/v$version/mails" >>"$work/mails" 2>/dev/null || :
	for ((number = 1; number <= total; number++)); do
		name=$(printf '%04d' "$number")
		[ ! -e "$work/sorted/v$version/$name" ] || continue
		patch=$(earlier "$version" "$name" "$total") || die "$EX_USAGE" "$from lacks patch $number of $total"
		say "patch $number of v$version was not sent again: it is that of $(basename "${patch%/*}")"
		cp "$patch" "$patch.subject" "$work/sorted/v$version/"
	done
	for patch in "$work/sorted/v$version"/*.subject; do
		number=$(basename "$patch" .subject)
		take_patch "$((10#$number))" "$(sed 's/^\[[^]]*\] *//' "$patch")" "${patch%.subject}"
	done
}

from_maildir() { # DIR
	local mails

	mapfile -t mails < <(find "$1/new" "$1/cur" -type f 2>/dev/null | LC_ALL=C sort)
	[ ${#mails[@]} -gt 0 ] || die "$EX_USAGE" "there is no mail in $1"
	from_mails "$1" "${mails[@]}"
}

# from_diff FROM FILE
from_diff() {
	grep -q '^--- ' "$2" || die "$EX_USAGE" "$1 is neither a mail nor a patch: it has no line that begins with '--- '"
	take_patch 1 "$(basename "$1" | sed 's/\.[a-z]*$//')" "$2"
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
		head_of "$patch" | sed -n 's/^Message-I[Dd]:[[:space:]]*<\(.*\)>.*/\1/Ip' >>"$work/mails"
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

# take_patches KIND FROM INPUT: as kind_of and spool have found.
take_patches() {
	case $1 in
	mbox) from_mails "$2" "$3" ;;
	maildir) from_maildir "$3" ;;
	diff) from_diff "$2" "$3" ;;
	directory) from_directory "$3" ;;
	tree) from_tree "$3" ;;
	esac
}
