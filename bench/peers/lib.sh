# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by bench/peers.sh and bench/peers/page.sh, after host/lib.sh: the rows.
ROWS=$GSTAGE_TOP/bench/peers/rows

all_rows() { (cd "$ROWS" && printf '%s\n' *.row | sed 's/\.row$//'); }

# read_rows: what rows say of themselves, in said[ROW WORD].
# shellcheck disable=SC2034 # for those who source this
declare -A said
read_rows() {
	local row word words=(hooks title answers note record programs mem)

	for row in $(all_rows); do
		for word in "${words[@]}"; do
			IFS= read -r "said[$row $word]" || die 1 "cannot read $ROWS/$row.row"
		done < <(
			unset "${words[@]}"
			# shellcheck disable=SC1090,SC2034 # rows are read by name
			OUT='' mem=512 && . "$ROWS/$row.row"
			for word in "${words[@]}"; do printf '%s\n' "${!word-}"; done
		)
	done
}

# chain ROW: it and the rows that it is built on, one a line.
chain() {
	local base

	echo "$1"
	# shellcheck disable=SC2016 # as it is written in rows
	sed -n 's|^\. "$ROWS/\(.*\)\.row"$|\1|p' "$ROWS/$1.row" | while read -r base; do
		chain "$base"
	done
}
