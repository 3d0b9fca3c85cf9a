/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of QEMU's TCG plugin API that the oracle uses, declared here: the
 * distribution packages no header for it, and QEMU's own wants glib.
 *
 * A plugin exports the API version it was built for and is refused by a QEMU
 * that does not know it. ORACLE_API selects one of the two that are built:
 *
 *   1  QEMU 7.2 to 8.2: the bytes of an instruction are pointed to
 *   4  QEMU 9.2 and newer, 10.x: they are copied
 *
 * Callbacks must not use the first argument of those that may change: from
 * version 7 on QEMU hands user data to all of them.
 */
#ifndef GSTAGE_ORACLE_PLUGIN_API_H
#define GSTAGE_ORACLE_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;

struct qemu_info {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
	bool system_emulation;
	/* Of a machine, not of a user-mode emulation. */
	int smp_vcpus;
	int max_vcpus;
};

enum { QEMU_PLUGIN_CB_NO_REGS = 0 };

/* What a plugin exports. */
extern QEMU_EXPORT int qemu_plugin_version;
QEMU_EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info,
				    int argc, char **argv);

/* What QEMU exports. */
void qemu_plugin_register_vcpu_tb_trans_cb(
	uint64_t id, void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu,
						       void *data),
					    int flags, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id,
				    void (*cb)(uint64_t id, void *data),
				    void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
/* In system emulation a pointer into this process, or NULL outside of RAM. */
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
#if ORACLE_API == 1
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#else
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t bytes);
#endif

#endif /* GSTAGE_ORACLE_PLUGIN_API_H */
