/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "controlplane/rooms/verdict.h"

static const char *const names[] = {"ok", "invalid", "not_allowed", "no_such_room",
	"no_such_member", "already_exists", "conflict", "capacity", "unavailable"};
static_assert(sizeof(names) / sizeof(names[0]) == VERDICT_COUNT, "a name for each code");

const char *verdict_code_name(enum verdict_code code)
{
	return (unsigned int)code < VERDICT_COUNT ? names[code] : "unknown";
}

bool verdict_refuse(struct verdict *v, enum verdict_code code, const char *format, ...)
{
	va_list arguments;

	v->code = code;
	va_start(arguments, format);
	vsnprintf(v->message, sizeof(v->message), format, arguments);
	va_end(arguments);
	return false;
}
