#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The distribution's own kernel, unmodified, with its own modules: boots alike each
# time in the deterministic mode, hosts a guest whose log is whole, and is traced
# with no patch and no network. What its administrator can switch off is named.
. "$(dirname "$0")/../vmlib.sh"
# shellcheck source=../doctorlib.sh
. "$TOP/tests/doctorlib.sh"

KERNEL=$O/kernel/debian
[ -e "$KERNEL/Image" ] || skip "no kernel of the distribution could be fetched (make kernel BASE=debian says why)"
TEST=$O/riscv64/dirty_log_perf_test-7.3
[ -x "$TEST" ] || fail "$TEST was not built"

cat "$WORK/try.sh" - >"$WORK/stock.sh" <<'GUEST'
uname -r
lsmod | sort | cut -d" " -f1
echo "$GSTAGE_ENVIRONMENT"
dirtyguest -q --backing hugetlb-2m -o guest.json
look plain
gstage trace -q -o run.json -- dirtyguest -q --backing hugetlb-2m
echo $? >traced.status
gstage trace -q -o perf_test.json -- /bin/dirty_log_perf_test -b 16M -v 1 -i 2 -s anonymous_hugetlb >perf_test.out
echo $? >>traced.status
echo 0 >/proc/sys/kernel/ftrace_enabled
look noftrace
echo 1 >/proc/sys/kernel/ftrace_enabled
echo 0 >/proc/sys/net/core/bpf_jit_enable
look nojit
GUEST
run_in_vm --base debian --hugepages 32 --mem 768 --strict --add "$WORK/stock.sh:/try.sh" \
	--add "$TEST:/bin/dirty_log_perf_test" -- sh /try.sh
equal "$(head -n 1 "$DIR/stdout")" "$(cat "$KERNEL/release")" "the running kernel"
[[ $(cat "$KERNEL/release") =~ ^([7-9]|[1-9][0-9])\.[0-9].*-riscv64$ ]] || fail "not the distribution's 7.x"
for module in "$KERNEL"/modules/*.ko; do
	module=${module##*/??-}
	grep -qxF "${module%.ko}" "$DIR/stdout" || fail "${module%.ko} is not loaded"
done
equal "$(tail -n 1 "$DIR/stdout" | jq -r '"\(.base) \(.version) \(.kvm_sha256)"')" \
	"debian stock $(sha256sum <"$KERNEL/kvm-stock.ko" | cut -d' ' -f1)" "what was booted"
# Every page is written in each of three rounds, and reported.
equal "$(jq -c '[.pages_written, .pages_reported, .pages_lost, .values_wrong]' "$DIR/guest.json")" \
	'[12288,12288,0,0]' "dirtyguest's pages"

# Traced: what is written to a logged page is one fault, and eight of them split.
equal "$(tr '\n' ' ' <"$DIR/traced.status")" '0 0 ' "the status of trace"
count .complete true
count '[.faults[] | select(.access == "write" and .path != "map") | .count] | add' 12288
count '[.splits[] | .count] | add' 8
count '.guest.pages_lost' 0
count '[.checks[] | select(.ok | not)] | length' 0
# The kernel's own test, of another kernel's sources: a VM for each guest mode, and
# in each the 4096 pages written once after the first CLEAR.
RUN=$DIR/perf_test.json
vms=$(grep -c '^Testing guest mode' "$DIR/perf_test.out")
[ "$vms" -ge 2 ] || fail "only $vms guest modes were tested"
count .complete true
count '[.faults[] | select(.access == "write" and .path != "map") | .count] | add' $((4096 * vms))
count '[.splits[] | .count] | add' $((8 * vms))
RUN=$DIR/run.json
works plain
equal "$(serves plain function)" \
	'latencies faults prot_updates flush_executed splits write_protects flush_requests phases vm_end locks stalls' 'facts by functions'
count '[.probes[] | select(.status != "served") | .fact] | unique | join(" ")' 'flush_executed flush_fallbacks lost_races'
# The example of docs/doctor.md, but for the version.
sed -n '/^    kernel: /,/^    This can be traced/s/^    //p' "$TOP/docs/doctor.md" | sed 1d >"$WORK/doc"
sed 1d "$DIR/plain.text" | diff -B - "$WORK/doc" >"$WORK/diff" || fail "docs/doctor.md shows something else: $(head -n 8 "$WORK/diff")"

# With ftrace off hooks attach and see nothing: not a run of zeros.
stops noftrace faults 'sysctl kernel.ftrace_enabled=1'
equal "$(doctor noftrace '[.obstacles[].id] | join(" ")')" 'ftrace faults' 'what is in the way without ftrace'
stops nojit jit 'sysctl net.core.bpf_jit_enable=1'

full || exit 0

# Two boots with the same inputs.
boot() {
	run_in_vm --base debian --seed 3 -- 'dirtyguest -q --backing thp -o guest.json; cat /proc/uptime'
}
boot
mv "$DIR" "$WORK/first"
boot
diff -r "$WORK/first" "$DIR" >"$WORK/diff" || fail "two equal boots differ: $(head -n 5 "$WORK/diff")"

cat "$WORK/try.sh" - >"$WORK/t.sh" <<<'look locked'
run_in_vm --base debian --append lockdown=confidentiality --add "$WORK/t.sh:/try.sh" -- sh /try.sh
stops locked lockdown 'boot with lockdown=integrity'
