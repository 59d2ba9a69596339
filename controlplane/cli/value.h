/* SPDX-License-Identifier: BSD-3-Clause */
/* A value of a request's field, from the text that stands on the command line. */
#ifndef STENTOR_CONTROLPLANE_CLI_VALUE_H
#define STENTOR_CONTROLPLANE_CLI_VALUE_H

#include <jansson.h>

#include "controlplane/cli/vocabulary.h"

/* Whether a field of milliseconds is a point in time, and not how long something takes. */
bool value_is_moment(const struct vocabulary_field *field);
bool value_is_duration(const struct vocabulary_field *field);

/*
 * The value, or NULL with a sentence in error (at least 256 bytes) that names the field, what was
 * given and what is allowed. plain: a number of milliseconds as it is, no units.
 */
json_t *value_parse(
	const struct vocabulary_field *field, const char *text, int64_t now_ms, char error[256]);

#endif
