# SPDX-License-Identifier: GPL-2.0-only
#
# dirtyguest for riscv64: guest payload -> flat image -> embedded in the host
# program. Included from the top; uses O, Q, msg, RV_CC, SYSROOT, CFLAGS.

DG_DIR	:= bench/dirtyguest
DG_OUT	:= $(O)/riscv64/dirtyguest-obj
DG_BIN	:= $(O)/riscv64/dirtyguest

DG_SRCS	:= $(addprefix $(DG_DIR)/,main.c options.c plan.c session.c phases.c \
	     vm.c crew.c memory.c dirtylog.c check.c pattern.c result.c \
	     result_json.c kvm_stats.c guard.c killer.c diag.c) user/opts.c
DG_OBJS	:= $(patsubst %.c,$(DG_OUT)/%.o,$(DG_SRCS)) $(DG_OUT)/payload.o

# RV_CC names its linker even where nothing is linked; the sanitizers have no
# riscv64 runtime in the sysroot.
DG_QUIET := -Wno-unused-command-line-argument
DG_CFLAGS := $(filter-out -fsanitize=%,$(CFLAGS)) $(DG_QUIET) -I. -I$(DG_DIR) \
	-DGSTAGE_VERSION='"$(VERSION)"'

# No libc, no floating point, nothing but the integer ISA that KVM guarantees.
# The image runs where it is linked, so plain absolute addressing will do.
DG_GUEST_CFLAGS := -std=gnu11 -O2 $(WARNINGS) $(DG_QUIET) -I$(DG_DIR) \
	-march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
	-ffreestanding -fno-builtin -fno-pic -fno-stack-protector \
	-fno-asynchronous-unwind-tables -mno-relax
DG_GUEST_OBJS := $(addprefix $(DG_OUT)/guest/,entry.o guest.o pattern.o)
DG_PAYLOAD := $(DG_OUT)/guest/payload.bin

# Linker scripts cannot include abi.h: hand its numbers over.
dg_abi	= $(shell sed -n 's/^\#define $(1)[[:space:]]*\([^[:space:]]*\).*/\1/p' $(DG_DIR)/abi.h)

.PHONY: dirtyguest
dirtyguest: $(DG_BIN)
all: dirtyguest

$(DG_BIN): $(DG_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(RV_CC) -pthread $^ -ljansson -o $@

$(DG_OUT)/%.o: %.c | $(SYSROOT)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(RV_CC) $(DG_CFLAGS) -pthread -MMD -MP -c $< -o $@

$(DG_OUT)/payload.o: $(DG_DIR)/payload.S $(DG_PAYLOAD)
	$(call msg,AS,$@)
	$(Q)$(RV_CC) $(DG_QUIET) -DPAYLOAD_BIN='"$(DG_PAYLOAD)"' -c $< -o $@

$(DG_PAYLOAD): $(DG_GUEST_OBJS) $(DG_DIR)/guest/guest.lds
	$(call msg,PAYLOAD,$@)
	$(Q)$(RV_CC) -march=rv64imac_zicsr_zifencei -mabi=lp64 -static -nostdlib \
		-Wl,--build-id=none -Wl,--no-relax -Wl,--oformat=binary \
		-Wl,--defsym=GUEST_BASE=$(call dg_abi,DG_PAYLOAD_GPA) \
		-Wl,--defsym=GUEST_BYTES=$(call dg_abi,DG_PAYLOAD_BYTES) \
		-T $(DG_DIR)/guest/guest.lds $(DG_QUIET) $(DG_GUEST_OBJS) -o $@

$(DG_OUT)/guest/%.o: $(DG_DIR)/guest/%.c | $(SYSROOT)
	$(call msg,GUEST-CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(RV_CC) $(DG_GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(DG_OUT)/guest/%.o: $(DG_DIR)/guest/%.S | $(SYSROOT)
	$(call msg,GUEST-AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(RV_CC) $(DG_GUEST_CFLAGS) -MMD -MP -c $< -o $@

# The pattern is compiled a second time, for the guest.
$(DG_OUT)/guest/pattern.o: $(DG_DIR)/pattern.c | $(SYSROOT)
	$(call msg,GUEST-CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(RV_CC) $(DG_GUEST_CFLAGS) -MMD -MP -c $< -o $@

-include $(DG_OBJS:.o=.d) $(DG_GUEST_OBJS:.o=.d)
