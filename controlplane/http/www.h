/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages in www/, embedded at build time by embed.py. Immutable; any thread.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_WWW_H
#define STENTOR_CONTROLPLANE_HTTP_WWW_H

#include <stddef.h>

struct www_file {
	const char *name; /* "room.html" */
	const char *type;
	const char *etag; /* strong, quotes included: of its bytes */
	const unsigned char *bytes;
	size_t size;
};

/* Ended by name NULL. */
extern const struct www_file www_files[];

/* The file of that name, or NULL. */
const struct www_file *www_find(const char *name);

#endif
