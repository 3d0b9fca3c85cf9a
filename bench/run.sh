#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh SCENARIO [options]: boot a VM, run a scenario in it under the tracer,
# leave DIR/run.json (and the console and kernel log of the VM beside it).
# The exit status is that of `gstage trace`, or of vm.sh.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

usage() {
	cat <<-TEXT
	usage: bench/run.sh SCENARIO [options]

	  SCENARIO           a name from bench/scenarios: $(cd "$GSTAGE_TOP/bench/scenarios" && echo *.scn | sed 's/\.scn//g')
	  --out DIR          where run.json goes (default \$O/runs/SCENARIO)
	  --base 7.3|7.2     kernel base (default ${BASE:-7.3}); debian: the distribution's own
	  --version NAME     KVM of \$O/kernel/BASE/kvm-NAME.ko (default tracepoints; of debian stock)
	  --kvm-args ARGS    module parameters, e.g. eager_page_split=0
	  --args ARGS        more options for dirtyguest, e.g. "--rounds 1"
	  --trace ARGS       more options for gstage trace, e.g. --counts
	  --times N          the scenario N times in one boot and one trace, each time in a
	                     new VM (at most 8 with 1 round: a trace has 64 phases)
	  --fail WHERE[:N]   N percent (100) of the allocations of page tables fail in enable,
	                     clear, fault or kvm (bench/fail.sh); the last two leave a guest
	                     nothing at 100; boots the debug kernel of the base
	  --untraced         run the scenario alone; DIR/guest.json has its figures
	  --mode, --smp, --seed, --limit, --qemu, --oracle, --vm ARGS   handed to bench/vm.sh
	TEXT
}

bad() { die "$EX_USAGE" "$* (see --help)"; }

base=${BASE:-7.3} version='' kvm_args='' more='' trace='' out='' untraced=0 vm_more='' scenario='' times=1 fail=''
vm_opts=()
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h)
		usage
		exit 0
		;;
	--untraced)
		untraced=1
		shift
		continue
		;;
	--*)
		[ $# -ge 2 ] || bad "$1 needs a value"
		case $1 in
		--out) out=$2 ;;
		--base) base=$2 ;;
		--version) version=$2 ;;
		--kvm-args) kvm_args=$2 ;;
		--args) more=$2 ;;
		--trace) trace=$2 ;;
		--vm) vm_more=$2 ;;
		--times) times=$2 ;;
		--fail) fail=$2 ;;
		--mode | --smp | --seed | --limit | --qemu | --oracle) vm_opts+=("$1" "$2") ;;
		*) bad "unknown option $1" ;;
		esac
		shift 2
		continue
		;;
	*)
		[ -z "$scenario" ] || bad "one scenario at a time, not also $1"
		scenario=$1
		shift
		;;
	esac
done
[ -n "$scenario" ] || bad "which scenario?"
file=$GSTAGE_TOP/bench/scenarios/$scenario.scn
[ -f "$file" ] || bad "there is no scenario '$scenario'"

case $base in debian*) : "${version:=stock}" ;; *) : "${version:=tracepoints}" ;; esac
percent=100
case $fail in *:*) percent=${fail#*:} fail=${fail%%:*} ;; esac
case $fail in
'') [ "$percent" = 100 ] || bad "--fail is WHERE or WHERE:PERCENT, and WHERE is missing" ;;
enable | clear | fault | kvm)
	[ "$times" = 1 ] || bad "--fail goes with one VM, so no --times"
	[ "$untraced" = 0 ] || bad "--fail goes with a traced run, so no --untraced"
	[[ $percent =~ ^[1-9][0-9]?$|^100$ ]] || bad "--fail wants a percentage from 1 to 100 after the colon, not '$percent'"
	# KVM_RUN is tried again when it is refused memory, and would be for ever.
	case $fail$percent in fault100 | kvm100) bad "--fail $fail fails less often than always, or no guest comes to anything: $fail:80" ;; esac
	[[ $base == *-debug ]] || base=$base-debug
	[ -e "$O/kernel/$base/kvm-$version.ko" ] ||
		die "$EX_IMPOSSIBLE" "version $version is not built for the debug kernel; 'kernel-patches/build.sh $base $version' builds it"
	vm_opts+=(--add "$GSTAGE_TOP/bench/fail.sh:/fail.sh")
	;;
*) bad "--fail is enable, clear, fault or kvm, not '$fail'" ;;
esac
kvm=$O/kernel/$base/kvm-$version.ko
if [ ! -e "$kvm" ] && [ -e "$O/kernel/$base/Image" ]; then
	# shellcheck source=../kernel-patches/version-lib.sh
	. "$GSTAGE_TOP/kernel-patches/version-lib.sh"
	version_names "$base" | grep -qxF -e "$version" ||
		bad "there is no version '$version' for $base; there are: $(version_names "$base" | tr '\n' ' '); 'make version NAME=$version FROM=...' brings one"
	die "$EX_IMPOSSIBLE" "version $version is not built; 'make versions BASE=$base' builds it"
fi

# name, claim, vm (options of vm.sh), args (options of dirtyguest)
vm='' args=''
# shellcheck source=/dev/null
. "$file"
out=${out:-$O/runs/$scenario}

command="${fail:+sh /fail.sh $fail }dirtyguest $args $more"
[ "$percent" = 100 ] || command="env PROBABILITY=$percent $command"
if [ "$times" != 1 ]; then
	[[ $times =~ ^[1-9][0-9]?$ ]] || bad "--times wants a number from 1 to 99, not '$times'"
	command="sh -c 'i=0; while [ \$i -lt $times ]; do i=\$((i + 1)); $command || exit; done'"
fi
if [ "$untraced" = 1 ]; then
	[ "$times" = 1 ] || bad "--untraced leaves the figures of one VM, so no --times"
	command="$command --result guest.json"
else
	command="gstage trace -q $trace -o run.json -- $command"
fi
# The results of the run before must not pass for those of one that fails.
rm -f "$out/run.json" "$out/guest.json" 2>/dev/null || :
# A single word is taken for shell text.
[ "$times" != 1 ] || read -ra words <<<"$command"
# shellcheck disable=SC2086 # options are words
exec "$GSTAGE_TOP/bench/vm.sh" --base "$base" --kvm "$kvm" \
	--kvm-args "$kvm_args" --out "$out" $vm $vm_more "${vm_opts[@]}" -- "${words[@]-$command}"
