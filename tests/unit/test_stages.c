// SPDX-License-Identifier: BSD-3-Clause
/* Folded stacks in, shares of a copy's time out. */
#include "perf/stages.h"
#include "tests/support/unit.h"

#define LOOP "fan_for;worker_turn;fan_slice;step;"

static const struct {
	const char *what, *frames;
	enum stage stage;
} stacks[] = {
	{"an engine's helpers are the engine's",
		LOOP "copy_run;fanout_write;protect;vaes_gcm_run;run_128_7;run;_mm512_xor_si512",
		STAGE_PROTECT},
	{"a step of an engine is no step of a fan-out",
		LOOP "copy_run;fanout_write;protect;vaes_cm_run;run_mac;step", STAGE_PROTECT},
	{"but an interrupt in it is the kernel's",
		LOOP
		"copy_run;fanout_write;protect;vaes_cm_run;asm_sysvec_apic_timer_interrupt;step",
		STAGE_KERNEL},
	{"a helper belongs to who called it", LOOP "copy_run;fanout_write;memcpy", STAGE_HEADERS},
	{"and another caller is another stage", LOOP "copy_run;buffers_get;memcpy", STAGE_BUFFERS},
	{"a driver without names is the port's",
		LOOP "copy_run;transmit_burst;push;rte_eth_tx_burst;[unknown];[unknown]",
		STAGE_PORT},
	{"what leads to it is not", LOOP "copy_run;transmit_burst;push", STAGE_TRANSMIT},
	{"a callback of the benchmark is not the port's",
		LOOP "copy_run;transmit_burst;push;rte_eth_tx_burst;rte_eth_call_tx_callbacks;on_"
		     "transmit",
		STAGE_TOOL},
	{"an interrupt is the kernel's wherever it came",
		LOOP "copy_run;fanout_write;asm_sysvec_apic_timer_interrupt;irq_exit_rcu;schedule",
		STAGE_KERNEL},
	{"rooms in their turn", "fan_for;worker_turn;fan_slice", STAGE_QUEUE},
	{"commands", "fan_for;worker_turn;apply_commands", STAGE_COMMANDS},
	{"assembly that cannot be followed", "aes_gcm_enc_128_vaes_avx512", STAGE_PROTECT},
	{"nothing known", "fan_for;clock_gettime", STAGE_OTHER},
	{"a name that only begins like one", "fan_for;stepping", STAGE_OTHER},
	{"nothing at all", "", STAGE_OTHER},
};

START_TEST(innermost_function_that_belongs_to_a_stage)
{
	enum stage got = stage_of(stacks[_i].frames);

	ck_assert_msg(got == stacks[_i].stage, "%s: %s", stacks[_i].what, stage_name(got));
}
END_TEST

START_TEST(shares_of_a_copy)
{
	struct stages stages = {0};

	ck_assert_double_eq(stages_ns(&stages, STAGE_PROTECT, 20), 0);
	ck_assert_int_eq(stages_add(&stages, "fan_for;fanout_write;protect 60\n"), 0);
	ck_assert_int_eq(stages_add(&stages, "fan_for;operator new[] (unsigned long) 5\n"), 0);
	ck_assert_int_eq(stages_add(&stages, "fan_for;fanout_write 25"), 0);
	ck_assert_int_eq(stages_add(&stages, "fan_for;fanout_write;vaes_gcm_run 10"), 0);
	ck_assert_uint_eq(stages.total, 100);
	ck_assert_double_eq_tol(stages_ns(&stages, STAGE_PROTECT, 20), 14, 1e-9);
	ck_assert_double_eq_tol(stages_ns(&stages, STAGE_HEADERS, 20), 5, 1e-9);
	ck_assert_double_eq_tol(stages_ns(&stages, STAGE_OTHER, 20), 1, 1e-9);
	ck_assert_double_eq_tol(stages_ns(&stages, STAGE_PORT, 20), 0, 1e-9);
}
END_TEST

START_TEST(lines_that_are_none)
{
	static const char *const lines[] = {"", " 5", "fan_for", "fan_for x", "fan_for 5x", "\n"};
	struct stages stages = {0};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(stages_add(&stages, lines[i]) < 0, "'%s'", lines[i]);
	ck_assert_uint_eq(stages.total, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stages");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, innermost_function_that_belongs_to_a_stage, 0,
		sizeof(stacks) / sizeof(stacks[0]));
	tcase_add_test(tcase, shares_of_a_copy);
	tcase_add_test(tcase, lines_that_are_none);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
