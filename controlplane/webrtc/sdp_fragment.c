// SPDX-License-Identifier: BSD-3-Clause
/* Fragments of SDP as PATCH carries them: RFC 8840 section 9, RFC 9725 section 4.3. */
#include <errno.h>
#include <string.h>

#include "controlplane/webrtc/sdp_transport.h"

/* m= lines only say which section goes on; what counts is the same for all of them. */
static int read_lines(struct sdp_reader *reader, struct sdp_transport *whole)
{
	struct sdp_transport part = {0};
	struct sdp_line line, head = {0};
	int got;

	while ((got = sdp_reader_next(reader, &line)) > 0) {
		if (line.type != 'm') {
			if (sdp_transport_take(&part, reader, &line) < 0)
				return -EINVAL;
			continue;
		}
		if (sdp_transport_merge(whole, &part, reader, &head) < 0)
			return -EINVAL;
		part = (struct sdp_transport){0};
		head = line;
	}
	return got < 0 ? got : sdp_transport_merge(whole, &part, reader, &head);
}

int sdp_parse_fragment(
	const char *text, size_t size, struct sdp_fragment *fragment, struct sdp_error *error)
{
	struct sdp_transport whole = {0};
	struct sdp_reader reader;

	*fragment = (struct sdp_fragment){0};
	if (sdp_reader_open(&reader, text, size, error) < 0 || read_lines(&reader, &whole) < 0)
		return -EINVAL;
	if ((whole.ufrag.size == 0) != (whole.pwd.size == 0))
		return sdp_fail(&reader, NULL, "a=ice-ufrag and a=ice-pwd: one without the other");
	fragment->ice_known = whole.ufrag.size > 0;
	if (fragment->ice_known)
		sdp_transport_read_ice(&whole, &fragment->ice);
	fragment->candidate_count = whole.candidate_count;
	fragment->end_of_candidates = whole.end_of_candidates;
	return 0;
}
