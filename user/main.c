// SPDX-License-Identifier: GPL-2.0-only
/* gstage: finds the sub-command and calls it. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "user/cmd.h"
#include "user/exitcode.h"
#include "user/log.h"

const char *argp_program_version = "gstage " GSTAGE_VERSION;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "trace", cmd_trace, "measure a guest under dirty logging" },
	{ "report", cmd_report, "show what a run measured" },
	{ "compare", cmd_compare, "put two versions side by side" },
	{ "check", cmd_check, "does dirty logging keep its promises?" },
	{ "doctor", cmd_doctor, "what can be traced here, and what not" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static int print_help(void)
{
	size_t i;

	printf("Usage: gstage COMMAND [OPTION...]\n"
	       "See what dirty logging does to a RISC-V KVM guest.\n\n"
	       "Commands:\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\n'gstage COMMAND --help' or 'gstage help COMMAND' explains one.\n"
	       "\nExit status: 0 fine, 1 regression or broken invariant, 2 usage,\n"
	       "3 data incomplete, 4 not possible here, 5 inconclusive, 124 time limit.\n");
	return fflush(stdout) ? GSTAGE_EX_USAGE : GSTAGE_EX_OK;
}

/* argp names the program in its messages by argv[0]: "gstage report". */
static int run_command(const struct command *command, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "gstage %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

/* `gstage help COMMAND` is `gstage COMMAND --help`. */
static int cmd_help(const char *topic)
{
	const struct command *command = find_command(topic);
	char option[] = "--help";
	char *argv[] = { NULL, option, NULL };

	if (command)
		return run_command(command, 2, argv);
	pr_err("no command '%s'; 'gstage help' lists them", topic);
	return GSTAGE_EX_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	argp_err_exit_status = GSTAGE_EX_USAGE;
	if (argc < 2) {
		pr_err("no command given; 'gstage help' lists them");
		return GSTAGE_EX_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return GSTAGE_EX_OK;
	}
	if (!strcmp(argv[1], "help") && argc > 2)
		return cmd_help(argv[2]);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return print_help();

	command = find_command(argv[1]);
	if (!command) {
		pr_err("no command '%s'; 'gstage help' lists them", argv[1]);
		return GSTAGE_EX_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
