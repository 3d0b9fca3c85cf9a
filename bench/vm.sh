#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm.sh: boot a RISC-V kernel with KVM in QEMU, run one command in it as root,
# and bring back what it left in /out. See docs/vm.md.
#
# In icount mode one instruction is one virtual nanosecond and the same seed
# and inputs give the same run to the instruction, so nothing here may depend
# on the host's clock, network, block layer or asynchronous I/O.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"

usage() {
	cat <<-TEXT
	usage: bench/vm.sh [options] -- COMMAND...

	  --base 7.3|7.2     the kernel from \$O/kernel/BASE (default ${BASE:-7.3}); 'debian' is
	                     the distribution's own, with the modules it needs here
	  --image FILE       another kernel image
	  --kvm FILE.ko      the KVM module (default \$O/kernel/BASE/kvm-tracepoints.ko, of debian
	                     kvm-stock.ko); 'none' loads none
	  --kvm-args ARGS    module parameters, e.g. eager_page_split=0
	  --mode icount|smp  deterministic, one hart (default), or multi-threaded
	  --smp N            harts (default 1 with icount, 2 with smp)
	  --mem MIB          memory (default 512)
	  --seed N           seed of everything random (default 1)
	  --limit SEC        wall-clock limit, then exit status 124 (default 120)
	  --boot-limit SEC   for the kernel to start init (default: as --limit)
	  --hugepages N      2M huge pages reserved before COMMAND
	  --thp MODE         transparent huge pages: always, madvise or never
	  --append ARGS      more kernel command line, e.g. "hugepagesz=1G hugepages=1"
	  --add FILE:PATH    put a host file into the guest (repeatable)
	  --libs DIR         look for libraries in DIR/usr/lib before the sysroot
	  --out DIR          where /out comes back to, with console.log (default \$O/vm/last)
	  --console          COMMAND writes to the console instead of /out/stdout and /out/stderr
	  --strict           a WARNING, BUG or Oops in the guest's log is a failure (status 3)
	  --cpu MODEL        QEMU's name for the CPU (default rv64)
	  --qemu BIN         default qemu-system-riscv64
	  --oracle FILE      count fences and calls in kvm.ko from outside, into FILE (docs/oracle.md)
	  --dry-run          print the QEMU command, start nothing
	  -v                 say what is done; the console is shown as it comes

	COMMAND's stdout and stderr are printed when it has ended. Exit status: that of
	COMMAND; 2 usage; 3 the guest died or lost its results; 4 something is missing
	here; 124 time limit; 125 the guest could not start COMMAND.
	TEXT
}

bad() { die "$EX_USAGE" "$* (see --help)"; }

number() { # OPTION VALUE MIN MAX
	if ! [[ $2 =~ ^[0-9]{1,9}$ ]] || [ "$((10#$2))" -lt "$3" ] || [ "$((10#$2))" -gt "$4" ]; then
		bad "$1 wants a number from $3 to $4, not '$2'"
	fi
}

base=${BASE:-7.3} image='' kvm='' kvm_args='' mode=icount smp='' cpu=rv64 mem=512 seed=1 limit=120 boot_limit=''
hugepages=0 thp='' append='' out='' oracle='' console=0 strict=0 qemu=qemu-system-riscv64 dry_run=0
verbose=0 adds=() libs=''
while [ $# -gt 0 ]; do
	case $1 in
	--base | --image | --kvm | --kvm-args | --mode | --smp | --cpu | --mem | --seed | --limit | --boot-limit | \
		--hugepages | --thp | --append | --add | --libs | --out | --qemu | --oracle)
		[ $# -ge 2 ] || bad "$1 needs a value"
		;;
	esac
	case $1 in
	--base) base=$2; shift 2 ;;
	--image) image=$2; shift 2 ;;
	--kvm) kvm=$2; shift 2 ;;
	--kvm-args) kvm_args=$2; shift 2 ;;
	--mode) mode=$2; shift 2 ;;
	--smp) smp=$2; number "$1" "$2" 1 8; shift 2 ;;
	--mem) mem=$2; number "$1" "$2" 64 65536; shift 2 ;;
	--seed) seed=$2; number "$1" "$2" 0 999999999; shift 2 ;;
	--limit) limit=$2; number "$1" "$2" 1 86400; shift 2 ;;
	--boot-limit) boot_limit=$2; number "$1" "$2" 1 86400; shift 2 ;;
	--hugepages) hugepages=$2; number "$1" "$2" 0 32768; shift 2 ;;
	--thp) thp=$2; shift 2 ;;
	--append) append="$append $2"; shift 2 ;;
	--add) adds+=("$2"); shift 2 ;;
	--libs) libs=$2; shift 2 ;;
	--out) out=$2; shift 2 ;;
	--cpu) cpu=$2; shift 2 ;;
	--qemu) qemu=$2; shift 2 ;;
	--oracle) oracle=$2; shift 2 ;;
	--console) console=1; shift ;;
	--strict) strict=1; shift ;;
	--dry-run) dry_run=1; shift ;;
	-v) verbose=1; shift ;;
	-h | --help) usage; exit 0 ;;
	--) shift; break ;;
	-*) bad "unknown option $1" ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || bad "no command given"
