// SPDX-License-Identifier: BSD-3-Clause
#include "perf/argument.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int argument_number(
	const char *option, const char *text, uint32_t low, uint32_t high, uint32_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < low || value > high) {
		fprintf(stderr, "stentor-bench: --%s %s: expected %u to %u\n", option, text, low,
			high);
		return -EINVAL;
	}
	*out = (uint32_t)value;
	return 0;
}

int argument_choice(
	const char *option, const char *text, const char *const names[], unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	fprintf(stderr, "stentor-bench: --%s %s: expected", option, text);
	for (unsigned int i = 0; i < count; i++)
		fprintf(stderr, "%s %s", i == 0 ? "" : i + 1 == count ? " or" : ",", names[i]);
	fputc('\n', stderr);
	return -EINVAL;
}
