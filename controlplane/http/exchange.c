/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/http/exchange.h"
#include "controlplane/http/field.h"

void http_header_set(struct http_exchange *exchange, const char *name, const char *format, ...)
{
	char *value = NULL;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vasprintf(&value, format, arguments);
	va_end(arguments);
	if (size < 0 || exchange->header_count == HTTP_HEADERS_MAX ||
		!field_is_value(value, (size_t)size)) {
		if (size >= 0)
			free(value);
		exchange->status = 500;
		return;
	}
	exchange->header[exchange->header_count++] = (struct http_header){name, value};
}

static const char *title(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *title;
	} titles[] = {{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
		{404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
		{409, "Conflict"}, {410, "Gone"}, {411, "Length Required"},
		{412, "Precondition Failed"}, {413, "Content Too Large"},
		{415, "Unsupported Media Type"}, {417, "Expectation Failed"},
		{421, "Misdirected Request"}, {422, "Unprocessable Content"},
		{428, "Precondition Required"}, {429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
		{501, "Not Implemented"}, {503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"}};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

void http_problem(struct http_exchange *exchange, unsigned int status, const char *format, ...)
{
	struct writer *writer = &exchange->response;
	char detail[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	exchange->status = status;
	exchange->type = "application/problem+json";
	writer_reset(writer);
	writer_begin_object(writer, NULL);
	writer_string(writer, "type", "about:blank");
	writer_string(writer, "title", title(status));
	writer_uint(writer, "status", status);
	writer_string(writer, "detail", detail);
	writer_end_object(writer);
}
