#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# oracle.sh: run a scenario with the oracle beside the tracer, and account for
# every difference between the two (docs/oracle.md). Exit status 1: a difference
# has no explanation.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

usage() {
	cat <<-TEXT
	usage: bench/oracle.sh SCENARIO [options of bench/run.sh]
	       bench/oracle.sh --account ORACLE.json RUN.json
	       bench/oracle.sh --all

	  SCENARIO    boot it with --oracle, print the table; oracle.json is left beside
	              run.json (--out DIR, default \$O/runs/SCENARIO)
	  --account   the table of a run that is there
	  --all       the scenarios of docs/oracle.md, on the installed QEMU and a newer one
	  --json      (with --account) for programs
	TEXT
}

print_table() {
	jq -r '
		def pad($n): tostring | " " * ($n - length) + .;
		"QEMU \(.qemu), plugin API \(.plugin_api); kernel \(.kernel), version \(.version)\(if .kvm_args != "" then ", " + .kvm_args else "" end)",
		.workload, "",
		("oracle" | pad(9)) + ("tracer" | pad(9)) + ("unexplained" | pad(13)) + "  what",
		(.rows[] | (.oracle // "inlined" | pad(9)) + (.tracer | pad(9)) + (.unexplained // "-" | pad(13)) + "  " + .what,
			(.remainders[] | (.count | if . > 0 then "+\(.)" else . end | pad(18)) + " " * 15 + .why)),
		"", "not of the G-stage, counted by nobody else:",
		(.other[] | (.count | pad(9)) + "  \(.insn), \({ kernel: "host kernel", guest: "guest", firmware: "firmware", module: "kvm.ko" }[.where])")'
}

account() { # ORACLE RUN [--json]
	local rows

	need jq
	jq -e '.schema == "gstage-oracle/1"' "$1" >/dev/null 2>&1 ||
		die "$EX_USAGE" "$1 is not what 'bench/vm.sh --oracle' writes"
	jq -e '.schema == "gstage-run/1"' "$2" >/dev/null 2>&1 ||
		die "$EX_USAGE" "$2 is not a run file"
	rows=$(jq -n --slurpfile oracle "$1" --slurpfile run "$2" -f "$GSTAGE_TOP/bench/oracle/account.jq") ||
		die "$EX_USAGE" "$1 and $2 cannot be compared; what is wrong is said above"
	if [ "${3:-}" = --json ]; then
		printf '%s\n' "$rows"
	else
		print_table <<<"$rows"
	fi
	jq -e '[.rows[].unexplained] | all(. == 0 or . == null)' <<<"$rows" >/dev/null
}

one() { # SCENARIO OPTIONS...
	local out=$O/runs/$1 i

	for ((i = 1; i < $#; i++)); do
		[ "${!i}" != --out ] || out=${*:i+1:1}
	done
	mkdir -p "$out" || die "$EX_IMPOSSIBLE" "cannot make the directory $out (--out)"
	"$GSTAGE_TOP/bench/run.sh" "$@" --out "$out" --oracle "$out/oracle.json" >/dev/null || return
	account "$out/oracle.json" "$out/run.json"
}

# A fault is split on demand or beforehand, the log begins clean or all set, one
# vCPU or two, a range of 2M and larger ones, fences one by one or in batches.
all() {
	local qemu newer status=0 unsplit='eager_page_split=0' split='eager_page_split=1'

	newer=$("$GSTAGE_TOP/bench/host/qemu.sh") ||
		say "only with the installed QEMU"
	for qemu in qemu-system-riscv64 $newer; do
		scenario() {
			one "$@" --qemu "$qemu" || status=1
			echo
		}
		scenario full-pass --kvm-args "$unsplit"
		scenario full-pass --kvm-args "$split"
		scenario full-pass --kvm-args "$split" --args '--size 2M'
		scenario full-pass --kvm-args "$unsplit" --vm '--cpu rv64,svinval=on'
		scenario initially-set --kvm-args "$split"
		scenario initially-set --kvm-args "$unsplit"
		scenario partition-2 --kvm-args "$unsplit"
	done
	# More than one hart counts instructions in newer ones only.
	[ -z "$newer" ] || scenario partition-2 --kvm-args "$unsplit" --smp 2
	return "$status"
}

case ${1:-} in
-h | --help) usage ;;
--account)
	[ $# -eq 3 ] || { [ $# -eq 4 ] && [ "$4" = --json ]; } ||
		die "$EX_USAGE" "--account wants ORACLE.json RUN.json [--json] (see --help)"
	shift
	account "$@"
	;;
--all)
	[ $# -eq 1 ] || die "$EX_USAGE" "--all takes nothing more (see --help)"
	all
	;;
'' | -*) die "$EX_USAGE" "which scenario? (see --help)" ;;
*) one "$@" ;;
esac
