// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel files, written here with libelf: what is read from a whole one, and that
 * one that is cut short or has any byte turned over is read without harm (the
 * sanitizers watch).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/kfile.h"

#ifndef EM_RISCV
#define EM_RISCV 243
#endif
#define R_64 2
#define R_CALL_PLT 19
#define R_RELAX 51

static char path[] = "/tmp/gstage-unit.XXXXXX";

/* The sections by number, from 1 on. */
enum {
	TEXT = 1,
	DATA,
	MODINFO,
	RELA,
	RELA_TEXT,
	RELA_DATA,
	SYMTAB,
	STRTAB,
	SHSTRTAB,
	NR_SECTIONS,
};

static const char shstrtab[] =
	"\0.text\0.data\0.modinfo\0.rela__patchable_function_entries\0.rela.text\0.rela.data\0.symtab\0.strtab\0.shstrtab";
static const char modinfo[] = "parmtype=eager_page_split:bool\0"
			      "name=kvm\0vermagic=7.9.1 SMP";
static const char strtab[] =
	"\0hooked\0plain\0cut.part.0\0called\0.LPFE1\0__tracepoint_x";

/* Byte offset of @word, after a zero, in a table of strings. */
static unsigned int offset(const char *table, size_t size, const char *word)
{
	size_t i;

	for (i = 1; i < size; i++) {
		if (!table[i - 1] && !strcmp(table + i, word))
			return i;
	}
	fail_msg("no %s in the table", word);
	return 0;
}

#define NAME(word) offset(strtab, sizeof(strtab), word)
#define SECTION(word) offset(shstrtab, sizeof(shstrtab), word)
#define INFO(bind, type) ELF64_ST_INFO(bind, type)

static void add(Elf *elf, const char *name, const void *bytes, size_t size,
		Elf_Type type, GElf_Word sh_type, GElf_Word link,
		size_t entry_size)
{
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *data = elf_newdata(scn);
	GElf_Shdr shdr;

	assert_non_null(gelf_getshdr(scn, &shdr));
	data->d_buf = (void *)bytes;
	data->d_size = size;
	data->d_type = type;
	data->d_version = EV_CURRENT;
	data->d_align = 8;
	shdr.sh_name = SECTION(name);
	shdr.sh_type = sh_type;
	shdr.sh_link = link;
	shdr.sh_entsize = entry_size;
	assert_int_not_equal(gelf_update_shdr(scn, &shdr), 0);
}

/* What section @number is for, and what relocations of it are of. */
static void mark(Elf *elf, size_t number, GElf_Xword flags, GElf_Word info)
{
	Elf_Scn *scn = elf_getscn(elf, number);
	GElf_Shdr shdr;

	assert_non_null(gelf_getshdr(scn, &shdr));
	shdr.sh_flags = flags;
	shdr.sh_info = info;
	assert_int_not_equal(gelf_update_shdr(scn, &shdr), 0);
}

static int write_module(void **state)
{
	/*
	 * In "hooked" a call of "called" as it is before it is linked, and one that
	 * is settled, c.j to "plain"; in that one a call of "cut.part.0".
	 */
	static const unsigned char text[64] = {
		[8] = 0x97,  [12] = 0xe7, [13] = 0x80, [16] = 0x21,
		[17] = 0xa0, [24] = 0x97, [28] = 0xe7, [29] = 0x80,
	};
	static const char data[8]; /* a pointer to "hooked" */
	const Elf64_Sym symbols[] = {
		{},
		{ NAME("hooked"), INFO(STB_GLOBAL, STT_FUNC), 0, TEXT, 8, 16 },
		{ NAME("plain"), INFO(STB_LOCAL, STT_FUNC), 0, TEXT, 24, 16 },
		{ NAME("cut.part.0"), INFO(STB_LOCAL, STT_FUNC), 0, TEXT, 40,
		  8 },
		{ NAME("called"), INFO(STB_GLOBAL, STT_NOTYPE), 0, SHN_UNDEF, 0,
		  0 },
		{ NAME(".LPFE1"), INFO(STB_LOCAL, STT_NOTYPE), 0, TEXT, 0, 0 },
		{ NAME("__tracepoint_x"), INFO(STB_GLOBAL, STT_OBJECT), 0, TEXT,
		  48, 8 },
	};
	/* 8 bytes before "hooked". */
	const Elf64_Rela rela[] = { { 0, ELF64_R_INFO(5, R_64), 0 } };
	const Elf64_Rela of_text[] = {
		{ 8, ELF64_R_INFO(4, R_CALL_PLT), 0 },
		{ 8, ELF64_R_INFO(0, R_RELAX), 0 },
		{ 24, ELF64_R_INFO(5, R_CALL_PLT), 40 },
	};
	const Elf64_Rela of_data[] = { { 0, ELF64_R_INFO(1, R_64), 0 } };
	GElf_Ehdr ehdr;
	Elf *elf;
	int fd;

	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	assert_non_null(elf);
	assert_non_null(gelf_newehdr(elf, ELFCLASS64));
	assert_non_null(gelf_getehdr(elf, &ehdr));
	ehdr.e_type = ET_REL;
	ehdr.e_machine = EM_RISCV;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_version = EV_CURRENT;
	ehdr.e_shstrndx = SHSTRTAB;
	assert_int_not_equal(gelf_update_ehdr(elf, &ehdr), 0);
	add(elf, ".text", text, sizeof(text), ELF_T_BYTE, SHT_PROGBITS, 0, 0);
	add(elf, ".data", data, sizeof(data), ELF_T_BYTE, SHT_PROGBITS, 0, 0);
	add(elf, ".modinfo", modinfo, sizeof(modinfo), ELF_T_BYTE, SHT_PROGBITS,
	    0, 0);
	add(elf, ".rela__patchable_function_entries", rela, sizeof(rela),
	    ELF_T_RELA, SHT_RELA, SYMTAB, sizeof(rela[0]));
	add(elf, ".rela.text", of_text, sizeof(of_text), ELF_T_RELA, SHT_RELA,
	    SYMTAB, sizeof(rela[0]));
	add(elf, ".rela.data", of_data, sizeof(of_data), ELF_T_RELA, SHT_RELA,
	    SYMTAB, sizeof(rela[0]));
	add(elf, ".symtab", symbols, sizeof(symbols), ELF_T_SYM, SHT_SYMTAB,
	    STRTAB, sizeof(symbols[0]));
	add(elf, ".strtab", strtab, sizeof(strtab), ELF_T_BYTE, SHT_STRTAB, 0,
	    0);
	add(elf, ".shstrtab", shstrtab, sizeof(shstrtab), ELF_T_BYTE,
	    SHT_STRTAB, 0, 0);
	mark(elf, TEXT, SHF_ALLOC | SHF_EXECINSTR, 0);
	mark(elf, DATA, SHF_ALLOC | SHF_WRITE, 0);
	mark(elf, RELA_TEXT, SHF_INFO_LINK, TEXT);
	mark(elf, RELA_DATA, SHF_INFO_LINK, DATA);
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	close(fd);
	return 0;
}

