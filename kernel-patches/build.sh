#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# build.sh BASE [VERSION...]: build one base kernel and the kvm.ko of each
# VERSION (default: stock, and tracepoints when there is such a series), and
# link them into $O/kernel/BASE/. What is in the cache is not built again.
#
# A version is a list of patch series on the base:
#   stock         none
#   tracepoints   kernel-patches/BASE/tracepoints
#   NAME          kernel-patches/BASE/versions/NAME or $O/versions/BASE/NAME
#                 (version-lib.sh), and the tracepoints
# Beside each kvm-NAME.ko, kvm-NAME.json says what it was made of.
# KSRC=DIR or LINUX_TARBALL=FILE replace the distribution's sources.
#
# BASE may have a flavour, like 7.3-debug: the same sources and patches with
# kernel-FLAVOUR.config on top of the configuration. It has no stock kvm.ko.
#
# build.sh --all BASE: every version that comes with the base.
# build.sh --series DIR [--series DIR...] BASE NAME: only build the kvm.ko of these
#   series, link nothing.
# build.sh --sources BASE: print where the base's unpatched KVM sources are.
set -euo pipefail
# shellcheck source=../bench/host/lib.sh
. "$(dirname "$0")/../bench/host/lib.sh"
# shellcheck source=../bench/host/cache.sh
. "$GSTAGE_TOP/bench/host/cache.sh"
# shellcheck source=source.sh
. "$GSTAGE_TOP/kernel-patches/source.sh"
# shellcheck source=series.sh
. "$GSTAGE_TOP/kernel-patches/series.sh"
# shellcheck source=version-lib.sh
. "$GSTAGE_TOP/kernel-patches/version-lib.sh"

all=0
if [ "${1:-}" = --all ]; then
	all=1
	shift
fi
sources=0
if [ "${1:-}" = --sources ]; then
	sources=1
	shift
fi
only=()
while [ "${1:-}" = --series ] && [ -r "${2:-}/series" ]; do
	only+=("$2")
	shift 2
done
[[ "${1:-}" =~ ^([0-9]+\.[0-9]+)(-([a-z]+))?$ ]] ||
	die "$EX_USAGE" "usage: build.sh [--all | --sources | --series DIR...] BASE[-FLAVOUR] [VERSION...]"
