// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/crypto/engine.h"

#include <string.h>

static const struct suite_facts facts[] = {
	[SUITE_NONE] = {"none", 0, 0, 0},
	[SUITE_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16},
	[SUITE_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16},
	[SUITE_AES128_CM_HMAC_SHA1_80] = {"AES128_CM_HMAC_SHA1_80", 16, 14, 10},
};
_Static_assert(sizeof(facts) / sizeof(facts[0]) == SUITE_COUNT, "facts of every suite");

static const struct engine *const engines[] = {
	&engine_vaes,
	&engine_ipsec_mb,
	&engine_libsrtp,
};

const struct suite_facts *suite_facts(enum suite suite)
{
	return &facts[(unsigned int)suite < SUITE_COUNT ? suite : SUITE_NONE];
}

const struct engine *engine_at(unsigned int position)
{
	return position < sizeof(engines) / sizeof(engines[0]) ? engines[position] : NULL;
}

const struct engine *engine_find(const char *name)
{
	const struct engine *engine;

	for (unsigned int i = 0; (engine = engine_at(i)); i++) {
		if (!strcmp(name, engine->name))
			return engine;
		if (!strcmp(name, "auto") && engine->available())
			return engine;
	}
	return NULL;
}
