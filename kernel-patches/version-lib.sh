# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced after series.sh: versions of the KVM code, by name. A version is a
# directory with a file `description` and, where the code differs from the
# base's, a patch series. docs/versions.md says what the lines mean.

# Where versions live: ours, and those that users brought.
version_places() { # BASE
	printf '%s\n' "$GSTAGE_TOP/kernel-patches/$1/versions" "$O/versions/$1"
}

# version_names BASE: all that there are, ours first.
version_names() {
	local place

	printf '%s\n' stock tracepoints
	while read -r place; do
		(cd "$place" 2>/dev/null && for dir in */description; do
			[ ! -e "$dir" ] || dirname "$dir"
		done)
	done < <(version_places "$1")
}

# version_dir BASE NAME: its directory; fails when there is none.
version_dir() {
	local place

	case $2 in '' | .* | */*) return 1 ;; esac
	while read -r place; do
		[ -e "$place/$2/description" ] || continue
		printf '%s\n' "$place/$2"
		return 0
	done < <(version_places "$1")
	return 1
}

# version_lines DIR KEY: the values of KEY in the head of its description.
version_lines() {
	sed -n "/^\$/q; s/^$2:[[:space:]]*//p" "$1/description"
}

# version_check DIR: is the description what docs/versions.md says?
version_check() {
	local line key

	while IFS= read -r line; do
		[ -n "$line" ] || break
		key=${line%%:*}
		case $line in
		stands-for:* | mail:* | differs:* | defect:* | kvm-args:*) ;;
		shown-by:*) [[ $line =~ ^shown-by:[[:space:]]*[a-z0-9-]+\ [a-z-]+(\ [a-z]+=[a-z0-9.-]+)*$ ]] ||
			die "$EX_USAGE" "$1/description: 'shown-by:' is a scenario, a check (gstage check --list) and words KEY=VALUE, not '${line#shown-by:}'" ;;
		catalogue:*) [[ $line =~ ^catalogue:[[:space:]]*[0-9]+\ [^|]+$ ]] ||
			die "$EX_USAGE" "$1/description: 'catalogue:' is a number and a name, not '${line#catalogue:}'" ;;
		on:*) [[ $line =~ ^on:[[:space:]]*(base|tracepoints)$ ]] ||
			die "$EX_USAGE" "$1/description: 'on:' is base or tracepoints, not '${line#on:}'" ;;
		tracepoints:*) [[ $line =~ ^tracepoints:[[:space:]]*(series|inside|merged|none)$ ]] ||
			die "$EX_USAGE" "$1/description: 'tracepoints:' is series, inside, merged or none, not '${line#tracepoints:}'" ;;
		[[:space:]]*) ;; # the line before goes on
		*) die "$EX_USAGE" "$1/description: '$key' is no key; the head ends with an empty line" ;;
		esac
	done <"$1/description"
	[ -n "$(version_lines "$1" stands-for)" ] ||
		die "$EX_USAGE" "$1/description does not say what the version stands for (stands-for:)"
}

# version_series BASE DIR: the directories of its series, in order.
version_series() {
	local tracepoints on

	tracepoints=$(version_lines "$2" tracepoints)
	on=$(version_lines "$2" on)
	[ "$on" != tracepoints ] || printf '%s\n' "$GSTAGE_TOP/kernel-patches/$1/tracepoints"
	[ ! -e "$2/series" ] || printf '%s\n' "$2"
	[ "$on" != tracepoints ] || return 0
	case ${tracepoints:-series} in
	series) printf '%s\n' "$GSTAGE_TOP/kernel-patches/$1/tracepoints" ;;
	merged) printf '%s\n' "$2/tracepoints" ;;
	esac
}

# version_json BASE NAME DIGEST [DIR]: what run files say of the version.
version_json() {
	local base=$1 name=$2 digest=$3 dir=${4:-} ids='' patch tracepoints=none args=''

	if [ -n "$dir" ]; then
		tracepoints=$(version_lines "$dir" tracepoints)
		: "${tracepoints:=series}"
		args=$(version_lines "$dir" kvm-args)
		while read -r patch; do
			ids+="${ids:+,}\"$(git patch-id --stable <"$patch" | cut -d' ' -f1)\""
		done < <(series_list "$dir")
	elif [ "$name" = tracepoints ]; then
		tracepoints=series
	fi
	printf '{"version":"%s","base":"%s","source_sha256":"%s","patch_ids":[%s],"tracepoints":"%s","version_args":"%s"}\n' \
		"$name" "$base" "$digest" "$ids" "$tracepoints" "$args"
}
