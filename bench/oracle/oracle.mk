# SPDX-License-Identifier: GPL-2.0-only
#
# The oracle: a plugin for each version of QEMU's plugin API that is about, and
# the program that gives names to what it counted (docs/oracle.md).

ORACLE_OUT := $(O)/native/oracle
ORACLE_PLUGINS := $(ORACLE_OUT)/plugin-api1.so $(ORACLE_OUT)/plugin-api4.so
ORACLE_RESOLVE := $(ORACLE_OUT)/resolve
ORACLE_OBJS := $(patsubst %,$(ORACLE_OUT)/%.o,resolve code timeline locate)
# A guest with a known number of fences, for the test.
ORACLE_KNOWN := $(O)/riscv64/oracle-known
ORACLE := $(ORACLE_PLUGINS) $(ORACLE_RESOLVE) $(ORACLE_KNOWN)

# QEMU loads the plugin, so it cannot bring a sanitizer along.
ORACLE_PLUGIN_CFLAGS = $(filter-out -fsanitize=%,$(CFLAGS)) -I. -fPIC -fvisibility=hidden -pthread

.PHONY: oracle
oracle: $(ORACLE)
all: oracle

$(ORACLE_OUT)/plugin-api%.so: bench/oracle/plugin.c bench/oracle/plugin-api.h
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(ORACLE_PLUGIN_CFLAGS) -DORACLE_API=$* -shared -o $@ $<

$(ORACLE_RESOLVE): $(ORACLE_OBJS)
	$(call msg,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lelf $(JANSSON_LIBS)

$(ORACLE_OUT)/%.o: bench/oracle/%.c | need-libs
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CFLAGS) -I. -D_GNU_SOURCE $(JANSSON_CFLAGS) -MMD -MP -c -o $@ $<

$(ORACLE_KNOWN): bench/oracle/known.c | $(SYSROOT)
	@mkdir -p $(@D)
	$(call msg,LINK,$@)
	$(Q)$(RV_CC) $(filter-out -fsanitize=%,$(CFLAGS)) -I. $< -o $@

-include $(ORACLE_OBJS:.o=.d)
