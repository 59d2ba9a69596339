/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes JSON into a growing buffer: members of objects and arrays one after the other, commas by
 * itself, strings escaped. Running out of memory is sticky: later calls do nothing, writer_failed()
 * says so once at the end.
 *
 * Keys are never written: writer_mark() leaves a mark (a control byte no string can contain, since
 * strings are escaped) which secret_expand() replaces at the moment of sending.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_WRITER_H
#define STENTOR_CONTROLPLANE_ROOMS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	char *text; /* not NUL-terminated; free with writer_clear() */
	size_t size;
	size_t capacity;
	bool comma;
	bool failed;
};

#define WRITER_MARK '\x01'
#define WRITER_MARK_SIZE 19 /* mark, kind, 16 hex digits, mark */

void writer_clear(struct writer *writer);
/* Empties it and keeps the memory. */
void writer_reset(struct writer *writer);

/* name is NULL inside an array, and for the outermost value. */
void writer_begin_object(struct writer *writer, const char *name);
void writer_end_object(struct writer *writer);
void writer_begin_array(struct writer *writer, const char *name);
void writer_end_array(struct writer *writer);

/* text NULL writes null. */
void writer_string(struct writer *writer, const char *name, const char *text);
void writer_uint(struct writer *writer, const char *name, uint64_t value);
void writer_int(struct writer *writer, const char *name, int64_t value);
/* Three decimals. */
void writer_real(struct writer *writer, const char *name, double value);
void writer_bool(struct writer *writer, const char *name, bool value);
void writer_null(struct writer *writer, const char *name);
/* A 64-bit id as a string of digits: JSON numbers of many readers end at 2^53. */
void writer_id(struct writer *writer, const char *name, uint64_t id);
/* What only the moment of sending knows; see secret.h for the kinds. */
void writer_mark(struct writer *writer, const char *name, char kind, uint64_t id);
/* Bytes as they are: already JSON, members with their commas. Nothing for size 0. */
void writer_raw(struct writer *writer, const char *text, size_t size);
/* Bytes as they are, no comma before or after. */
void writer_append(struct writer *writer, const char *text, size_t size);

#endif
