/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/webrtc/record.h"

enum message_type {
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_CERTIFICATE = 11,
	MESSAGE_CERTIFICATE_VERIFY = 15,
	MESSAGE_CLIENT_KEY_EXCHANGE = 16
};

struct message {
	uint8_t type;
	uint16_t sequence;
	uint32_t offset; /* of the fragment */
};

static uint32_t read_number(const uint8_t *bytes, unsigned int size)
{
	uint32_t number = 0;

	for (unsigned int i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

bool record_next(const uint8_t **at, const uint8_t *end, struct record *record)
{
	const uint8_t *header = *at;
	uint32_t size;

	if (end - header < RECORD_HEADER_SIZE)
		return false;
	/* DTLS 1.0 is what the records of a first ClientHello may say; DTLS 1.3 has other ones. */
	if (header[1] != 0xfe || (header[2] != 0xff && header[2] != 0xfd))
		return false;
	size = read_number(header + 11, 2);
	if (size > (size_t)(end - header) - RECORD_HEADER_SIZE)
		return false;
	*record = (struct record){.type = header[0],
		.epoch = (uint16_t)read_number(header + 3, 2),
		.sequence = (uint64_t)read_number(header + 5, 2) << 32 | read_number(header + 7, 4),
		.start = header,
		.payload = header + RECORD_HEADER_SIZE,
		.size = (uint16_t)size};
	*at = header + RECORD_HEADER_SIZE + size;
	return true;
}

void record_number(uint8_t *record, uint16_t epoch, uint64_t sequence)
{
	record[3] = (uint8_t)(epoch >> 8);
	record[4] = (uint8_t)epoch;
	for (unsigned int i = 0; i < 6; i++)
		record[5 + i] = (uint8_t)(sequence >> (40 - 8 * i));
}

static bool is_from_client(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_CLIENT_HELLO:
		return message->sequence == 0; /* we never ask for a second one */
	case MESSAGE_CERTIFICATE:
	case MESSAGE_CERTIFICATE_VERIFY:
	case MESSAGE_CLIENT_KEY_EXCHANGE:
		return message->sequence != 0;
	default:
		return false;
	}
}

/* Walks the messages, or fragments, of a plaintext handshake record. False: end, or malformed. */
static bool message_next(const uint8_t **at, const uint8_t *end, struct message *message)
{
	const uint8_t *header = *at;
	uint32_t length, size;

	if (end - header < RECORD_MESSAGE_HEADER_SIZE)
		return false;
	length = read_number(header + 1, 3);
	*message = (struct message){.type = header[0],
		.sequence = (uint16_t)read_number(header + 4, 2),
		.offset = read_number(header + 6, 3)};
	size = read_number(header + 9, 3);
	/* Empty pieces are of no use, and OpenSSL gives up over them; no message of a client is. */
	if (size == 0 || size > (size_t)(end - header) - RECORD_MESSAGE_HEADER_SIZE ||
		message->offset + size > length)
		return false;
	*at = header + RECORD_MESSAGE_HEADER_SIZE + size;
	return true;
}

static bool is_client_handshake(const struct record *record)
{
	const uint8_t *at = record->payload, *end = at + record->size;
	struct message message;

	if (record->size == 0)
		return false;
	while (at < end) {
		if (!message_next(&at, end, &message) || !is_from_client(&message))
			return false;
	}
	return true;
}

static bool is_welcome(const struct record *record)
{
	if (record->epoch == 1)
		return record->type == RECORD_HANDSHAKE || record->type == RECORD_ALERT;
	if (record->epoch != 0)
		return false;
	if (record->type == RECORD_CHANGE_CIPHER_SPEC)
		return record->size == 1 && record->payload[0] == 1;
	return record->type == RECORD_HANDSHAKE && is_client_handshake(record);
}

size_t record_filter(const uint8_t *bytes, size_t size, uint8_t *out)
{
	const uint8_t *at = bytes, *end = bytes + size;
	struct record record;
	size_t kept = 0;

	while (record_next(&at, end, &record)) {
		if (!is_welcome(&record))
			continue;
		memcpy(out + kept, record.start, RECORD_HEADER_SIZE + (size_t)record.size);
		kept += RECORD_HEADER_SIZE + (size_t)record.size;
	}
	return kept;
}

static bool has_hello(const uint8_t *bytes, size_t size, bool start)
{
	const uint8_t *at = bytes, *end = bytes + size;
	struct record record;

	while (record_next(&at, end, &record)) {
		const uint8_t *inner = record.payload;
		struct message message;

		if (record.epoch != 0 || record.type != RECORD_HANDSHAKE)
			continue;
		while (message_next(&inner, record.payload + record.size, &message)) {
			if (message.type == MESSAGE_CLIENT_HELLO && message.sequence == 0 &&
				(!start || message.offset == 0))
				return true;
		}
	}
	return false;
}

bool record_has_hello(const uint8_t *bytes, size_t size)
{
	return has_hello(bytes, size, false);
}

bool record_has_hello_start(const uint8_t *bytes, size_t size)
{
	return has_hello(bytes, size, true);
}
