#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh: what a reviewer should not have to look at. One line per check; a
# failed one shows what it found. Ends with status 1 if any failed.
# check.sh --fix-format: rewrite our C files with clang-format instead.
#
# O is the build folder, MAKE the make to use.
# shellcheck disable=SC2317 # every check is called through run()
set -u

cd "$(dirname "$0")/.." || exit 1
O=${O:-$PWD/.output}
MAKE=${MAKE:-make}

# Versions of clang-format disagree in details; 19 is on Debian 12 and 13.
CLANG_FORMAT=$(command -v clang-format-19 || command -v clang-format)

# Files as git knows them, new ones included. The patches hold kernel code.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" ':!kernel-patches/*/' |
		sort -u | while read -r file; do [ -e "$file" ] && echo "$file"; done
}

mapfile -t C_FILES < <(files '*.c' '*.h')

if [ "${1:-}" = --fix-format ]; then
	exec "$CLANG_FORMAT" -i "${C_FILES[@]}"
fi

check_format() {
	local file bad=0
	for file in "${C_FILES[@]}"; do
		"$CLANG_FORMAT" --dry-run -Werror "$file" 2>/dev/null ||
			{ echo "$file is not formatted: make format"; bad=1; }
	done
	return "$bad"
}

# In a folder of its own, so that the objects in use are not rebuilt.
check_warnings() {
	local goals=native
	[ ! -e "$O/sysroot" ] || goals="native riscv64 dirtyguest oracle"
	# shellcheck disable=SC2086 # several goals
	"$MAKE" --no-print-directory O="$O/check" EXTRA_CFLAGS=-Werror $goals
}

# Each header alone. What runs in the guest needs the headers of the target.
check_headers() {
	local header flags bad=0
	local sysroot=$O/sysroot
	for header in $(files 'user/*.h' 'bpf/*.h' 'bench/*.h' 'tests/*.h'); do
		flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -Ibench/dirtyguest"
		case $header in
		*.bpf.h) continue ;;
		bench/*)
			[ -e "$sysroot" ] || continue
			flags="--target=riscv64-linux-gnu --sysroot=$sysroot $flags"
			;;
		esac
		# shellcheck disable=SC2086 # several flags
		echo "#include \"$header\"" |
			clang-19 $flags -fsyntax-only -x c - ||
			{ echo "$header is not self-contained"; bad=1; }
	done
	return "$bad"
}

# Kernel-side headers stay on the kernel side; commands are not included.
check_boundaries() {
	! files 'user/*.[ch]' 'bench/*.[ch]' 'tests/*.[ch]' |
		xargs grep -nE '#include.*(\.bpf\.h|vmlinux\.h)' &&
		! files 'bench/*.[ch]' 'tests/*.[ch]' | xargs grep -nE '#include.*/cmd'
}

check_spdx() {
	local file bad=0
	for file in $(files '*.c' '*.h' '*.S' '*.sh' '*.mk' '*.lds' Makefile); do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
			{ echo "$file has no SPDX line"; bad=1; }
	done
	return "$bad"
}

# Our budgets: 600 lines a file, 60 a function (opening to closing brace).
check_sizes() {
	local file bad=0
	for file in $(files 'user/*.c' 'bpf/*.c' 'bench/*.c'); do
		awk -v file="$file" '
			/^\{/ { start = NR }
			/^\}/ { if (start && NR - start > 60) { print file ":" start ": function of " NR - start " lines"; bad = 1 } start = 0 }
			END { if (NR > 600) { print file ": " NR " lines"; bad = 1 } exit bad }' "$file" ||
			bad=1
	done
	return "$bad"
}

check_shell() {
	local scripts
	mapfile -t scripts < <(files | xargs grep -lE '^(#!/bin/(ba)?sh|# shellcheck shell=)')
	shellcheck -x "${scripts[@]}"
}

# dg_payload and dg_payload_end are two ends of one object, made in assembly.
check_cppcheck() {
	local sources
	mapfile -t sources < <(files 'user/*.c' 'bench/*.c' ':!*.bpf.c')
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
		--enable=warning,performance,portability -I. -Ibench/dirtyguest \
		-D_GNU_SOURCE -DGSTAGE_VERSION='"0"' \
		--suppress=comparePointers:bench/dirtyguest/vm.c \
		--suppress=missingInclude --suppress=missingIncludeSystem \
		"${sources[@]}"
}

# A test without a row is never run.
check_list() {
	diff <(cd tests && printf '%s\n' cli/*.sh vm/*.sh | sed 's/\.sh$//' | LC_ALL=C sort) \
		<(grep -oE '^(cli|vm)/[^ ]+' tests/list | LC_ALL=C sort)
}

# The kernel's own opinion of our patches, from the sources of each base.
check_patches() {
	kernel-patches/checkpatch.sh
}

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0

run() {
	local name=$1
	shift
	if "$@" >"$output" 2>&1; then
		printf 'ok      %s\n' "$name"
	else
		printf 'FAILED  %s\n' "$name"
		sed 's/^/      | /' "$output" | head -n 40
		status=1
	fi
}

run "clang-format" check_format
run "no warnings" check_warnings
run "headers are self-contained" check_headers
run "includes keep to their side" check_boundaries
run "licence tags" check_spdx
run "sizes of files and functions" check_sizes
run "shellcheck" check_shell
run "cppcheck" check_cppcheck
run "each test is in tests/list" check_list
run "checkpatch" check_patches
exit $status
