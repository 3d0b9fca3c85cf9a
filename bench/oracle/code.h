/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The code of an ELF file: its executable sections and the functions in them.
 * Addresses are those of the file: offsets in a section of a module, virtual
 * ones in a linked kernel.
 */
#ifndef GSTAGE_ORACLE_CODE_H
#define GSTAGE_ORACLE_CODE_H

#include <stddef.h>
#include <stdint.h>

struct code_function {
	char *name;
	size_t section; /* index in code.sections */
	uint64_t start;
	uint64_t bytes;
};

struct code_section {
	char *name;
	uint8_t *bytes;
	uint64_t size;
};

struct code {
	struct code_section *sections;
	size_t nr_sections;
	/* By section and start. */
	struct code_function *functions;
	size_t nr_functions;
	/* Symbols _start and _end of a kernel; 0: there are none. */
	uint64_t image_start, image_end;
};

/* 0, or -1 after saying why not. */
int code__read(struct code *code, const char *path);
void code__free(struct code *code);

/* The function that holds @address of @section, or NULL. */
const struct code_function *code__find(const struct code *code, size_t section,
				       uint64_t address);

#endif /* GSTAGE_ORACLE_CODE_H */
