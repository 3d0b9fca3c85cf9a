#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hosts with one thing in the way each: doctor names it, with what changes it,
# and status 4, and trace refuses with the same words, on one line. Nothing is
# simulated but what a host would take a rebuild for: type information is cut out
# of a kvm.ko, and a function of it gets another name.
. "$(dirname "$0")/../vmlib.sh"
# shellcheck source=../doctorlib.sh
. "$TOP/tests/doctorlib.sh"

need llvm-objcopy-19

# --- our own kernel: KVM by KVM -------------------------------------------
stock=$O/kernel/7.3/kvm-stock.ko
llvm-objcopy-19 --remove-section .BTF "$stock" "$WORK/nobtf.ko" || fail "cannot cut .BTF out of $stock"
# Names of the same length: in symbols and types alike.
sed 's/kvm_riscv_gstage_map_page/kvm_riscv_gstage_map_leaf/g' "$stock" >"$WORK/renamed.ko"
cmp -s "$stock" "$WORK/renamed.ko" && fail "nothing was renamed in $stock"

cat "$WORK/try.sh" - >"$WORK/ours.sh" <<'GUEST'
mkdir -p /etc
printf '%s\n' root::0:0::/:/bin/sh user::1000:1000::/:/bin/sh >/etc/passwd
look series
su user -c 'gstage doctor --json' >/out/noroot.json 2>/out/noroot.derr
echo $? >/out/noroot.status
su user -c 'gstage doctor' >/out/noroot.text
su user -c 'gstage trace -- true' >/out/noroot.out 2>/out/noroot.err
echo $? >>/out/noroot.status
mv /dev/kvm /dev/kvm.away
look nodev
mv /dev/kvm.away /dev/kvm
rmmod kvm
look nokvm
insmod /nobtf.ko && look nobtf
rmmod kvm
insmod /renamed.ko && look renamed
rmmod kvm
insmod /stock.ko && look stock
look forced --backend tracepoint
mount -t tmpfs none /sys/kernel/btf
look novmlinux
GUEST
run_in_vm --add "$WORK/ours.sh:/try.sh" --add "$WORK/nobtf.ko:/nobtf.ko" --add "$WORK/renamed.ko:/renamed.ko" \
	--add "$stock:/stock.ko" -- sh /try.sh

works series
equal "$(doctor series '"\(.schema) \(.subject.kernel) \(.subject.kvm) \(.subject.clock_resolution_ns) \(.subject.eager_page_split)"')" \
	"gstage-doctor/1 $(cat "$O/kernel/7.3/release") module 100 Y" 'the head of the JSON'
equal "$(doctor series '[.obstacles[]] | length')" 0 'obstacles of a good host'
equal "$(serves series tracepoint)" 'latencies faults prot_updates lost_races flush_executed splits write_protects flush_requests flush_fallbacks phases checks exits' \
	'facts by tracepoints'
equal "$(serves series function)" 'vm_end locks stalls' 'facts by functions'
equal "$(doctor series '[.facts[] | select(.option) | "\(.fact) \(.option)"] | join(" ")')" \
	'checks --checks locks --locks exits --exits stalls --stalls' 'facts on demand'
# The fast path is inlined in this build: the lock that the code takes tells.
equal "$(features series)" 'true true true true true true' 'what the series contains'

works stock
equal "$(serves stock tracepoint)" 'exits' 'facts by tracepoints without the series'
equal "$(doctor stock '[.facts[] | select(.served | not) | .fact] | join(" ")')" 'lost_races flush_fallbacks checks' 'facts that no function shows'
equal "$(doctor stock '[.facts[] | select(.option) | "\(.fact) \(.option)"] | join(" ")')" \
	'flush_executed --fences locks --locks exits --exits stalls --stalls' 'facts on demand without the series'
equal "$(doctor stock '[.facts[] | select(.served | not) | .remedy] | unique | length')" 1 'what changes it'
equal "$(features stock)" 'true true true true true false' 'what 7.3 contains'
# Forced to what is not there, trace refuses; doctor is not asked for that.
equal "$(tail -n 1 "$DIR/forced.status")" 4 "the status of --backend tracepoint"
grep -qF 'kernel-patches/<base>/tracepoints, or try --backend auto' "$DIR/forced.err" || fail "forced: $(cat "$DIR/forced.err")"

stops noroot privilege 'needs root'
stops nodev dev-kvm 'there is no /dev/kvm'
stops nokvm kvm 'modprobe kvm'
stops nobtf module-btf 'CONFIG_DEBUG_INFO_BTF_MODULES=y'
stops novmlinux vmlinux-btf 'CONFIG_DEBUG_INFO_BTF=y'
stops renamed faults 'no function kvm_riscv_gstage_map_page'

# --- a CPU without the hypervisor extension -------------------------------
cat "$WORK/try.sh" - >"$WORK/t.sh" <<<'look noh'
run_in_vm --kvm none --cpu rv64,h=false --add "$WORK/t.sh:/try.sh" -- sh /try.sh
stops noh h-extension 'no hypervisor extension'
