// SPDX-License-Identifier: GPL-2.0-only
/*
 * See kfile.h. Nothing of a file is trusted: every offset is held against its
 * size, by libelf or here.
 */
#include "user/kfile.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/calls.h"
#include "user/kcalls.h"
#include "user/log.h"

#ifndef EM_RISCV
#define EM_RISCV 243
#endif
#define RISCV_64 2 /* R_RISCV_64 */

/* Documentation/arch/riscv/boot-image-header.rst: "RSC\5" at byte 56. */
#define IMAGE_MAGIC_OFFSET 56
#define IMAGE_MAGIC "RSC\5"

/*
 * A compiler leaves room for ftrace at the entry of a function, and up to this
 * many bytes before it (-fpatchable-function-entry=8,4).
 */
#define ENTRY_ROOM 8

struct site {
	size_t section;
	uint64_t address;
};

struct kfile {
	char *path;
	enum kfile_kind kind;
	char release[128];
	const unsigned char *data; /* mapped */
	size_t size;
	const unsigned char *btf;
	size_t btf_size;
	Elf *elf;
	bool is_linked; /* or to be, when it is loaded */
	Elf_Data *symbols;
	size_t nr_symbols;
	size_t names; /* section of the symbols' names */
	struct site *sites; /* where ftrace can hook, sorted */
	size_t nr_sites;
	struct calls *calls;
	const char *modinfo;
	size_t modinfo_size;
};

static int map_file(struct kfile *k)
{
	int fd = open(k->path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	} else if (st.st_size) {
		k->data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (k->data == MAP_FAILED) {
			err = -errno;
			k->data = NULL;
		}
		k->size = st.st_size;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		pr_err("cannot read %s: %s", k->path, strerror(-err));
	return err;
}

static bool starts_with(const struct kfile *k, size_t offset, const char *bytes,
			size_t n)
{
	return k->size >= offset + n && !memcmp(k->data + offset, bytes, n);
}

/* 0, or -EINVAL after saying how to unpack it. */
static int refuse_compressed(const struct kfile *k)
{
	static const struct {
		const char *magic;
		size_t size;
		const char *command;
	} formats[] = {
		{ "\xfd"
		  "7zXZ",
		  5, "xz -dk" },
		{ "\x1f\x8b", 2, "gunzip -k" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd -d" },
		{ "BZh", 3, "bunzip2 -k" },
	};
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!starts_with(k, 0, formats[i].magic, formats[i].size))
			continue;
		pr_err("%s is compressed: run '%s %s' and name the result",
		       k->path, formats[i].command, k->path);
		return -EINVAL;
	}
	if (starts_with(k, 0, "MZ", 2) && starts_with(k, 4, "zimg", 4)) {
		pr_err("%s unpacks itself (CONFIG_EFI_ZBOOT): name the vmlinux or Image it was made of",
		       k->path);
		return -EINVAL;
	}
	return 0;
}

/*
 * The types of the kernel lie in a flat image as they are: magic, version 1, no
 * flags, a header of 24 bytes or more, and two sections after it.
 */
static void find_image_btf(struct kfile *k)
{
	static const unsigned char magic[] = { 0x9f, 0xeb, 1, 0 };
	const unsigned char *at = k->data, *end = k->data + k->size;
	uint32_t h[5]; /* hdr_len, type_off, type_len, str_off, str_len */

	while ((at = memmem(at, end - at, magic, sizeof(magic)))) {
		uint64_t size;

		if ((size_t)(end - at) < sizeof(magic) + sizeof(h))
			return;
		memcpy(h, at + sizeof(magic), sizeof(h));
		size = (uint64_t)h[0] + h[3] + h[4];
		/* A kernel's has many thousand types. */
		if (h[0] >= 24 && h[0] < 256 && !h[1] && h[3] == h[2] &&
		    h[2] > 65536 && size <= (uint64_t)(end - at)) {
			k->btf = at;
			k->btf_size = size;
			return;
		}
		at++;
	}
}

static void find_image_release(struct kfile *k)
{
	static const char banner[] = "Linux version ";
	const char *at = memmem(k->data, k->size, banner, strlen(banner));
	size_t left;

	if (!at)
		return;
	at += strlen(banner);
	left = (const char *)k->data + k->size - at;
	snprintf(k->release, sizeof(k->release), "%.*s",
		 (int)strnlen(at, left < 100 ? left : 100), at);
	k->release[strcspn(k->release, " ")] = '\0';
}

static int open_image(struct kfile *k)
{
	k->kind = KFILE_IMAGE;
	find_image_btf(k);
	find_image_release(k);
	return 0;
}