static int remove_module(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_whole(void **state)
{
	struct kfile *k;
	size_t size;

	(void)state;
	assert_int_equal(kfile__open(path, &k), 0);
	assert_int_equal(kfile__kind(k), KFILE_KVM);
	assert_string_equal(kfile__path(k), path);
	assert_string_equal(kfile__release(k), "7.9.1");
	assert_null(kfile__btf(k, &size));
	assert_int_equal(size, 0);
	assert_true(kfile__has_symbols(k));

	assert_int_equal(kfile__function(k, "hooked"), KFILE_FUNCTION_HOOKABLE);
	assert_int_equal(kfile__function(k, "plain"),
			 KFILE_FUNCTION_UNHOOKABLE);
	assert_int_equal(kfile__function(k, "called"), KFILE_FUNCTION_CALLED);
	assert_int_equal(kfile__function(k, "cut"), KFILE_FUNCTION_ABSENT);
	assert_string_equal(kfile__variant(k, "cut"), "cut.part.0");
	assert_null(kfile__variant(k, "cu"));
	assert_null(kfile__variant(k, "hooked"));
	assert_true(kfile__has_symbol(k, "__tracepoint_x"));
	assert_false(kfile__has_symbol(k, "called"));

	/* A pointer; a jump; what it does not define; by another symbol. */
	assert_int_equal(kfile__callers(k, "hooked"), 1);
	assert_int_equal(kfile__callers(k, "plain"), 1);
	assert_int_equal(kfile__callers(k, "called"), 1);
	assert_int_equal(kfile__callers(k, "cut.part.0"), 1);
	assert_int_equal(kfile__callers(k, "none"), -1);

	assert_true(kfile__has_parameter(k, "eager_page_split"));
	assert_false(kfile__has_parameter(k, "eager"));
	assert_false(kfile__has_parameter(k, "name"));
	kfile__free(k);
}

/* Everything that is asked of a file, whatever the answers. */
static void ask_all(void)
{
	struct kfile *k;
	size_t size;

	if (kfile__open(path, &k))
		return;
	kfile__btf(k, &size);
	kfile__function(k, "hooked");
	kfile__function(k, "none");
	kfile__variant(k, "cut");
	kfile__callers(k, "plain");
	kfile__has_symbol(k, "none");
	kfile__has_parameter(k, "none");
	kfile__free(k);
}

static size_t read_module(unsigned char *bytes, size_t room)
{
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, room, f);
	assert_true(n > 512 && n < room);
	fclose(f);
	return n;
}

static void rewrite(const unsigned char *bytes, size_t n)
{
	FILE *f;

	/* A new file: writing over an old one waits for the disk on some file systems. */
	unlink(path);
	f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void test_damage(void **state)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned char bytes[4096];
	size_t size = read_module(bytes, sizeof(bytes)), i, v;
	int kept = dup(STDERR_FILENO);

	(void)state;
	/* Hundreds of messages. */
	assert_non_null(freopen("/dev/null", "we", stderr));
	for (i = 0; i < size; i++) {
		rewrite(bytes, i);
		ask_all();
	}
	for (i = 0; i < size; i++) {
		unsigned char was = bytes[i];

		for (v = 0; v < sizeof(values); v++) {
			bytes[i] = values[v];
			rewrite(bytes, size);
			ask_all();
		}
		bytes[i] = was;
	}
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, write_module,
						remove_module),
		cmocka_unit_test_setup_teardown(test_damage, write_module,
						remove_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
