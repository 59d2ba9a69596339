/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The request target (RFC 9112 section 3.2) and the authority it is for (Host, RFC 9110 section
 * 7.2). Strict: what a proxy in front could read differently is refused. Pure; any thread.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_TARGET_H
#define STENTOR_CONTROLPLANE_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_HOST_MAX 253

struct authority {
	char host[TARGET_HOST_MAX + 1]; /* lower case; an IPv6 address without its brackets */
	bool address;                   /* an IP address, or "localhost" */
	bool ipv6;
	uint16_t port; /* 0: not given */
};

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_ASTERISK };

struct target {
	enum target_form form;
	const char *path; /* in the text, still encoded; without the query */
	size_t path_size;
	struct authority authority; /* of an absolute form */
	bool https;
};

/* host[:port] of a reg-name of letters, digits, "-", ".", or an IP address; no userinfo. 0 or
 * -EINVAL.
 */
int authority_parse(const char *text, size_t size, struct authority *out);
/* Port 0 counts as the default port of the scheme. */
bool authority_equal(const struct authority *a, const struct authority *b, bool https);
/* "http://host:port" or "https://..." as browsers send it in Origin. 0 or -EINVAL. */
int origin_parse(const char *text, struct authority *out, bool *https);

/* 0 or -EINVAL. */
int target_parse(const char *text, struct target *out);

#endif
