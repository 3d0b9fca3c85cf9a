#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the catalogue is made of, without a VM: the words of the descriptions, and
# that docs/catalogue.md is about the versions, scenarios and checks that there are.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2016 # for the other shell
lib='. "$0/bench/host/lib.sh"; . "$0/kernel-patches/series.sh"; . "$0/kernel-patches/version-lib.sh"'
judge() { # STATUS LINE
	mkdir -p "$WORK/v"
	printf 'stands-for: a test\n%s\n\nprose\n' "$2" >"$WORK/v/description"
	# shellcheck disable=SC2016 # for the other shell
	expect "$1" bash -c "$lib"'; version_check "$1"' "$TOP" "$WORK/v"
}
judge 0 "shown-by: full-pass livelock"
judge 0 "shown-by: readers-2 holes mode=smp times=8 boots=20"
judge 0 "catalogue: 3 a name of several words"
for line in "shown-by: full-pass" "shown-by: full-pass livelock mode" "shown-by: full-pass livelock mode=a b"; do
	judge 2 "$line"
	has_err "'shown-by:' is a scenario, a check"
done
for line in "catalogue: three" "catalogue: 3" "catalogue: 3 a|b"; do
	judge 2 "$line"
	has_err "'catalogue:' is a number and a name"
done

# Each version that comes along and has a number is in the page, with all that shows it.
page=$TOP/docs/catalogue.md
checks=$("$GSTAGE" check --list)
for dir in "$TOP"/kernel-patches/7.3/versions/*/; do
	name=$(basename "$dir")
	number=$(sed -n 's/^catalogue: \([0-9]*\) .*/\1/p' "$dir/description")
	while read -r scenario check _; do
		[ -n "$number" ] || fail "$name is shown by $check, and has no number (catalogue:)"
		[ -f "$TOP/bench/scenarios/$scenario.scn" ] || fail "$name: no scenario $scenario"
		grep -qxF -e "$check" <<<"$checks" || fail "$name: no check $check"
		grep -q "^| $number | .* | \`$name\` | $scenario.*| \`$check\` | " "$page" || fail "docs/catalogue.md lacks $name, $scenario, $check: make catalogue"
	done < <(sed -n 's/^shown-by: //p' "$dir/description")
	[ -z "$number" ] || grep -q "\`$name\`" "$page" || fail "docs/catalogue.md lacks $name: make catalogue"
done
for file in "$TOP"/bench/scenarios/*.scn; do
	grep -q "^| $(basename "$file" .scn) | " "$page" || fail "docs/catalogue.md has no healthy run of $(basename "$file" .scn): make catalogue"
done

# One boot, several VMs.
expect 2 "$TOP/bench/run.sh" full-pass --times 0
has_err "--times wants a number from 1 to 99"
expect 2 "$TOP/bench/run.sh" full-pass --times 2 --untraced
has_err "no --times"

# Allocations that fail.
expect 2 "$TOP/bench/run.sh" full-pass --fail nowhere
has_err "--fail is enable, clear, fault or kvm, not 'nowhere'"
expect 2 "$TOP/bench/run.sh" full-pass --fail enable --times 2
has_err "no --times"
expect 2 "$TOP/bench/run.sh" full-pass --fail enable --untraced
has_err "no --untraced"
for percent in '' 0 101 50x; do
	expect 2 "$TOP/bench/run.sh" full-pass --fail "enable:$percent"
	has_err "--fail wants a percentage from 1 to 100 after the colon, not '$percent'"
done
expect 2 "$TOP/bench/run.sh" full-pass --fail :50
has_err "WHERE is missing"
# A guest that never gets a page.
for where in fault kvm fault:100; do
	expect 2 "$TOP/bench/run.sh" full-pass --fail "$where"
	has_err "or no guest comes to anything"
done
expect 4 env O="$WORK/o" "$TOP/bench/run.sh" full-pass --fail fault:99
has_err "is not built for the debug kernel"
as_nobody=()
[ "$(id -u)" != 0 ] || as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
expect 4 ${as_nobody[@]+"${as_nobody[@]}"} sh -c "$(cat "$TOP/bench/fail.sh")" fail.sh none true
has_err "only root can make allocations fail"
expect 4 env O="$WORK/o" "$TOP/bench/run.sh" full-pass --fail enable
has_err "is not built for the debug kernel"
