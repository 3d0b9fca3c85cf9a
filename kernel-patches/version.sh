#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# version.sh [--dry-run] [--kvm-args ARGS] NAME FROM BASE: make a version of
# KVM of what a user has (docs/versions.md): patches, a git tree or a kvm.ko.
# It is put together and built before anything under its name changes:
#
#   $O/versions/BASE/NAME/        description, series, patches (or kvm.ko)
#   $O/kernel/BASE/kvm-NAME.*     as for every version, by build.sh
#
# Where the tracepoints come from, in this order: they are inside; our series
# applies; a three-way merge of it does; else there are none, and the version
# runs untraced.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"
# shellcheck source=version-from.sh
. "$GSTAGE_TOP/kernel-patches/version-from.sh"

PROG='make version'
dry_run=0 kvm_args='' traceable=1
while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) dry_run=1; shift ;;
	--kvm-args) kvm_args=${2:-}; shift 2 || die "$EX_USAGE" "--kvm-args needs a value" ;;
	*) break ;;
	esac
done
name=${1:-} from=${2:-} base=${3:-7.3}
usage="make version NAME=name FROM=mbox[#v2]|Maildir|patch|directory|tree#ref|kvm.ko|- [BASE=7.3] [KVM_ARGS=...]"
if [ -z "$name" ] || [ -z "$from" ]; then die "$EX_USAGE" "usage: $usage"; fi
[[ $name =~ ^[a-z0-9][a-z0-9._-]{0,31}$ ]] ||
	die "$EX_USAGE" "NAME=$name: up to 32 lower-case letters, digits and . _ - are wanted"
case $name in
stock | tracepoints | none | custom) die "$EX_USAGE" "NAME=$name is taken; give another" ;;
esac
[ -d "$GSTAGE_TOP/kernel-patches/$base/tracepoints" ] || die "$EX_USAGE" "there is no base '$base'"
[ ! -e "$GSTAGE_TOP/kernel-patches/$base/versions/$name" ] ||
	die "$EX_USAGE" "version $name comes with gstage; give yours another name"
[[ $kvm_args =~ ^[A-Za-z0-9_.,:=\ -]*$ ]] || die "$EX_USAGE" "KVM_ARGS=$kvm_args: module parameters are wanted"
need git

places=$O/versions/$base
series=$GSTAGE_TOP/kernel-patches/$base/tracepoints
mkdir -p "$places" 2>/dev/null || die "$EX_IMPOSSIBLE" "cannot make the folder $places"
exec {lock}>"$places/.lock"
flock "$lock"
# Of one that was killed between the two renames at the end.
[ -e "$places/$name" ] || [ ! -e "$places/.old.$name" ] || mv "$places/.old.$name" "$places/$name"
work=$places/.new
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
rm -rf "$work"
mkdir -p "$work/in" "$work/out"
: >"$work/mails"

git_alone "$work/gitconfig"

# --- applying ----------------------------------------------------------------
# in_tree: git in the repository of the base's KVM files.
in_tree() { git -C "$work/tree" "$@"; }

make_tree() {
	local pristine

	[ ! -e "$work/tree" ] || return 0
	pristine=$("$GSTAGE_TOP/kernel-patches/build.sh" --sources "$base")
	kvm_repository "$pristine" "$work/tree"
	in_tree tag base
	while read -r patch; do
		in_tree apply --index "$patch" || die 1 "${patch##*/} does not apply to the base $base"
	done < <(series_list "$series")
	in_tree commit -qm tracepoints
	in_tree tag with-tracepoints
	in_tree checkout -q --detach base
}

# The folders and files at the top of a kernel tree: a path that begins with one of them
# has no a/ or b/ before it.
KERNEL_TOP='(arch|block|certs|crypto|Documentation|drivers|fs|include|init|io_uring|ipc|kernel|lib|LICENSES|mm|net|rust|samples|scripts|security|sound|tools|usr|virt)/|MAINTAINERS$|Makefile$|K(build|config)$'

# paths_of PATCH LEVEL: what it changes, as git reads it
paths_of() { git apply --numstat -p"$2" "$1" 2>/dev/null | cut -f3-; }

# level_of PATCH: the -p of git apply: 0 where it was made with diff.noprefix
level_of() {
	local paths

	paths=$(paths_of "$1" 0)
	if [ -n "$paths" ] && ! grep -qvE "^($KERNEL_TOP)" <<<"$paths"; then echo 0; else echo 1; fi
}

