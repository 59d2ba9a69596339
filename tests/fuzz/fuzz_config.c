// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* libconfig 1.5 loses a string that was begun when a file is refused; the program ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/* A file is refused with a reason, or whole: then it prints and reads back to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct option_source source = {.name = "fuzz", .text = (const char *)data, .size = size};
	struct dataplane_config config, again;
	struct option_error error;
	char *text = NULL;

	int rc = option_read(&dataplane_options, &source, &config, &error);
	FUZZ_CHECK((rc == 0) == (error.text[0] == '\0'));
	if (rc != 0)
		return 0;
	FILE *out = open_memstream(&text, &source.size);
	option_print(&dataplane_options, &config, out);
	fclose(out);
	source.text = text;
	FUZZ_CHECK(option_read(&dataplane_options, &source, &again, &error) == 0);
	FUZZ_CHECK(memcmp(&config, &again, sizeof(config)) == 0);
	free(text);
	return 0;
}
