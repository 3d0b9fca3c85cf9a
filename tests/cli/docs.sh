#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The examples in docs/ are what gstage prints. In a ```console block, a line
# "$ gstage ..." is run from the top of the repository; the lines after it must
# be its output. A line "..." stands for any lines.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# Runs $1 and compares with the file $2.
check_example() {
	local command=$1 expected=$2
	(cd "$TOP" && PATH="$(dirname "$GSTAGE"):$PATH" bash -c "$command") >"$WORK/actual" 2>&1
	awk '
		NR == FNR { want[++nr_want] = $0; next }
		{ got[++nr_got] = $0 }
		END {
			g = 1
			for (w = 1; w <= nr_want; w++) {
				if (want[w] == "...") { gap = 1; continue }
				while (gap && g <= nr_got && got[g] != want[w]) g++
				if (g > nr_got || got[g] != want[w]) {
					print "not printed: " want[w]
					exit 1
				}
				gap = 0
				g++
			}
			if (!gap && g <= nr_got) {
				print "printed, but not in the document: " got[g]
				exit 1
			}
		}' "$expected" "$WORK/actual" ||
		fail "$page: $command"
}

nr=0
for page in "$TOP"/docs/report.md "$TOP"/docs/compare.md; do
	rm -f "$WORK"/example.*
	awk -v dir="$WORK" '
		/^```console/ { inside = 1; next }
		/^```/ { inside = 0; next }
		inside && /^\$ / { n++; print substr($0, 3) >(dir "/example." n ".command"); next }
		inside { print >(dir "/example." n ".output") }' "$page"
	for command in "$WORK"/example.*.command; do
		check_example "$(cat "$command")" "${command%.command}.output"
		nr=$((nr + 1))
	done
done
[ "$nr" -ge 8 ] || fail "only $nr examples were found"

# Lists that are kept by hand: each scenario with its claim, each version.
for file in "$TOP"/bench/scenarios/*.scn; do
	claim=$(sed -n 's/^claim="\(.*\)"$/\1/p' "$file")
	name=$(basename "$file" .scn)
	grep -qF "| \`$name\` | $claim |" "$TOP/bench/scenarios/README.md" || fail "bench/scenarios/README.md does not list $name: $claim"
	# after-thp does not end on the bases.
	[ "$name" = after-thp ] || grep -q "^scenarios.* $name\( \|\$\)" "$TOP/bench/plans/scenarios.plan" || fail "bench/plans/scenarios.plan lacks $name"
done
for dir in "$TOP"/kernel-patches/*/versions/*/; do
	grep -q "\`$(basename "$dir")\`" "$TOP/docs/versions.md" || fail "docs/versions.md does not list $dir"
	# One with patches is no kernel that was posted, and says in what. Fixes are ours.
	[ ! -e "$dir/series" ] || grep -q '^\.\./\.\./fixes/' "$dir/series" || grep -q '^differs: ' "$dir/description" ||
		fail "$dir/description does not say what of the posted kernel it is not (differs:)"
done
