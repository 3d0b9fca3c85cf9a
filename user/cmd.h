/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function per sub-command. argv[0] is "gstage <command>", for argp's messages;
 * the result is an exit status (user/exitcode.h), and whatever failed has been reported.
 */
#ifndef GSTAGE_USER_CMD_H
#define GSTAGE_USER_CMD_H

int cmd_trace(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif /* GSTAGE_USER_CMD_H */
