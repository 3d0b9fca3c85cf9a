# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced: the cache of things that are slow to make (a sysroot, a kernel, a
# kvm.ko), shared by every clone on the machine.
#
# An entry is $GSTAGE_CACHE/KIND/KEY/, where KEY is the sha256 of everything
# that makes it, so an entry is never out of date, only missing. It is built in
# a temporary directory beside it and renamed when complete. Two files are
# added to it:
#   MANIFEST       sha256 of every file
#   MANIFEST.stat  type, size, mtime, link target of every file: compared each
#                  time (some ms); where it differs, the hashes decide.
# A deleted, truncated or altered file makes the entry be built again, and so
# does an interrupted build, whose temporary directory is removed when found.

mkdir -p "$GSTAGE_CACHE" 2>/dev/null || :
[ -w "$GSTAGE_CACHE" ] ||
	die "$EX_IMPOSSIBLE" "cannot write to the cache directory $GSTAGE_CACHE (set GSTAGE_CACHE to another)"

# cache_key < everything: the key of an entry.
cache_key() { sha256sum | cut -c1-40; }

cache_stat_() {
	(cd "$1" && find . -mindepth 1 ! -path ./MANIFEST ! -path ./MANIFEST.stat \
		\( ! -type d -printf '%P\t%y\t%s\t%T@\t%l\n' -o -type d -printf '%P\td\n' \)) |
		LC_ALL=C sort
}

cache_seal_() {
	(cd "$1" && find . -type f ! -path ./MANIFEST ! -path ./MANIFEST.stat -print0 | LC_ALL=C sort -z |
		xargs -0r sha256sum) >"$1/MANIFEST"
	cache_stat_ "$1" >"$1/MANIFEST.stat"
}

# cache_valid ENTRY: is the entry whole?
cache_valid() {
	local now

	[ -s "$1/MANIFEST" ] && [ -s "$1/MANIFEST.stat" ] || return 1
	now=$(cache_stat_ "$1")
	[ "$now" = "$(cat "$1/MANIFEST.stat")" ] && return 0
	# Sizes, names or times differ: only times may.
	[ "$(cut -f1-3,5 <<<"$now")" = "$(cut -f1-3,5 "$1/MANIFEST.stat")" ] || return 1
	(cd "$1" && sha256sum --quiet --status -c MANIFEST) || return 1
	printf '%s\n' "$now" >"$1/MANIFEST.stat" 2>/dev/null || :
}

# cache_get KIND KEY COMMAND...: print the path of the entry; when it is not
# there or not whole, COMMAND is run with a new directory as its last argument
# and fills it. One process builds, others wait for it.
cache_get() {
	local kind=$1 key=$2 dir=$GSTAGE_CACHE/$1 entry=$GSTAGE_CACHE/$1/$2 lock status=0 start=$SECONDS

	shift 2
	if cache_valid "$entry" 2>/dev/null; then
		printf '%s\n' "$entry"
		return 0
	fi
	mkdir -p "$dir"
	exec {lock}>"$dir/.$key.lock"
	until flock -w 10 "$lock"; do
		say "waiting for another build of $kind/$key, $((SECONDS - start)) s"
	done
	if ! cache_valid "$entry" 2>/dev/null; then
		if [ -e "$entry" ]; then
			say "cache entry $entry is damaged: making it again"
			rm -rf "$entry"
		fi
		rm -rf "$dir/.$key.new"
		mkdir "$dir/.$key.new"
		# A child that outlives this process holds the lock on: nobody
		# else may build while it does. COMMAND is a script, or a
		# function that checks each step: `set -e` does not work inside
		# a condition.
		("$@" "$dir/.$key.new" >&2) || status=$?
		if [ "$status" -eq 0 ]; then
			cache_seal_ "$dir/.$key.new" && mv -T "$dir/.$key.new" "$entry" || status=$?
		fi
		[ "$status" -eq 0 ] || rm -rf "$dir/.$key.new"
	fi
	exec {lock}>&-
	[ "$status" -eq 0 ] || return "$status"
	printf '%s\n' "$entry"
}

# file_sha256 FILE: its hash; remembered by path, size and time, because
# hashing a tarball on every make would be felt.
file_sha256() {
	local path note id

	path=$(readlink -f "$1")
	note=$GSTAGE_CACHE/resolved/hash-$(cache_key <<<"$path")
	id=$(stat -c '%s %Y %i' "$path")
	if [ "$(sed -n 1p "$note" 2>/dev/null)" != "$id" ]; then
		mkdir -p "$GSTAGE_CACHE/resolved"
		printf '%s\n%s\n' "$id" "$(sha256sum <"$path" | cut -d' ' -f1)" >"$note.$$"
		mv "$note.$$" "$note"
	fi
	sed -n 2p "$note"
}
