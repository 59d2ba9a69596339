/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes as they are on the wire: big-endian loads and stores at any alignment, and a cursor with a
 * sticky error, so that a parser reads ten fields and checks once. Any thread; owns nothing.
 */
#ifndef STENTOR_DATAPLANE_CORE_BYTES_H
#define STENTOR_DATAPLANE_CORE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_load16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_load24(const uint8_t *at)
{
	return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static inline uint32_t bytes_load32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return __builtin_bswap32(value);
}

static inline uint64_t bytes_load64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return __builtin_bswap64(value);
}

static inline void bytes_store16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void bytes_store32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void bytes_store64(uint8_t *at, uint64_t value)
{
	value = __builtin_bswap64(value);
	memcpy(at, &value, sizeof(value));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the swaps above assume little-endian");

/* Reads on from `at`; once a read does not fit, `failed` stays set and every read gives 0. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_init(const uint8_t *data, unsigned int size)
{
	return (struct cursor){.at = data, .end = data + size, .failed = false};
}

static inline unsigned int cursor_left(const struct cursor *cursor)
{
	return cursor->failed ? 0 : (unsigned int)(cursor->end - cursor->at);
}

/* The next `size` bytes, or NULL; the cursor moves behind them. */
static inline const uint8_t *cursor_take(struct cursor *cursor, unsigned int size)
{
	const uint8_t *at = cursor->at;

	if (cursor->failed || size > (unsigned int)(cursor->end - cursor->at)) {
		cursor->failed = true;
		return NULL;
	}
	cursor->at += size;
	return at;
}

static inline uint8_t cursor_read8(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 1);

	return at ? at[0] : 0;
}

static inline uint16_t cursor_read16(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 2);

	return at ? bytes_load16(at) : 0;
}

static inline uint32_t cursor_read32(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 4);

	return at ? bytes_load32(at) : 0;
}

static inline uint64_t cursor_read64(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 8);

	return at ? bytes_load64(at) : 0;
}

#endif
