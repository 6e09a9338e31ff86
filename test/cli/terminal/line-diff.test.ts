import { expect, test } from 'vitest';
import { lineDiff } from '../../../cli/terminal/line-diff.ts';

const diff = (before: string, after: string) => lineDiff(before, after).map(({ sign, line }) => sign + line);

test('a change within sections is shown under the heading of each', () => {
  const before = '[a]\n\thelper = x\n\tpath = true\n[b]\n\tkeep = 1\n[c]\n\thelper = x\n';
  expect(diff(before, before.replaceAll('helper = x', 'helper = y'))).toEqual([
    ' [a]',
    '-\thelper = x',
    '+\thelper = y',
    ' [c]',
    '-\thelper = x',
    '+\thelper = y',
  ]);
});

test('a section that comes or goes as a whole needs no other heading', () => {
  expect(diff('[a]\nx = 1\n', '[a]\nx = 1\n\n[b]\ny = 2\n')).toEqual(['+', '+[b]', '+y = 2']);
  expect(diff('[a]\nx = 1\n[b]\ny = 2\n', '[a]\nx = 1\n')).toEqual(['-[b]', '-y = 2']);
  expect(diff('x\n', 'x\n')).toEqual([]);
});

test('the same line in another section counts as a different line', () => {
  const before = '[a]\n\thelper =\n\tpath = true\n[b]\n\thelper =\n\tpath = true\n[c]\n\tx = 1\n';
  expect(diff(before, before.replace(/\[b\][^[]*/, ''))).toEqual(['-[b]', '-\thelper =', '-\tpath = true']);
});
