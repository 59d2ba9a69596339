// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reads an offer and prints the answer that the relay would give, so that a real browser can be
 * asked whether it takes it. Certificate, credentials and SSRCs are made up.
 *
 * usage: sdp_answer OFFER_FILE [SLOTS [spread] [red] [fragment]]        OFFER_FILE "-": stdin
 * Exit: 0, 1 the offer is refused (why is on standard error), 2 usage.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/webrtc/sdp.h"

static size_t read_all(const char *path, char *out, size_t capacity)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	size_t size;

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	size = fread(out, 1, capacity, file);
	if (file != stdin)
		fclose(file);
	return size;
}

static void choose_profile(const struct sdp_offer *offer, struct sdp_answer *answer, bool with_red)
{
	for (unsigned int i = 0; i < offer->section_count; i++) {
		const struct sdp_section *section = &offer->section[i];

		if (!section->usable)
			continue;
		answer->payload_type = section->opus_payload_type;
		answer->audio_level_id = section->audio_level_id;
		answer->red_payload_type = with_red ? section->red_payload_type : 0;
		return;
	}
}

static int print_answer(const struct sdp_offer *offer, unsigned int slots, int argc, char **argv)
{
	static const uint8_t fingerprint[SDP_FINGERPRINT_SIZE] = {0x5e, 0xed};
	static const uint32_t ssrc[STN_SLOTS_MAX] = {
		1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008};
	struct stn_address candidates[2] = {
		{.family = 4, .port_be = htons(40000), .address = {172, 16, 2, 1}},
		{.family = 6, .port_be = htons(40000), .address = {0xfd, 0, 0, 2, [15] = 1}},
	};
	struct sdp_answer answer = {.session_id = 4611686018427387905u,
		.ufrag = "AAAAAAAAAAAAAAAA",
		.pwd = "pwdpwdpwdpwdpwdpwdpwdpwd",
		.fingerprint = fingerprint,
		.candidates = candidates,
		.candidate_count = 2,
		.receive = true,
		.slot_ssrc = ssrc,
		.slot_count = slots};
	struct writer writer = {0};
	bool fragment = false, red = false;

	for (int i = 3; i < argc; i++) {
		answer.spread_unsignalled |= strcmp(argv[i], "spread") == 0;
		red |= strcmp(argv[i], "red") == 0;
		fragment |= strcmp(argv[i], "fragment") == 0;
	}
	choose_profile(offer, &answer, red);
	if (fragment)
		sdp_write_fragment(&writer, offer, &answer);
	else
		sdp_write_answer(&writer, offer, &answer);
	fwrite(writer.text, 1, writer.size, stdout);
	writer_clear(&writer);
	return 0;
}

int main(int argc, char **argv)
{
	static char text[SDP_SIZE_MAX + 1];
	struct sdp_offer offer;
	struct sdp_error error;
	unsigned long slots = argc > 2 ? strtoul(argv[2], NULL, 10) : 3;

	if (argc < 2 || slots > STN_SLOTS_MAX) {
		fprintf(stderr, "usage: sdp_answer OFFER_FILE [SLOTS [spread] [red] [fragment]]\n");
		return 2;
	}
	if (sdp_parse_offer(text, read_all(argv[1], text, sizeof(text)), &offer, &error) < 0) {
		fprintf(stderr, "%s\n", error.reason);
		return 1;
	}
	return print_answer(&offer, (unsigned int)slots, argc, argv);
}
