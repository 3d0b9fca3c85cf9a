#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# catalogue.sh [FILE]: does each version with a known defect break the check that
# its description names (shown-by), and do the healthy ones break none in any
# scenario? Writes docs/catalogue.md. Status 1 where a defect is not found, or a
# healthy version breaks something else than what is expected of it.
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
healthy=(eager fault-split v4 fixed)
# After logging THP livelocks on all but the last; that is defect 12.
endless='after-thp'
fixed=fixed
nr_kills=20
output=${1:-$GSTAGE_TOP/docs/catalogue.md}
limit=${VM_LIMIT:-120}
work=$(mktemp -d "${TMPDIR:-/tmp}/gstage-catalogue.XXXXXX")
trap 'rm -rf "$work"' EXIT
gstage=$O/native/gstage

# In a file: some of it is found out in subshells.
wrong() {
	say "$*"
	echo "$*" >>"$work/wrong"
}

# verdict FILE CHECK: what the run says of it, as JSON
verdict() {
	"$gstage" check --json --only "$2" "$1" | jq -c '.checks[0]' || :
}

# --- defects -----------------------------------------------------------------
# boot VERSION SCENARIO CHECK DIR OPTIONS...: leaves DIR/run.json
boot() {
	local version=$1 scenario=$2 dir=$4 trace=--checks

	# It would not end by itself.
	[ "$3" != livelock ] || trace+=' --stop-on-broken'
	shift 4
	mkdir -p "$dir"
	"$GSTAGE_TOP/bench/run.sh" "$scenario" --base "$base" --version "$version" --trace "$trace" --limit "$limit" \
		--out "$dir" "$@" >"$dir/log" 2>&1 || :
	[ -s "$dir/run.json" ] || {
		tail -n 20 "$dir/log" >&2
		die 1 "$version leaves no run of $scenario"
	}
}

# row NUMBER NAME VERSION SCENARIO CHECK [KEY=VALUE...]
row() {
	local number=$1 name=$2 version=$3 scenario=$4 check=$5 boots=1 word found='' n how='' after options=()

	shift 5
	for word; do
		case $word in
		boots=*) boots=${word#*=} ;;
		mode=* | smp=* | times=* | fail=*)
			options+=("--${word%%=*}" "${word#*=}")
			how+="${how:+, }${word/=/ }"
			;;
		log=*)
			options+=(--args "--log ${word#*=}")
			how+="${how:+, }${word/=/ }"
			;;
		*) die 2 "$version: shown-by: '$word' is not known" ;;
		esac
	done
	for ((n = 1; n <= boots; n++)); do
		local dir=$work/runs/$version/$scenario/$n${how:+-x}

		[ -e "$dir" ] || boot "$version" "$scenario" "$check" "$dir" --seed "$n" ${options[@]+"${options[@]}"}
		found=$(verdict "$dir/run.json" "$check")
		[ "$(jq -r .state <<<"$found")" != broken ] || break
	done
	say "$number, $version, $scenario: $check is $(jq -r .state <<<"$found")"
	if [ "$(jq -r .state <<<"$found")" != broken ]; then
		wrong "$version: $check is not broken in $scenario: $(jq -r .detail <<<"$found")"
		n=$boots
	fi
	after=$(jq -r '.first.after_faults // "at the end"' <<<"$found")
	[ "$boots" = 1 ] || how+="; boot $n of up to $boots"
	# shellcheck disable=SC2016 # Markdown
	printf '| %s | %s | `%s` | %s%s | `%s` | %s | %s |\n' "$number" "$name" "$version" "$scenario" "${how:+ ($how)}" \
		"$check" "$after" "$(jq -r '.detail' <<<"$found")"
}

