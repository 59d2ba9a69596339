/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP master keys: read from text, minted, digested, written. The only file of rooms/ that knows
 * OpenSSL (base64, SHA-256). Keys live in struct stn_master_key of members and rooms and nowhere
 * else; answers carry marks, which secret_expand() replaces in the buffer that goes to the socket.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_SECRET_H
#define STENTOR_CONTROLPLANE_ROOMS_SECRET_H

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/writer.h"

/* Marks: 't' and 'r' the keys of a member (by member_id), 'k' their token, 'u' the address of their
 * room's page with it, 'g' the group key of a room (by room_id), 's' the code of a share (by its
 * id), 'v' the address of the room's page with it, 'p' true when the data plane has everything,
 * else false. */
#define SECRET_MARK_TX 't'
#define SECRET_MARK_RX 'r'
#define SECRET_MARK_TOKEN 'k'
#define SECRET_MARK_URL 'u'
#define SECRET_MARK_GROUP 'g'
#define SECRET_MARK_PROGRAMMED 'p'
#define SECRET_MARK_SHARE 's'
#define SECRET_MARK_SHARE_URL 'v'

#define SECRET_DIGEST_SIZE 65 /* SHA-256 in hex, with NUL */
#define SECRET_TEXT_SIZE 64   /* base64 of the longest key and salt, with NUL: 61 */

/* In the order of enum stn_suite without NONE; NULL-terminated. */
extern const char *const secret_suite_names[];
const char *secret_suite_name(unsigned int suite);
/* Bytes of master key and salt. */
size_t secret_key_size(unsigned int suite);
size_t secret_salt_size(unsigned int suite);

/* Once, before anything else: OpenSSL sets itself up at its first use, and if it has no memory for
 * that then, the program ends. 0 or -ENOMEM. */
int secret_setup(void);
/* Master key and salt from base64 or hex. 0, or -EINVAL. */
int secret_parse(unsigned int suite, const char *text, struct stn_master_key *key);
/* Fresh random ones. 0 or negative errno. */
int secret_mint(struct registry *registry, unsigned int suite, struct stn_master_key *key);
/* base64 with NUL, at most SECRET_TEXT_SIZE bytes. */
void secret_text(const struct stn_master_key *key, char *text);
/* SHA-256 in hex: 64 bytes and NUL. 0 or -ENOMEM. */
int secret_digest(const struct stn_master_key *key, char *digest);
/* The same of any text. */
int secret_text_digest(const char *text, size_t size, char *digest);
/* In a time that does not tell where they differ. */
bool secret_equal(const void *a, const void *b, size_t size);
/* base64 of any bytes, and NUL; at most 45 of them. */
void secret_base64(const unsigned char *bytes, size_t size, char *text);
/* RFC 4648 section 5 without padding, and NUL; as many. */
void secret_base64url(const unsigned char *bytes, size_t size, char *text);

/* Appends text with its marks replaced; a key that is no longer there becomes null. */
void secret_expand(const struct registry *registry, bool programmed, const char *text, size_t size,
	struct writer *out);

#endif
