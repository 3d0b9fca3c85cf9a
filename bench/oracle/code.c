// SPDX-License-Identifier: GPL-2.0-only
/* Reads functions and code from ELF files: see code.h. */
#include "bench/oracle/code.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_memory(const char *path)
{
	fprintf(stderr, "oracle-resolve: %s: out of memory\n", path);
	return -1;
}

/* Section numbers of the file become indices of code->sections. */
static int read_section(struct code *code, const char *path, Elf_Scn *scn,
			const GElf_Shdr *header, const char *name)
{
	const Elf_Data *data = elf_rawdata(scn, NULL);
	struct code_section *grown, *s;

	if (!data || !data->d_buf)
		return 0;
	grown = realloc(code->sections,
			(code->nr_sections + 1) * sizeof(*grown));
	if (!grown)
		return no_memory(path);
	code->sections = grown;
	s = &grown[code->nr_sections++];
	s->size = header->sh_size;
	s->name = strdup(name);
	s->bytes = malloc(s->size);
	if (!s->name || !s->bytes)
		return no_memory(path);
	memcpy(s->bytes, data->d_buf, s->size);
	return 0;
}

static int add_function(struct code *code, const char *path, const char *name,
			size_t section, const GElf_Sym *sym)
{
	struct code_function *f;

	/* Grown by halves; libelf tells no number of functions. */
	if (!(code->nr_functions & (code->nr_functions - 1))) {
		size_t room = code->nr_functions ? 2 * code->nr_functions : 1;

		f = realloc(code->functions, room * sizeof(*f));
		if (!f)
			return no_memory(path);
		code->functions = f;
	}
	f = &code->functions[code->nr_functions++];
	f->section = section;
	f->start = sym->st_value;
	f->bytes = sym->st_size;
	f->name = strdup(name);
	return f->name ? 0 : no_memory(path);
}

static int read_symbols(struct code *code, const char *path, Elf *elf,
			Elf_Scn *scn, const GElf_Shdr *header,
			const size_t *index_of, size_t nr_sections)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize :
					 0;
	GElf_Sym sym;

	for (size_t i = 0; data && i < nr; i++) {
		const char *name;

		if (!gelf_getsym(data, i, &sym))
			continue;
		name = elf_strptr(elf, header->sh_link, sym.st_name);
		if (!name)
			continue;
		if (!strcmp(name, "_start"))
			code->image_start = sym.st_value;
		else if (!strcmp(name, "_end"))
			code->image_end = sym.st_value;
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx >= nr_sections ||
		    index_of[sym.st_shndx] == SIZE_MAX)
			continue;
		if (add_function(code, path, name, index_of[sym.st_shndx],
				 &sym))
			return -1;
	}
	return 0;
}

static int compare_functions(const void *a, const void *b)
{
	const struct code_function *f = a, *g = b;

	if (f->section != g->section)
		return f->section < g->section ? -1 : 1;
	if (f->start != g->start)
		return f->start < g->start ? -1 : 1;
	return strcmp(f->name, g->name);
}

static int read_elf(struct code *code, const char *path, Elf *elf)
{
	size_t names, nr_sections, *index_of;
	GElf_Shdr header;
	Elf_Scn *scn = NULL;
	int err = 0;

	if (elf_getshdrnum(elf, &nr_sections) ||
	    elf_getshdrstrndx(elf, &names)) {
		fprintf(stderr, "oracle-resolve: %s is no ELF file: %s\n", path,
			elf_errmsg(-1));
		return -1;
	}
	index_of = malloc((nr_sections + 1) * sizeof(*index_of));
	if (!index_of)
		return no_memory(path);
	memset(index_of, 0xff, nr_sections * sizeof(*index_of));

	while (!err && (scn = elf_nextscn(elf, scn)) &&
	       gelf_getshdr(scn, &header)) {
		const char *name = elf_strptr(elf, names, header.sh_name);

		if (!(header.sh_flags & SHF_EXECINSTR) || !name ||
		    header.sh_type != SHT_PROGBITS)
			continue;
		index_of[elf_ndxscn(scn)] = code->nr_sections;
		err = read_section(code, path, scn, &header, name);
	}
	for (scn = NULL; !err && (scn = elf_nextscn(elf, scn)) &&
			 gelf_getshdr(scn, &header);) {
		if (header.sh_type == SHT_SYMTAB)
			err = read_symbols(code, path, elf, scn, &header,
					   index_of, nr_sections);
	}
	free(index_of);
	if (!err && code->nr_functions)
		qsort(code->functions, code->nr_functions,
		      sizeof(*code->functions), compare_functions);
	return err;
}

int code__read(struct code *code, const char *path)
{
	int fd, err = -1;
	Elf *elf;

	memset(code, 0, sizeof(*code));
	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "oracle-resolve: cannot read %s: %s\n", path,
			strerror(errno));
		return -1;
	}
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf) {
		err = read_elf(code, path, elf);
		elf_end(elf);
	} else {
		fprintf(stderr, "oracle-resolve: %s: %s\n", path,
			elf_errmsg(-1));
	}
	close(fd);
	if (!err && !code->nr_functions) {
		fprintf(stderr,
			"oracle-resolve: %s has no symbol table: give the file as it was linked, not a stripped one\n",
			path);
		err = -1;
	}
	return err;
}

void code__free(struct code *code)
{
	for (size_t i = 0; i < code->nr_sections; i++) {
		free(code->sections[i].name);
		free(code->sections[i].bytes);
	}
	for (size_t i = 0; i < code->nr_functions; i++)
		free(code->functions[i].name);
	free(code->sections);
	free(code->functions);
	memset(code, 0, sizeof(*code));
}

const struct code_function *code__find(const struct code *code, size_t section,
				       uint64_t address)
{
	const struct code_function *found = NULL;
	size_t low = 0, high = code->nr_functions;

	/* The last one that starts at or before it. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct code_function *f = &code->functions[mid];

		if (f->section < section ||
		    (f->section == section && f->start <= address)) {
			found = f;
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	if (!found || found->section != section ||
	    address >= found->start + found->bytes)
		return NULL;
	return found;
}
