# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced: patch series, and the files of KVM that they may change.

# What a version may change: then a new kvm.ko fits the base's unpatched
# vmlinux, and nothing else has to be built.
KVM_PATHS="virt/kvm arch/riscv/kvm arch/riscv/include/asm/kvm* include/linux/kvm* include/trace/events/kvm.h"

# kvm_files TREE: the files of TREE that a version may change, sorted.
kvm_files() {
	# shellcheck disable=SC2086 # patterns
	(cd "$1" && { find $KVM_PATHS -type f ! -name '*.orig' ! -name '*.rej' 2>/dev/null || :; } | LC_ALL=C sort)
}

# is_kvm_path PATH: may a version change this file?
is_kvm_path() {
	local pattern

	for pattern in $KVM_PATHS; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1 == $pattern || $1 == $pattern/* ]] && return 0
	done
	return 1
}

# kvm_sums TREE: hash and name of each of its KVM files.
kvm_sums() { (cd "$1" && kvm_files . | xargs -rd '\n' sha256sum); }

# kvm_copy FROM TO: make the KVM files of TO, an absolute path, those of FROM. A file
# that is the same is left alone, so that make compiles only what differs.
kvm_copy() {
	local from to

	from=$(kvm_sums "$1" | LC_ALL=C sort)
	to=$(kvm_sums "$2" | LC_ALL=C sort)
	(cd "$1" && LC_ALL=C comm -23 <(echo "$from") <(echo "$to") | sed 's/^[^ ]* *//' | xargs -rd '\n' cp --parents -t "$2")
	LC_ALL=C comm -13 <(echo "$from") <(echo "$to") | sed 's/^[^ ]* *//' | while read -r file; do
		[ -e "$1/$file" ] || rm "$2/$file"
	done
}

# kvm_digest TREE: one hash of the KVM sources, names and contents.
kvm_digest() { kvm_sums "$1" | cache_key; }

# series_list DIR: the patches of a series, in order.
series_list() {
	local patch

	[ -r "$1/series" ] || return 0
	sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$1/series" | while read -r patch; do
		printf '%s/%s\n' "$1" "$patch"
	done
}

# git_alone FILE: of git's configurations only FILE is read from here on, so that
# a user's changes nothing that comes out; trees of other owners are read all the
# same.
git_alone() {
	export GIT_CONFIG_GLOBAL=$1 GIT_CONFIG_NOSYSTEM=1
	printf '[user]\n\tname = gstage developers\n\temail = gstage@localhost\n[safe]\n\tdirectory = *\n[core]\n\tautocrlf = false\n' >"$1"
}

# kvm_repository TREE DIR: a git repository in DIR, which is not there yet, with
# the KVM files of TREE in its only commit.
kvm_repository() {
	mkdir "$2"
	kvm_copy "$1" "$2"
	git init -q "$2"
	git -C "$2" add -A
	git -C "$2" commit -qm base
}
