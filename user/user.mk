# SPDX-License-Identifier: GPL-2.0-only
#
# The front end, twice: for this machine (results are read anywhere) and for
# riscv64 (with libbpf and the skeletons, where guests are traced).

# Everything but the parts that need BPF; also what the unit tests link.
USER_COMMON := log opts hist out out_hist \
	       run run_schema run_check run_write tally tally_json tally_locks tally_exits tally_checks check probes probes_json bracket coverage stats gate \
	       report report_env report_exits report_json \
	       compare compare_env compare_vary compare_figures compare_times \
	       compare_exact compare_host compare_print compare_print_host \
	       compare_verdict compare_load compare_ktap compare_mail \
	       host verdict ktypes calls kcalls kfile features doctor doctor_print \
	       cmd_common
USER_MODULES := main cmd_report cmd_compare cmd_check cmd_doctor $(USER_COMMON)

# What only the traced machine has, and its stand-in elsewhere.
USER_BPF_MODULES := session hook bracket_run ktext preflight environment guest child live ksyms trace_opts cmd_trace
USER_NOBPF_MODULES := cmd_trace_none ktext_none

USER_CPPFLAGS := -I. -D_GNU_SOURCE -DGSTAGE_VERSION='"$(VERSION)"'

NATIVE_GSTAGE := $(O)/native/gstage
NATIVE_OBJS := $(patsubst %,$(O)/native/user/%.o,$(USER_MODULES) $(USER_NOBPF_MODULES))

RISCV64_GSTAGE := $(O)/riscv64/gstage
RISCV64_OBJS := $(patsubst %,$(O)/riscv64/user/%.o,$(USER_MODULES) $(USER_BPF_MODULES))

JANSSON_CFLAGS = $(shell $(PKG_CONFIG) --cflags jansson)
JANSSON_LIBS = $(shell $(PKG_CONFIG) --libs jansson || echo -ljansson)
# Statistics of `gstage compare`. Its BLAS is not used.
GSL_CFLAGS = $(shell $(PKG_CONFIG) --cflags gsl)
# doctor reads the types (BTF) and symbols of kernels, on any machine.
BPF_LIBS = $(shell $(PKG_CONFIG) --libs libbpf || echo -lbpf) -lelf -lz
GSL_LIBS = $(filter-out %cblas,$(shell $(PKG_CONFIG) --libs gsl || echo -lgsl -lm))

.PHONY: native riscv64
native: $(NATIVE_GSTAGE)
all: native

$(NATIVE_GSTAGE): $(NATIVE_OBJS)
	$(call msg,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(JANSSON_LIBS) $(GSL_LIBS) $(BPF_LIBS)

# Order-only: says what is missing before the compiler does, rebuilds nothing.
.PHONY: need-libs
need-libs:
	@$(PKG_CONFIG) --exists jansson gsl libbpf || { \
		echo "gstage needs jansson, GSL, libbpf and pkg-config: run 'make deps'" \
		     "(Debian: libjansson-dev libgsl-dev libbpf-dev pkg-config)" >&2; exit 4; }

$(O)/native/user/%.o: user/%.c | need-libs
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CFLAGS) $(USER_CPPFLAGS) $(JANSSON_CFLAGS) $(GSL_CFLAGS) \
		-MMD -MP -c -o $@ $<

riscv64: $(RISCV64_GSTAGE)
all: riscv64

# libelf of the sysroot has no usable static version: everything is dynamic,
# but for the few functions of GSL, which only reading results needs.
$(RISCV64_GSTAGE): $(RISCV64_OBJS)
	$(call msg,LD,$@)$(RV_CC) $(RV_CFLAGS) -o $@ $^ \
		-lbpf -lelf -lz -lzstd -ljansson \
		-Wl,-Bstatic -lgsl -Wl,-Bdynamic -lm

# Skeletons are order-only: for the first build; -MMD knows them afterwards.
$(O)/riscv64/user/%.o: user/%.c | $(SYSROOT) $(BPF_SKELS)
	@mkdir -p $(@D)
	$(call msg,RVCC,$@)$(RV_CC) $(RV_CFLAGS) $(USER_CPPFLAGS) -DHAVE_BPF \
		-I$(O)/bpf -MMD -MP -c -o $@ $<

# The version is in these two only.
$(O)/native/user/main.o $(O)/riscv64/user/main.o $(O)/riscv64/user/cmd_trace.o: Makefile

# A host sanitizer has no riscv64 runtime here, so D=1 is for the native side.
RV_CFLAGS = $(filter-out -fsanitize=%,$(CFLAGS))

-include $(wildcard $(O)/native/user/*.d $(O)/riscv64/user/*.d)
