# SPDX-License-Identifier: GPL-2.0-only
#
#   make test       what shows a broken change of any part, closed by a line of totals
#   make test-full  all tests, also what repeats them on other kernels, versions, seeds
#   make vm/check   one test, with what it needs (and unit/hist, cli/report, sim/stats)
#   make unit       unit tests: no root, no BPF, address and undefined sanitizers
#   make cli        the command line of the native build
#   make vm         traced guests in QEMU
#   make sim        the statistics, simulated: false alarms, power, coverage
#   make test-times where the time of the last run went, longest first
#   make test-peers the tracers that gstage is measured against, in QEMU
#   make check      formatting, warnings as errors, linters, checkpatch
#   make format     let clang-format rewrite our C files
#
# tests/list says which tests there are, and what each needs. make builds what is
# needed and runs as many tests at once as there are processors (JOBS=N: as many).
#
# Each first sees to its packages (deps), then calls make again: what is built
# there may need a compiler that was not there before.

.PHONY: test test-full unit cli vm sim test-peers test-times check format
test test-full unit cli vm sim test-peers: deps
	$(Q)+$(MAKE) --no-print-directory run-$@

test-times:
	$(Q)O='$(abspath $(O))' tests/run.sh --times

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
# What a row of tests/list calls a need.

NEED_native	:= $(NATIVE_GSTAGE)
NEED_vm		:= $(NATIVE_GSTAGE) $(RISCV64_GSTAGE) $(DG_BIN) $(O)/kernel/7.3/Image
NEED_7.2	:= $(O)/kernel/7.2/Image
NEED_debug	:= kernel-debug
NEED_versions	:= versions-7.3 versions-7.2
NEED_debian	:= try-debian
NEED_6.12	:= try-debian-6.12
NEED_oracle	:= $(ORACLE)
NEED_floor	:= $(FLOOR_BIN)
NEED_selftest	:= $(O)/riscv64/dirty_log_perf_test-7.3

# TESTS_<suite>_<lane>, and what each test waits for: kvm-NAME is a version of 7.3, and
# what comes after a + is needed in test-full only.
$(O)/tests.mk: tests/list tests/tests.mk
	@mkdir -p $(@D)
	$(Q)awk -F ' *[|] *' '/^(cli|vm)\// { \
		print "TESTS_" $$2 "_" $$3 " += " $$1; \
		printf "%s:", $$1; n = split($$4, needs, " "); more = 0; \
		for (i = 1; i <= n; i++) { \
			if (needs[i] == "+") { printf " $$(if $$(filter 1,$$(TEST_FULL)),"; more = 1 } \
			else if (needs[i] ~ /^kvm-/) printf " $$(O)/kernel/7.3/%s.ko", needs[i]; \
			else printf " $$(NEED_%s)", needs[i] } \
		print more ? ")" : "" }' tests/list >$@
-include $(O)/tests.mk

UNIT_TESTS := $(UNIT_NAMES:%=unit/%)
SIM_TESTS := $(patsubst tests/sim/%.c,sim/%,$(wildcard tests/sim/*.c))
$(UNIT_TESTS): unit/%: $(UNIT_OUT)/test_%
$(SIM_TESTS): sim/%: $(O)/sim/%

# The first of a list start first: those that take longest.
SIDE_test := $(TESTS_test_side) $(SIM_TESTS) $(UNIT_TESTS)
SIDE_test-full := $(TESTS_full_side) $(SIDE_test)
ALONE_test := $(TESTS_test_alone)
ALONE_test-full := $(TESTS_test_alone) $(TESTS_full_alone)
SIDE_unit := $(UNIT_TESTS)
SIDE_cli := $(filter cli/%,$(SIDE_test))
SIDE_vm := $(filter vm/%,$(SIDE_test))
ALONE_vm := $(filter vm/%,$(ALONE_test))

.PHONY: $(SIDE_test-full) $(ALONE_test-full) peers/tracers
$(SIDE_test-full) $(ALONE_test-full) peers/tracers: | deps
	$(Q)O='$(abspath $(O))' BASE=$(BASE) tests/one.sh $@

# With -j make's own number of jobs holds.
JOBS ?= $(shell nproc)
RUN_SUITES := $(addprefix run-,test test-full unit cli vm test-peers)
.PHONY: $(RUN_SUITES) run-sim
$(RUN_SUITES): run-%:
	$(Q)+O='$(abspath $(O))' MAKE='$(MAKE)' JOBS='$(if $(findstring jobserver,$(MAKEFLAGS)),,$(JOBS))' \
		TEST_FULL='$(if $(filter test-full,$*),1,$(TEST_FULL))' \
		tests/run.sh $(SIDE_$*) --alone $(ALONE_$*)

# The table, not only whether it holds.
run-sim: $(SIM_BINS)
	$(Q)for sim in $(SIM_BINS); do TEST_FULL=1 $$sim || exit; done

# In no suite: 80 MB of packages, and a kernel that only this test needs.
SIDE_test-peers := peers/tracers
peers/tracers: $(RISCV64_GSTAGE) $(DG_BIN) $(FLOOR_BIN) kernel-peers $(PEERS)
run-test-peers: export VM_LIMIT ?= 300
run-test-peers: export TEST_LIMIT ?= 3600
