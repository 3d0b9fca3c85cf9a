// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle: a QEMU plugin that counts, from outside of the machine, what gstage
 * counts from inside: the fence instructions that are executed, and how often
 * each block of code of a kernel module is entered.
 *
 * A plugin knows addresses and bytes of code, no names, and does not see the
 * privilege mode. So it writes down addresses only, virtual and in RAM, with
 * the bytes found there; resolve.c finds out afterwards what they are. Nothing
 * is asked of the guest, and no instruction is added to it.
 *
 * The log is a time line. Whenever a block of a module runs for the first time,
 * everything counted up to then is written first, so that counts can be told
 * apart by what had already happened: "before the tracer was attached" is
 * "before its tracepoint's register function ran".
 *
 *   gstage-oracle 1 API HARTS          first line
 *   f ID VADDR OFFSET CODE             a fence at VADDR, OFFSET in RAM or -
 *   b ID VADDR CODE...                 a block at VADDR, its first bytes
 *   + ID COUNT                         executed so often since the last +
 *   @ ID                               this block now runs for the first time
 *   end                                complete
 *
 * Options: out=FILE; probe=on only says that the plugin can be loaded.
 *
 * A callback comes before its instruction, so one that traps is counted, too:
 * a fence in user mode is one that was tried.
 */
#include "bench/oracle/plugin-api.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QEMU_EXPORT int qemu_plugin_version = ORACLE_API;

/* The start of RAM on QEMU's virt machine, where its firmware starts, too. */
#define RAM_START 0x80000000ull

/*
 * Where the riscv64 kernel puts its modules: in the 2 GiB below the end of its
 * image, which is linked to KERNEL_START. The last 128 MiB in front of that
 * belong to BPF programs.
 */
#define MODULES_START 0xffffffff00000000ull
#define MODULES_END 0xffffffff78000000ull

/* Bytes of each block that are written down to recognise it by. */
#define CODE_BYTES 16

#define HASH_BITS 14

/* Of one instruction or block; never freed, translated code points to it. */
struct counter {
	struct counter *next_in_hash;
	struct counter *next;
	uint64_t vaddr;
	uint64_t offset; /* in RAM; NO_OFFSET: not in RAM, or a block */
	uint64_t count; /* executed; atomic */
	uint64_t written; /* how much of it is in the log */
	uint8_t code[CODE_BYTES];
	uint32_t nr_code; /* bytes */
	uint32_t id;
	bool is_block;
};

#define NO_OFFSET UINT64_MAX

static struct {
	/* Of all below: harts translate and run at the same time. */
	pthread_mutex_t lock;
	struct counter *hash[1 << HASH_BITS];
	struct counter *first, **last;
	uint32_t nr_counters;
	FILE *log;
	const char *path;
	/* RAM_START in this process, once the firmware has run. */
	const uint8_t *ram;
} oracle = { .lock = PTHREAD_MUTEX_INITIALIZER, .last = &oracle.first };

/*
 * Fences, by opcode: all have funct3 0 and rd 0 (SYSTEM), and but for the last
 * two any registers.
 */
static bool is_fence(uint32_t insn)
{
	switch (insn & 0xfe007fff) {
	case 0x12000073: /* sfence.vma */
	case 0x16000073: /* sinval.vma */
	case 0x22000073: /* hfence.vvma */
	case 0x26000073: /* hinval.vvma */
	case 0x62000073: /* hfence.gvma */
	case 0x66000073: /* hinval.gvma */
		return true;
	}
	/* sfence.w.inval, sfence.inval.ir */
	return insn == 0x18000073 || insn == 0x18100073;
}

static size_t insn_bytes(const struct qemu_plugin_insn *insn, uint8_t *to,
			 size_t size)
{
	size_t bytes = qemu_plugin_insn_size(insn);

	if (bytes > size)
		bytes = size;
#if ORACLE_API == 1
	memcpy(to, qemu_plugin_insn_data(insn), bytes);
#else
	bytes = qemu_plugin_insn_data(insn, to, bytes);
#endif
	return bytes;
}

static uint32_t hash_of(uint64_t vaddr, const uint8_t *code, size_t nr_code)
{
	uint64_t hash = vaddr;

	for (size_t i = 0; i < nr_code; i++)
		hash = hash * 31 + code[i];
	return (hash * 0x9e3779b97f4a7c15ull) >> (64 - HASH_BITS);
}

static void log_new(const struct counter *c)
{
	fprintf(oracle.log, "%c %" PRIu32 " %" PRIx64, c->is_block ? 'b' : 'f',
		c->id, c->vaddr);
	if (!c->is_block && c->offset == NO_OFFSET)
		fputs(" -", oracle.log);
	else if (!c->is_block)
		fprintf(oracle.log, " %" PRIx64, c->offset);
	putc(' ', oracle.log);
	for (uint32_t i = 0; i < c->nr_code; i++)
		fprintf(oracle.log, "%02x", c->code[i]);
	putc('\n', oracle.log);
}

/*
 * The counter of this code at this place: code that is translated again goes on
 * counting, other code at the same place has a counter of its own.
 */
