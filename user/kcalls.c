// SPDX-License-Identifier: GPL-2.0-only
/*
 * See kcalls.h. What is not linked yet leads nowhere by its instructions: relocations
 * tell, and of calls that the assembler has settled the instructions do.
 */
#include "user/kcalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Relocations: RISC-V ELF psABI. */
#define RISCV_32 1
#define RISCV_64 2
#define RISCV_JAL 17
#define RISCV_CALL 18
#define RISCV_CALL_PLT 19
#define RISCV_GOT_HI20 20
#define RISCV_PCREL_HI20 23
#define RISCV_HI20 26
#define RISCV_ADD32 35
#define RISCV_ALIGN 43
#define RISCV_RVC_BRANCH 44
#define RISCV_RVC_JUMP 45
#define RISCV_RELAX 51
#define RISCV_32_PCREL 57

struct file {
	Elf *elf;
	Elf_Data *symbols;
	bool is_linked;
	struct calls *calls;
};

void kcalls_locate(bool is_linked, size_t index, const GElf_Sym *sym,
		   int64_t addend, size_t *section, uint64_t *address)
{
	*section = is_linked ? 0 : sym->st_shndx;
	*address = sym->st_value + addend;
	if (sym->st_shndx != SHN_UNDEF)
		return;
	*section = SHN_UNDEF;
	*address = index;
}

/* Does a relocation of that type call its symbol, or take its address? */
static bool is_of_use(unsigned int type)
{
	switch (type) {
	case RISCV_JAL:
	case RISCV_CALL:
	case RISCV_CALL_PLT:
	case RISCV_RVC_JUMP:
	case RISCV_GOT_HI20:
	case RISCV_PCREL_HI20:
	case RISCV_HI20:
	case RISCV_64:
	case RISCV_32:
	case RISCV_ADD32:
	case RISCV_32_PCREL:
		return true;
	default:
		return false;
	}
}

/* These name places in functions, or all functions: nothing is called by them. */
static bool is_of_places(const char *name)
{
	static const char *const names[] = {
		"__patchable_function_entries",
		"__mcount_loc",
		"__bug_table",
		"__ex_table",
		"__jump_table",
		".eh_frame",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/* Bytes of instructions that a relocation of that type changes. */
static size_t length_of(unsigned int type)
{
	switch (type) {
	case RISCV_ALIGN:
	case RISCV_RELAX:
		return 0;
	case RISCV_RVC_BRANCH:
	case RISCV_RVC_JUMP:
		return 2;
	case RISCV_CALL:
	case RISCV_CALL_PLT:
		return 8; /* auipc and jalr */
	default:
		return 4;
	}
}

/*
 * The uses that the relocations of a section tell. In the copy @code of it, NULL for
 * data, their instructions are blanked out: they lead nowhere yet.
 */
static int read_uses(struct file *f, Elf_Data *relocations, unsigned char *code,
		     size_t code_size)
{
	size_t i, n = relocations->d_size / sizeof(Elf64_Rela), section;
	uint64_t address;
	GElf_Rela rela;
	GElf_Sym sym;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		size_t index, len;

		if (!gelf_getrela(relocations, i, &rela))
			continue;
		index = GELF_R_SYM(rela.r_info);
		if (is_of_use(GELF_R_TYPE(rela.r_info)) && f->symbols &&
		    gelf_getsym(f->symbols, index, &sym)) {
			kcalls_locate(f->is_linked, index, &sym, rela.r_addend,
				      &section, &address);
			err = calls__add(f->calls, section, address);
		}
		if (!code || rela.r_offset >= code_size)
			continue;
		len = length_of(GELF_R_TYPE(rela.r_info));
		if (len > code_size - rela.r_offset)
			len = code_size - rela.r_offset;
		memset(code + rela.r_offset, 0, len);
	}
	return err;
}

/* The relocations of section @number, or NULL. */
static Elf_Data *find_relocations(struct file *f, size_t number)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(f->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA ||
		    shdr.sh_info != number)
			continue;
		data = elf_getdata(scn, NULL);
		return data && data->d_buf ? data : NULL;
	}
	return NULL;
}

/* All that @scn calls or takes the address of. */
static int read_section(struct file *f, Elf_Scn *scn, const GElf_Shdr *shdr,
			const char *name)
{
	size_t number = elf_ndxscn(scn);
	unsigned char *code = NULL;
	Elf_Data *data, *relocations;
	int err = 0;

	if (!(shdr->sh_flags & SHF_ALLOC) || shdr->sh_type == SHT_NOBITS ||
	    is_of_places(name))
		return 0;
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf)
		return 0;
	if (shdr->sh_flags & SHF_EXECINSTR) {
		code = malloc(data->d_size ?: 1);
		if (!code)
			return -ENOMEM;
		memcpy(code, data->d_buf, data->d_size);
	}
	relocations = f->is_linked ? NULL : find_relocations(f, number);
	if (relocations)
		err = read_uses(f, relocations, code, code ? data->d_size : 0);
	if (!err && code)
		err = calls__scan(f->calls, f->is_linked ? 0 : number, code,
				  data->d_size,
				  f->is_linked ? shdr->sh_addr : 0);
	free(code);
	return err;
}

int kcalls_read(Elf *elf, Elf_Data *symbols, bool is_linked,
		struct calls *calls)
{
	struct file f = {
		.elf = elf,
		.symbols = symbols,
		.is_linked = is_linked,
		.calls = calls,
	};
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t strings;
	int err = 0;

	if (elf_getshdrstrndx(elf, &strings))
		return -EINVAL;
	while (!err && (scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			return -EINVAL;
		name = elf_strptr(elf, strings, shdr.sh_name);
		err = read_section(&f, scn, &shdr, name ?: "");
	}
	calls__sort(calls);
	return err;
}
