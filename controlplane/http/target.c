/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "controlplane/http/target.h"

static int parse_port(const char *text, size_t size, uint16_t *port)
{
	unsigned int value = 0;

	if (size == 0 || size > 5)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -EINVAL;
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	if (value == 0 || value > 65535)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

/* Labels of letters, digits and hyphens; a dot at the end is not a name that anybody configures. */
static bool is_name(const char *host)
{
	char before = '.';

	for (; *host != '\0'; before = *host++) {
		if (!isalnum((unsigned char)*host) && *host != '-' && *host != '_' && *host != '.')
			return false;
		if (*host == '.' && before == '.')
			return false;
	}
	return before != '.';
}

static int parse_host(const char *text, size_t size, struct authority *out)
{
	unsigned char bytes[16];

	if (size == 0 || size > TARGET_HOST_MAX)
		return -EINVAL;
	for (size_t i = 0; i < size; i++)
		out->host[i] = (char)tolower((unsigned char)text[i]);
	out->host[size] = '\0';
	if (out->ipv6) {
		out->address = inet_pton(AF_INET6, out->host, bytes) == 1;
		return out->address ? 0 : -EINVAL;
	}
	out->address =
		inet_pton(AF_INET, out->host, bytes) == 1 || strcmp(out->host, "localhost") == 0;
	return out->address || is_name(out->host) ? 0 : -EINVAL;
}

int authority_parse(const char *text, size_t size, struct authority *out)
{
	struct authority found = {0};
	const char *end = text + size, *host = text, *colon;

	if (size > 0 && text[0] == '[') {
		const char *bracket = memchr(text, ']', size);

		if (bracket == NULL)
			return -EINVAL;
		found.ipv6 = true;
		host++;
		if (parse_host(host, (size_t)(bracket - host), &found) != 0)
			return -EINVAL;
		colon = bracket + 1;
	} else {
		colon = size == 0 ? NULL : memchr(text, ':', size);
		colon = colon == NULL ? end : colon;
		if (parse_host(host, (size_t)(colon - host), &found) != 0)
			return -EINVAL;
	}
	if (colon != end && (*colon != ':' || parse_port(colon + 1, (size_t)(end - colon) - 1,
						      &found.port) != 0))
		return -EINVAL;
	*out = found;
	return 0;
}

bool authority_equal(const struct authority *a, const struct authority *b, bool https)
{
	uint16_t fallback = https ? 443 : 80;

	return strcmp(a->host, b->host) == 0 &&
	       (a->port == 0 ? fallback : a->port) == (b->port == 0 ? fallback : b->port);
}

/* Bytes of "http://" or "https://", 0: neither. */
static size_t scheme_size(const char *text, bool *https)
{
	*https = strncasecmp(text, "https://", 8) == 0;
	return *https ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
}

int origin_parse(const char *text, struct authority *out, bool *https)
{
	size_t scheme = scheme_size(text, https);

	return scheme == 0 ? -EINVAL : authority_parse(text + scheme, strlen(text + scheme), out);
}

/* Visible ASCII without what no client sends unencoded. */
static bool is_path(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"#<>\\^`{|}", c) != NULL)
			return false;
	}
	return true;
}

int target_parse(const char *text, struct target *out)
{
	struct target found = {.path = text};
	size_t scheme, size;

	if (strcmp(text, "*") == 0) {
		*out = (struct target){.form = TARGET_ASTERISK, .path = text, .path_size = 1};
		return 0;
	}
	scheme = scheme_size(text, &found.https);
	if (scheme > 0) {
		size = strcspn(text + scheme, "/?");
		if (authority_parse(text + scheme, size, &found.authority) != 0)
			return -EINVAL;
		found.form = TARGET_ABSOLUTE;
		found.path = text + scheme + size;
	}
	if (!is_path(found.path, strlen(found.path)))
		return -EINVAL;
	found.path_size = strcspn(found.path, "?");
	if (found.form == TARGET_ABSOLUTE && found.path_size == 0) {
		found.path = "/";
		found.path_size = 1;
	}
	if (found.path[0] != '/')
		return -EINVAL;
	*out = found;
	return 0;
}
