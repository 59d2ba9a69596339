// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/webrtc/sdp.h"

#include <errno.h>
#include <string.h>

#include "controlplane/webrtc/sdp_section.h"

/* An offer while it is being read. */
struct parser {
	struct sdp_reader reader;
	struct sdp_offer *offer;
	struct sdp_shared session;
	struct sdp_transport transport; /* of the session and of the bundle's sections */
	struct sdp_draft draft;         /* of the section being read */
	struct sdp_line bundle;         /* a=group:BUNDLE; number 0: none */
	bool origin_known;
	bool name_known;
	bool time_known;
	bool rtcp_mux;            /* said by a section of the bundle */
	struct sdp_line unusable; /* the first audio section that cannot be used; number 0: none */
	const char *why;
};

static bool in_bundle(const struct parser *p, const char *mid)
{
	struct sdp_text rest = p->bundle.rest;

	(void)sdp_word(&rest); /* BUNDLE */
	while (rest.size > 0 && mid[0] != '\0') {
		if (sdp_equals(sdp_word(&rest), mid))
			return true;
	}
	return false;
}

static int check_mid(struct parser *p)
{
	const struct sdp_section *section = p->draft.section;

	for (const struct sdp_section *s = p->offer->section; s < section; s++) {
		if (s->mid[0] != '\0' && strcmp(s->mid, section->mid) == 0)
			return sdp_fail(&p->reader, &p->draft.head,
				"its a=mid:%s is that of an earlier section", section->mid);
	}
	return 0;
}

/*
 * RFC 9143 section 7: the transport is that of the bundle's first section, and a bundle-only one
 * has none of its own. What stands outside of the bundle is refused in the answer, so whatever it
 * says of its transport does not matter.
 */
static int finish_section(struct parser *p)
{
	struct sdp_draft *draft = &p->draft;
	const char *why;
	bool bundled;

	if (draft->section == NULL)
		return 0;
	why = sdp_draft_finish(draft, &p->session);
	if (check_mid(p) < 0)
		return -EINVAL;
	bundled = p->bundle.number == 0 || in_bundle(p, draft->section->mid);
	if (bundled &&
		sdp_transport_merge(&p->transport, &draft->transport, &p->reader, &draft->head) < 0)
		return -EINVAL;
	p->rtcp_mux |= bundled && draft->rtcp_mux;
	if (why == NULL && !bundled)
		why = "its a=mid is not in a=group:BUNDLE";
	else if (why == NULL && !draft->rtcp_mux && !(draft->bundle_only && p->rtcp_mux))
		why = "expected a=rtcp-mux: there is one port for everything";
	draft->section->usable = why == NULL;
	if (why != NULL && draft->section->audio && p->unusable.number == 0) {
		p->unusable = draft->head;
		p->why = why;
	}
	return 0;
}

static int begin_section(struct parser *p, const struct sdp_line *line)
{
	if (finish_section(p) < 0)
		return -EINVAL;
	if (p->offer->section_count == SDP_SECTIONS_MAX)
		return sdp_fail(&p->reader, line, "at most %u sections", SDP_SECTIONS_MAX);
	if (p->offer->section_count == 0 && !(p->origin_known && p->name_known && p->time_known))
		return sdp_fail(&p->reader, line, "expected o=, s= and t= before the first m=");
	return sdp_draft_begin(
		&p->draft, &p->offer->section[p->offer->section_count++], &p->reader, line);
}

static int take_group(struct parser *p, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest;

	if (!sdp_equals(sdp_word(&rest), "BUNDLE"))
		return 0;
	if (p->bundle.number != 0)
		return sdp_fail(&p->reader, line, "a second bundle: at most one");
	p->bundle = *line;
	return 0;
}

static int take_session_line(struct parser *p, const struct sdp_line *line)
{
	int taken;

	p->origin_known |= line->type == 'o';
	p->name_known |= line->type == 's';
	p->time_known |= line->type == 't';
	if (line->type == 'v')
		return sdp_fail(&p->reader, line, "a second v=");
	if (line->type != 'a')
		return 0;
	if (sdp_equals(line->name, "group"))
		return take_group(p, line);
	taken = sdp_transport_take(&p->transport, &p->reader, line);
	if (taken == 0)
		taken = sdp_shared_take(&p->session, &p->reader, line);
	return taken < 0 ? taken : 0;
}

static int read_lines(struct parser *p)
{
	struct sdp_line line;
	int got = sdp_reader_next(&p->reader, &line);

	if (got < 0)
		return got;
	if (got == 0 || !sdp_equals(line.whole, "v=0"))
		return sdp_fail(&p->reader, got > 0 ? &line : NULL, "expected v=0 at the start");
	while ((got = sdp_reader_next(&p->reader, &line)) > 0) {
		int error = line.type == 'm' ? begin_section(p, &line)
			    : p->offer->section_count == 0
				    ? take_session_line(p, &line)
				    : sdp_draft_take(&p->draft, &p->reader, &line);

		if (error < 0)
			return error;
	}
	return got < 0 ? got : finish_section(p);
}

static int check_sections(struct parser *p)
{
	const struct sdp_offer *offer = p->offer;

	if (offer->section_count == 0)
		return sdp_fail(&p->reader, NULL, "no m= section: expected m=audio");
	if (offer->section_count > 1 && p->bundle.number == 0)
		return sdp_fail(&p->reader, NULL,
			"%u sections without a=group:BUNDLE: there is one port for everything",
			offer->section_count);
	for (unsigned int i = 0; i < offer->section_count; i++) {
		if (offer->section[i].usable)
			return 0;
	}
	if (p->unusable.number == 0)
		return sdp_fail(&p->reader, NULL, "no m=audio section");
	return sdp_fail(&p->reader, &p->unusable, "%s", p->why);
}

static int check_transport(struct parser *p)
{
	const struct sdp_transport *t = &p->transport;

	if (t->ufrag.size == 0 || t->pwd.size == 0)
		return sdp_fail(&p->reader, NULL, "no a=ice-%s in the session or its sections",
			t->ufrag.size == 0 ? "ufrag" : "pwd");
	if (!t->fingerprint_known)
		return sdp_fail(&p->reader, NULL,
			t->other_hash ? "a=fingerprint: expected sha-256, which every browser uses"
				      : "no a=fingerprint in the session or its sections");
	if (!t->setup_known)
		return sdp_fail(&p->reader, NULL,
			"no a=setup in the session or its sections: expected actpass or active");
	if (t->lite)
		return sdp_fail(&p->reader, NULL,
			"a=ice-lite: the relay is a lite agent, and two of them never check");
	return 0;
}

int sdp_parse_offer(const char *text, size_t size, struct sdp_offer *offer, struct sdp_error *error)
{
	struct parser p = {.offer = offer};
	int failure;

	*offer = (struct sdp_offer){0};
	failure = sdp_reader_open(&p.reader, text, size, error);
	if (failure == 0)
		failure = read_lines(&p);
	if (failure == 0)
		failure = check_sections(&p);
	if (failure == 0)
		failure = check_transport(&p);
	if (failure < 0) {
		explicit_bzero(offer, sizeof(*offer));
		return failure;
	}
	sdp_transport_read_ice(&p.transport, &offer->ice);
	memcpy(offer->fingerprint, p.transport.fingerprint, SDP_FINGERPRINT_SIZE);
	offer->trickle = p.transport.trickle;
	offer->bundle = p.bundle.number != 0;
	return 0;
}
