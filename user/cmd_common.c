// SPDX-License-Identifier: GPL-2.0-only
/* The options that commands share; see cmd_common.h. */
#include "user/cmd_common.h"

#include <stdio.h>
#include <string.h>

#include "user/log.h"

enum {
	KEY_JSON = 0x1000,
};

static const struct argp_option output_options[] = {
	{ "format", 'f', "FORMAT", 0, "text (default) or json", 0 },
	{ "json", KEY_JSON, NULL, 0, "Same as --format=json", 0 },
	{ "quiet", 'q', NULL, 0, "Only data, warnings and errors", 0 },
	{ "verbose", 'v', NULL, 0, "Say more; twice: libbpf speaks, too", 0 },
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const struct argp_option unit_options[] = {
	{ "nanoseconds", 'n', NULL, 0, "Show times in ns (default)", 0 },
	{ "microseconds", 'u', NULL, 0, "Show times in us", 0 },
	{ "milliseconds", 'm', NULL, 0,
	  "Show times in ms (text only; instructions are never scaled)", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

/* The format of this command that is called @name, or NULL. */
static const char *find_format(const struct common_opts *opts, const char *name)
{
	const char *const *format = opts->more_formats;

	for (; format && *format; format++) {
		if (!strcmp(*format, name))
			return *format;
	}
	return NULL;
}

static void set_format(struct common_opts *opts, struct argp_state *state,
		       const char *name)
{
	const char *const *other = opts->more_formats;
	const char *format = find_format(opts, name);
	bool json = !strcmp(name, "json");
	char others[64] = "";
	size_t used;

	if (!format && !json && strcmp(name, "text")) {
		for (; other && *other; other++) {
			used = strlen(others);
			snprintf(others + used, sizeof(others) - used, ", %s",
				 *other);
		}
		argp_error(state, "--format: no format '%s': text or json%s",
			   name, others);
	}
	if (opts->format_is_given &&
	    (opts->json != json || opts->format != format))
		argp_error(state, "--format: %s and %s were both given",
			   opts->json	? "json" :
			   opts->format ?:
					  "text",
			   name);
	opts->format_is_given = true;
	opts->format = format;
	opts->json = json;
}

static error_t parse_output(int key, char *arg, struct argp_state *state)
{
	struct common_opts *opts = state->input;

	switch (key) {
	case 'f':
		set_format(opts, state, arg);
		break;
	case KEY_JSON:
		set_format(opts, state, "json");
		break;
	case 'h':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		break;
	case 'q':
		opts->quiet = true;
		break;
	case 'v':
		opts->verbose++;
		break;
	case ARGP_KEY_END:
		if (opts->quiet && opts->verbose)
			argp_error(state, "-q and -v contradict each other");
		log_set_level(opts->quiet ? LOG_WARN :
					    LOG_INFO + opts->verbose);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void set_unit(struct common_opts *opts, struct argp_state *state,
		     enum report_unit unit)
{
	if (opts->unit_is_given && opts->unit != unit)
		argp_error(state, "only one of -n, -u and -m can be given");
	opts->unit_is_given = true;
	opts->unit = unit;
}

static error_t parse_unit(int key, char *arg, struct argp_state *state)
{
	struct common_opts *opts = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = opts;
		break;
	case 'n':
		set_unit(opts, state, REPORT_UNIT_NS);
		break;
	case 'u':
		set_unit(opts, state, REPORT_UNIT_US);
		break;
	case 'm':
		set_unit(opts, state, REPORT_UNIT_MS);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp output_argp = {
	.options = output_options,
	.parser = parse_output,
};

const struct argp_child timeless_children[] = {
	{ &output_argp, 0, NULL, 0 },
	{ NULL, 0, NULL, 0 },
};

static const struct argp unit_argp = {
	.options = unit_options,
	.parser = parse_unit,
	.children = timeless_children,
};

const struct argp_child common_children[] = {
	{ &unit_argp, 0, NULL, 0 },
	{ NULL, 0, NULL, 0 },
};