# What a kvm.ko for RISC-V has nothing of is left out; what is part of vmlinux is refused.
left_out=(--exclude='Documentation/*' --exclude='tools/*' --exclude=MAINTAINERS --exclude=.mailmap)
check_paths() { # PATCH
	local file outside=()

	while read -r file; do
		is_kvm_path "$file" && continue
		case $file in
		Documentation/* | tools/* | MAINTAINERS | .mailmap) ;;
		arch/riscv/*) die_vmlinux "$1" "$file" ;;
		arch/*) left_out+=(--exclude="$(cut -d/ -f1,2 <<<"$file")/*") ;;
		*) die_vmlinux "$1" "$file" ;;
		esac
		outside+=("$file")
	done < <(paths_of "$1" "$(level_of "$1")" | sort -u)
	[ ${#outside[@]} -eq 0 ] || say "left out of ${1##*/}: ${outside[0]}$([ ${#outside[@]} -eq 1 ] || echo " and $((${#outside[@]} - 1)) more")"
}
die_vmlinux() {
	die "$EX_IMPOSSIBLE" "${1##*/} changes $2, which is part of vmlinux; a version is a kvm.ko, and can change only $KVM_PATHS"
}

# apply_all TAG: all of $work/in on TAG, a commit each; $work/refused has what
# git says of the one that does not apply, and $patch is its name.
apply_all() {
	in_tree checkout -q --force --detach "$1"
	while read -r patch; do
		if ! in_tree apply -p"$(level_of "$work/in/$patch")" --index --whitespace=nowarn "${left_out[@]}" "$work/in/$patch" 2>"$work/refused"; then
			return 1
		fi
		# Documentation alone changes nothing.
		in_tree diff --cached --quiet || in_tree commit -qm "$patch"
	done <"$work/in/series"
}

# refusal: where a patch does not fit, in words.
refusal() {
	sed -n -e 's/^error: patch failed: \(.*\):\([0-9]*\)$/the hunk at \1:\2 does not fit/p' \
		-e 's/^error: \(.*: No such file or directory\)$/\1/p' -e 's/^error: \(corrupt patch.*\)/\1/p' \
		-e 's/^error: \(.*: does not exist in index\)$/\1/p' -e 's/^error: \(.*already exists.*\)$/\1/p' "$1" | head -n 1
}

# write_out TAG: the commits after TAG as patches, in the words of their mails.
write_out() {
	local commit patch

	while read -r commit; do
		patch=$(in_tree log -1 --format=%s "$commit")
		{
			sed '/^diff --git\|^--- [^[:space:]]/,$d' "$work/in/$patch"
			in_tree diff --no-renames --full-index "$commit~" "$commit"
		} >"$work/out/$patch"
		printf '%s\n' "$patch" >>"$work/out/series"
	done < <(in_tree rev-list --reverse "$1..HEAD")
	[ -e "$work/out/series" ] || die "$EX_USAGE" "nothing of $from changes KVM"
}

# --- the tracepoints -----------------------------------------------------------
# Names of the events that TREE defines, of those that gstage needs.
events_of() { { grep -rhoE 'TRACE_EVENT(_FN)?\((kvm_gstage|kvm_hfence|kvm_dirty_log)\w*' "$1" || :; } | sed 's/.*(//' | sort -u; }

series_fits() {
	local patch

	while read -r patch; do
		in_tree apply --index "$patch" 2>"$work/refused" || return 1
	done < <(series_list "$series")
}

# Sets $tracepoints, and adds the merged series when there is one.
place_tracepoints() {
	local ours=$work/ours.events

	in_tree rev-parse -q HEAD >"$work/version"
	events_of "$work/tree" >"$work/theirs.events"
	in_tree checkout -q --detach with-tracepoints
	events_of "$work/tree" >"$ours"
	in_tree checkout -q --detach "$(cat "$work/version")"
	if [ -z "$(comm -13 "$work/theirs.events" "$ours")" ]; then
		tracepoints=inside
		return
	fi
	if series_fits; then
		tracepoints=series
		return
	fi
	in_tree reset -q --hard
	if in_tree merge -q --no-edit with-tracepoints >"$work/merge" 2>&1; then
		tracepoints=merged
		mkdir "$work/out/tracepoints"
		in_tree diff --no-renames "$(cat "$work/version")" HEAD >"$work/out/tracepoints/merged.patch"
		echo merged.patch >"$work/out/tracepoints/series"
		say "our tracepoints do not apply as they are ($(refusal "$work/refused")); a three-way merge of them does"
		return
	fi
	tracepoints=none
	conflict=$(in_tree diff --diff-filter=U -U0 | sed -n 's/^+++ b\///p; s/^@@@ -\([0-9]*\).*/\1/p' | head -n 2 | paste -sd:)
	in_tree merge --abort
	say "our tracepoints cannot be added: $(refusal "$work/refused"), and merging conflicts at ${conflict:-$(tail -n 1 "$work/merge")}"
	say "it is built without them, and traced by hooks on its functions, which do not show all (docs/doctor.md); with the events of kernel-patches/$base/tracepoints in your patches they do"
}

# --- a kvm.ko that was built elsewhere -----------------------------------------
modinfo_of() { # KO KEY
	llvm-objcopy-19 --dump-section ".modinfo=$work/modinfo" "$1" /dev/null
	tr '\0' '\n' <"$work/modinfo" | sed -n "s/^$2=//p"
}
events_in() { llvm-readelf-19 -sW "$1" | sed -nE 's/.* __tracepoint_((kvm_gstage|kvm_hfence|kvm_dirty_log)\w*)$/\1/p' | sort -u; }

from_module() {
	local ours

	need llvm-readelf-19 llvm-19
	case $(llvm-readelf-19 -h "$from" 2>/dev/null | sed -nE 's/ *(Class|Machine): *//p' | paste -sd' ') in
	'ELF64 RISC-V') ;;
	*) die "$EX_USAGE" "$from is no module for 64-bit RISC-V" ;;
	esac
	llvm-readelf-19 -sSW "$from" >"$work/symbols"
	grep -q ' kvm_arch_vcpu_create$' "$work/symbols" || die "$EX_USAGE" "$from is not the module kvm"
	"$GSTAGE_TOP/kernel-patches/build.sh" "$base"
	ours=$O/kernel/$base/kvm-tracepoints.ko
	[ "$(modinfo_of "$from" vermagic)" = "$(modinfo_of "$ours" vermagic)" ] ||
		die "$EX_IMPOSSIBLE" "$from is for '$(modinfo_of "$from" vermagic)', the base $base is '$(modinfo_of "$ours" vermagic)'; build it in $O/kernel/$base/src"
	llvm-strip-19 --strip-debug -o "$work/out/kvm.ko" "$from"
	printf 'binary:%s\n' "$(sha256sum <"$work/out/kvm.ko" | cut -c1-40)" >"$work/out/digest"
	tracepoints=inside
	events_in "$from" >"$work/theirs.events"
	events_in "$ours" >"$work/ours.events"
	if ! grep -qF ' .BTF ' "$work/symbols"; then
		tracepoints=none traceable=0
		say "$from has no BTF (pahole was missing when it was built?): bench/run.sh --untraced runs it, gstage cannot trace it"
	elif [ -n "$(comm -13 "$work/theirs.events" "$work/ours.events")" ]; then
		tracepoints=none
		say "$from lacks the tracepoints $(comm -13 "$work/theirs.events" "$work/ours.events" | paste -sd' '): it is traced by hooks on its functions (docs/doctor.md)"
	fi
}

