/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "controlplane/http/field.h"

static bool is_tchar(unsigned char c)
{
	return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool field_is_token(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!is_tchar((unsigned char)text[i]))
			return false;
	}
	return size > 0;
}

bool field_is_value(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

int field_length(const char *text, uint64_t *length)
{
	uint64_t value = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits] != '\0')
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	*length = value;
	return 0;
}

const char *field_bearer(const char *value)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-._~+/";
	const char *token;
	size_t size;

	if (strncasecmp(value, "Bearer ", 7) != 0)
		return NULL;
	token = value + 7 + strspn(value + 7, " ");
	size = strspn(token, alphabet);
	if (size == 0)
		return NULL;
	size += strspn(token + size, "=");
	return token[size] == '\0' && size <= FIELD_TOKEN_MAX ? token : NULL;
}

bool field_is_code(const char *value)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
	size_t size = strspn(value, alphabet);

	return size > 0 && size <= FIELD_CODE_MAX && value[size] == '\0';
}

bool field_media_type(const char *value, char out[FIELD_MEDIA_TYPE_MAX + 1])
{
	size_t size = strcspn(value, "; \t");
	const char *rest = value + size + strspn(value + size, " \t");
	const char *slash = memchr(value, '/', size);

	if (slash == NULL || size > FIELD_MEDIA_TYPE_MAX || (*rest != '\0' && *rest != ';') ||
		!field_is_token(value, (size_t)(slash - value)) ||
		!field_is_token(slash + 1, size - (size_t)(slash - value) - 1))
		return false;
	for (size_t i = 0; i < size; i++)
		out[i] = (char)tolower((unsigned char)value[i]);
	out[size] = '\0';
	return true;
}

/* Bytes of the entity tag that text begins with, quotes included; 0: none. */
static size_t tag_size(const char *text)
{
	size_t size = 1;

	if (text[0] != '"')
		return 0;
	while ((unsigned char)text[size] > 0x20 && text[size] != '"' && text[size] != 0x7f)
		size++;
	return text[size] == '"' ? size + 1 : 0;
}

bool field_is_entity_tag(const char *value)
{
	size_t size = tag_size(value);

	return strcmp(value, "*") == 0 || (size > 0 && value[size] == '\0');
}

bool field_names_tag(const char *list, const char *tag)
{
	size_t size;

	if (strcmp(list, "*") == 0)
		return true;
	for (;;) {
		list += strspn(list, ", \t");
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		size = tag_size(list);
		if (size == 0)
			return false;
		if (size == strlen(tag) && memcmp(list, tag, size) == 0)
			return true;
		list += size;
	}
}
