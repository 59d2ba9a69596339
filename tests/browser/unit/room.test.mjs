/* SPDX-License-Identifier: BSD-3-Clause */
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { begin, step, stateOf, RESTART_MS } = await load('room.js');

/* Runs events through the machine; returns the model and the effects of the last one. */
function run(...events) {
	let model = begin(true), effects = [];
	for (const event of events)
		[model, effects] = step(model, typeof event === 'string' ? { is: event } : event);
	return { model, effects, state: stateOf(model) };
}

const listening = ['listen', { is: 'open', kind: 'listen' }];
const speaker = { is: 'role', role: 'speaker' };
const speaking = [...listening, speaker, 'speak', { is: 'microphone', ok: true },
	{ is: 'open', kind: 'speak' }];
const refused = (status, more = {}) => ({ is: 'refused', status, message: 'no', ...more });
const kinds = (effects) => effects.map((effect) => effect.kind ?? effect.type ?? effect.do);

test('one tap connects as a listener', () => {
	const { effects, state } = run('listen');
	assert.equal(state, 'connecting');
	assert.deepEqual(effects, [{ do: 'connect', kind: 'listen' }]);
	assert.equal(run(...listening).state, 'listening');
});

test('a second tap does not connect twice', () => {
	assert.deepEqual(run('listen', 'listen').effects, []);
});

test('a listener asks, is granted, and speaks without leaving', () => {
	const asked = run(...listening, { is: 'role', role: 'listener' }, 'ask');
	assert.deepEqual(asked.effects, [{ do: 'request', type: 'floor.request' }]);
	const granted = run(...listening, 'ask', 'granted');
	assert.deepEqual(granted.effects, [{ do: 'microphone', on: true }]);
	assert.equal(granted.state, 'listening', 'goes on listening while the microphone opens');
	const ready = run(...listening, 'ask', 'granted', { is: 'microphone', ok: true });
	assert.deepEqual(ready.effects, [{ do: 'connect', kind: 'speak' }]);
	assert.equal(ready.state, 'listening', 'goes on listening until the new session is up');
	assert.equal(run(...speaking).state, 'speaking');
});

test('a grant that was not asked for opens no microphone', () => {
	const { effects, model } = run(...listening, 'granted');
	assert.deepEqual(effects, []);
	assert.equal(model.role, 'speaker');
});

test('a microphone that is refused leaves the listener listening', () => {
	const { state, model, effects } = run(...listening, speaker, 'speak',
		{ is: 'microphone', ok: false, message: 'not allowed' });
	assert.equal(state, 'listening');
	assert.equal(model.message, 'not allowed');
	assert.deepEqual(effects, []);
});

test('a microphone that opens after leaving is closed again', () => {
	const { effects } = run(...listening, speaker, 'speak', 'leave', { is: 'microphone', ok: true });
	assert.deepEqual(effects, [{ do: 'microphone', on: false }]);
});

test('mute goes to the microphone, and survives a new session', () => {
	assert.deepEqual(run(...speaking, 'mute').effects, [{ do: 'mute', muted: true }]);
	const again = run(...speaking, 'mute', 'lost', 'timer', { is: 'open', kind: 'speak' });
	assert.deepEqual(again.effects, [{ do: 'mute', muted: true }]);
	assert.equal(again.state, 'speaking');
});

test('who stops speaking gives the floor back, a host keeps it', () => {
	assert.deepEqual(kinds(run(...speaking, 'release').effects), ['microphone', 'listen', 'floor.release']);
	const host = [...listening, { is: 'role', role: 'host' }, 'speak', { is: 'microphone', ok: true },
		{ is: 'open', kind: 'speak' }, 'release'];
	assert.deepEqual(kinds(run(...host).effects), ['microphone', 'listen']);
});

test('a release that comes back as an event connects only once', () => {
	assert.deepEqual(run(...speaking, 'release', 'released').effects, []);
	assert.deepEqual(kinds(run(...speaking, 'released').effects), ['microphone', 'listen']);
});

test('demotion ends speaking, not listening', () => {
	const { effects, model } = run(...speaking, { is: 'role', role: 'listener' });
	assert.deepEqual(kinds(effects), ['microphone', 'listen']);
	assert.equal(model.want, 'listen');
});

test('a lost connection restarts ICE first', () => {
	const { effects, state } = run(...listening, 'lost');
	assert.equal(state, 'reconnecting');
	assert.deepEqual(effects, [{ do: 'restart' }, { do: 'wait', ms: RESTART_MS }]);
});

