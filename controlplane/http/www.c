/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/http/www.h"

const struct www_file *www_find(const char *name)
{
	for (const struct www_file *file = www_files; file->name != NULL; file++) {
		if (strcmp(file->name, name) == 0)
			return file;
	}
	return NULL;
}
