#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The matrix runner: killed at any moment it goes on where it stopped and
# repeats nothing; two of them share a folder; workers by ssh; what was made
# with other inputs is not mixed in.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need parallel python3
results=$WORK/results
state=$results/.matrix
export TMPDIR=$WORK/tmp # what is left there is ours
mkdir "$TMPDIR"
boots=2
! full || boots=3
cat >"$WORK/plan" <<-PLAN
	arms v4 eager
	scenarios stride2m
	boots $boots
	limit $VM_LIMIT
PLAN
matrix() { expect "$1" env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results" "${@:2}"; }
done_cells() { find "$results" -name '*.json' ! -path '*/.matrix/*' -printf '%P %i %T@ %s\n' | sort; }
mine() { pgrep -f -- "$WORK/results" || :; }

# What a killed runner leaves: boots that are whole, nobody running, and a
# folder to go on with. Python, as a shell starts children with SIGINT ignored.
killed() { # SIGNAL WHEN
	local waited

	env O="$O" python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.argv[1], sys.argv[1:])' "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results" >"$WORK/log" 2>&1 &
	pid=$!
	case $2 in
	started) until [ -n "$(find "$state/tmp" -mindepth 1 -name '*:01' 2>/dev/null)" ]; do sleep 0.1; done; sleep 1 ;;
	*) until [ "$(done_cells | wc -l)" -ge "$2" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done ;;
	esac
	kill -"$1" $pid
	wait $pid 2>/dev/null
	for ((waited = 0; waited < 100; waited++)); do
		[ -n "$(mine)" ] || break
		sleep 0.1
	done
	[ -z "$(mine)" ] || fail "10 s after SIG$1 there still run: $(pgrep -fa -- "$results")"
	equal "$(find "$TMPDIR" -maxdepth 1 -name 'gstage-vm.*')" "" "VMs' folders left by SIG$1"
	while read -r file _; do
		[ "$(jq -r .complete "$results/$file")" = true ] || fail "$file is not whole after SIG$1"
	done < <(done_cells)
}
killed KILL started
equal "$(done_cells)" "" "nothing can be done yet"
killed INT $((boots - 1))
first=$(done_cells)
[ "$(wc -l <<<"$first")" -ge $((boots - 1)) ] || fail "what was done is not there: $first"
! full || killed TERM $(($(wc -l <<<"$first") + 1))
[ -z "$(comm -23 <(echo "$first") <(done_cells))" ] || fail "a run file was written again"
second=$(done_cells)

# Two runners finish it together, and nothing is run twice.
env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan" --out "$results" --jobs 1 >"$WORK/log" 2>&1 &
other=$!
matrix 0 --jobs 1
wait $other || fail "the other runner: $(cat "$WORK/log")"
has_err "$((2 * boots)) of $((2 * boots)) done"
equal "$(done_cells | wc -l)" $((2 * boots)) "run files"
[ -z "$(comm -23 <(echo "$second") <(done_cells))" ] || fail "a run file was written again"
has_out "gstage compare v4=$results/stride2m/v4 eager=$results/stride2m/eager"
all=$(done_cells)
SECONDS=0
matrix 0
has_err "$((2 * boots)) cells, $((2 * boots)) there, 0 to run"
equal "$(done_cells)" "$all" "run files after a run with nothing to do"
equal "$(jq -r '.environment.seed' "$results"/stride2m/v4/0?.json | paste -sd' ')" "$(seq -s' ' $boots)" "seeds"
expect 0 "$GSTAGE" compare "v4=$results/stride2m/v4" "eager=$results/stride2m/eager"
has_out "Exact counts"

# Another plan for the same folder, which tells of its own cells only, and whose
# label is no pattern; a longer limit is no other condition.
printf '%s\n' "arms v.:v4" "scenarios full-pass" "boots 1" "limit $((VM_LIMIT + 1))" >"$WORK/plan2"
expect 0 env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan2" --out "$results"
has_err "s (1 of 1)"
equal "$(done_cells | wc -l)" $((2 * boots + 1)) "run files of both plans"
rm -r "${results:?}/full-pass"

