# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by the tests in tests/vm, after tests/lib.sh:
#
#   run_scenario NAME OPTIONS...   bench/run.sh; $RUN is then the run file. The
#                                  deterministic mode gives each who asks the same bytes:
#                                  in a run of tests/run.sh the first who asks has it made
#   boot_scenario NAME OPTIONS...  the same, in a boot of its own
#   run_in_vm OPTIONS...           bench/vm.sh; $DIR holds what came back
#   query FILTER                   jq on $RUN
#   count FILTER EXPECTED          fail unless the jq expression gives EXPECTED
#   release_tree DIR BASE O        a git tree of BASE's sources in DIR, as somebody
#                                  who works on KVM has one; in_tree is git in $tree
#
# An expected status other than 0 goes into $WANT before the call. Every VM has
# a limit of its own (VM_LIMIT: seconds, more for a machine that does other things,
# too); the end of its console is shown when a test fails.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need qemu-system-riscv64 jq
VM_LIMIT=${VM_LIMIT:-240}
DIR=$WORK/vm
RUN=$DIR/run.json

run_expecting() {
	local status=0

	rm -rf "$DIR"
	COMMAND="$*"
	"$@" >"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
	OUT=$(cat "$WORK/out")
	ERR=$(cat "$WORK/err")
	[ "$status" -eq "${WANT:-0}" ] && return
	tail -n 20 "$DIR/console.log" 2>/dev/null
	fail "status $status, not ${WANT:-0}, of: $*
$(tail -n 15 "$WORK/out")
$(tail -n 15 "$WORK/err")"
}

boot_scenario() {
	run_expecting env O="$O" "$TOP/bench/run.sh" "$@" --limit "$VM_LIMIT" --out "$DIR"
}

run_scenario() {
	local made lock

	case " $* " in *' smp '* | *' --oracle '* | *' --qemu '*) made='' ;; *) made=${RESULTS:-} ;; esac
	if [ -z "$made" ] || [ "${WANT:-0}" != 0 ]; then
		boot_scenario "$@"
		return
	fi
	mkdir -p "$made/boots"
	made=$made/boots/$(printf '%s\n' "$O" "$@" | sha256sum | cut -c1-40)
	exec {lock}>"$made.lock"
	flock "$lock"
	if [ ! -e "$made" ]; then
		boot_scenario "$@"
		cp -r "$DIR" "$made.new"
		mv "$made.new" "$made"
	fi
	exec {lock}>&-
	rm -rf "$DIR"
	cp -r "$made" "$DIR"
}

run_in_vm() {
	run_expecting env O="$O" "$TOP/bench/vm.sh" --limit "$VM_LIMIT" --out "$DIR" "$@"
}

query() {
	jq -r "$1" "$RUN"
}

count() {
	local got

	got=$(query "$1") || fail "no run file, or jq refuses: $1"
	[ "$got" = "$2" ] || fail "$1 is $got, not $2"
}

release_tree() {
	local sources

	tree=$1
	sources=$(env O="$3" "$TOP/kernel-patches/build.sh" --sources "$2") || fail "no sources of $2"
	git init -q "$tree"
	cp -r "$sources/." "$tree/"
	in_tree add -A
	in_tree commit -qm release
	in_tree tag "v$2"
}

# Dates of their own would give each run other patches, and other modules to build.
export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
in_tree() { git -c user.name=A -c user.email=a@example.org -C "$tree" "$@"; }
