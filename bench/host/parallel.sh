# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts that run many boots with GNU parallel, after lib.sh. Gives
# them:
#
#   need_parallel          stop unless it is GNU's
#   work_folder NAME       makes $work, which is gone at the end; on a signal what
#                          run_parallel has started ends first
#   run_parallel FILE ARG...  GNU parallel on the lines of FILE; it ends with this
#                          script, however that ends. A job that fails has said so,
#                          and what that means is for the caller to see

need_parallel() {
	need parallel
	case $(parallel --version 2>/dev/null) in
	'GNU parallel'*) ;;
	*) die "$EX_IMPOSSIBLE" "the 'parallel' in PATH is not GNU parallel; install the package parallel" ;;
	esac
	need setpriv util-linux
}

runner=''
# shellcheck disable=SC2317 # called by traps
cleanup() {
	local pid=$runner

	# A second signal must not end this half way.
	trap '' INT TERM HUP
	trap - EXIT
	# GNU parallel passes the first TERM on to nobody and waits; its children
	# go with it.
	[ -z "$pid" ] || { kill -TERM "$pid" 2>/dev/null; kill -TERM "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; } || :
	rm -rf "$work"
}

work_folder() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-$1.XXXXXX")
	trap cleanup EXIT
	trap 'cleanup; exit 130' INT
	trap 'cleanup; exit 143' TERM HUP
}

run_parallel() {
	setpriv --pdeathsig TERM parallel --will-cite --line-buffer "${@:2}" <"$1" >&2 &
	runner=$!
	wait "$runner" || :
	runner=''
}
