/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks over a configuration file's text before libconfig parses it, for what libconfig 1.5 accepts
 * in silence: integers beyond 32 bits (it keeps the low 32 bits), NUL bytes (it stops there), and
 * @include (one program, one file). Pure; the text is not changed.
 */
#ifndef STENTOR_CONFIGS_OPTION_SCAN_H
#define STENTOR_CONFIGS_OPTION_SCAN_H

#include <stddef.h>

/* Returns NULL when all is well, otherwise what is wrong, with *line (from 1) filled in. */
const char *option_scan(const char *text, size_t size, unsigned int *line);

#endif
