#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Allocations of page tables fail, by the kernel's own fault injection, on the
# debug kernel: in ENABLE at once and half way, in CLEAR, in faults, and anywhere.
# No page is lost, no kernel complains, and what was not split is told; without
# injection nothing is.
# shellcheck source=../vmlib.sh
. "$(dirname "$0")/../vmlib.sh"

cat >"$WORK/inject.sh" <<'GUEST'
# check NAME WHERE ARGS...: dirtyguest under gstage check
check() {
	name=$1 where=$2
	shift 2
	gstage check -o "$name.json" -- sh /fail.sh "$where" dirtyguest -q --backing hugetlb-2m "$@" >"$name.told" 2>"$name.err"
	echo $? >"$name.status"
}

check none none
check enable enable
# The first lot of pages is good for 28 leaves.
PAGES=32 check half enable --size 128M --rounds 1 --order stride2m
check clear clear --log initially-set --rounds 2
echo N >/sys/module/kvm/parameters/eager_page_split
PROBABILITY=80 check fault fault --rounds 2
echo Y >/sys/module/kvm/parameters/eager_page_split
# The VMM may fail to start, or be refused something later.
for seed in 1 2 3 4 5 6 7 8; do
	PROBABILITY=3 sh /fail.sh kvm dirtyguest -q --backing hugetlb-2m --size 8M --rounds 2 --seed $seed \
		--result any-$seed.json >any-$seed.err 2>&1
	echo $? >any-$seed.status
done
check again none
umount /sys/kernel/debug
sh /fail.sh none true 2>unmounted.err
echo $? >unmounted.status
GUEST
run_in_vm --base 7.3-debug --limit $((VM_LIMIT * 4)) --hugepages 64 --mem 768 --strict \
	--add "$WORK/inject.sh:/inject.sh" --add "$TOP/bench/fail.sh:/fail.sh" -- sh /inject.sh

told() { # NAME STATUS TEXT...
	local name=$1 text

	equal "$(cat "$DIR/$name.status")" "$2" "status of $name
$(cat "$DIR/$name.told" "$DIR/$name.err")"
	for text in "${@:3}"; do
		grep -q -e "$text" "$DIR/$name.told" || fail "$name: no '$text' in: $(cat "$DIR/$name.told")"
	done
	RUN=$DIR/$name.json
	count .complete true
	count .guest.pages_lost 0
	count .guest.values_wrong 0
	count .environment.base 7.3-debug
}
failed() { query '[.splits[] | select(.failed) | "\(.cause) \(.count)"] | join(", ")'; }
split() { query "[.splits[] | select(.failed | not) | select(.cause == \"$1\") | .count] | add // 0"; }

for name in none again; do
	told $name 0 "lost-dirty      held" "split-complete  held     8 leaves"
	equal "$(failed)" "" "failed splits of $name"
done
told enable 1 "lost-dirty      held" "split-complete  BROKEN.*; 1 splits failed, the first in enable at GPA 0x100000000: Cannot allocate memory; log operations left 8 huge leaves"
equal "$(failed)" "enable 1" "failed splits: ENABLE gives up at the first"
equal "$(split enable) $(split fault)" "0 8" "splits of ENABLE, of faults"
told half 1 "lost-dirty      held" "split-complete  BROKEN.* at GPA 0x103800000: Cannot allocate memory; log operations left 36 huge leaves"
equal "$(failed)" "enable 1" "failed splits: ENABLE gives up half way"
equal "$(split enable) $(split fault)" "28 36" "splits of ENABLE half way, of faults"
told clear 1 "lost-dirty      held" "split-complete  BROKEN.*; 192 splits failed, the first in clear .*; log operations left 8 huge leaves"
# CLEAR asks for each 64 pages of the first harvest and of two rounds, also where
# all is split: without memory it does not come to look.
equal "$(failed)" "clear 192" "failed splits of CLEAR"
equal "$(split clear) $(split fault)" "0 8" "splits of CLEAR, of faults"
told fault 0 "lost-dirty      held" "livelock        held"
count '.guest.runs_refused > 0' true
count '.guest.runs_refused == ([.faults[] | select(.path == "error") | .count] | add)' true
equal "$(split fault)" 8 "splits of faults"
equal "$(failed)" "" "failed splits of faults: KVM has the page before it splits"

ends=''
for seed in 1 2 3 4 5 6 7 8; do
	status=$(cat "$DIR/any-$seed.status")
	ends+=" $status"
	RUN=$DIR/any-$seed.json
	[ ! -s "$RUN" ] || count '.pages_lost + .values_wrong' 0
	case $status in
	0) ;;
	1 | 4) grep -q '^dirtyguest: ' "$DIR/any-$seed.err" || fail "seed $seed ended with status $status and said nothing" ;;
	*) fail "seed $seed ended with status $status: $(cat "$DIR/any-$seed.err")" ;;
	esac
done
# Else nothing was tried.
case $ends in *0*) ;; *) fail "no run came through:$ends" ;; esac
case $ends in *[14]*) ;; *) fail "no allocation failed:$ends" ;; esac
grep -q "Failed to toup split page cache" "$DIR/dmesg" || fail "KVM's own words are not in the log"
! grep -m1 -E 'INFO: (task|possible|rcu)|possible recursive|inconsistent lock' "$DIR/dmesg" || fail "the kernel complains"
equal "$(cat "$DIR/unmounted.status")" 4 "status of fail.sh without debugfs"
grep -q "debugfs is not mounted" "$DIR/unmounted.err" || fail "fail.sh without debugfs: $(cat "$DIR/unmounted.err")"

# The same by the runner, from a checkout with a space in its path.
ln -s "$TOP" "$WORK/a checkout"
run_expecting env O="$O" "$WORK/a checkout/bench/run.sh" full-pass --fail fault:80 --args "--rounds 1" \
	--limit "$VM_LIMIT" --out "$DIR"
RUN=$DIR/run.json
count '.guest.runs_refused > 0' true
count '.guest.pages_lost' 0
count .environment.base 7.3-debug

# A kernel without fault injection.
WANT=4 run_in_vm --add "$TOP/bench/fail.sh:/fail.sh" -- sh /fail.sh none true
has_err "this kernel cannot fail allocations"