/* The value of NAME= in .modinfo that has @value, or any for a NULL. */
static const char *find_modinfo(const struct kfile *k, const char *name,
				const char *value)
{
	const char *at = k->modinfo, *end = at + k->modinfo_size;
	size_t n = strlen(name);

	while (at && at < end) {
		size_t len = strnlen(at, end - at);

		if (at + len == end)
			return NULL; /* cut */
		if (len > n && !strncmp(at, name, n) && at[n] == '=' &&
		    (!value || !strncmp(at + n + 1, value, strlen(value))))
			return at + n + 1;
		at += len + 1;
	}
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Each entry is filled in when the module is loaded: a symbol and an addend. */
static int read_sites(struct kfile *k, Elf_Data *relocations)
{
	size_t i, n = relocations->d_size / sizeof(Elf64_Rela);
	struct site *sites;
	GElf_Rela rela;
	GElf_Sym sym;

	sites = realloc(k->sites, (k->nr_sites + n + 1) * sizeof(*sites));
	if (!sites)
		return -ENOMEM;
	k->sites = sites;
	for (i = 0; i < n; i++) {
		if (!gelf_getrela(relocations, i, &rela) ||
		    GELF_R_TYPE(rela.r_info) != RISCV_64 || !k->symbols ||
		    !gelf_getsym(k->symbols, GELF_R_SYM(rela.r_info), &sym))
			continue;
		k->sites[k->nr_sites].section = sym.st_shndx;
		k->sites[k->nr_sites++].address = sym.st_value + rela.r_addend;
	}
	return 0;
}

static bool is_of_sites(const char *name)
{
	return !strcmp(name, ".rela__patchable_function_entries");
}

static void take_section(struct kfile *k, const char *name, Elf_Scn *scn,
			 const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);

	if (!data || !data->d_buf)
		return;
	if (!strcmp(name, ".BTF")) {
		k->btf = data->d_buf;
		k->btf_size = data->d_size;
	} else if (!strcmp(name, ".modinfo")) {
		k->modinfo = data->d_buf;
		k->modinfo_size = data->d_size;
	} else if (shdr->sh_type == SHT_SYMTAB && shdr->sh_entsize) {
		k->symbols = data;
		k->nr_symbols = shdr->sh_size / shdr->sh_entsize;
		k->names = shdr->sh_link;
	}
}

/* Each section once: for what it is, or, with the symbols known, for its sites. */
static int read_sections(struct kfile *k, bool for_sites)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t strings;
	int err = 0;

	if (elf_getshdrstrndx(k->elf, &strings))
		return -EINVAL;
	while (!err && (scn = elf_nextscn(k->elf, scn))) {
		Elf_Data *data;
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			return -EINVAL;
		name = elf_strptr(k->elf, strings, shdr.sh_name);
		if (!name)
			continue;
		if (!for_sites) {
			take_section(k, name, scn, &shdr);
		} else if (is_of_sites(name)) {
			data = elf_getdata(scn, NULL);
			err = data && data->d_buf ? read_sites(k, data) : 0;
		}
	}
	return err;
}

static int open_elf(struct kfile *k)
{
	GElf_Ehdr ehdr;
	const char *name;
	int err;

	elf_version(EV_CURRENT);
	k->elf = elf_memory((char *)k->data, k->size);
	if (!k->elf || !gelf_getehdr(k->elf, &ehdr)) {
		pr_err("%s is a damaged ELF file: %s", k->path, elf_errmsg(-1));
		return -EINVAL;
	}
	if (ehdr.e_machine != EM_RISCV) {
		pr_err("%s is not for RISC-V: name a riscv64 kernel image or its kvm.ko",
		       k->path);
		return -EINVAL;
	}
	k->is_linked = ehdr.e_type != ET_REL;
	k->calls = calls__new();
	err = k->calls ? read_sections(k, false) : -ENOMEM;
	if (!err)
		err = read_sections(k, true);
	if (!err)
		err = kcalls_read(k->elf, k->symbols, k->is_linked, k->calls);
	if (k->sites)
		qsort(k->sites, k->nr_sites, sizeof(*k->sites), by_address);
	if (err) {
		pr_err("%s is a damaged ELF file: %s", k->path,
		       err == -ENOMEM ? strerror(ENOMEM) : elf_errmsg(-1));
		return err;
	}
	name = find_modinfo(k, "name", NULL);
	if (ehdr.e_type == ET_REL && name && !strcmp(name, "kvm")) {
		const char *magic = find_modinfo(k, "vermagic", NULL);

		k->kind = KFILE_KVM;
		snprintf(k->release, sizeof(k->release), "%s", magic ?: "");
		k->release[strcspn(k->release, " ")] = '\0';
		return 0;
	}
	if (ehdr.e_type != ET_REL && kfile__has_symbol(k, "start_kernel")) {
		k->kind = KFILE_VMLINUX;
		find_image_release(k);
		return 0;
	}
	pr_err("%s is %s%s, neither a kernel nor kvm.ko", k->path,
	       name ? "the module " : "some other program", name ?: "");
	return -EINVAL;
}

