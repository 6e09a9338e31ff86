import { expect, test } from 'vitest';
import type { Row } from './bench.ts';
import { chart } from './chart.ts';
import { exactly, spread } from './harness.ts';
import { table } from './table.ts';

const memory: Row = {
  what: 'memory',
  against: 'another',
  target: { bound: 'at most', value: 1.6, unit: 'times' },
  measured: exactly(1.5),
  ours: spread([70, 72, 74]),
  peer: exactly(48),
  sides: 'MB',
};
const load: Row = {
  what: 'load',
  against: '',
  target: { bound: 'at most', value: 0, unit: 'errors' },
  measured: exactly(0),
  ours: exactly(0.5),
  note: '2,000 answers a second',
};

test('a row shows the unit of its sides, its target, and whether it is met', () => {
  const text = table([memory, load, { ...memory, what: 'late', errors: 1 }]);
  expect(text).toMatch(/^memory +another +72\.0 MB \(71\.0–73\.0\) +48\.0 MB +1\.50 times +at most 1\.6 times +yes$/m);
  expect(text).toMatch(/^load +0\.50 ms +0 errors +at most 0 errors +yes$/m);
  expect(text).toMatch(/^late .* no$/m);
  expect(text).toMatch(/^load: 2,000 answers a second$/m);
});

test('the chart has a bar for each row whose target is not zero', () => {
  const svg = chart([memory, load]);
  expect(svg.match(/<rect /g)).toHaveLength(1);
  expect(svg).toContain('1.50 times');
});
