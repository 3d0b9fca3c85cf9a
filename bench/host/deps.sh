#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh [--list]: the distribution packages this project needs (Debian 12 and
# 13). As root it says which are missing and installs them; otherwise it prints
# the one command to run and exits with 4. Nothing missing: nothing is done,
# nothing is said. --list prints every package and the program that shows it is
# there.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# package:what it brings (a program, or a file).
PACKAGES=(
	clang-19:clang-19 lld-19:ld.lld-19 llvm-19:llvm-strip-19 clang-format-19:clang-format-19
	make:make gcc:gcc libc6-dev:/usr/include/stdio.h binutils:readelf
	flex:flex bison:bison bc:bc perl:perl patch:patch pkg-config:pkg-config
	libelf-dev:/usr/include/gelf.h libssl-dev:/usr/include/openssl/ssl.h
	libjansson-dev:/usr/include/jansson.h libcmocka-dev:/usr/include/cmocka.h
	libbpf-dev:/usr/include/bpf/btf.h libgsl-dev:/usr/include/gsl/gsl_rng.h parallel:env_parallel
	libasan8:libasan.so.8 libubsan1:libubsan.so.1
	zlib1g-dev:/usr/include/zlib.h pahole:pahole bpftool:/usr/sbin/bpftool
	qemu-system-riscv64:qemu-system-riscv64 cpio:cpio xz-utils:xz git:git
	debian-archive-keyring:/usr/share/keyrings/debian-archive-keyring.gpg
	util-linux:setpriv jq:jq procps:pgrep shellcheck:shellcheck cppcheck:cppcheck
)

is_there() {
	case $1 in
	/*) [ -e "$1" ] ;;
	*.so.*) compgen -G "/usr/lib/*/$1" >/dev/null ;;
	*) command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] ;;
	esac
}

# Debian 13 has the emulators of each architecture in a package of their own.
real_name() {
	if [ "$1" != qemu-system-riscv64 ]; then
		echo "$1"
	elif apt-cache show qemu-system-riscv 2>/dev/null | grep -q '^Package'; then
		echo qemu-system-riscv
	elif apt-cache show qemu-system-misc 2>/dev/null | grep -q '^Package' ||
		grep -q '^12' /etc/debian_version 2>/dev/null; then
		echo qemu-system-misc
	else
		echo qemu-system-riscv # no index yet
	fi
}

if [ "${1:-}" = --list ]; then
	printf '%s\n' "${PACKAGES[@]}"
	exit 0
fi

missing=()
for entry in "${PACKAGES[@]}"; do
	is_there "${entry#*:}" || missing+=("${entry%%:*}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null ||
	die "$EX_IMPOSSIBLE" "missing: ${missing[*]}; this is no Debian system, so install them in your system's way"

as_root=$([ "$(id -u)" = 0 ] && echo yes || echo no)
if [ "$as_root" = yes ]; then
	# Without an index apt knows no package.
	if ! apt-cache show cpio >/dev/null 2>&1; then
		say "apt-get update"
		apt-get -qq update || die "$EX_IMPOSSIBLE" "apt-get update failed; see above"
	fi
fi
names=()
for name in "${missing[@]}"; do
	names+=("$(real_name "$name")")
done
if [ "$as_root" = no ]; then
	say "packages are missing; run this, then the same command again:"
	echo "    sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${names[*]}'" >&2
	exit "$EX_IMPOSSIBLE"
fi

say "installing ${names[*]}"
log=$(mktemp)
install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		-o DPkg::Lock::Timeout=120 "${names[@]}"
}
update_and_install() {
	install || { apt-get update && install; }
}
run_logged "installing packages" "$log" update_and_install ||
	die "$EX_IMPOSSIBLE" "the packages could not be installed; see above"
rm -f "$log"
