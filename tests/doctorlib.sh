# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by tests/vm scripts, after tests/vmlib.sh: what doctor says of a host and
# whether trace agrees. $WORK/try.sh begins a script for the guest: `look NAME` in it
# asks both.

cat >"$WORK/try.sh" <<'GUEST'
# look NAME [OPTIONS OF TRACE...]: what doctor says here, and what trace does
look() {
	name=$1
	shift
	gstage doctor --json >/out/$name.json 2>/out/$name.derr
	echo $? >/out/$name.status
	gstage doctor >/out/$name.text 2>&1
	gstage trace "$@" -- true >/out/$name.out 2>/out/$name.err
	echo $? >>/out/$name.status
}
GUEST

doctor() { jq -r "$2" "$DIR/$1.json"; }

# stops NAME ID TEXT: doctor has this as the first of what is fatal.
stops() {
	equal "$(tr '\n' ' ' <"$DIR/$1.status")" '4 4 ' "$1: the status of doctor and trace ($(cat "$DIR/$1.err"))"
	equal "$(doctor "$1" .can_trace)" false "$1: can_trace"
	equal "$(doctor "$1" '[.obstacles[] | select(.fatal)][0].id')" "$2" "$1: the obstacle"
	equal "$(cat "$DIR/$1.err")" "gstage: $(doctor "$1" '[.obstacles[] | select(.fatal)][0] | "\(.what): \(.remedy)"')" \
		"$1: what trace and doctor say"
	grep -qF -e "$3" "$DIR/$1.err" || fail "$1: no '$3' in: $(cat "$DIR/$1.err")"
	[ ! -s "$DIR/$1.out" ] || fail "$1: trace prints: $(cat "$DIR/$1.out")"
	grep -qF 'Nothing can be traced' "$DIR/$1.text" || fail "$1: doctor's text: $(cat "$DIR/$1.text")"
}

# works NAME: nothing fatal, and trace agrees.
works() {
	equal "$(tr '\n' ' ' <"$DIR/$1.status")" '0 0 ' "$1: the status of doctor and trace ($(cat "$DIR/$1.err"))"
	equal "$(doctor "$1" '"\(.can_trace) \([.obstacles[] | select(.fatal)] | length)"')" 'true 0' "$1: can_trace"
}

# serves NAME BACKEND: facts that it serves, in one line
serves() {
	doctor "$1" "[.facts[] | select(.backend == \"$2\") | .fact] | join(\" \")"
}

features() { doctor "$1" '[.features[] | .present] | map(tostring) | join(" ")'; }
