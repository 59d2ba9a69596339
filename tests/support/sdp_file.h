/* SPDX-License-Identifier: BSD-3-Clause */
/* The offers of tests/data/sdp, for unit tests with Check. */
#ifndef STENTOR_TESTS_SUPPORT_SDP_FILE_H
#define STENTOR_TESTS_SUPPORT_SDP_FILE_H

#include <stdio.h>

#include "controlplane/webrtc/sdp.h"
#include "tests/support/unit.h"

#ifndef SDP_DATA
#define SDP_DATA "tests/data/sdp" /* from the top of the tree */
#endif

static const char *const sdp_file_names[] = {
	"chromium_after_restart",
	"chromium_audio_video_data",
	"chromium_before_restart",
	"chromium_recvonly_1",
	"chromium_recvonly_3",
	"chromium_sendonly",
	"chromium_sendonly_red",
	"chromium_sendrecv_recvonly",
	"firefox_recvonly_3_bundle_only",
	"firefox_sendrecv",
	"gstreamer_whip",
	"minimal_no_bundle",
	"obs_whip",
	"pion_whip",
};

#define SDP_FILES (sizeof(sdp_file_names) / sizeof(sdp_file_names[0]))

/* The text with a NUL behind it; free() it. */
static inline char *sdp_file_read(const char *name, size_t *size)
{
	char path[512], *text = malloc(SDP_SIZE_MAX + 1);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.sdp", SDP_DATA, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL && text != NULL, "%s", path);
	*size = fread(text, 1, SDP_SIZE_MAX, file);
	text[*size] = '\0';
	fclose(file);
	return text;
}

/* It must be one that is accepted. */
static inline void sdp_file_parse(const char *name, struct sdp_offer *offer)
{
	struct sdp_error error;
	size_t size;
	char *text = sdp_file_read(name, &size);

	ck_assert_msg(
		sdp_parse_offer(text, size, offer, &error) == 0, "%s: %s", name, error.reason);
	free(text);
}

#endif