# More boots extend it; another condition does not.
sed -i "s/^boots .*/boots $((boots + 1))/" "$WORK/plan"
# Workers as on other machines: what GNU parallel calls instead of ssh.
cat >"$WORK/ssh" <<-'SSH'
	#!/bin/bash
	# ssh HOST [--] COMMAND: here, under another name
	while [[ $1 == -* ]]; do shift; done
	host=$1
	shift
	[ "$1" != -- ] || shift
	echo "$host" >>"${0%/*}/hosts"
	# sshd names the user's shell, and GNU parallel starts nothing without.
	exec env SHELL=/bin/bash bash -c "$*"
SSH
chmod +x "$WORK/ssh"
matrix 0 --jobs 1 --sshlogin "$WORK/ssh one" --sshlogin "$WORK/ssh two"
has_err "$((2 * boots + 2)) of $((2 * boots + 2)) done"
equal "$(sort -u "$WORK/hosts" | paste -sd' ')" "one two" "workers"
[ -z "$(comm -23 <(echo "$all") <(done_cells))" ] || fail "a run file was written again"
sed -i '$a args --rounds 2' "$WORK/plan"
matrix 2
has_err "another 'args'"
sed -i '$d' "$WORK/plan"

# Another QEMU, as after an upgrade.
sed -i 's/^qemu .*/qemu another one/' "$state/inputs"
matrix 2
has_err "made with another 'qemu' (then: another one"

# Nowhere to write.
expect 4 env O="$O" "$TOP/bench/matrix.sh" "$WORK/plan" --out /proc/nowhere
one_line_err
equal "$(find "$TMPDIR" -maxdepth 1 -name 'gstage-vm.*')" "" "VMs' folders left"

full || exit 0

# No room: nothing that is half written counts, and with room it goes on.
small=$WORK/small
mkdir "$small"
mount -t tmpfs -o size=48k none "$small" || fail "cannot mount a small tmpfs"
on_exit "umount -l '$small'"
expect 1 env O="$O" "$TOP/bench/matrix.sh" quick --out "$small/r"
equal "$(find "$small/r" -name '0?.json' ! -path '*/.matrix/*' -exec jq -r .complete {} + | sort -u | grep -v true)" "" "half a run file"
has_err "disk full"
mount -o remount,size=8m "$small"
expect 0 env O="$O" "$TOP/bench/matrix.sh" quick --out "$small/r" --retry
has_err "4 of 4 done"

# A tool that is built anew while a matrix runs: nothing of it is kept.
mkdir "$WORK/o" "$WORK/o/riscv64"
ln -s "$O/kernel" "$O/sysroot" "$WORK/o/"
cp "$O/riscv64/"{gstage,dirtyguest} "$WORK/o/riscv64/"
printf '%s\n' "arms v4" "scenarios stride2m" "boots 2" "limit $VM_LIMIT" >"$WORK/plan3"
env O="$WORK/o" "$TOP/bench/matrix.sh" "$WORK/plan3" --out "$WORK/anew" --jobs 1 >"$WORK/log" 2>&1 &
pid=$!
until [ -e "$WORK/anew/.matrix/tmp/stride2m:v4:01/log" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
echo >>"$WORK/o/riscv64/gstage"
wait $pid && fail "another gstage is no trouble: $(cat "$WORK/log")"
grep -q "stride2m/v4/01: not kept, 'gstage' became another" "$WORK/log" || fail "not said: $(cat "$WORK/log")"
grep -q "stride2m/v4/02: not run, 'gstage' is another" "$WORK/log" || fail "not said: $(cat "$WORK/log")"
equal "$(find "$WORK/anew" -name '0?.json')" "" "run files of two tools"
