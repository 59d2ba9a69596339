/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry's limits by name, so that the model says them once. */
#include <string.h>

#include "tests/model/driver.h"

struct limit {
	const char *name;
	size_t offset, size;
};

#define LIMIT(name_) \
	{ \
#name_, offsetof(struct registry_limits, name_), \
			sizeof(((struct registry_limits *)0)->name_) \
	}

static const struct limit known[] = {LIMIT(rooms_max), LIMIT(members_max), LIMIT(room_members_max),
	LIMIT(join_timeout_ms), LIMIT(reconnect_grace_ms), LIMIT(users_max), LIMIT(follows_max),
	LIMIT(host_min_followers), LIMIT(room_speakers_max), LIMIT(schedule_max_ms),
	LIMIT(schedule_late_ms), LIMIT(schedules_per_host_max), LIMIT(floor_request_ms),
	LIMIT(floor_invite_ms), LIMIT(host_grace_ms), LIMIT(report_hold_count),
	LIMIT(moderation_per_second), LIMIT(moderation_burst), LIMIT(reactions_per_second),
	LIMIT(reactions_burst), LIMIT(reminder_spread_min), LIMIT(tickets_max), LIMIT(reports_max)};

static bool take_number(struct registry_limits *limits, const char *name, json_t *value)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		unsigned char *at = (unsigned char *)limits + known[i].offset;
		uint64_t number = (uint64_t)json_integer_value(value);
		uint32_t half = (uint32_t)number;

		if (strcmp(known[i].name, name) != 0)
			continue;
		memcpy(at, known[i].size == 4 ? (void *)&half : (void *)&number, known[i].size);
		return true;
	}
	return false;
}

/* Pairs of the sum up to which, null for the last, and basis points. */
static void take_tiers(struct registry_limits *limits, json_t *tiers)
{
	limits->fee_tier_count = 0;
	for (size_t i = 0; i < json_array_size(tiers) && i < FEE_TIERS_MAX; i++) {
		json_t *tier = json_array_get(tiers, i), *up_to = json_array_get(tier, 0);

		limits->fee_tiers[i].up_to =
			json_is_null(up_to) ? UINT64_MAX : (uint64_t)json_integer_value(up_to);
		limits->fee_tiers[i].basis_points =
			(uint32_t)json_integer_value(json_array_get(tier, 1));
		limits->fee_tier_count++;
	}
}

static void take_reactions(struct registry_limits *limits, json_t *reactions)
{
	limits->reaction_count = 0;
	for (size_t i = 0; i < json_array_size(reactions) && i < REACTIONS_MAX; i++)
		strncpy(limits->reactions[limits->reaction_count++],
			json_string_value(json_array_get(reactions, i)), REACTION_SIZE - 1);
}

bool limits_take(struct registry_limits *limits, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (strcmp(name, "fee_tiers") == 0)
			take_tiers(limits, value);
		else if (strcmp(name, "reactions") == 0)
			take_reactions(limits, value);
		else if (strcmp(name, "public_url") == 0)
			limits->public_url = json_string_value(value); /* of the first command */
		else if (!take_number(limits, name, value))
			return false;
	}
	return true;
}
