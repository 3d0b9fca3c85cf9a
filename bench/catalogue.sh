#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# catalogue.sh: does each version with a known defect break the check that its
# description names (shown-by), and do the healthy ones break none? Writes
# docs/catalogue.md. Status 1 where a defect is not found, or a healthy version
# breaks something.
set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "$0")/host/lib.sh"
# shellcheck source=../kernel-patches/series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=../kernel-patches/version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"

PROG=catalogue
need jq
base=7.3
# After logging, THP livelocks on the base: a defect of its own, shown above.
healthy=(v2 v4 fault-split eager wp-range fixed)
scenarios=(full-pass full-pass-thp initially-set clear-chunks after enable-128m partition-2 overlap-4)
output=${1:-$GSTAGE_TOP/docs/catalogue.md}
work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-catalogue.XXXXXX")
trap 'rm -rf "$work"' EXIT
gstage=$O/native/gstage

# run VERSION SCENARIO CHECK: leaves $work/runs/VERSION/SCENARIO/run.json
run() {
	local dir=$work/runs/$1/$2 options=--checks

	# It would not end by itself.
	[ "$3" != livelock ] || options+=' --stop-on-broken'

	[ ! -e "$dir" ] || return 0
	say "$1, $2 ..."
	mkdir -p "$dir"
	"$GSTAGE_TOP/bench/run.sh" "$2" --base "$base" --version "$1" --trace "$options" --out "$dir" >"$dir/log" 2>&1 || :
	[ -s "$dir/run.json" ] || {
		tail -n 20 "$dir/log" >&2
		die 1 "$1 leaves no run of $2"
	}
}

failed=0
# row VERSION SCENARIO CHECK
row() {
	local verdict after

	run "$1" "$2" "$3"
	verdict=$("$gstage" check --json --only "$3" "$work/runs/$1/$2/run.json" | jq -c '.checks[0]') || :
	if [ "$(jq -r .state <<<"$verdict")" != broken ]; then
		failed=1
		say "$1: $3 is not broken in $2: $(jq -r .detail <<<"$verdict")"
	fi
	after=$(jq -r '.first.after_faults // "at the end"' <<<"$verdict")
	# shellcheck disable=SC2016 # Markdown
	printf '| `%s` | %s | `%s` | %s | %s |\n' "$1" "$2" "$3" "$after" "$(jq -r '.detail' <<<"$verdict")"
}

defects() {
	local dir name scenario check

	for dir in "$GSTAGE_TOP/kernel-patches/$base/versions"/*/; do
		name=$(basename "$dir")
		while read -r scenario check; do
			row "$name" "$scenario" "$check"
		done < <(version_lines "${dir%/}" shown-by)
	done
}

silent() {
	local name scenario file states

	printf 'arms %s\nscenarios %s\nboots 1\ntrace --checks\n' "${healthy[*]}" "${scenarios[*]}" >"$work/plan"
	"$GSTAGE_TOP/bench/matrix.sh" "$work/plan" --out "$work/matrix" >/dev/null || :
	for name in "${healthy[@]}"; do
		# shellcheck disable=SC2016 # Markdown
		printf '| `%s` |' "$name"
		for scenario in "${scenarios[@]}"; do
			file=$work/matrix/$scenario/$name/01.json
			[ -s "$file" ] || die 1 "$name leaves no run of $scenario"
			states=$("$gstage" check --json "$file" | jq -r '[.checks[] | select(.state == "broken") | .name] | join(" ")') || :
			printf ' %s |' "${states:-none}"
			[ -z "$states" ] || { failed=1; say "$name breaks $states in $scenario"; }
		done
		echo
	done
}

defects >"$work/defects"
silent >"$work/silent"
{
	cat <<-TEXT
	<!-- SPDX-License-Identifier: GPL-2.0-only -->
	# Known defects, and what finds them

	Made by \`make catalogue\`; do not edit. Linux $(cat "$O/kernel/$base/release"), deterministic mode, one boot
	each. The versions are described in [versions.md](versions.md), the checks in [check.md](check.md).

	| version | scenario | broken | after faults | first |
	|---|---|---|--:|---|
	$(cat "$work/defects")

	The livelock is of the base as released, \`fixed\` mends it. Versions without that defect, and
	what they break (\`after-thp\` apart):

	| version | ${scenarios[*]/%/ |}
	|---|$(printf -- '---|%.0s' "${scenarios[@]}")
	$(cat "$work/silent")
	TEXT
} >"$work/catalogue.md"
cat "$work/defects"
[ "$failed" = 0 ] || die 1 "not as the descriptions say; $output is as it was"
cp "$work/catalogue.md" "$output.new.$$" && mv "$output.new.$$" "$output"
say "written to $output"
