#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The soak runner, a slice of it: silent on a healthy version, not so on one that
# is broken; what is there is not run again, unless it was made with something
# else; what is rare is not written over; part of it is no docs/soak.md.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

need parallel
results=$WORK/results
soak() { # STATUS OPTIONS...
	expect "$1" env O="$O" "$TOP/bench/soak.sh" --out "$results" --limit "$VM_LIMIT" "${@:2}"
}
page=$(cat "$TOP/docs/soak.md" 2>/dev/null)

soak 2 --vcpus 9
soak 2 --scenarios absent
soak 4 --versions absent

healthy=(--versions fixed --scenarios overlap-2 --seeds "1 2")
soak 0 "${healthy[@]}"
has_err "1 boots of 2 runs, 0 there, 1 to run"
# shellcheck disable=SC2016 # Markdown
has_out '| `fixed` | 2 | 1 | 2 |'
# shellcheck disable=SC2016 # Markdown
for name in lost-dirty logged-leaf flush-protocol livelock spurious; do has_out '| `'$name'` | 2 | 0 | 0 |'; done
# Both in one trace; dirtyguest's result is that of the last one.
RUN=$results/fixed/overlap-2/2/1.json
count .complete true
count '[.phases[].vm] | max' 2
count .guest.options.vcpus 2
count .guest.options.seed 2
count '.environment | "\(.clock) \(.version)"' "host fixed"
soak 0 "${healthy[@]}"
has_err "1 there, 0 to run"

# Other seeds are another soak.
soak 1 --versions thp-promote --scenarios full-pass-thp --vcpus 1 --seeds 1
has_err "thp-promote/full-pass-thp/1: seed 1: logged-leaf: a write of vCPU 0"
has_err "(--retry runs those boots again)"
soak 1 --versions thp-promote --scenarios full-pass-thp --vcpus 1 --seeds 1 --report
has_err "thp-promote/full-pass-thp/1: seed 1: logged-leaf: a write of vCPU 0"
soak 1 --versions thp-promote --scenarios full-pass-thp --vcpus 1 --seeds 2 --report
has_err "1 of 1 boots are missing"
mkdir "$WORK/bin"
# shellcheck disable=SC2016 # for that script
printf '#!/bin/sh\n[ "$1" != --version ] || exec %s --version\nexit 1\n' "$(command -v qemu-system-riscv64)" >"$WORK/bin/qemu-system-riscv64"
chmod +x "$WORK/bin/qemu-system-riscv64"
# A boot that fails has no runs.
expect 1 env PATH="$WORK/bin:$PATH" O="$O" "$TOP/bench/soak.sh" --out "$results" --versions thp-promote \
	--scenarios full-pass-thp --vcpus 1 --seeds 1 --retry
has_err "QEMU failed with status 1"
has_err "seed 1: no run (status not reached)"
[ -s "$results/thp-promote/full-pass-thp/1.trouble-1/1.json" ] || fail "the evidence is gone"

equal "$(cat "$TOP/docs/soak.md" 2>/dev/null)" "$page" "docs/soak.md before and after a part"
