# SPDX-License-Identifier: GPL-2.0-only
#
# What the benchmarks stand on: distribution packages, the riscv64 sysroot, the
# kernel's own selftest, and (in its own file) the guest workload.

.PHONY: deps FORCE
# As root: install what is missing. Otherwise: say what to run, and stop.
deps:
	$(Q)bench/host/deps.sh

# A link into the cache; checked on each run (order-only for what uses it).
$(SYSROOT): FORCE | deps
	$(Q)O='$(abspath $(O))' bench/host/sysroot.sh $(abspath $(SYSROOT))

# The kernel's dirty_log_perf_test from the sources of each base.
$(O)/riscv64/dirty_log_perf_test-%: $(O)/kernel/%/Image FORCE | $(SYSROOT)
	$(Q)$(KERNEL_ENV) bench/selftests.sh $*

# Other tracers of the distribution, for riscv64.
PEERS := $(O)/peers
$(PEERS): FORCE | $(SYSROOT)
	$(Q)O='$(abspath $(O))' bench/host/peers.sh $(abspath $(PEERS))

-include bench/dirtyguest/dirtyguest.mk
-include bench/oracle/oracle.mk
-include bench/peers/peers.mk

# --- what users run ------------------------------------------------------
# As in tests/tests.mk: packages first, then make again.
.PHONY: demo bench-cost bench-versions bench-oracle bench-peers catalogue soak
.PHONY: run-demo run-bench-cost run-bench-versions run-bench-oracle run-bench-peers run-catalogue run-soak
demo bench-cost bench-versions bench-oracle bench-peers catalogue soak: deps
	$(Q)+$(MAKE) --no-print-directory run-$@

# Variables of other directories: expanded when the rule runs.
.SECONDEXPANSION:
run-demo run-bench-cost run-bench-versions run-bench-oracle run-bench-peers run-catalogue run-soak: kernel $$(NATIVE_GSTAGE) $$(RISCV64_GSTAGE) $$(DG_BIN)

run-demo:
	$(Q)O='$(abspath $(O))' BASE=$(BASE) bench/demo.sh

# The distribution's kernel: what is to be fetched takes longer than what is to be
# built, so both at the same time; and a mirror that is out of step is passed over
# sooner, as another suite has all of it.
.PHONY: demo-stock run-demo-stock
demo-stock: deps
	$(Q)+APT_TRIES=$${APT_TRIES:-2} $(MAKE) --no-print-directory -j$(shell nproc) run-demo-stock

run-demo-stock: $(O)/kernel/debian/Image $$(NATIVE_GSTAGE) $$(RISCV64_GSTAGE) $$(DG_BIN) \
		$(O)/riscv64/dirty_log_perf_test-debian
	$(Q)O='$(abspath $(O))' bench/demo-stock.sh

# PLAN: a file, or a name from bench/plans. RESULTS: a folder to fill or to
# go on with. What the plan needs of kernels is built by the script.
.PHONY: matrix
matrix: deps
	$(Q)+$(MAKE) --no-print-directory run-$@

RESULTS ?= $(O)/results/$(basename $(notdir $(PLAN)))
.PHONY: run-matrix
run-matrix: $$(NATIVE_GSTAGE) $$(RISCV64_GSTAGE) $$(DG_BIN) $(SYSROOT)
	$(Q)$(if $(PLAN),,$(error PLAN= is missing: a file, or one of bench/plans))$(KERNEL_ENV) bench/matrix.sh $(call sh_word,$(PLAN)) --out $(call sh_word,$(RESULTS))

run-bench-cost:
	$(Q)O='$(abspath $(O))' BASE=$(BASE) bench/cost.sh

# The same beside other tracers, on a kernel that serves them all.
run-bench-peers: kernel-peers $(PEERS) $$(FLOOR_BIN)
	$(Q)O='$(abspath $(O))' BASE=$(BASE) bench/peers.sh

run-bench-versions: versions
	$(Q)O='$(abspath $(O))' bench/versions.sh

# What the tracer counts against what QEMU executes.
run-bench-oracle: $$(ORACLE)
	$(Q)O='$(abspath $(O))' BASE=$(BASE) bench/oracle.sh --all

# Known defects, and whether the checks find them.
run-catalogue: versions kernel-debug
	$(Q)O='$(abspath $(O))' BASE=$(BASE) bench/catalogue.sh

# Long: all scenarios with more seeds and vCPUs. Lists, to narrow it: VERSIONS,
# SCENARIOS, VCPUS, SEEDS.
# RESULTS has a default for the matrix, above.
SOAK_OPTIONS = $(if $(VERSIONS),--versions '$(VERSIONS)') $(if $(SCENARIOS),--scenarios '$(SCENARIOS)') \
	       $(if $(VCPUS),--vcpus '$(VCPUS)') $(if $(SEEDS),--seeds '$(SEEDS)') $(if $(JOBS),--jobs '$(JOBS)') \
	       $(if $(filter file,$(origin RESULTS)),,--out '$(RESULTS)')
run-soak: versions
	$(Q)O='$(abspath $(O))' bench/soak.sh --base $(BASE) $(SOAK_OPTIONS)
