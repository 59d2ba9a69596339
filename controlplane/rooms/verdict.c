/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/verdict.h"

static const char *const names[] = {"ok", "invalid", "not_allowed", "no_such_room",
	"no_such_member", "already_exists", "conflict", "capacity", "unavailable", "rate_limited",
	"no_such_user", "no_such_thing"};
static_assert(sizeof(names) / sizeof(names[0]) == VERDICT_COUNT, "a name for each code");

const char *verdict_code_name(enum verdict_code code)
{
	return (unsigned int)code < VERDICT_COUNT ? names[code] : "unknown";
}

enum verdict_code verdict_code_find(const char *name, size_t size)
{
	for (unsigned int code = 0; code < VERDICT_COUNT; code++) {
		if (strlen(names[code]) == size && memcmp(names[code], name, size) == 0)
			return (enum verdict_code)code;
	}
	return VERDICT_UNAVAILABLE;
}

bool verdict_refuse(struct verdict *v, enum verdict_code code, const char *format, ...)
{
	va_list arguments;

	v->code = code;
	v->retry_after_ms = 0;
	va_start(arguments, format);
	vsnprintf(v->message, sizeof(v->message), format, arguments);
	va_end(arguments);
	return false;
}
