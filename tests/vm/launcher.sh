#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench/vm.sh: the command's status, results, and every way a guest can go
# wrong ends within its limit, with the status of docs/vm.md, and leaves no
# QEMU behind.
. "$(dirname "$0")/../vmlib.sh"

run_in_vm -- 'echo to stdout; echo to stderr >&2; echo result >file; mkdir d; echo deep >d/f'
equal "$(cat "$WORK/out")" 'to stdout' stdout
equal "$(cat "$WORK/err")" 'to stderr' stderr
equal "$(cat "$DIR/file" "$DIR/d/f")" 'result
deep' "what came back"
[ ! -e "$DIR/.status" ] || fail "a file of the launcher's own is left in DIR"
WANT=7 run_in_vm -- exit 7

# Words are passed on as they are.
run_in_vm -- printf '[%s]' "a  b" "it's" "\$HOME" '"q"'
equal "$(cat "$WORK/out")" "[a  b][it's][\$HOME][\"q\"]" "quoted words"
# shellcheck disable=SC2016 # for the guest
run_in_vm --kvm-args eager_page_split=0 --seed 5 -- \
	'cat /sys/module/kvm/parameters/eager_page_split; echo "$GSTAGE_ENVIRONMENT"'
has_out N
equal "$(tail -n 1 "$WORK/out" | jq -c '[.seed, .kvm_args, .mode, .version]')" \
	'[5,"eager_page_split=0","icount","tracepoints"]' "the environment"

# Kernels and modules that go wrong.
WANT=3 run_in_vm --append mem=30M -- true
has_err 'Kernel panic'
has_err "the guest's kernel panicked"
WANT=3 run_in_vm --strict -- 'echo "WARNING: made up" >/dev/kmsg'
has_err 'WARNING: made up'
WANT=125 run_in_vm --kvm-args no_such=1 -- true
has_err "kvm.ko has no parameter 'no_such'"
if full; then
	WANT=125 run_in_vm --hugepages 9000 -- true
	has_err 'give the VM more memory'
fi

# A hang, also one that ignores everything.
VM_LIMIT=4 WANT=124 run_in_vm -- 'while :; do :; done'
has_err 'did not finish within 4 s'
has_err 'Run /init as init process'

# A kernel that stands still before it starts init: one instruction, to itself.
printf '\x6f\0\0\0' >"$WORK/hangs"
WANT=124 run_in_vm --image "$WORK/hangs" --kvm none --boot-limit 3 -- true
has_err 'did not start init within 3 s'
grep -q '^boot: ' "$DIR/failure" || fail "$(cat "$DIR/failure")"
! full || run_in_vm --boot-limit $((VM_LIMIT - 1)) -- true

# Killed in any way, it takes QEMU along.
signals=KILL
! full || signals='INT TERM KILL'
for signal in $signals; do
	setsid env O="$O" TMPDIR="$WORK" "$TOP/bench/vm.sh" --out "$DIR" -- \
		'while :; do :; done' >/dev/null 2>&1 &
	launcher=$!
	for _ in $(seq 100); do
		qemu=$(pgrep -f "file,id=out,path=$WORK/gstage-vm") && break
		sleep 0.1
	done
	[ -n "$qemu" ] || fail "QEMU was not started"
	# Ctrl-C goes to the whole group; the others to the launcher alone.
	if [ "$signal" = INT ]; then
		kill -INT "-$launcher"
	else
		kill "-$signal" "$launcher"
	fi
	wait "$launcher" 2>/dev/null
	for _ in $(seq 30); do
		state=$(ps -o stat= -p "$qemu") || break
		[[ $state != Z* ]] || break
		sleep 0.1
	done
	state=$(ps -o stat= -p "$qemu" || :)
	[[ -z $state || $state == Z* ]] || fail "QEMU outlived its launcher's SIG$signal"
done

# Disks without room.
if [ "$(id -u)" = 0 ] && mkdir "$WORK/small" && mount -t tmpfs -o size=64k tmpfs "$WORK/small" 2>/dev/null; then
	on_exit "umount $WORK/small"
	TMPDIR=$WORK/small WANT=4 run_in_vm -- true
	has_err 'less than 128 MiB free'
	DIR=$WORK/small/out WANT=4 run_in_vm -- 'dd if=/dev/zero of=big bs=64k count=4 2>/dev/null'
	has_err 'is the disk full?'
fi

full || exit 0

# Two boots with the same inputs are the same to the instruction.
run_in_vm --seed 3 -- cat /proc/uptime
mv "$DIR" "$WORK/first"
run_in_vm --seed 3 -- cat /proc/uptime
diff -r "$WORK/first" "$DIR" >"$WORK/diff" || fail "two equal boots differ: $(head -n 5 "$WORK/diff")"