test('an ICE restart that helps is the end of it', () => {
	const { state, model } = run(...listening, 'lost', { is: 'open', kind: 'listen' });
	assert.equal(state, 'listening');
	assert.equal(model.attempt, 0);
	assert.deepEqual(run(...listening, 'lost', { is: 'open', kind: 'listen' }, 'timer').effects, []);
});

test('an ICE restart that does not help makes way for a fresh session, later and later', () => {
	let events = [...listening, 'lost'];
	const waits = [];
	for (let i = 0; i < 9; i++) {
		events = [...events, 'lost'];
		waits.push(run(...events).model.waitMs);
		events = [...events, 'timer'];
		assert.deepEqual(run(...events).effects, [{ do: 'connect', kind: 'listen' }]);
	}
	assert.deepEqual(waits, [0, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

test('a speaker reconnects as a speaker', () => {
	assert.deepEqual(run(...speaking, 'lost', 'timer').effects, [{ do: 'connect', kind: 'speak' }]);
});

test('a full server is tried again when it says', () => {
	const { state, effects } = run('listen', refused(503, { retryAfterMs: 7000 }));
	assert.equal(state, 'full');
	assert.deepEqual(effects, [{ do: 'wait', ms: 7000 }]);
	assert.equal(run('listen', refused(503, { retryAfterMs: null })).model.waitMs, 5000);
	assert.equal(run('listen', refused(429, { retryAfterMs: 1e9 })).model.waitMs, 120000);
	assert.equal(run('listen', refused(503), 'timer').state, 'connecting');
});

test('a token that is no good is forgotten', () => {
	for (const events of [['listen', refused(401)], ['listen', refused(403)], [...listening, 'removed']]) {
		const { effects } = run(...events);
		assert.deepEqual(kinds(effects), ['close', 'microphone', 'forget']);
	}
	assert.equal(run('listen', refused(401)).state, 'denied');
	assert.equal(run('listen', refused(403)).state, 'denied');
});

test('no such room is a closed one, and the token is kept', () => {
	const { state, effects } = run('listen', refused(404));
	assert.equal(state, 'closed');
	assert.deepEqual(kinds(effects), ['close', 'microphone']);
});

test('who may not speak goes on listening', () => {
	const { effects, model } = run(...listening, speaker, 'speak', { is: 'microphone', ok: true },
		refused(403));
	assert.deepEqual(kinds(effects), ['microphone', 'listen']);
	assert.equal(model.want, 'listen');
	assert.equal(model.message, 'no');
});

test('a failing server or network is tried again', () => {
	assert.equal(run('listen', refused(500)).state, 'reconnecting');
	assert.equal(run('listen', refused(0)).state, 'reconnecting');
	assert.deepEqual(run('listen', refused(0)).effects, [{ do: 'wait', ms: 500 }]);
});

test('removal is final: nothing connects again', () => {
	const removed = [...speaking, 'removed'];
	assert.equal(run(...removed).state, 'removed');
	for (const event of ['timer', 'lost', refused(401), { is: 'open', kind: 'listen' }, 'leave', 'listen']) {
		const { state, effects } = run(...removed, event);
		assert.equal(state, 'removed');
		assert.deepEqual(effects, []);
	}
});

test('leaving takes the request for the floor with it', () => {
	const { effects, state } = run(...listening, 'ask', 'leave');
	assert.equal(state, 'idle');
	assert.deepEqual(kinds(effects), ['floor.cancel', 'close', 'microphone']);
});

test('a request that is declined can be made again', () => {
	const { model } = run(...listening, 'ask',
		{ is: 'declined', type: 'floor.request', message: 'not now' });
	assert.equal(model.floor, 'none');
	assert.equal(model.message, 'not now');
	assert.deepEqual(kinds(run(...listening, 'ask', 'denied', 'ask').effects), ['floor.request']);
});

test('a scheduled room opens by itself, and plays for who asked for that', () => {
	assert.equal(run('scheduled').state, 'scheduled');
	assert.deepEqual(run('scheduled', 'listen').effects, [], 'not before it is open');
	const opened = run('scheduled', 'opened');
	assert.equal(opened.state, 'idle');
	assert.deepEqual(opened.effects, []);
	assert.deepEqual(run('scheduled', 'wait', 'opened').effects, [{ do: 'connect', kind: 'listen' }]);
	assert.deepEqual(run('scheduled', 'wait', 'wait', 'opened').effects, [], 'thought better of it');
	assert.deepEqual(run(...listening, 'scheduled', 'opened').effects, [], 'not in the middle of a visit');
	assert.equal(run('scheduled', { is: 'closed', reason: 'cancelled' }).model.reason, 'cancelled');
});

const invited = [...listening, { is: 'invited', by: 'ann', expiresMs: 9 }];

test('an invitation opens a microphone only when it is accepted', () => {
	assert.deepEqual(run(...invited).effects, []);
	assert.equal(run(...invited).model.invitation.by, 'ann');
	assert.deepEqual(run(...invited, 'accept').effects, [{ do: 'request', type: 'floor.accept' }]);
	assert.deepEqual(run(...invited, 'accept', 'granted').effects, [{ do: 'microphone', on: true }]);
	assert.deepEqual(run(...invited, 'granted').effects, [], 'somebody else made them speaker');
	assert.deepEqual(run(...invited, 'decline').effects, [{ do: 'request', type: 'floor.cancel' }]);
	assert.equal(run(...invited, { is: 'expired', kind: 'invite' }).model.invitation, null);
	assert.deepEqual(run(...invited, { is: 'expired', kind: 'invite' }, 'accept').effects, []);
	assert.deepEqual(run(...invited, 'accept', { is: 'declined', type: 'floor.accept', message: 'late' }, 'granted').effects, []);
	assert.equal(run(...speaking, { is: 'invited', by: 'ann', expiresMs: 9 }).model.floor, 'none');
});

test('words go with a request that is under way, and a request ends by itself', () => {
	assert.deepEqual(run(...listening, 'ask', { is: 'explain', message: 'x' }).effects,
		[{ do: 'request', type: 'floor.request', message: 'x' }]);
	assert.deepEqual(run(...listening, { is: 'explain', message: 'x' }).effects, []);
	assert.equal(run(...listening, 'ask', { is: 'queued', position: 2 }).model.position, 2);
	assert.equal(run(...listening, 'ask', { is: 'expired', kind: 'request' }).model.floor, 'none');
	assert.equal(run(...listening, 'ask', { is: 'expired', kind: 'invite' }).model.floor, 'asked');
});

test('a cohost may speak and keeps the role when they stop', () => {
	const cohost = [...listening, { is: 'role', role: 'cohost' }, 'speak', { is: 'microphone', ok: true }, { is: 'open', kind: 'speak' }];
	assert.equal(run(...cohost).state, 'speaking');
	assert.deepEqual(kinds(run(...cohost, 'release').effects), ['microphone', 'listen']);
});

test('a demotion while the microphone opens keeps it shut', () => {
	const { effects } = run(...listening, speaker, 'speak', { is: 'role', role: 'listener' }, { is: 'microphone', ok: true });
	assert.deepEqual(effects, [{ do: 'microphone', on: false }]);
});

test('the relay muting a member is told apart from their own mute', () => {
	const { model } = run(...speaking, { is: 'silenced', silenced: true });
	assert.equal(model.silenced, true);
	assert.equal(model.muted, false);
});

test('no event in any order connects somebody who was removed, or throws', () => {
	const all = ['listen', 'leave', 'lost', 'timer', 'granted', 'denied', 'released', 'ask',
		'withdraw', 'speak', 'release', 'mute', 'closed', 'scheduled', 'wait', 'opened', 'accept', 'decline',
		{ is: 'invited', by: 'a', expiresMs: 1 }, { is: 'expired', kind: 'invite' }, { is: 'open', kind: 'listen' },
		{ is: 'open', kind: 'speak' }, refused(401), refused(403), refused(404), refused(503),
		refused(0), { is: 'microphone', ok: true }, { is: 'microphone', ok: false, message: '' },
		{ is: 'role', role: 'listener' }, { is: 'role', role: 'speaker' }, { is: 'ended' },
		{ is: 'silenced', silenced: true }, { is: 'declined', type: 'floor.request', message: '' }];
	const seed = Number(process.env.SEED ?? Date.now() % 1e9);
	let state = seed;
	const random = (n) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor(state / 2 ** 32 * n);
	};
	for (let walk = 0; walk < 300; walk++) {
		let model = begin(true), effects;
		for (let i = 0; i < 60; i++) {
			const event = all[random(all.length)];
			[model, effects] = step(model, typeof event === 'string' ? { is: event } : event);
			const microphone = effects.some((effect) => effect.do === 'connect' && effect.kind === 'speak');
			assert.ok(!microphone || model.microphone === 'on', `seed ${seed}: speaks without a microphone`);
			assert.ok(model.phase !== 'live' || model.live !== null, `seed ${seed}: live without a session`);
		}
		[model] = step(model, { is: 'removed' });
		for (let i = 0; i < 20; i++) {
			const event = all[random(all.length)];
			[model, effects] = step(model, typeof event === 'string' ? { is: event } : event);
			assert.ok(!effects.some((effect) => effect.do === 'connect'), `seed ${seed}`);
		}
	}
});
