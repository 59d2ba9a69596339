/* SPDX-License-Identifier: BSD-3-Clause */
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { apply, begin, levelsOf, lossBetween, mayActOn, outdated, sample, SAMPLES } = await load('desk.js');
const { niceTop, pointsOf } = await load('graph.js');

const opened = { ...begin(), room: { room: 'tea', members: 3, listeners: 2, speakers: 1 } };

test('an event says which lists are out of date', () => {
	const table = [
		[{ type: 'floor.requested' }, ['audit', 'hands']],
		[{ type: 'floor.granted' }, ['audit', 'hands', 'stage']],
		[{ type: 'role.changed' }, ['audit', 'hands', 'stage']],
		[{ type: 'member.joined', role: 'speaker' }, ['stage']],
		[{ type: 'member.joined', role: 'listener' }, []],
		[{ type: 'member.left' }, ['audit', 'hands', 'stage']],
		[{ type: 'member.muted' }, ['audit', 'stage']],
		[{ type: 'report.opened' }, ['audit', 'reports']],
		[{ type: 'pin.added' }, ['audit', 'room']],
		[{ type: 'room.updated' }, ['audit', 'room']],
		[{ type: 'room.reactions' }, []],
		[{ type: 'room.speaking' }, []],
		[{ type: 'something.new' }, []],
	];
	for (const [event, wanted] of table)
		assert.deepEqual([...outdated(event)].sort(), wanted, event.type);
});

test('counts are absolute, and reactions are gathered until the next point of the graph', () => {
	let model = apply(opened, { type: 'member.left', members: 2, listeners: 1, speakers: 1 });
	assert.equal(model.room.listeners, 1);
	model = apply(model, { type: 'room.reactions', counts: { '👏': 3, '🔥': 2 } });
	model = apply(model, { type: 'room.reactions', counts: { '👏': 1 } });
	assert.equal(model.reactions, 6);
	model = sample(model);
	assert.deepEqual(model.series, { listeners: [1], reactions: [6], loss: [null] });
	assert.equal(sample(model).series.reactions[1], 0);
});

test('an event before the room is known changes nothing and does not throw', () => {
	assert.equal(apply(begin(), { type: 'member.joined', members: 4 }).room, null);
	assert.deepEqual(sample(begin()), begin());
});

test('a graph keeps five minutes', () => {
	let model = opened;
	for (let i = 0; i < SAMPLES + 10; i++)
		model = sample(model);
	assert.equal(model.series.listeners.length, SAMPLES);
});

test('loss is of the reports in between: 64/256 in one of two reports is 12.5 %', () => {
	assert.equal(lossBetween({ reports: 10, lost_sum: 100 }, { reports: 12, lost_sum: 164 }), 12.5);
	assert.equal(lossBetween(null, { reports: 12, lost_sum: 164 }), null, 'the first sample');
	assert.equal(lossBetween({ reports: 12, lost_sum: 1 }, { reports: 12, lost_sum: 1 }), null, 'nobody reported');
	assert.equal(lossBetween({ reports: 12, lost_sum: 9 }, { reports: 2, lost_sum: 0 }), null, 'a restarted data plane');
});

test('who holds a slot and sends is loud, who is idle is not', () => {
	const levels = levelsOf([{ slot: 0, member: 'ann', level: 14, idle_ms: 20 },
		{ slot: 1, member: 'bob', level: 14, idle_ms: 5000 }, { slot: 2, member: null, level: 127, idle_ms: null },
		{ slot: 3, member: 'eve', level: 127, idle_ms: 1 }]);
	assert.deepEqual([...levels.keys()], ['ann', 'bob', 'eve']);
	assert.equal(levels.get('ann').level, 1 - 14 / 70);
	assert.equal(levels.get('bob').level, 0);
	assert.equal(levels.get('eve').level, 0, 'silence');
	assert.equal(levelsOf(null).size, 0, 'the data plane is away');
});

test('who may act on whom', () => {
	const table = [[0, 'speaker', false], [1, 'speaker', true], [1, 'cohost', false], [1, 'host', false],
		[2, 'cohost', true], [2, 'host', false], [3, 'host', true]];
	for (const [rank, role, wanted] of table)
		assert.equal(mayActOn(rank, role), wanted, `rank ${rank} on a ${role}`);
});

test('the scale of a graph is a number that reads well, above the highest', () => {
	for (const [highest, top] of [[0, 1], [1, 1], [1.1, 2], [3, 5], [7, 10], [10, 10], [11, 20], [0.3, 0.5], [12345, 20000]])
		assert.ok(Math.abs(niceTop(highest) - top) < 1e-9, `${highest}`);
});

test('a line ends at the right and bridges holes', () => {
	assert.deepEqual(pointsOf([0, null, 10], 3, 10), [[0, 56], [300, 4]]);
});
