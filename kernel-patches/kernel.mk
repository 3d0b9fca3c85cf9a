# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels: one vmlinux per base, one kvm.ko per version, from the cache or
# built (kernel-patches/README.md). The scripts decide what there is to do;
# make only calls them, so a `make` on top of a finished build costs a check.

KERNEL_BASES	:= 7.3 7.2
KERNEL_ENV	= O='$(abspath $(O))' KSRC='$(KSRC)' LINUX_TARBALL='$(LINUX_TARBALL)'
KERNEL_FILES	:= Image vmlinux config release kvm-stock.ko kvm-tracepoints.ko

.PHONY: kernel kernels kernel-refresh FORCE
kernel: $(O)/kernel/$(BASE)/Image
kernels: $(KERNEL_BASES:%=$(O)/kernel/%/Image)

# One call makes all files of a base; they are links that change only when
# their target does.
define KERNEL_RULES
$(O)/kernel/$(1)/Image: FORCE | deps
	$$(LEND_JOBS)$$(Q)$$(KERNEL_ENV) kernel-patches/build.sh $(1)
$(patsubst %,$(O)/kernel/$(1)/%,$(filter-out Image,$(KERNEL_FILES))): $(O)/kernel/$(1)/Image ;
endef
$(foreach base,$(KERNEL_BASES),$(eval $(call KERNEL_RULES,$(base))))

# The distribution's own kernels: fetched, not built.
DEBIAN_BASES	:= debian debian-6.12
$(DEBIAN_BASES:%=$(O)/kernel/%/Image): $(O)/kernel/%/Image: FORCE | deps
	$(Q)O='$(abspath $(O))' kernel-patches/debian.sh $*

# For the tests: those that can be had now. A test of another is skipped.
.PHONY: $(DEBIAN_BASES:%=try-%)
$(DEBIAN_BASES:%=try-%): try-%: | deps
	$(Q)O='$(abspath $(O))' kernel-patches/debian.sh $* || :

# A kernel for tests: allocations can be made to fail, and it is loud. Both versions
# are the same code.
.PHONY: kernel-debug
kernel-debug: | deps
	$(Q)$(KERNEL_ENV) kernel-patches/build.sh $(firstword $(KERNEL_BASES))-debug tracepoints no-pages

# A kernel that other tracers can run on, too.
.PHONY: kernel-peers
kernel-peers: | deps
	$(Q)$(KERNEL_ENV) kernel-patches/build.sh $(BASE)-peers

# Every version that comes with a base, each alone, and one of the user's own
# (docs/versions.md). With -j they are built side by side.
.PHONY: versions $(KERNEL_BASES:%=versions-%) version
versions: versions-$(BASE)
define VERSION_RULES
versions-$(1): $(patsubst kernel-patches/$(1)/versions/%/description,$(O)/kernel/$(1)/kvm-%.ko,$(wildcard kernel-patches/$(1)/versions/*/description))
$(O)/kernel/$(1)/kvm-%.ko: $(O)/kernel/$(1)/Image FORCE
	$$(LEND_JOBS)$$(Q)$$(KERNEL_ENV) kernel-patches/build.sh $(1) $$*
endef
$(foreach base,$(KERNEL_BASES),$(eval $(call VERSION_RULES,$(base))))

version: $(O)/kernel/$(BASE)/Image
	$(Q)$(KERNEL_ENV) kernel-patches/version.sh --kvm-args $(call sh_word,$(KVM_ARGS)) $(call sh_word,$(NAME)) $(call sh_word,$(FROM)) $(BASE)

# A series as mails (kernel-patches/README.md).
.PHONY: series
series: | deps
	$(Q)$(KERNEL_ENV) kernel-patches/mails.sh $(call sh_word,$(SERIES)) $(BASE) $(call sh_word,$(OUT))

# Look for a newer point release, then build.
kernel-refresh: | deps
	$(Q)O='$(abspath $(O))' kernel-patches/$(if $(filter debian%,$(BASE)),debian,fetch).sh --refresh $(BASE)
	$(Q)$(MAKE) kernel BASE=$(BASE)

FORCE:

# The cache is shared by all clones; see kernel-patches/README.md.
.PHONY: cache-list cache-clean
cache-list:
	$(Q)du -sh '$(CACHE)'/*/* 2>/dev/null || echo 'the cache $(CACHE) is empty'

cache-clean:
	$(Q)rm -rf '$(CACHE)'/apt-* $(foreach kind,checkpatch kernel kernel-work kvm logs qemu resolved selftests source sysroot,'$(CACHE)/$(kind)')
