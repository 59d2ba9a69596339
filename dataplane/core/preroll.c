// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/preroll.h"

static struct selector_packet *at(struct preroll *preroll, unsigned int position)
{
	return &preroll->packet[(preroll->first + position) % PREROLL_PACKETS_MAX];
}

bool preroll_full(const struct preroll *preroll)
{
	return preroll->count == PREROLL_PACKETS_MAX;
}

/* Most packets come in order and go to the end; a late one moves the few that have overtaken it. */
bool preroll_push(struct preroll *preroll, const struct selector_packet *packet)
{
	unsigned int position = preroll->count, i;

	if (preroll_full(preroll))
		return false;
	while (position > 0 && at(preroll, position - 1)->index > packet->index)
		position--;
	if (position > 0 && at(preroll, position - 1)->index == packet->index)
		return false;
	for (i = preroll->count; i > position; i--)
		*at(preroll, i) = *at(preroll, i - 1);
	*at(preroll, position) = *packet;
	preroll->count++;
	return true;
}

bool preroll_pop(struct preroll *preroll, struct selector_packet *out)
{
	if (preroll->count == 0)
		return false;
	*out = *at(preroll, 0);
	preroll->first = (preroll->first + 1) % PREROLL_PACKETS_MAX;
	preroll->count--;
	return true;
}

const struct selector_packet *preroll_peek(const struct preroll *preroll)
{
	return preroll->count > 0 ? &preroll->packet[preroll->first] : NULL;
}
