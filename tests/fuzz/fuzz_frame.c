// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/frame.h"
#include "tests/fuzz/fuzz.h"

/* A frame that was accepted is one we could have sent: built from its own facts it parses alike. */
static void send_back(const uint8_t *data, const struct frame *frame)
{
	struct frame_path path = {
		.vlan = frame->vlan, .local = frame->source, .remote = frame->destination};
	struct frame_template template;
	struct frame_lengths lengths = frame_lengths(frame->payload_size);
	enum stn_drop reason = STN_DROP_COUNT;
	struct frame again;
	uint8_t *copy;

	if (frame_template_build(&path, &template) != 0)
		return; /* VLAN 4095 is reserved */
	copy = malloc(template.size + frame->payload_size);
	FUZZ_CHECK(copy != NULL);
	memcpy(copy, template.bytes, template.size);
	memcpy(copy + template.size, data + frame->payload_offset, frame->payload_size);
	if (template.family == 4)
		frame_finish_ipv4(copy, template.size, &lengths);
	else
		frame_finish_ipv6(copy, template.size, frame->payload_size);
	FUZZ_CHECK(template.size + frame->payload_size > UINT16_MAX ||
		   frame_parse(copy, template.size + frame->payload_size, &again, &reason));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;
	enum stn_drop reason = STN_DROP_COUNT;

	if (!frame_parse(data, (unsigned int)size, &frame, &reason)) {
		FUZZ_CHECK(reason <= STN_DROP_FRAME_BAD_LENGTH);
		return 0;
	}
	FUZZ_CHECK(frame.payload_offset >= 42);
	FUZZ_CHECK((size_t)frame.payload_offset + frame.payload_size <= size);
	FUZZ_CHECK(frame.source.family == 4 || frame.source.family == 6);
	FUZZ_CHECK(frame.source.family == frame.destination.family);
	send_back(data, &frame);
	return 0;
}
