/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "stentorctl complete WORD...": what the last word may become, one a line; the shell's completion
 * asks it. Rooms and members are asked of the running control plane, and left out without one.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_COMPLETE_H
#define STENTOR_CONTROLPLANE_CLI_COMPLETE_H

/* words: what stands behind "stentorctl" so far, the last one perhaps begun or empty. */
int complete_run(int count, char **words);

#endif
