# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the host-side scripts: messages, exit statuses, the places
# everything lives in, and a progress line for long steps, so that each script
# says the same thing in the same way.

# Exit statuses, as user/exitcode.h has them for the tracer.
EX_USAGE=2
EX_INCOMPLETE=3
EX_IMPOSSIBLE=4
EX_TIMEOUT=124
export EX_USAGE EX_INCOMPLETE EX_IMPOSSIBLE EX_TIMEOUT

GSTAGE_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GSTAGE_CACHE=${GSTAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gstage}
O=${O:-.output}
case $O in /*) ;; *) O=$GSTAGE_TOP/$O ;; esac
export GSTAGE_TOP GSTAGE_CACHE

PROG=${PROG:-$(basename "$0")}

# A message that cannot be written must not change the exit status.
say() { printf '%s: %s\n' "$PROG" "$*" >&2 2>/dev/null || :; }

# die STATUS MESSAGE: one line that says what failed and what to do.
die() {
	local status=$1

	shift
	say "$*"
	exit "$status"
}

# need TOOL [PACKAGE]: stop when a program is missing, naming its package.
need() {
	command -v "$1" >/dev/null ||
		die "$EX_IMPOSSIBLE" "$1 is missing; install the package ${2:-$1} (bench/host/deps.sh installs everything)"
}

# run_logged LABEL LOG COMMAND...: run a long command with its output in LOG;
# every ten seconds say how long it has taken and how much it has printed (a
# line of make's is a file compiled); show the end of LOG when it fails, unless
# LOG_TAIL is 0: then the caller tells. The time it took goes into a row of the file
# GSTAGE_STEPS, if that is set (tests/run.sh).
run_logged() {
	local label=$1 log=$2 start=$SECONDS status=0 pid TIMEFORMAT

	shift 2
	TIMEFORMAT=$'%3U\t%3S\t%3R\t'$label
	say "$label ..."
	# A process group of its own: an interrupted script must not leave a
	# build running behind it.
	set -m
	"$@" >"$log" 2>&1 &
	pid=$!
	set +m
	(
		trap 'kill $!; exit 0' TERM
		while sleep 10 & wait $!; do
			lines=$(grep -c '' "$log" || :)
			say "$label: $((SECONDS - start)) s$([ "$lines" = 0 ] || echo ", $lines steps")"
		done
	) &
	local ticker=$!
	trap 'kill -- "-$pid" "$ticker" 2>/dev/null || :; exit 130' INT TERM
	{ time wait "$pid" || status=$?; } 2>>"${GSTAGE_STEPS:-/dev/null}"
	kill "$ticker" 2>/dev/null || :
	wait "$ticker" 2>/dev/null || :
	trap - INT TERM
	if [ "$status" -ne 0 ]; then
		[ "${LOG_TAIL:-25}" -gt 0 ] || return 1
		tail -n "${LOG_TAIL:-25}" "$log" >&2
		say "$label failed after $((SECONDS - start)) s (status $status); the whole log is $log"
		return 1
	fi
	say "$label: done in $((SECONDS - start)) s"
}

# put_link TARGET LINK: point LINK at TARGET; untouched when it already does,
# so that nothing that depends on it is made again.
put_link() {
	if [ "$(readlink "$2" 2>/dev/null)" != "$1" ]; then
		mkdir -p "$(dirname "$2")"
		rm -rf "$2.tmp.$$"
		ln -s "$1" "$2.tmp.$$"
		mv -Tf "$2.tmp.$$" "$2"
	fi
}
