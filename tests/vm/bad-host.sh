#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls that cannot be traced: one line that says why and what to do, and the
# status that docs/trace.md promises. Hosts that cannot are in doctor.sh.
. "$(dirname "$0")/../vmlib.sh"

# one_line NAME TEXT: what the VM left for NAME is one line with TEXT.
one_line() {
	[ "$(wc -l <"$DIR/$1.err")" -eq 1 ] || fail "$1: not one line on stderr: $(cat "$DIR/$1.err")"
	grep -qF -e "$2" "$DIR/$1.err" || fail "$1: no '$2' in: $(cat "$DIR/$1.err")"
	[ ! -s "$DIR/$1.out" ] || fail "$1: unexpected stdout: $(cat "$DIR/$1.out")"
}

cat >"$WORK/try.sh" <<'GUEST'
# try NAME STATUS COMMAND: keep what it says, note a wrong status
try() {
	name=$1 want=$2
	shift 2
	"$@" >"/out/$name.out" 2>"/out/$name.err"
	status=$?
	[ $status -eq "$want" ] || echo "$name: status $status, not $want" >>/out/wrong
}
GUEST

# With everything in place but one thing.
cat "$WORK/try.sh" - >"$WORK/good-host.sh" <<'GUEST'
try nopid 4 gstage trace -p 99999
sleep 1000 &
try novm 4 gstage trace -p $!
kill $!
try noexec 4 gstage trace -- /no/such/program
try badoption 2 gstage trace --no-such-option
try badduration 2 gstage trace -d 5parsecs
try badpid 2 gstage trace -p 0
try badring 2 gstage trace --ring-size 5000 --events -- true
try badphases 2 gstage trace --max-phases 65 -- true
try both 2 gstage trace -p 1 -- true
echo precious >/out/precious.json
try exists 2 gstage trace -o /out/precious.json -- true
try nodir 2 gstage trace -o /no/such/dir/run.json -- true
GSTAGE_ENVIRONMENT=nonsense try badenv 4 gstage trace -- true
mkdir /small && mount -t tmpfs -o size=4k none /small
echo precious >/small/old.json
try full 2 gstage trace -q --force -o /small/old.json -- true
cat /small/old.json >/out/full.kept
ls /small >/out/full.ls
GUEST
run_in_vm --add "$WORK/good-host.sh:/try.sh" -- sh /try.sh
[ ! -f "$DIR/wrong" ] || fail "$(cat "$DIR/wrong")"
one_line nopid 'there is no process 99999'
one_line novm 'has no KVM VM'
one_line noexec "cannot run '/no/such/program'"
one_line exists 'precious.json'
one_line nodir '/no/such/dir'
equal "$(cat "$DIR/precious.json")" precious "an existing file"
grep -qF 'GSTAGE_ENVIRONMENT is no JSON object' "$DIR/badenv.err" || fail "badenv: $(cat "$DIR/badenv.err")"
for name in badoption badduration badpid badring badphases both; do
	[ -s "$DIR/$name.err" ] || fail "$name says nothing"
	[ ! -s "$DIR/$name.out" ] || fail "$name prints on stdout"
done
grep -qF 'No space left' "$DIR/full.err" || fail "full disk: $(cat "$DIR/full.err")"
equal "$(cat "$DIR/full.kept")" precious "the file on the full disk"
equal "$(cat "$DIR/full.ls")" old.json "what is left on the full disk"

# KVM without our tracepoints, and what only they can do.
cat "$WORK/try.sh" - >"$WORK/t.sh" <<'GUEST'
try tracepoints 4 gstage trace --backend tracepoint -- true
try checks 4 gstage trace --checks -- true
try backend 2 gstage trace --backend uprobe -- true
try x 0 gstage trace -q -o /out/x.json -- true
GUEST
run_in_vm --kvm "$O/kernel/7.3/kvm-stock.ko" --add "$WORK/t.sh:/try.sh" -- sh /try.sh
[ ! -f "$DIR/wrong" ] || fail "$(cat "$DIR/wrong")"
one_line tracepoints 'no tracepoint kvm_dirty_log'
one_line checks 'no tracepoint kvm_dirty_log; the checks look at what only tracepoints tell'
grep -qF 'none of auto, tracepoint, function, kprobe' "$DIR/backend.err" || fail "backend: $(cat "$DIR/backend.err")"
equal "$(jq -r '[.probes[] | select(.fact == "faults") | .backend] | unique | join(" ")' "$DIR/x.json")" "fentry fexit" "what serves faults"