case $mode in icount) clock=instructions; : "${smp:=1}" ;; smp) clock=host; : "${smp:=2}" ;; *) bad "--mode is icount or smp, not '$mode'" ;; esac
case $thp in '' | always | madvise | never) ;; *) bad "--thp is always, madvise or never, not '$thp'" ;; esac

kernel=$O/kernel/$base
how="build one with 'make kernel BASE=$base', or name yours with --image and --kvm"
kvm_version=tracepoints
case $base in
debian | debian-*)
	how="'make kernel BASE=$base' fetches one"
	kvm_version=stock
	;;
esac
: "${image:=$kernel/Image}" "${kvm:=$kernel/kvm-$kvm_version.ko}" "${out:=$O/vm/last}"
[ -r "$image" ] || die "$EX_IMPOSSIBLE" "no kernel image $image; $how"
[ "$kvm" = none ] || [ -r "$kvm" ] || die "$EX_IMPOSSIBLE" "no KVM module $kvm; $how"
case $kvm in
none) version=none ;;
*/kvm-*.ko | kvm-*.ko) version=${kvm##*/kvm-}; version=${version%.ko} ;;
*) version=custom ;;
esac
for add in ${adds[@]+"${adds[@]}"}; do
	[[ $add == ?*:/?* ]] || bad "--add wants FILE:/PATH, not '$add'"
	[ -r "${add%%:*}" ] || die "$EX_IMPOSSIBLE" "cannot read ${add%%:*}"
