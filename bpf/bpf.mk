# SPDX-License-Identifier: GPL-2.0-only
#
# The BPF programs: each .bpf.c is compiled alone, they are linked into one
# object, and that becomes the skeleton that user/session.c includes.

# clang 19 and no older one: clang 14's BPF back end cannot compile these.
# The headers are those of the target (libbpf and kernel UAPI for riscv64).
BPF_CFLAGS = --target=bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra \
	     -Wno-unused-parameter -D__TARGET_ARCH_riscv -I. \
	     -isystem $(SYSROOT)/usr/include \
	     -isystem $(SYSROOT)/usr/include/riscv64-linux-gnu

# What defines a map comes before what declares it only: bpftool 7.1 loses the map else.
BPF_PROGS := state stats checks check_queues faults splits flushes dirty_log locks exits bracket
BPF_OBJS := $(patsubst %,$(O)/bpf/%.bpf.o,$(BPF_PROGS))
# The same for kernels without ftrace (bpf/hook.bpf.h).
BPF_KPROBE_OBJS := $(patsubst %,$(O)/bpf/kprobes/%.bpf.o,$(BPF_PROGS))
BPF_SKELS := $(patsubst %,$(O)/bpf/%.skel.h,gstage gstage_kprobes ktext)

.PHONY: bpf
bpf: $(BPF_SKELS)

define bpf_compile
@mkdir -p $(@D)
$(call msg,BPF,$@)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
endef

$(O)/bpf/%.bpf.o: bpf/%.bpf.c | $(SYSROOT)
	$(bpf_compile)

$(BPF_KPROBE_OBJS): BPF_CFLAGS += -DGSTAGE_KPROBES
$(O)/bpf/kprobes/%.bpf.o: bpf/%.bpf.c | $(SYSROOT)
	$(bpf_compile)

$(O)/bpf/gstage.bpf.o: $(BPF_OBJS)
$(O)/bpf/gstage_kprobes.bpf.o: $(BPF_KPROBE_OBJS)
$(O)/bpf/gstage.bpf.o $(O)/bpf/gstage_kprobes.bpf.o:
	$(call msg,BPFLD,$@)$(BPFTOOL) gen object $@ $^

# Written aside, so that an interrupted run leaves no half of a header.
$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

-include $(wildcard $(O)/bpf/*.d $(O)/bpf/kprobes/*.d)
