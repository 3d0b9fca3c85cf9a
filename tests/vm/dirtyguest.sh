# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dirtyguest alone, without the tracer: every backing, log mode, order and vCPU
# arrangement must find written = reported; a wrong log must be noticed; the
# known livelock and bad surroundings must end with the documented status.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need jq

# A boot of OPTIONS... that runs the shell text $cases; $WORK/DIR has its files.
boot() { # DIR OPTIONS...
	local dir=$1
	shift
	expect 0 "$TOP/bench/vm.sh" --limit 180 --strict --out "$WORK/$dir" "$@" -- "
		run() { name=\$1; shift; dirtyguest -q -o \$name.json \"\$@\" 2>\$name.err; echo \$name \$?; }
		$cases"
}

# Status of case NAME; and top-level FIELD of its result.
status_is() { # DIR NAME STATUS
	equal "$(sed -n "s/^$2 //p" "$WORK/$1/stdout")" "$3" "$1: $2: $(cat "$WORK/$1/$2.err"): status"
}
field_is() { # DIR NAME FIELD VALUE
	equal "$(sed -n "s/^ \"$3\": \(.*[^,]\),*$/\1/p" "$WORK/$1/$2.json")" "$4" "$1: $2: $3"
}

# NAME wrote and reported PAGES pages in all rounds, and nothing else.
exact() { # DIR NAME PAGES
	status_is "$1" "$2" 0
	field_is "$1" "$2" pages_written "$3"
	field_is "$1" "$2" pages_reported "$3"
	field_is "$1" "$2" pages_lost 0
	field_is "$1" "$2" pages_spurious 0
	field_is "$1" "$2" values_wrong 0
}

cases='
run get --backing hugetlb-2m --log clear-on-get
run manual --backing hugetlb-2m
run set --backing hugetlb-2m --log initially-set
run chunks --backing hugetlb-2m --clear-chunk 64 --clear-offset 192
run set-chunks --backing hugetlb-2m --log initially-set --clear-chunk 192 --clear-offset 64
run 4k --backing 4k --order random --rounds 1
run thp --backing thp --order random --rounds 1
run stride --backing hugetlb-2m --order stride2m
run hot --backing hugetlb-2m --order hot --hot 100 --writes 1 --rounds 1
run writes --backing hugetlb-2m --order random --writes 30
run reads --backing hugetlb-2m --writes 0 --rounds 1
run vcpus --backing hugetlb-2m --vcpus 3 --rounds 2
run overlap --backing thp --vcpus 4 --share overlap --order random --rounds 2
run odd --backing hugetlb-2m --size 20484K --vcpus 2 --rounds 1
run after --backing hugetlb-2m --after-order random --rounds 1
run offset-4k --slot-offset 5 --rounds 1
run offset-2m --backing hugetlb-2m --slot-offset 511 --order random --rounds 1
run offset-thp --backing thp --slot-offset 32 --log initially-set --clear-chunk 64 --rounds 1
run offset-out --slot-offset 512
run readers --backing hugetlb-2m --vcpus 3 --readers 2 --share overlap --rounds 1
run readers-all --vcpus 2 --readers 2 --share overlap
run readers-apart --vcpus 2 --readers 1
run live --backing hugetlb-2m --live 1ms
run live-get --backing hugetlb-2m --log clear-on-get --live 1ms --order random
run live-0 --live 0
'
plain=$cases