static struct counter *find_counter(bool is_block, uint64_t vaddr,
				    uint64_t offset, const uint8_t *code,
				    size_t nr_code)
{
	uint32_t hash = hash_of(vaddr, code, nr_code);
	struct counter *c;

	pthread_mutex_lock(&oracle.lock);
	for (c = oracle.hash[hash]; c; c = c->next_in_hash) {
		if (c->vaddr == vaddr && c->is_block == is_block &&
		    c->offset == offset && c->nr_code == nr_code &&
		    !memcmp(c->code, code, nr_code))
			goto out;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		fprintf(stderr, "gstage-oracle: out of memory\n");
		abort();
	}
	c->vaddr = vaddr;
	c->offset = offset;
	memcpy(c->code, code, nr_code);
	c->nr_code = nr_code;
	c->is_block = is_block;
	c->id = oracle.nr_counters++;
	c->next_in_hash = oracle.hash[hash];
	oracle.hash[hash] = c;
	*oracle.last = c;
	oracle.last = &c->next;
	log_new(c);
out:
	pthread_mutex_unlock(&oracle.lock);
	return c;
}

/* Write what was counted since the last time; with the lock held. */
static void log_counts(const struct counter *but)
{
	struct counter *c;

	for (c = oracle.first; c; c = c->next) {
		uint64_t count = __atomic_load_n(&c->count, __ATOMIC_RELAXED);

		if (c == but || count == c->written)
			continue;
		fprintf(oracle.log, "+ %" PRIu32 " %" PRIu64 "\n", c->id,
			count - c->written);
		c->written = count;
	}
}

static void on_exec(unsigned int cpu, void *data)
{
	struct counter *c = data;

	(void)cpu;
	if (__atomic_fetch_add(&c->count, 1, __ATOMIC_RELAXED) || !c->is_block)
		return;
	pthread_mutex_lock(&oracle.lock);
	log_counts(c);
	fprintf(oracle.log, "@ %" PRIu32 "\n", c->id);
	pthread_mutex_unlock(&oracle.lock);
}

static uint64_t offset_in_ram(const struct qemu_plugin_insn *insn)
{
	const uint8_t *haddr = qemu_plugin_insn_haddr(insn);
	const uint8_t *ram = __atomic_load_n(&oracle.ram, __ATOMIC_RELAXED);

	return haddr && ram && haddr >= ram ? (uint64_t)(haddr - ram) :
					      NO_OFFSET;
}

static void watch_fence(struct qemu_plugin_insn *insn)
{
	uint8_t code[4];
	uint32_t opcode;
	struct counter *c;

	if (insn_bytes(insn, code, sizeof(code)) != sizeof(code))
		return;
	/* Instructions are little-endian, whatever this machine is. */
	opcode = code[0] | code[1] << 8 | code[2] << 16 |
		 (uint32_t)code[3] << 24;
	if (!is_fence(opcode))
		return;
	c = find_counter(false, qemu_plugin_insn_vaddr(insn),
			 offset_in_ram(insn), code, sizeof(code));
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_exec,
					       QEMU_PLUGIN_CB_NO_REGS, c);
}

static void watch_block(struct qemu_plugin_tb *tb, size_t nr_insns)
{
	uint8_t code[CODE_BYTES];
	size_t nr_code = 0;
	struct counter *c;

	for (size_t i = 0; i < nr_insns && nr_code < sizeof(code); i++)
		nr_code += insn_bytes(qemu_plugin_tb_get_insn(tb, i),
				      code + nr_code, sizeof(code) - nr_code);
	c = find_counter(true, qemu_plugin_tb_vaddr(tb), NO_OFFSET, code,
			 nr_code);
	qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0),
					       on_exec, QEMU_PLUGIN_CB_NO_REGS,
					       c);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t nr_insns = qemu_plugin_tb_n_insns(tb);
	uint64_t vaddr = qemu_plugin_tb_vaddr(tb);

	(void)id;
	if (!nr_insns)
		return;
	/*
	 * The first code at this address is that of the firmware: paging is off
	 * after a reset, and no guest has any memory yet.
	 */
	if (vaddr == RAM_START &&
	    !__atomic_load_n(&oracle.ram, __ATOMIC_RELAXED))
		__atomic_store_n(
			&oracle.ram,
			qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0)),
			__ATOMIC_RELAXED);

	for (size_t i = 0; i < nr_insns; i++)
		watch_fence(qemu_plugin_tb_get_insn(tb, i));
	if (vaddr >= MODULES_START && vaddr < MODULES_END)
		watch_block(tb, nr_insns);
}

static void on_exit_of_qemu(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	pthread_mutex_lock(&oracle.lock);
	log_counts(NULL);
	fputs("end\n", oracle.log);
	/* A log that is cut short has no end, and is refused. */
	if (fflush(oracle.log) || ferror(oracle.log))
		fprintf(stderr, "gstage-oracle: cannot write to %s\n",
			oracle.path);
	pthread_mutex_unlock(&oracle.lock);
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "probe=on")) {
			printf("gstage-oracle: loaded, API %d of %d to %d\n",
			       ORACLE_API, info->version.min,
			       info->version.cur);
			fflush(stdout);
			_Exit(0);
		} else if (!strncmp(argv[i], "out=", 4)) {
			oracle.path = argv[i] + 4;
		} else {
			fprintf(stderr, "gstage-oracle: unknown option %s\n",
				argv[i]);
			return -1;
		}
	}
	if (strcmp(info->target_name, "riscv64") || !info->system_emulation) {
		fprintf(stderr,
			"gstage-oracle: only for qemu-system-riscv64\n");
		return -1;
	}
	if (!oracle.path) {
		fprintf(stderr,
			"gstage-oracle: the option out=FILE is missing\n");
		return -1;
	}
	oracle.log = fopen(oracle.path, "w");
	if (!oracle.log) {
		perror(oracle.path);
		return -1;
	}
	fprintf(oracle.log, "gstage-oracle 1 %d %d\n", ORACLE_API,
		info->smp_vcpus);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
