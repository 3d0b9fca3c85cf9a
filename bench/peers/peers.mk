# SPDX-License-Identifier: GPL-2.0-only
#
# The floor under all tracers (bench/peers.sh), for riscv64.

FLOOR_BIN := $(O)/riscv64/floor
FLOOR_OUT := $(O)/riscv64/peers

$(FLOOR_OUT)/floor.bpf.o: bench/peers/floor.bpf.c | $(SYSROOT)
	@mkdir -p $(@D)
	$(call msg,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(FLOOR_OUT)/floor.skel.h: $(FLOOR_OUT)/floor.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name floor_bpf > $@.tmp && mv $@.tmp $@

$(FLOOR_BIN): bench/peers/floor.c $(FLOOR_OUT)/floor.skel.h | $(SYSROOT)
	$(call msg,RVCC,$@)$(RV_CC) $(filter-out -fsanitize=%,$(CFLAGS)) -I$(FLOOR_OUT) $< -lbpf -lelf -lz -o $@

.PHONY: bench-floor
bench-floor: $(FLOOR_BIN)