# NUMBER<tab>VERSION<tab>NAME of all that are in the catalogue, in order
entries() {
	local dir line

	for dir in "$GSTAGE_TOP/kernel-patches/$base/versions"/*/; do
		line=$(version_lines "${dir%/}" catalogue)
		[ -z "$line" ] || printf '%s\t%s\t%s\n' "${line%% *}" "$(basename "$dir")" "${line#* }"
	done | sort -n
}

defects() {
	local number version name words

	while IFS=$'\t' read -r number version name; do
		while read -r words; do
			# shellcheck disable=SC2086 # words
			[ -z "$words" ] || row "$number" "$name" "$version" $words
		done < <(version_lines "$GSTAGE_TOP/kernel-patches/$base/versions/$version" shown-by)
	done < <(entries)
}

# --- what cannot be shown ----------------------------------------------------------
# A VMM is killed in the middle of enabling: as soon as the trace says that it
# has begun, while 512 leaves are split in some 18 batches. Nothing is started
# between the two, that would take too long.
# shellcheck disable=SC2016 # for the shell of the guest
kill_script='n=0; while [ $n -lt NR ]; do n=$((n + 1))
	gstage trace --events -o r$n.json -- dirtyguest -q --backing hugetlb-2m --size 1G --rounds 1 2>/dev/null | {
		until pid=$(pidof dirtyguest); do :; done
		while read -r line; do
			case $line in *"enable slot"*begin*) kill -9 $pid; break ;; esac
		done
		cat >/dev/null
	}
done; true'

kills() {
	local dir=$work/kills file nr_hit=0

	mkdir -p "$dir"
	"$GSTAGE_TOP/bench/vm.sh" --base "$base" --kvm "$O/kernel/$base/kvm-no-pgd-check.ko" --strict --mode smp \
		--hugepages 512 --mem 1536 --limit $((4 * limit)) --out "$dir" -- "${kill_script/NR/$nr_kills}" >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log" >&2
		wrong "no-pgd-check: the VM does not survive that its VMM is killed: defect 13 can be shown after all"
	}
	for file in "$dir"/r*.json; do
		# Enabled, and the guest did not come to write again.
		[ ! -s "$file" ] || ! jq -e '([.phases[] | select(.name == "enable")] | length > 0) and
			([.phases[] | select(.name == "dirty 1") | .faults[].count] | length == 0)' "$file" >/dev/null ||
			nr_hit=$((nr_hit + 1))
	done
	say "$nr_hit of $nr_kills VMMs died in enabling, no trouble in the log"
	[ "$nr_hit" -gt 0 ] || wrong "no-pgd-check: no kill hit the operation"
	# shellcheck disable=SC2016 # Markdown
	printf '| 13: %s (`no-pgd-check`) | %s |\n' "$(entries | awk -F'\t' '$1 == 13 { print $3 }')" \
		"not reachable: who is in the ioctl holds the mm whose end frees the tables, and KVM refuses any other mm. Tried: $nr_hit of $nr_kills VMMs killed between begin and end of enabling (1 GiB, two harts), which ended as if nothing had been, and no warning in the log"
}

# --- the healthy ---------------------------------------------------------------
# All scenarios of one version in one boot, each with a VM and a trace of its own.
all_scenarios() {
	local file

	for file in "$GSTAGE_TOP"/bench/scenarios/*.scn; do
		basename "$file" .scn
	done
}

silent_boot() { # VERSION
	local scenario script='' name claim vm args

	for scenario in $(all_scenarios); do
		# shellcheck disable=SC2034 # read here and used below, or not at all
		name='' claim='' vm='' args=''
		# shellcheck source=/dev/null
		. "$GSTAGE_TOP/bench/scenarios/$scenario.scn"
		script+="gstage trace -q --checks -o $scenario.json -- dirtyguest -q $args >/dev/null 2>$scenario.err
"
	done
	say "$1, all scenarios ..."
	mkdir -p "$work/silent/$1"
	"$GSTAGE_TOP/bench/vm.sh" --base "$base" --kvm "$O/kernel/$base/kvm-$1.ko" --hugepages 64 --thp madvise --mem 3072 \
		--append "hugepagesz=1G hugepages=1" --limit $((10 * limit)) --out "$work/silent/$1" -- "$script true" >"$work/silent/$1.log" 2>&1 || {
		tail -n 20 "$work/silent/$1.log" >&2
		die 1 "$1 does not get through all scenarios"
	}
}

silent_cell() { # VERSION SCENARIO
	local file=$work/silent/$1/$2.json told broken expected=

	[ -s "$file" ] || die 1 "$1 leaves no run of $2: $(tail -n 1 "$work/silent/$1/$2.err")"
	told=$("$gstage" check --json "$file") || :
	broken=$(jq -r '[.checks[] | select(.state == "broken") | .name] | join(", ")' <<<"$told")
	[ "$2" != "$endless" ] || [ "$1" = "$fixed" ] || expected='livelock, spurious'
	[ "$broken" = "$expected" ] || wrong "$1 breaks '$broken' in $2, and '$expected' is expected"
	if [ -z "$broken" ]; then
		jq -r '[.checks[] | select(.state == "held")] | "\(length) held"' <<<"$told"
	else
		echo "$broken"
	fi
}

silent() {
	local scenario version cell

	for version in "${healthy[@]}"; do
		silent_boot "$version"
	done
	for scenario in $(all_scenarios); do
		printf '| %s |' "$scenario"
		for version in "${healthy[@]}"; do
			cell=$(silent_cell "$version" "$scenario") || exit 1
			printf ' %s |' "$cell"
		done
		echo
	done
}

page() {
	# shellcheck disable=SC2016 # Markdown
	printf '%s\n' '<!-- SPDX-License-Identifier: GPL-2.0-only -->' '# Known defects, and what finds them' '' \
		'Made by `make catalogue`; do not edit.' ''
	cat <<-TEXT
	Linux $(cat "$O/kernel/$base/release"). Deterministic mode and one boot each, where nothing else is said. The
	versions are described in [versions.md](versions.md), the checks in [check.md](check.md); faults
	are those that all vCPUs had taken when it was found.

	| | defect | version | scenario | broken check | after faults | first offender |
	|--:|---|---|---|---|--:|---|
	$(cat "$work/defects")

	Defects that only cost something are 8 to 11: \`fence-queue\` finds what fills the queues of
	fences, which are reported for each vCPU (\`checks[].queues\` in the run file).

	## Not shown here

	$(cat "$GSTAGE_TOP/bench/catalogue/not-shown.md" "$work/kills.row")

	## Healthy versions

	Each scenario that comes with gstage, in a VM of its own, all of a version in one boot: how many
	checks held (the others could not be told; see \`gstage check\`), or what is broken. That is
	defect 12 alone, which is in the base as released and is mended by \`fixed\`; the pages that
	livelock are also faults on leaves that allow the access.

	| scenario | ${healthy[*]/%/ |}
	|---|$(printf -- '---|%.0s' "${healthy[@]}")
	$(cat "$work/silent.rows")
	TEXT
}

defects >"$work/defects"
kills >"$work/kills.row"
silent >"$work/silent.rows"
page >"$work/catalogue.md"
cat "$work/catalogue.md"
[ ! -e "$work/wrong" ] || die 1 "not as the descriptions say; $output is as it was"
cp "$work/catalogue.md" "$output.new.$$" && mv "$output.new.$$" "$output"
say "written to $output"