base=${BASH_REMATCH[1]} flavour=${BASH_REMATCH[3]} links=$O/kernel/$1
shift
patches=$GSTAGE_TOP/kernel-patches/$base
if [ $# -eq 0 ]; then
	set -- stock
	[ -z "$flavour" ] || set -- tracepoints
	[ -n "$flavour" ] || [ ! -e "$patches/tracepoints/series" ] || set -- stock tracepoints
	[ "$all" = 0 ] || for dir in "$patches"/versions/*/description; do
		[ ! -e "$dir" ] || set -- "$@" "$(basename "$(dirname "$dir")")"
	done
fi

# All names before anything is built.
[ ${#only[@]} -gt 0 ] || for version; do
	case $version in
	stock | tracepoints) continue ;;
	esac
	dir=$(version_dir "$base" "$version") ||
		die "$EX_USAGE" "there is no version '$version' for $base; there are: $(version_names "$base" | tr '\n' ' ')(bring one with 'make version')"
	version_check "$dir"
done

for tool in clang-19 ld.lld-19:lld-19 llvm-readelf-19:llvm-19 llvm-strip-19:llvm-19 pahole make \
	gcc flex bison bc patch xz:xz-utils perl flock:util-linux git; do
	need "${tool%%:*}" "${tool##*:}"
done

fragment=$GSTAGE_TOP/kernel-patches/kernel.config
[ ! -e "$patches/kernel.config" ] || fragment=$patches/kernel.config
if [ -n "$flavour" ]; then
	more=$GSTAGE_TOP/kernel-patches/kernel-$flavour.config
	[ -r "$more" ] || die "$EX_USAGE" "there is no flavour '$flavour': no $more"
	mkdir -p "$links"
	# A line -CONFIG_X=y takes that one away.
	while read -r line; do
		grep -qxF -e "$line" "$fragment" || die "$EX_USAGE" "$more takes away what is not there: $line"
	done < <(sed -n 's/^-//p' "$more")
	{
		grep -vxF -f <(sed -n 's/^-//p' "$more") "$fragment"
		grep -v '^-' "$more"
	} >"$links/fragment.$$"
	mv "$links/fragment.$$" "$links/fragment"
	fragment=$links/fragment
fi
source_locate "$base"
key=$({
	echo "$SOURCE_ID"
	clang-19 --version | head -n 1
	ld.lld-19 --version
	pahole --version
	cat "$fragment" "$GSTAGE_TOP/kernel-patches/base.sh" "$GSTAGE_TOP/kernel-patches/source.sh"
} | cache_key)
work=$GSTAGE_CACHE/kernel-work/$key

build_base() {
	entry=$(cache_get kernel "$key" "$GSTAGE_TOP/kernel-patches/base.sh" "$fragment" "$SOURCE" "$work") ||
		die 1 "the kernel $base was not built; what failed is said above"
}

# build_module SERIES-DIR...: the cache entry of one kvm.ko, into $module.
build_module() {
	local dir id

	id=$({
		grep -F ./vmlinux "$entry/MANIFEST"
		cat "$GSTAGE_TOP/kernel-patches/module.sh"
		for dir; do
			series_list "$dir" | xargs -rd '\n' cat
		done
	} | cache_key)
	module=$(cache_get kvm "$id" "$GSTAGE_TOP/kernel-patches/module.sh" "$entry/vmlinux" "$work" "$@")
}

rebuild_base() {
	say "the objects of $base are gone or incomplete: building the base again"
	rm -rf "$entry" "$work"
	build_base
}

# build_version NAME SERIES-DIR...: build_module, and the base again when its
# objects are not there any more. The last line says what is wrong.
build_version() {
	local version=$1 status=0 error

	shift
	mkdir -p "$links"
	export MODULE_NAME="$base $version" MODULE_LOG=$links/.kvm-$version.log.$$
	# Versions differ little from the tracepoints: those are what is there to
	# build on.
	case $version in
	stock | tracepoints) export OWN_VIEW=1 ;;
	*) export OWN_VIEW=1 ;;
	esac
	build_module "$@" || status=$?
	if [ "$status" -eq 75 ]; then
		rebuild_base
		status=0
		build_module "$@" || status=$?
	fi
	# The others have said what it is.
	if [ "$status" -ne 76 ]; then
		rm -f "$MODULE_LOG"
		[ "$status" -eq 0 ] || exit 1
		return
	fi
	mv "$MODULE_LOG" "$links/kvm-$version.log"
	error=$(grep -m1 -E '(error|ERROR): ' "$links/kvm-$version.log" | sed -E 's,^[^ ]*/src/,,; s,^(\.\./)+(src/)?,,') || :
	die 1 "version $version does not compile on $base: ${error:-see the log}; the whole log is $links/kvm-$version.log"
}

build_base
if [ "$sources" = 1 ]; then
	[ -e "$work/complete" ] || rebuild_base
	printf '%s\n' "$work/pristine"
	exit 0
fi
if [ ${#only[@]} -gt 0 ]; then
	build_version "$1" "${only[@]}"
	exit 0
fi
for version; do
	series=() dir=''
	case $version in
	stock) ;;
	tracepoints) series=("$patches/tracepoints") ;;
	*)
		dir=$(version_dir "$base" "$version")
		mapfile -t series < <(version_series "$base" "$dir")
		;;
	esac
	if [ -e "${dir:-/dev/null}/kvm.ko" ]; then
		# Built elsewhere: there are no sources to build from.
		module=$dir
	else
		build_version "$version" ${series[@]+"${series[@]}"}
	fi
	put_link "$module/kvm.ko" "$links/kvm-$version.ko"
	put_link "$module/digest" "$links/kvm-$version.digest"
	version_json "$base" "$version" "$(cat "$module/digest")" "$dir" >"$links/.kvm-$version.json.$$"
	if cmp -s "$links/.kvm-$version.json.$$" "$links/kvm-$version.json"; then
		rm "$links/.kvm-$version.json.$$"
	else
		mv "$links/.kvm-$version.json.$$" "$links/kvm-$version.json"
	fi
done
for file in Image vmlinux config release System.map; do
	put_link "$entry/$file" "$links/$file"
done
[ ! -e "$work/src/Makefile" ] || put_link "$work/src" "$links/src"
