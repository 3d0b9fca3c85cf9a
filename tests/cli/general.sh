#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every command shares: help, version, unknown names, exit statuses.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# Help and version need no privilege, go to stdout and succeed.
for arg in --help -h help; do
	expect 0 "$GSTAGE" "$arg"
	has_out "Usage: gstage COMMAND"
	for command in trace report compare check; do
		has_out "  $command "
	done
	equal "$ERR" "" "stderr of $arg"
done
for arg in --version -V; do
	expect 0 "$GSTAGE" "$arg"
	has_out "gstage "
done

for command in report compare check; do
	expect 0 "$GSTAGE" "$command" --help
	cp "$WORK/out" "$WORK/help"
	has_out "Usage: gstage $command"
	has_out "EXAMPLES"
	has_out "Exit status"
	expect 0 "$GSTAGE" "$command" -h
	cmp -s "$WORK/out" "$WORK/help" || fail "-h and --help of $command differ"
	expect 0 "$GSTAGE" help "$command"
	cmp -s "$WORK/out" "$WORK/help" || fail "help $command differs from --help"
	[ "$(wc -L <"$WORK/help")" -le 80 ] || fail "help of $command is wider than 80"
	expect 0 "$GSTAGE" "$command" --version
	has_out "gstage "
done

# The examples at the end of a help text work when pasted. The names in them:
split=$FIXTURES/split.json eager=$FIXTURES/eager.json
mkdir "$WORK/examples"
cd "$WORK/examples" || fail "no folder for the examples"
for name in run split 1 2 73; do cp "$split" "$name.json"; done
for name in eager 3 4; do cp "$eager" "$name.json"; done
sed 's/"base": "7.3"/"base": "7.2"/; s/"kernel": "7.3.4"/"kernel": "7.2.12"/
	s/"kernel_config_sha256": "3/"kernel_config_sha256": "4/' "$split" >72.json
mkdir -p r/v4 r/eager r/v1 r/again
cp "$split" r/v4/01.json
cp "$split" r/again/01.json
cp "$eager" r/eager/01.json
sed 's/eager_page_split=1/eager_page_split=2/' "$eager" >r/v1/01.json
for command in report compare; do
	"$GSTAGE" "$command" --help | sed '1,/^EXAMPLES/d' |
		sed -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' >"$WORK/lines"
	[ "$(wc -l <"$WORK/lines")" -ge 4 ] || fail "too few examples of $command"
	while read -r line; do
		expect 0 env PATH="$(dirname "$GSTAGE"):$PATH" bash -c "$line"
	done <"$WORK/lines"
done
cd "$TOP" || exit 1

# One line and status 2 for what does not exist.
expect 2 "$GSTAGE"
no_out
one_line_err
expect 2 "$GSTAGE" reprot
no_out
one_line_err
has_err "no command 'reprot'"
expect 2 "$GSTAGE" help reprot
one_line_err
expect 2 "$GSTAGE" --bogus
one_line_err
for command in report compare check; do
	expect 2 "$GSTAGE" "$command" --bogus
	no_out
	has_err "unrecognized option '--bogus'"
	expect 2 "$GSTAGE" "$command" --format=xml a b
	has_err "no format 'xml'"
	expect 2 "$GSTAGE" "$command" -q -v a b
	has_err "contradict"
	expect 2 "$GSTAGE" "$command" --json -f text a b
	has_err "both given"
done

expect 2 "$GSTAGE" report -n -u a
has_err "only one of"

# This build reads results; it says where tracing is possible.
expect 4 "$GSTAGE" trace -- true
no_out
has_err "trace"
