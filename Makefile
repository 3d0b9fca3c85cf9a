# SPDX-License-Identifier: GPL-2.0-only
#
# gstage: see what dirty logging does to a RISC-V KVM guest.
#
#   make demo         set up, build, boot, trace, compare (the first thing to run)
#   make demo-stock   the same of the distribution's kernel: nothing is built of it
#   make test         unit, CLI and VM tests (test-full: on all kernels and versions)
#   make check        formatting, warnings as errors, linters, checkpatch
#   make bench-cost   instructions per traced fault, into docs/cost.md
#   make bench-peers  the same for other tracers, into docs/peers.md
#   make test-peers   the other tracers, as bench-peers runs them (not in make test)
#   make bench-oracle the tracer's counts against those of a QEMU plugin
#   make soak         the checks on healthy versions, 3060 runs: an hour or more
#   make series       a patch series as mails (SERIES=tracepoints BASE=7.3 OUT=DIR)
#   make              the tracer and the workload, for riscv64 and this machine
#   make help         every target
#
# O=DIR       everything generated (default .output)
# BASE=7.3    the kernel base (7.3 or 7.2)
# KSRC=DIR    use this kernel tree, LINUX_TARBALL=FILE this tarball, for BASE
# V=1         show the commands; D=1 no optimisation, with sanitizers
#
# Each directory brings its own rules; a variable used by more than one of
# them is defined here.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

O	?= .output
# One name for it, however it is spelled: what an object depends on is written by
# its name, and with another one it would not be built again.
override O := $(patsubst $(CURDIR)/%,%,$(O))
BASE	?= 7.3
V	?= 0
D	?= 0
Q	:= $(if $(filter 1,$(V)),,@)
msg	= $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))';)

# Before a recipe: its script may use make's jobs. Such a line is run by make -n, too,
# which therefore goes without.
LEND_JOBS	= $(if $(findstring n,$(firstword -$(MAKEFLAGS))),,+)

CLANG		?= clang-19
LLVM_STRIP	?= llvm-strip-19
BPFTOOL		?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG	?= pkg-config
CACHE		:= $(or $(GSTAGE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gstage)

# Debian's riscv64 libraries, unpacked; made by bench/host/sysroot.sh.
SYSROOT		= $(O)/sysroot
RV_CC		= $(CLANG) --target=riscv64-linux-gnu --sysroot=$(abspath $(SYSROOT)) -fuse-ld=lld \
		  -Wno-unused-command-line-argument

VERSION		:= 0.1.0
, := ,
WARNINGS	:= -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes
OPTIMISE	:= $(if $(filter 1,$(D)),-O0 -fsanitize=address$(,)undefined,-O2)
CFLAGS		?= $(OPTIMISE) -g
override CFLAGS	+= -std=gnu11 $(WARNINGS) $(EXTRA_CFLAGS)

# A value of the user's as one word of the shell's.
quote := '
sh_word = '$(subst $(quote),'\$(quote)',$(1))'

export GSTAGE_CACHE := $(CACHE)

.PHONY: all
all:

-include kernel-patches/kernel.mk
-include bench/bench.mk
-include bpf/bpf.mk
-include user/user.mk
-include tests/tests.mk

.PHONY: clean help
clean:
	$(Q)rm -rf $(O)

help:
	$(Q)sed -n '/^#   make/s/^#//p' Makefile