int kfile__open(const char *path, struct kfile **kp)
{
	struct kfile *k = calloc(1, sizeof(*k));
	int err = -ENOMEM;

	if (!k || !(k->path = strdup(path))) {
		pr_err("cannot read %s: %s", path, strerror(ENOMEM));
		goto out;
	}
	err = map_file(k);
	if (!err)
		err = refuse_compressed(k);
	if (err)
		goto out;
	if (starts_with(k, 0, ELFMAG, SELFMAG)) {
		err = open_elf(k);
	} else if (starts_with(k, IMAGE_MAGIC_OFFSET, IMAGE_MAGIC, 4)) {
		err = open_image(k);
	} else {
		pr_err("%s is no riscv64 kernel image and no kvm.ko", path);
		err = -EINVAL;
	}
	if (!err) {
		*kp = k;
		return 0;
	}
out:
	kfile__free(k);
	return err;
}

enum kfile_kind kfile__kind(const struct kfile *k)
{
	return k->kind;
}

const char *kfile__path(const struct kfile *k)
{
	return k->path;
}

const char *kfile__release(const struct kfile *k)
{
	return k->release;
}

const void *kfile__btf(const struct kfile *k, size_t *size)
{
	*size = k->btf_size;
	return k->btf;
}

bool kfile__has_symbols(const struct kfile *k)
{
	return k->symbols;
}

bool kfile__has_sites(const struct kfile *k)
{
	return k->nr_sites;
}

/* The next symbol from *@i on that is called @name, or begins so. */
static const char *next_symbol(const struct kfile *k, const char *name,
			       size_t prefix, size_t *i, GElf_Sym *sym)
{
	for (; k->symbols && *i < k->nr_symbols; (*i)++) {
		const char *got;

		if (!gelf_getsym(k->symbols, *i, sym))
			return NULL;
		got = elf_strptr(k->elf, k->names, sym->st_name);
		if (got && (prefix ? !strncmp(got, name, prefix) :
				     !strcmp(got, name))) {
			(*i)++;
			return got;
		}
	}
	return NULL;
}

static bool has_site(const struct kfile *k, const GElf_Sym *sym)
{
	size_t lo = 0, hi = k->nr_sites;
	const struct site first = {
		.section = sym->st_shndx,
		.address = sym->st_value < ENTRY_ROOM ?
				   0 :
				   sym->st_value - ENTRY_ROOM,
	};

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_address(&k->sites[mid], &first) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* The room of the function before ends where its code begins. */
	return lo < k->nr_sites && k->sites[lo].section == first.section &&
	       k->sites[lo].address <= sym->st_value;
}

enum kfile_function kfile__function(const struct kfile *k, const char *name)
{
	enum kfile_function found = KFILE_FUNCTION_ABSENT;
	GElf_Sym sym;
	size_t i = 0;

	while (next_symbol(k, name, 0, &i, &sym)) {
		if (sym.st_shndx == SHN_UNDEF) {
			found = KFILE_FUNCTION_CALLED;
			continue;
		}
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC)
			continue;
		/* Of vmlinux its types tell. */
		if (k->kind != KFILE_KVM || has_site(k, &sym))
			return KFILE_FUNCTION_HOOKABLE;
		found = KFILE_FUNCTION_UNHOOKABLE;
	}
	return found;
}

int kfile__callers(const struct kfile *k, const char *name)
{
	int n = -1;
	GElf_Sym sym;
	size_t i = 0;

	while (next_symbol(k, name, 0, &i, &sym)) {
		uint64_t address;
		size_t section;

		if (sym.st_shndx != SHN_UNDEF &&
		    GELF_ST_TYPE(sym.st_info) != STT_FUNC)
			continue;
		/* It has moved on to the next. */
		kcalls_locate(k->is_linked, i - 1, &sym, 0, &section, &address);
		n = (n < 0 ? 0 : n) + calls__count(k->calls, section, address);
	}
	return n;
}

const char *kfile__variant(const struct kfile *k, const char *name)
{
	size_t n = strlen(name), i = 0;
	const char *got;
	GElf_Sym sym;

	while ((got = next_symbol(k, name, n, &i, &sym))) {
		if (got[n] == '.' && GELF_ST_TYPE(sym.st_info) == STT_FUNC)
			return got;
	}
	return NULL;
}

bool kfile__has_symbol(const struct kfile *k, const char *name)
{
	GElf_Sym sym;
	size_t i = 0;

	while (next_symbol(k, name, 0, &i, &sym)) {
		if (sym.st_shndx != SHN_UNDEF)
			return true;
	}
	return false;
}

bool kfile__has_parameter(const struct kfile *k, const char *name)
{
	char text[80];

	snprintf(text, sizeof(text), "%s:", name);
	return find_modinfo(k, "parmtype", text);
}

void kfile__free(struct kfile *k)
{
	if (!k)
		return;
	elf_end(k->elf);
	free(k->sites);
	calls__free(k->calls);
	if (k->data)
		munmap((void *)k->data, k->size);
	free(k->path);
	free(k);
}