done
# The trees of --libs: that of the architecture, and that of the C library's loader.
lib_dirs=()
if [ -n "$libs" ]; then
	[ -d "$libs" ] || bad "--libs wants a directory, and '$libs' is none"
	for dir in "$libs/usr/lib/riscv64-linux-gnu" "$libs/usr/lib"; do
		[ ! -d "$dir" ] || lib_dirs+=("$dir")
	done
	[ ${#lib_dirs[@]} -gt 0 ] || bad "--libs wants a tree with usr/lib in it, and '$libs' has none"
fi
need "$qemu" "qemu-system-misc (Debian 13: qemu-system-riscv)"
need cpio
need setpriv util-linux
sysroot=$O/sysroot
[ -x "$sysroot/usr/bin/busybox" ] || die "$EX_IMPOSSIBLE" "no riscv64 sysroot in $sysroot; run bench/host/sysroot.sh"

qemu_version=$("$qemu" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
if [ "$mode" = icount ] && [ "$smp" -gt 1 ] && [ "${qemu_version%%.*}" -lt 9 ]; then
	die "$EX_IMPOSSIBLE" "QEMU $qemu_version hangs in icount mode with more than one hart; use --smp 1, --mode smp, or QEMU 9 or newer"
fi

# A plugin is built for one version of QEMU's plugin API. Which one this QEMU
# takes only it can tell, and whether it takes any.
oracle_plugin() {
	local built=$O/native/oracle plugin told='' word
	for plugin in "$built"/plugin-api{4,1}.so "$built/resolve"; do
		[ -e "$plugin" ] || die "$EX_IMPOSSIBLE" "the oracle is not built; run 'make oracle'"
	done
	for plugin in "$built"/plugin-api{4,1}.so; do
		told=$(timeout 20 "$qemu" -M none -nodefaults -display none -plugin "$plugin,probe=on" 2>&1 </dev/null) || :
		case $told in *'gstage-oracle: loaded'*)
			echo "$plugin"
			return
			;;
		esac
	done
	word=$(tail -n 1 <<<"$told")
	die "$EX_IMPOSSIBLE" "QEMU $qemu_version takes no plugin, which --oracle needs (${word:-it said nothing}); Debian's qemu-system-misc does, and so does what bench/host/qemu.sh fetches"
}
[ -z "$oracle" ] || plugin=$(oracle_plugin)

# --- the guest's file system -------------------------------------------------
umask 022 # modes are part of the initramfs
work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-vm.XXXXXX") ||
	die "$EX_IMPOSSIBLE" "no temporary directory can be made (set TMPDIR to a place with room)"
pid='' helper=''
# shellcheck disable=SC2317 # called by traps
cleanup() {
	# A second signal must not end this half way.
	trap '' INT TERM HUP
	trap - EXIT
	[ -z "$helper" ] || kill "$helper" 2>/dev/null || :
	[ -z "$pid" ] || { kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || :
	rm -rf "$work"
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT
trap 'cleanup; exit 143' TERM HUP

started=$EPOCHREALTIME
step() {
	[ "$verbose" = 0 ] || say "$(awk "BEGIN { printf \"%.2f\", $EPOCHREALTIME - $started }") s: $*"
}

# has_free KIB: is there as much room for the VM's files?
has_free() {
	local line

	line=$(df --output=avail -k "$work")
	[ "${line##*[!0-9]}" -gt "$1" ]
}
has_free 131072 ||
	die "$EX_IMPOSSIBLE" "less than 128 MiB free in ${work%/*} (set TMPDIR to a place with room)"

# A newc archive that depends on names and contents only.
pack() { # DIRECTORY ARCHIVE
	(cd "$1" && find . -mindepth 1 -exec touch -hd @0 {} + &&
		find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort -z |
		cpio --null --quiet -o -H newc -R +0:+0 --reproducible) >"$2"
}

readelf=$(command -v readelf || command -v llvm-readelf-19 || command -v riscv64-linux-gnu-readelf) ||
	die "$EX_IMPOSSIBLE" "readelf is missing; install the package binutils"
# A script or a data file needs none.
libs_of() { { "$readelf" -dW "$@" 2>/dev/null || :; } | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; }

# Copy what the given programs need, and what that needs, from the sysroot, or
# from --libs: all of one suite, since the C library is among it.
add_libs() {
	local lib from todo
	todo=$(libs_of "$@" | sort -u)
	while [ -n "$todo" ]; do
		for lib in $todo; do
			[ -e "$work/root/lib/$lib" ] && continue
			from=$(find -L ${lib_dirs[@]+"${lib_dirs[@]}"} \
				"$sysroot/usr/lib/riscv64-linux-gnu" "$sysroot/usr/lib" -maxdepth 1 -name "$lib" -print -quit)
			[ -n "$from" ] ||
				die "$EX_IMPOSSIBLE" "a guest program needs $lib, which is not in ${libs:+$libs or }$sysroot"
			cp -L "$from" "$work/root/lib/$lib"
		done
		todo=$(for lib in $(libs_of "$work"/root/lib/*.so* | sort -u); do
			[ -e "$work/root/lib/$lib" ] || echo "$lib"
		done)
	done
}

mkdir "$work/top"
programs=()
for program in gstage dirtyguest; do
	from=${GSTAGE_BIN:-$O/riscv64}/$program
	[ ! -f "$from" ] || programs+=("$from")
done
own=${#programs[@]}
for add in ${adds[@]+"${adds[@]}"}; do
	install -D -m "$([ -x "${add%%:*}" ] && echo 755 || echo 644)" "${add%%:*}" "$work/top/${add#*:}"
	# Only programs need libraries.
	IFS= read -r -d '' -n 4 magic <"${add%%:*}" 2>/dev/null || :
	[ "${magic:-}" != $'\x7fELF' ] || programs+=("${add%%:*}")
done

# What is the same in each boot with these programs, packed: a boot takes it as it is.
roots=$O/vm
root=$roots/root-$({
	sha256sum "$GSTAGE_TOP/bench/initramfs/init" "$sysroot/usr/bin/busybox" ${programs[@]+"${programs[@]}"}
	readlink -f "$sysroot"
	echo "$own $libs"
	[ -z "$libs" ] || find "$libs" -type f -printf '%P %s %T@\n' | LC_ALL=C sort
} | sha256sum | cut -c1-40).cpio

make_root() {
	mkdir -p "$work/root/bin" "$work/root/lib"
	install -m 755 "$GSTAGE_TOP/bench/initramfs/init" "$work/root/init"
	install -m 755 "$sysroot/usr/bin/busybox" "$work/root/bin/busybox"
	ln -s busybox "$work/root/bin/sh"
	[ "$own" -eq 0 ] || install -m 755 "${programs[@]:0:own}" "$work/root/bin/"
	if [ ${#programs[@]} -gt 0 ]; then
		loader=usr/lib/ld-linux-riscv64-lp64d.so.1
		from=$sysroot/$loader
		[ -z "$libs" ] || [ ! -e "$libs/$loader" ] || from=$libs/$loader
		cp -L "$from" "$work/root/lib/"
		add_libs "${programs[@]}"
	fi
	pack "$work/root" "$work/root.cpio"
	# Where it cannot be kept it is made for each boot.
	if mkdir -p "$roots" 2>/dev/null && cp "$work/root.cpio" "$root.$$" 2>/dev/null; then
		mv "$root.$$" "$root"
		find "$roots" -maxdepth 1 -name 'root-*' -mmin +1440 -delete
	else
		rm -f "$root.$$" 2>/dev/null || :
		root=$work/root.cpio
	fi
}
[ -s "$root" ] || make_root

# --- what to run ---------------------------------------------------------------
quote() { # words for sh
	local word
	for word; do printf "'%s' " "${word//\'/\'\\\'\'}"; done
}
# Which machine, for host time: that of two of them is not comparable. Always
# as long, so that the guest's environment does not depend on the host.
host_id() {
	local line models='' id

	while read -r line; do
		case $line in 'model name'*) models+=${line#*: }$'\n' ;; esac
	done </proc/cpuinfo
	read -r id 2>/dev/null </etc/machine-id || id=$(hostname)
	line=$(printf '%s\n' "$models$(nproc --all)" "$id" | sha256sum)
	echo "${line:0:12}"
}
hash_of() {
	local line

	[ ! -r "$1" ] || { line=$(sha256sum <"$1") && echo "${line%% *}"; }
}

if [ "$kvm" != none ]; then
	install -m 644 "$kvm" "$work/top/kvm.ko"
fi
# Drivers that the kernel has as modules; the numbers of their names are the order.
if [ -d "${image%/*}/modules" ]; then
	mkdir "$work/top/modules"
	install -m 644 "${image%/*}"/modules/*.ko "$work/top/modules/"
	# Such a kernel tries all of its ciphers at boot, in threads that take two
	# thirds of the hart from COMMAND for its first half second.
	append="$append cryptomgr.notests"
fi
# What the version is made of was written beside it when it was built.
need jq
kvm_hash='' meta=/dev/null
if [ "$kvm" != none ]; then
	kvm_hash=$(hash_of "$kvm")
	[ ! -r "${kvm%.ko}.json" ] || meta=${kvm%.ko}.json
fi
# shellcheck disable=SC2016 # the dollars are those of jq
if ! told=$(jq -cnr --slurpfile meta "$meta" --arg clock "$clock" --arg base "$base" --arg version "$version" \
	--arg cpu "$cpu" --argjson seed "$((10#$seed))" --arg mode "$mode" --arg kernel_config_sha256 "$(hash_of "${image%/*}/config")" \
	--arg kvm_sha256 "$kvm_hash" --arg kvm_args "$kvm_args" --arg qemu "$qemu_version" --arg host "$(host_id)" '
	($meta | map(if .version_args | type == "string" then . else error end) | .[0]) as $made_of |
	($made_of.version_args // ""), ({accel: "tcg", $clock, $base, $version, machine: "virt", $cpu, $seed, $mode,
	$kernel_config_sha256, $kvm_sha256, $kvm_args, $qemu, $host} +
	($made_of // {} | with_entries(select(.key | IN("source_sha256", "patch_ids", "version_args")))))' 2>/dev/null); then
	die "$EX_IMPOSSIBLE" "$meta is damaged; 'make kernel' or 'make version' writes it again"
fi
version_args=${told%%$'\n'*}
environment=${told#*$'\n'}
# As long for every version: what lies on the guest's stack moves with it, and
# the same code under two names would differ by some instructions.
environment=$(printf "%-$(((${#environment} / 2048 + 1) * 2048))s" "$environment")
printf '%s\n' "THP=$(quote "$thp")" "HUGEPAGES=$((10#$hugepages))" \
	"KVM_ARGS=$(quote "${version_args:+$version_args }$kvm_args")" "CONSOLE=$console" >"$work/top/run.conf"
printf '%s\n' "export GSTAGE_ENVIRONMENT=$(quote "$environment")" \
	"$(if [ $# -eq 1 ]; then printf '%s' "$1"; else quote "$@"; fi)" >"$work/top/run.cmd"

# --- QEMU ------------------------------------------------------------------------
# shellcheck disable=SC2054 # the commas are QEMU's
machine=(-machine virt -cpu "$cpu" -m "$mem" -smp "$smp" -seed "$((10#$seed))"
	-nodefaults -display none -no-reboot -nic none
	# Asynchronous completions would make boots differ.
	-global virtio-mmio.ioeventfd=off
	-chardev "file,id=console,path=$work/console.log" -serial chardev:console
	-device virtio-serial-device
	-chardev "file,id=out,path=$work/out.tar" -device virtserialport,chardev=out,name=out)
# shellcheck disable=SC2054
case $mode in
icount) machine+=(-accel tcg -icount shift=0,sleep=off -rtc base=2026-01-01T00:00:00,clock=vm) ;;
smp) machine+=(-accel tcg,thread=multi) ;;
esac
command_line="console=ttyS0 earlycon riscv_isa_fallback printk.time=1 panic=-1 oops=panic$append"
[ -z "$oracle" ] || machine+=(-plugin "$plugin,out=$work/oracle.log")
command=("$qemu" "${machine[@]}" -kernel "$image" -initrd "$work/initrd" -append "$command_line")
if [ "$dry_run" = 1 ]; then
	printf '%s\n' "$(quote "${command[@]}")"
	exit 0
fi

step "packing the initramfs"
pack "$work/top" "$work/top.cpio"
cat "$root" "$work/top.cpio" >"$work/initrd"

(mkdir -p "$out" && rm -f "$out"/{console.log,stdout,stderr,dmesg,failure} && : >"$out/console.log") 2>/dev/null ||
	die "$EX_IMPOSSIBLE" "cannot write to $out (--out)"
# Counts of an earlier run would be taken for those of this one.
[ -z "$oracle" ] || (: >"$oracle" && rm -f "$oracle") 2>/dev/null ||
	die "$EX_IMPOSSIBLE" "cannot write to $oracle (--oracle)"
: >"$work/console.log"

# Watch the machine from outside: the time limit, a panic that does not end, and a full
# disk, on which QEMU would wait for room for ever. Twice a second, so without programs.
watch() {
	local victim=$1 ends=$((SECONDS + limit)) boot_ends=${boot_limit:+$((SECONDS + boot_limit))} reason='' parent turn=0 text never

	exec {never}<> <(:)
	while [ -z "$reason" ]; do
		read -r -t 0.5 -u "$never" || :
		# The script itself was killed, so nobody else tidies up.
		read -r _ _ _ parent _ <"/proc/$BASHPID/stat"
		[ "$parent" = $$ ] || { rm -rf "$work"; return; }
		IFS= read -r -d '' text <"$work/console.log" || :
		turn=$((turn + 1))
		if [ "$SECONDS" -ge "$ends" ]; then
			reason=limit
		elif [ -n "$boot_ends" ] && [ "$SECONDS" -ge "$boot_ends" ]; then
			boot_ends=''
			[[ $text == *'Run /init as init'* ]] || reason=boot
		elif [[ $text == *'end Kernel panic'* ]]; then
			sleep 1
			reason=panic
		elif [ $((turn % 4)) -eq 0 ] && ! has_free 64; then
			reason=full
		fi
	done
	mkdir "$work/killed-$reason" || :
	kill -KILL "$victim" 2>/dev/null || :
}

step "starting QEMU $qemu_version: $mode, $smp hart(s), $mem MiB, seed $seed, limit $limit s"
# This script's death takes QEMU with it, however it comes.
setpriv --pdeathsig KILL -- "${command[@]}" >"$work/qemu.log" 2>&1 </dev/null &
pid=$!
watch "$pid" 2>/dev/null &
helper=$!
[ "$verbose" = 0 ] || tail --pid="$pid" -s 0.2 -n +1 -f "$work/console.log" >&2 &
qemu_status=0
wait "$pid" 2>/dev/null || qemu_status=$?
pid=''
kill "$helper" 2>/dev/null || :
wait "$helper" 2>/dev/null || :
helper=''
step "QEMU ended with status $qemu_status"

# fail REASON STATUS TEXT: also for programs, in $out/failure.
fail() {
	printf '%s: %s\n' "$1" "$3" >"$out/failure" 2>/dev/null || :
	die "$2" "$3"
}

# Where the kernel died: what it said first, and the function it was in.
panic_reason() {
	tr -d '\r' <"$work/console.log" | awk '
		{ sub(/^\[[^]]*\] */, "") }
		!what && /Unable to handle|kernel BUG at|Oops|Kernel panic/ { what = $0 }
		!where && /^epc : / { where = $3 }
		END { print what (where ? " in " where : "") }'
}

# --- results -----------------------------------------------------------------------
last_lines() {
	say "the last lines of the console:"
	tail -n 20 "$work/console.log" | tr -d '\r' >&2
}
cp "$work/console.log" "$out/console.log" 2>/dev/null ||
	die "$EX_IMPOSSIBLE" "cannot write to $out: is the disk full?"
if [ -d "$work/killed-full" ]; then
	die "$EX_IMPOSSIBLE" "the disk of $work is full (set TMPDIR to another)"
elif [ -d "$work/killed-limit" ]; then
	last_lines
	fail limit "$EX_TIMEOUT" "the guest did not finish within $limit s and was stopped (--limit); the console is in $out/console.log"
elif [ -d "$work/killed-boot" ]; then
	last_lines
	fail boot "$EX_TIMEOUT" "the kernel did not start init within $boot_limit s and was stopped (--boot-limit); the console is in $out/console.log"
elif grep -q -e 'Kernel panic' "$work/console.log"; then
	last_lines
	fail oops "$EX_INCOMPLETE" "the guest's kernel panicked: $(panic_reason); the whole console is in $out/console.log"
elif [ "$qemu_status" -ne 0 ]; then
	tail -n 5 "$work/qemu.log" >&2
	fail setup "$EX_IMPOSSIBLE" "QEMU failed with status $qemu_status"
elif ! grep -q 'gstage-vm: end' "$work/console.log" || ! tar -tf "$work/out.tar" >/dev/null 2>&1; then
	last_lines
	fail lost-results "$EX_INCOMPLETE" "the guest ended without handing out its results; the console is in $out/console.log"
fi
# A panicked guest has no results, and neither has the oracle then.
if [ -n "$oracle" ]; then
	known=()
	[ "$kvm" = none ] || known+=(--module "$kvm")
	[ ! -r "${image%/*}/vmlinux" ] || known+=(--kernel "${image%/*}/vmlinux")
	step "giving names to what the oracle counted"
	"$O/native/oracle/resolve" "${known[@]}" -o "$oracle" "$work/oracle.log" ||
		die "$EX_IMPOSSIBLE" "the oracle's counts are lost; what failed is said above"
fi
tar -C "$out" --no-same-owner --no-overwrite-dir -m -xf "$work/out.tar" ||
	die "$EX_IMPOSSIBLE" "cannot write the results to $out: is the disk full?"
status=$(cat "$out/.status")
reason=$(cat "$out/.reason" 2>/dev/null) || reason="command: the command ended with status $status"
rm -f "$out/.status" "$out/.reason"
[ "$status" -eq 0 ] || printf '%s\n' "$reason" >"$out/failure"
if [ "$console" = 0 ]; then
	[ ! -s "$out/stdout" ] || cat "$out/stdout"
	[ ! -s "$out/stderr" ] || cat "$out/stderr" >&2
fi
if grep -m1 -E 'WARNING:|BUG:|Oops' "$out/dmesg" >"$work/bad"; then
	say "the guest's kernel complained: $(cat "$work/bad") (see $out/dmesg)"
	if [ "$strict" = 1 ] && [ "$status" -eq 0 ]; then
		status=$EX_INCOMPLETE
		printf 'oops: %s\n' "$(cat "$work/bad")" >"$out/failure"
	fi
fi
step "status $status, results in $out"
exit "$status"