# --- put it together -------------------------------------------------------------
describe() {
	local title

	title=$(find "$work/out" -maxdepth 1 -name '*.patch' | LC_ALL=C sort | xargs -r sed -n 's/^Subject: \(\[[^]]*\] *\)\{0,1\}//p' | head -n 1)
	echo "stands-for: ${title:-$(basename "$from")}$([ ! -s "$work/out/series" ] || echo " ($(wc -l <"$work/out/series" | sed 's/^1$/1 patch/; t; s/$/ patches/'))"), brought from $(basename "$from")"
	sed 's/^/mail: /' "$work/mails"
	[ "$on" = base ] || echo "on: $on"
	echo "tracepoints: $tracepoints"
	[ -z "$kvm_args" ] || echo "kvm-args: $kvm_args"
}

spool "$from"
kind=$(kind_of "$input")
on=base tracepoints=series
if [ "$kind" = module ]; then
	from_module
else
	take_patches "$kind" "$from" "$input"
	# Mail clients add carriage returns; the kernel's sources have none.
	sed -i 's/\r$//' "$work"/in/*.patch
	while read -r patch; do check_paths "$work/in/$patch"; done <"$work/in/series"
	make_tree
	if apply_all base; then
		write_out base
		place_tracepoints
	else
		refused=$(refusal "$work/refused") where=$patch
		apply_all with-tracepoints ||
			die 1 "$where does not apply to $(cat "$O/kernel/$base/release" 2>/dev/null || echo "$base"): ${refused:-$(head -n 1 "$work/refused")}$([ ! -e "$work/flowed" ] || echo "; its mail is format=flowed, so a mailer has wrapped and padded its lines: take the patch as git send-email sent it, or from its author's tree")"
		on=tracepoints tracepoints=series
		write_out with-tracepoints
	fi
fi
describe >"$work/out/description"
version_check "$work/out"
if [ "$dry_run" = 1 ]; then
	cat "$work/out/description"
	[ ! -e "$work/out/series" ] || sed 's/^/patch: /' "$work/out/series"
	exit 0
fi

# --- build, then give it its name --------------------------------------------------
if [ "$kind" != module ]; then
	options=()
	while read -r dir; do options+=(--series "$dir"); done < <(version_series "$base" "$work/out")
	"$GSTAGE_TOP/kernel-patches/build.sh" "${options[@]}" "$base" "$name"
fi
rm -rf "$places/.old.$name"
[ ! -e "$places/$name" ] || mv "$places/$name" "$places/.old.$name"
mv "$work/out" "$places/$name"
rm -rf "$places/.old.$name"
"$GSTAGE_TOP/kernel-patches/build.sh" "$base" "$name"
say "version $name is built ($(version_lines "$places/$name" tracepoints | sed 's/^series$/our tracepoints added/; s/^inside$/tracepoints inside/; s/^merged$/our tracepoints merged/; s/^none$/no tracepoints/')): bench/run.sh full-pass --base $base --version $name$([ "$traceable" = 1 ] || echo ' --untraced')"