# Each scenario's words must be options that dirtyguest knows.
scenarios=''
for file in "$TOP"/bench/scenarios/*.scn; do
	unset name claim vm args
	# shellcheck disable=SC1090
	. "$file"
	equal "$name" "$(basename "$file" .scn)" "$file: name"
	[ -n "${claim:-}" ] || fail "$file: no claim"
	[ -n "${vm+x}" ] || fail "$file: no vm"
	scenarios+="dirtyguest --dry-run ${args:?} >/dev/null || echo bad scenario $name
"
done

eagers=1
! full || eagers='0 1'
for eager in $eagers; do
	dir=eager$eager
	cases=$plain
	if [ "$eager" = 1 ]; then
		cases+='
		run lose-bit --self-test lose-bit --rounds 1
		run add-bit --self-test add-bit --rounds 1 --writes 50
		run wrong-value --self-test wrong-value --rounds 1
		run livelock --backing thp --after --rounds 1 --limit 200ms
		run no-pages --backing hugetlb-2m --size 64M
		run no-1g --backing hugetlb-1g
		run no-memory --size 16G
		echo mine >kept.json
		run kept
		run no-folder -o /nowhere/r.json
		rmmod kvm
		run no-kvm
		'$scenarios
	fi
	boot "$dir" --hugepages 16 --thp madvise --kvm-args "eager_page_split=$eager"
	for name in get manual set chunks set-chunks live live-get; do
		exact "$dir" "$name" 12288
	done
	for name in 4k thp after offset-4k offset-2m offset-thp readers; do
		exact "$dir" "$name" 4096
	done
	exact "$dir" stride 24
	exact "$dir" writes 3684 # 3 x 30 % of 4096, rounded down
	exact "$dir" reads 0
	exact "$dir" vcpus 8192
	exact "$dir" overlap 8192
	exact "$dir" odd 5121
	status_is "$dir" hot 0
	field_is "$dir" hot pages_lost 0
	field_is "$dir" thp blocks_huge 8
	# Not only the harvests of vCPUs that stand still.
	for name in live live-get; do
		jq -e '[.rounds[].live_harvests > 3] | all' "$WORK/$dir/$name.json" >/dev/null || fail "$dir: $name: live_harvests"
	done
	# 8 blocks that lie in 9 of the host.
	field_is "$dir" offset-thp blocks_huge 9
	for name in offset-out readers-all readers-apart live-0; do
		status_is "$dir" "$name" 2
	done
done
grep -q -- '--slot-offset 512: must be from 0 to 511' "$WORK/eager1/offset-out.err" || fail "$(cat "$WORK/eager1/offset-out.err")"
grep -q -- '--readers 2: --vcpus 2 leaves none that writes' "$WORK/eager1/readers-all.err" || fail "$(cat "$WORK/eager1/readers-all.err")"

status_is eager1 lose-bit 1
field_is eager1 lose-bit pages_lost 1
grep -q 'missing from the dirty log, the first is page 0 ' "$WORK/eager1/lose-bit.err" || fail "lose-bit: no message"
status_is eager1 add-bit 0
field_is eager1 add-bit pages_spurious 1
status_is eager1 wrong-value 1
status_is eager1 livelock 124
grep -q 'vCPU 0 made no progress for 200 ms: stuck writing GPA 0x100001000 (page 1)' "$WORK/eager1/livelock.err" ||
	fail "livelock: $(cat "$WORK/eager1/livelock.err")"
field_is eager1 livelock error '"phase after, round 2: Connection timed out"'
for name in no-pages no-1g no-memory no-folder no-kvm; do
	status_is eager1 "$name" 4
	equal "$(wc -l <"$WORK/eager1/$name.err")" 1 "lines of $name.err"
done
status_is eager1 kept 2
equal "$(cat "$WORK/eager1/kept.json")" mine
! grep 'bad scenario' "$WORK/eager1/stdout" || fail "scenarios"

# Two harts that really run at once.
cases='
run overlap --backing hugetlb-2m --vcpus 2 --share overlap --order random --pin
run four --backing thp --vcpus 4 --share overlap --log initially-set --clear-chunk 64 --clear-offset 64
run live --backing hugetlb-2m --size 4M --vcpus 2 --live 20ms
'
boot smp --mode smp --smp 2 --hugepages 8 --thp madvise --kvm-args eager_page_split=0
exact smp overlap 12288
exact smp four 12288
exact smp live 3072

full || exit 0

# Two levels of splitting, and CLEAR over a slot larger than the working set.
cases='
run big --backing hugetlb-1g --rounds 2
run sparse --backing hugetlb-1g --size 1G --order stride2m --log initially-set --clear-chunk 1024 --rounds 2
'
boot 1g --mem 3072 --append "hugepagesz=1G hugepages=1" --kvm-args eager_page_split=0
exact 1g big 8192
exact 1g sparse 1024

# The same seed is the same run, to the instruction.
cases='run full --backing hugetlb-2m --rounds 2 --order random'
boot first --hugepages 8 --seed 7
boot second --hugepages 8 --seed 7
exact first full 8192
cmp -s "$WORK/first/full.json" "$WORK/second/full.json" || fail "two equal boots differ"
