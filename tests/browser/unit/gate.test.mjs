/* SPDX-License-Identifier: BSD-3-Clause */
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { askAgainMs, entryText, ticketText } = await load('gate.js');
const { choose, valuesOf, whoText } = await load('discovery.js');
const { duration, initials, linkTarget, minorUnits, money } = await load('words.js');

test('a waiting page asks rarely while it is far and soon when it is near, never all at once', () => {
	assert.equal(askAgainMs({ starts_ms: 1e12 }, 0, 0.5), 60000);
	assert.equal(askAgainMs({ starts_ms: 1e12 }, 0, 0), 45000);
	assert.equal(askAgainMs({ starts_ms: 100000 }, 0, 0.5), 10000);
	assert.equal(askAgainMs({ starts_ms: 100000 }, 99000, 0.5), 3000);
	assert.equal(askAgainMs({ starts_ms: 100000 }, 200000, 0.5), 3000);
	assert.equal(askAgainMs({}, 0, 0.5), 3000, 'the relay has not said yet');
});

test('tickets: before, during and after the sale, and sold out', () => {
	const offer = { price: 500, currency: 'USD', left: 2, sale_from_ms: 1000, sale_until_ms: 9000 };
	assert.deepEqual([null, { ...offer, sale_from_ms: 60000 }, offer, { ...offer, left: 0 }, { ...offer, sale_until_ms: 2000 }]
		.map((one) => ticketText(one, 5000).onSale), [false, false, true, false, false]);
	assert.match(ticketText(offer, 5000).text, /5\.00.*2 are left/);
	assert.match(ticketText({ ...offer, price: 0, left: 1 }, 5000).text, /^Tickets are free, 1 is left/);
});

test('money is in minor units, of which currencies have as many digits as they have', () => {
	assert.match(money(1250, 'EUR'), /12[.,]50/);
	assert.match(money(1250, 'JPY'), /1,?250/);
	assert.equal(money(0, 'EUR'), 'free');
	assert.equal(money(5, 'nonsense'), '5 nonsense');
	for (const [text, currency, minor] of [['12.50', 'EUR', 1250], ['12,5', 'EUR', 1250], [' 7 ', 'EUR', 700], ['0', 'EUR', 0],
		['12.505', 'EUR', null], ['300', 'JPY', 300], ['3.5', 'JPY', null], ['-1', 'EUR', null], ['1e3', 'EUR', null], ['1', 'eur', null], ['', 'EUR', null]])
		assert.equal(minorUnits(text, currency), minor, `${text} ${currency}`);
});

test('every kind of access has words, and an unknown one too', () => {
	for (const access of ['open', 'followers', 'invited', 'ticketed', 'something', undefined, 'constructor'])
		assert.equal(typeof entryText({ access, host: 'ann' }, 0), 'string');
});

test('links go to http and https and nowhere else', () => {
	for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x',
		'vbscript:x', 'file:///etc/passwd', 'example.org', '//example.org', '', 'blob:http://x/y'])
		assert.equal(linkTarget(bad), null, bad);
	assert.equal(linkTarget('https://example.org/a?b#c'), 'https://example.org/a?b#c');
	assert.equal(linkTarget('http://example.org'), 'http://example.org/');
});

test('how long, in words', () => {
	for (const [ms, text] of [[-5, '0 s'], [400, '1 s'], [59000, '59 s'], [61000, '1 min'], [3600000, '1 h'], [7500000, '2 h 5 min'], [3 * 86400000, '3 days']])
		assert.equal(duration(ms), text);
	assert.equal(initials('odysseus-of-ithaca'), 'OI');
});

const rooms = [
	{ room: 'a', title: 'Zebra', topic: 'animals', host: 'ann', language: 'en', members: 5, opened_ms: 1, starts_ms: 9 },
	{ room: 'b', title: 'Ape', topic: 'animals', host: 'bob', language: 'de', members: 900, opened_ms: 3, starts_ms: 4 },
	{ room: 'c', title: '', topic: 'Ships', host: 'ann', language: '', members: 100, opened_ms: 2, starts_ms: 7 },
];
const all = { words: '', topic: '', language: '', size: '', sort: 'size' };
const names = (found) => found.map(({ room }) => room).join('');

test('rooms are found by words, topic, language and size, in the order that is wanted', () => {
	assert.equal(names(choose([...rooms], all)), 'bca');
	assert.equal(names(choose([...rooms], { ...all, sort: 'new' })), 'bca');
	assert.equal(names(choose([...rooms], { ...all, sort: 'name' })), 'bca');
	assert.equal(names(choose([...rooms], { ...all, words: ' ANN ship ' })), 'c');
	assert.equal(names(choose([...rooms], { ...all, topic: 'animals' })), 'ba');
	assert.equal(names(choose([...rooms], { ...all, language: 'de' })), 'b');
	assert.deepEqual(['small', 'middle', 'large'].map((size) => names(choose([...rooms], { ...all, size }))), ['a', 'c', 'b']);
	assert.equal(names(choose([...rooms], { ...all, size: 'small' }, true)), 'bca', 'what has not begun has no size');
	assert.deepEqual(valuesOf(rooms, 'topic'), ['animals', 'Ships']);
});

test('who is in a bubble', () => {
	const who = [{ user: 'ann', role: 'host' }, { user: 'bob', role: 'speaker' }, { user: 'cid', role: 'listener' }];
	assert.equal(whoText({ who, followed: 7 }), 'ann hosts, bob speaks and 5 more');
	assert.equal(whoText({ who: who.slice(0, 1), followed: 1 }), 'ann hosts');
});
