import { afterEach, expect, test, vi } from 'vitest';
import { measurePairs, program, quantile, spread } from './harness.ts';

afterEach(() => vi.restoreAllMocks());

test('a quantile lies between its two neighbours in proportion', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([7], 0.99)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow('nothing was measured');
  expect(spread([40, 10, 30, 20, 50])).toEqual({ median: 30, low: 20, high: 40, count: 5 });
});

test('two subjects take turns, each first in every other pair, and warm-up pairs do not count', async () => {
  const done: string[] = [];
  const pairs = await measurePairs({ run: () => done.push('ours') }, { run: () => done.push('peer') }, 4);
  expect(done).toEqual(['peer', 'ours', 'ours', 'peer', 'peer', 'ours', 'ours', 'peer', 'peer', 'ours']);
  expect(pairs.ratio.count).toBe(4);
});

test('prepare goes before each run, and its time does not count', async () => {
  let clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
  const waiting = { prepare: () => (clock += 1000), run: () => (clock += 1) };
  const pairs = await measurePairs(waiting, { run: () => (clock += 2) }, 2);
  expect(pairs).toMatchObject({ ours: { low: 1, high: 1 }, peer: { low: 2, high: 2 } });
});

test('a program that fails, or does not print the expected text each time, is an error', () => {
  const options = { env: { PATH: '/usr/bin:/bin' }, cwd: '/', times: 3 };
  const printing = (text: string) => program('printf', [text], { ...options, expected: /^good$/ });
  expect(() => printing('good\n').run()).not.toThrow();
  expect(() => printing('bad\n').run()).toThrow('not as expected');
  expect(() => program('false', [], options).run()).toThrow('ended with 1');
});
