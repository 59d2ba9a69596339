/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/ban.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/pin.h"
#include "controlplane/rooms/record.h"
#include "controlplane/rooms/reminder.h"
#include "controlplane/rooms/report.h"
#include "controlplane/rooms/share.h"
#include "controlplane/rooms/ticket.h"

const struct record_kind *const record_kinds[RECORD_COUNT] = {
	[RECORD_USER] = &user_kind,
	[RECORD_BAN] = &ban_kind,
	[RECORD_PIN] = &pin_kind,
	[RECORD_SHARE] = &share_kind,
	[RECORD_OFFER] = &offer_kind,
	[RECORD_TICKET] = &ticket_kind,
	[RECORD_ENTRY] = &entry_kind,
	[RECORD_REPORT] = &report_kind,
	[RECORD_REMINDER] = &reminder_kind,
};

void *record_make(enum record_type type, uint64_t id)
{
	void *record = calloc(1, record_kinds[type]->size);

	assert(record_kinds[type]->columns[0].offset == 0);
	if (record != NULL)
		*(uint64_t *)record = id;
	return record;
}

static char **string_of(void *record, const struct column *column)
{
	return (char **)((unsigned char *)record + column->offset);
}

void *record_copy(enum record_type type, const void *record)
{
	const struct record_kind *kind = record_kinds[type];
	void *copy = malloc(kind->size);
	bool copied = copy != NULL;

	if (copy == NULL)
		return NULL;
	memcpy(copy, record, kind->size);
	for (const struct column *column = kind->columns; column->name != NULL; column++) {
		char **string = string_of(copy, column);

		if (column->kind != COLUMN_STRING || *string == NULL)
			continue;
		*string = copied ? strdup(*string) : NULL;
		copied = copied && *string != NULL;
	}
	if (copied)
		return copy;
	record_free(type, copy);
	return NULL;
}

void record_free(enum record_type type, void *record)
{
	const struct record_kind *kind = record_kinds[type];

	if (record == NULL)
		return;
	if (kind->release != NULL) {
		kind->release(record);
		return;
	}
	for (const struct column *column = kind->columns; column->name != NULL; column++) {
		if (column->kind == COLUMN_STRING)
			free(*string_of(record, column));
	}
	explicit_bzero(record, kind->size);
	free(record);
}
