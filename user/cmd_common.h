/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that commands share, as an argp child: -f/--json, -n -u -m, -q,
 * -v. One letter keeps one meaning in every command.
 */
#ifndef GSTAGE_USER_CMD_COMMON_H
#define GSTAGE_USER_CMD_COMMON_H

#include <argp.h>
#include <stdbool.h>

#include "user/report.h"

struct common_opts {
	/* Set at ARGP_KEY_INIT: formats besides text and json, NULL-terminated. */
	const char *const *more_formats;
	const char *format; /* one of those, or NULL */
	bool json;
	bool quiet;
	int verbose; /* how many -v */
	enum report_unit unit;
	/* for refusing two that contradict each other */
	bool unit_is_given;
	bool format_is_given;
};

/*
 * Children for a command's `struct argp`, with its own parser setting
 * state->child_inputs[0] to a struct common_opts at ARGP_KEY_INIT.
 */
extern const struct argp_child common_children[];

/* The same without -n -u -m, for a command that shows no times. */
extern const struct argp_child timeless_children[];

#endif /* GSTAGE_USER_CMD_COMMON_H */
