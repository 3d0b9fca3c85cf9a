# SPDX-License-Identifier: GPL-2.0-only
#
#   make test    everything below, closed by one line of totals
#   make unit    unit tests: no root, no BPF, address and undefined sanitizers
#   make cli     the command line of the native build
#   make vm      traced guests in QEMU
#   make sim     the statistics, simulated: false alarms, power, coverage
#   make test-peers  the tracers that gstage is measured against, in QEMU
#   make check   formatting, warnings as errors, linters, checkpatch
#   make format  let clang-format rewrite our C files
#
# Each first sees to its packages (deps), then calls make again: what is built
# there may need a compiler that was not there before.

.PHONY: test unit cli vm sim test-peers check format
test unit cli vm sim test-peers: deps
	$(Q)+$(MAKE) --no-print-directory run-$@

check: deps
	$(Q)+O='$(abspath $(O))' MAKE='$(MAKE)' tests/check.sh

format:
	$(Q)tests/check.sh --fix-format

# --- unit ---------------------------------------------------------------
# Every module is compiled once more with the sanitizers and linked into each
# test; a test that needs something else says so below.

UNIT_OUT := $(O)/unit
UNIT_NAMES := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_BINS := $(patsubst %,$(UNIT_OUT)/test_%,$(UNIT_NAMES))
UNIT_OBJS := $(patsubst %,$(UNIT_OUT)/user/%.o,$(USER_COMMON))

# Only the sanitizers differ from a normal build.
UNIT_CFLAGS = $(filter-out -O2 -O0 -fsanitize=%,$(CFLAGS)) -O1 \
	      -fno-omit-frame-pointer -fsanitize=address,undefined \
	      -fno-sanitize-recover=all $(USER_CPPFLAGS) $(JANSSON_CFLAGS) $(GSL_CFLAGS)

UNIT_LINKED = $(UNIT_OBJS)
$(UNIT_OUT)/test_dirtyguest: UNIT_LINKED = $(UNIT_OUT)/bench/dirtyguest/pattern.o
$(UNIT_OUT)/test_dirtyguest: $(UNIT_OUT)/bench/dirtyguest/pattern.o
UNIT_ORACLE := $(patsubst %,$(UNIT_OUT)/bench/oracle/%.o,timeline locate code)
$(UNIT_OUT)/test_oracle: UNIT_LINKED = $(UNIT_ORACLE) -lelf
$(UNIT_OUT)/test_oracle: $(UNIT_ORACLE)
$(UNIT_OUT)/tests/unit/test_dirtyguest.o $(UNIT_OUT)/bench/%.o: UNIT_CFLAGS += -Ibench/dirtyguest

$(UNIT_OUT)/test_%: $(UNIT_OUT)/tests/unit/test_%.o $(UNIT_OBJS)
	$(call msg,LD,$@)$(CC) $(UNIT_CFLAGS) -o $@ $< $(UNIT_LINKED) \
		$(JANSSON_LIBS) $(GSL_LIBS) $(BPF_LIBS) -lcmocka

$(UNIT_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(UNIT_CFLAGS) -MMD -MP -c -o $@ $<

.PRECIOUS: $(UNIT_OUT)/%.o
-include $(wildcard $(UNIT_OUT)/*/*.d $(UNIT_OUT)/*/*/*.d)

# --- sim ----------------------------------------------------------------
# Simulations of our statistics, optimized: they take a while.

SIM_BINS := $(patsubst tests/sim/%.c,$(O)/sim/%,$(wildcard tests/sim/*.c))

$(O)/sim/%: tests/sim/%.c $(O)/native/user/stats.o
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CFLAGS) $(USER_CPPFLAGS) $(GSL_CFLAGS) -MMD -MP -o $@ $< \
		$(O)/native/user/stats.o $(GSL_LIBS)

-include $(wildcard $(O)/sim/*.d)

# --- what runs ----------------------------------------------------------

CLI_TESTS := $(wildcard tests/cli/*.sh)
VM_TESTS := $(wildcard tests/vm/*.sh)

# What a traced guest needs; both bases, their versions, the debug kernel, the
# distribution's kernels, and the kernel's own workload.
VM_NEEDS := $(RISCV64_GSTAGE) $(DG_BIN) $(ORACLE) $(FLOOR_BIN) kernels kernel-debug $(KERNEL_VERSIONS) debian-kernels \
	    $(patsubst %,$(O)/riscv64/dirty_log_perf_test-%,$(firstword $(KERNEL_BASES)))
VM_NEEDS := $(if $(VM_TESTS),$(VM_NEEDS))

RUN_TESTS = O='$(abspath $(O))' tests/run.sh

.PHONY: run-test run-unit run-cli run-vm run-sim
run-test: $(UNIT_BINS) $(SIM_BINS) $(NATIVE_GSTAGE) $(VM_NEEDS)
	$(Q)$(RUN_TESTS) $(UNIT_BINS) $(SIM_BINS) $(CLI_TESTS) $(VM_TESTS)

# The table, not only whether it holds.
run-sim: $(SIM_BINS)
	$(Q)for sim in $(SIM_BINS); do $$sim || exit; done

run-unit: $(UNIT_BINS)
	$(Q)$(RUN_TESTS) $(UNIT_BINS)

run-cli: $(NATIVE_GSTAGE)
	$(Q)$(RUN_TESTS) $(CLI_TESTS)

run-vm: $(VM_NEEDS)
	$(Q)$(RUN_TESTS) $(VM_TESTS)

# Not in `make test`: 80 MB of packages, and a kernel that only these need.
.PHONY: run-test-peers
run-test-peers: $(RISCV64_GSTAGE) $(DG_BIN) $(FLOOR_BIN) kernel-peers $(PEERS)
	$(Q)VM_LIMIT=$${VM_LIMIT:-300} TEST_LIMIT=$${TEST_LIMIT:-3600} BASE=$(BASE) $(RUN_TESTS) tests/peers/tracers.sh
