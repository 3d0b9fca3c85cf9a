#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench/vm.sh says in one line what is wrong with a call or missing here, with
# the status docs/vm.md promises, and starts nothing. No kernel is needed.
. "$(dirname "$0")/../lib.sh"

VM=$TOP/bench/vm.sh
OUTPUT=$WORK/O
image=$WORK/Image
echo no kernel >"$image"

bad() { # TEXT OPTIONS...
	local text=$1

	shift
	expect 2 env O="$OUTPUT" "$VM" "$@"
	one_line_err
	has_err "$text"
}
missing() {
	local text=$1

	shift
	expect 4 env O="$OUTPUT" "$VM" "$@"
	one_line_err
	has_err "$text"
}

bad 'unknown option --nonsense' --nonsense -- true
bad 'no command given'
bad '--mem needs a value' --mem
bad "--mem wants a number from 64 to 65536, not '12x'" --mem 12x -- true
bad "--mem wants a number from 64 to 65536, not ''" --mem '' -- true
bad "--smp wants a number from 1 to 8, not '9'" --smp 9 -- true
bad "--seed wants a number" --seed -1 -- true
bad "--limit wants a number" --limit 0 -- true
bad "--boot-limit wants a number" --boot-limit x -- true
bad "--mode is icount or smp, not 'fast'" --mode fast -- true
bad "--thp is always, madvise or never, not 'on'" --thp on -- true

missing 'no kernel image' --image "$WORK/none" --kvm none -- true
missing 'make kernel BASE=7.2' --base 7.2 -- true
missing "'make kernel BASE=debian' fetches one" --base debian -- true
missing 'no KVM module' --image "$image" --kvm "$WORK/none.ko" -- true
missing 'qemu-none is missing; install the package' --image "$image" --kvm none --qemu qemu-none -- true
missing "cannot read $WORK/none" --image "$image" --kvm none --add "$WORK/none:/x" -- true

bad "--libs wants a directory, and '$WORK/none' is none" --image "$image" --kvm none --libs "$WORK/none" -- true
mkdir "$WORK/tree"
bad "--libs wants a tree with usr/lib in it" --image "$image" --kvm none --libs "$WORK/tree" -- true

need qemu-system-riscv64 cpio
missing 'no riscv64 sysroot' --image "$image" --kvm none -- true

# Just enough of a sysroot to come further.
mkdir -p "$OUTPUT/sysroot/usr/bin"
echo '#!/bin/sh' >"$OUTPUT/sysroot/usr/bin/busybox"
chmod +x "$OUTPUT/sysroot/usr/bin/busybox"
cat >"$WORK/qemu-old" <<-'QEMU'
	#!/bin/sh
	echo 'QEMU emulator version 7.2.22 (Debian)'
QEMU
chmod +x "$WORK/qemu-old"
missing 'QEMU 7.2.22 hangs in icount mode with more than one hart' \
	--image "$image" --kvm none --qemu "$WORK/qemu-old" --smp 2 -- true

# Libraries of another tree, which need not have all folders that the sysroot has;
# each is looked for in both.
mkdir -p "$WORK/tree/usr/lib/riscv64-linux-gnu" "$OUTPUT/sysroot/usr/lib/riscv64-linux-gnu"
touch "$OUTPUT/sysroot/usr/lib/ld-linux-riscv64-lp64d.so.1"
other=(--image "$image" --kvm none --dry-run --add "$GSTAGE:/gstage" --libs "$WORK/tree")
missing "which is not in $WORK/tree or $OUTPUT/sysroot" "${other[@]}" -- true
nr=0
for lib in $(ldd "$GSTAGE" | sed -n 's/^[[:space:]]*\(lib[^ ]*\) .*/\1/p'); do
	nr=$((nr + 1))
	[ $((nr % 2)) = 0 ] && dir=$WORK/tree || dir=$OUTPUT/sysroot
	touch "$dir/usr/lib/riscv64-linux-gnu/$lib"
done
[ "$nr" -ge 3 ] || fail "gstage needs $nr libraries"
expect 0 env O="$OUTPUT" "$VM" "${other[@]}" -- true
rm -r "$WORK/tree/usr/lib/riscv64-linux-gnu"
missing "which is not in $WORK/tree or" "${other[@]}" -- true

# The oracle is a plugin, and must be built, and welcome.
bad '--oracle needs a value' --oracle
missing "the oracle is not built; run 'make oracle'" --image "$image" --kvm none --oracle "$WORK/oracle.json" -- true
mkdir -p "$OUTPUT/native/oracle"
touch "$OUTPUT"/native/oracle/{plugin-api1.so,plugin-api4.so,resolve}
missing 'QEMU 7.2.22 takes no plugin' \
	--image "$image" --kvm none --qemu "$WORK/qemu-old" --oracle "$WORK/oracle.json" -- true
# QEMU says why: these are no plugins.
missing 'file too short' --image "$image" --kvm none --oracle "$WORK/oracle.json" -- true

expect 0 env O="$OUTPUT" "$VM" --image "$image" --kvm none --dry-run --seed 7 --mem 100 -- true
has_out "'-seed' '7'"
has_out "'-icount' 'shift=0,sleep=off'"
expect 0 env O="$OUTPUT" "$VM" --help
has_out 'usage: bench/vm.sh'
